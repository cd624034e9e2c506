// A Mustache text, parsed once: the names it uses are known before it runs, values are never templates.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// What a name of a template stands for; nothing: it is empty.
using TemplateLookup = std::function<std::shared_ptr<const Json>(const std::vector<std::string>& path)>;

// Immutable. Without HTML escaping, partials and changed delimiters.
// Threads: render() from many at once.
class CompiledTemplate {
public:
    struct Variable {
        std::vector<std::string> path; // {"item","title"}
        bool insideSection = false;    // may be a name of the section's own value
        std::int64_t line = 1;         // within the template
        std::int64_t column = 1;
    };

    // PipelineInvalid with the position within `text`: unclosed tags and sections, {{> }}, {{= }}, more than 256 KiB.
    static Result<std::shared_ptr<const CompiledTemplate>> compile(std::string_view text);
    ~CompiledTemplate();
    CompiledTemplate(const CompiledTemplate&) = delete;
    CompiledTemplate& operator=(const CompiledTemplate&) = delete;

    const std::vector<Variable>& variables() const noexcept { return m_variables; }
    const std::string& text() const noexcept { return m_text; }
    // Absent and null values give nothing; numbers and JSON their shortest form.
    std::string render(const TemplateLookup& lookup) const;

private:
    struct Parsed;
    CompiledTemplate();
    std::string m_text;
    std::vector<Variable> m_variables;
    std::unique_ptr<Parsed> m_parsed;
};

// Is there a tag in it?
bool looksLikeTemplate(std::string_view text) noexcept;

} // namespace aiflow
