#include "core/pipeline/template.h"

#include "core/base/json.h"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <list>
#include <optional>

namespace aiflow {

namespace mustache = kainjow::mustache;

namespace {

constexpr std::size_t kMaxBytes = 256 * 1024;
constexpr std::ptrdiff_t kMaxTags = 4000; // sections nest no deeper, so the library's recursion stays within the stack

std::vector<std::string> splitName(const std::string& name)
{
    return name == "." ? std::vector<std::string>{"."} : mustache::split(name, '.');
}

mustache::data toData(const Json& value)
{
    switch (value.type()) {
    case Json::value_t::string:
        // The library takes an empty text for true; for an author it is nothing.
        if (value.get_ref<const std::string&>().empty()) return mustache::data(false);
        return mustache::data(value.get_ref<const std::string&>());
    case Json::value_t::boolean:
        return value.get<bool>() ? mustache::data("true") : mustache::data(false);
    case Json::value_t::null:
        return mustache::data(false);
    case Json::value_t::array: {
        mustache::data list(mustache::data::type::list);
        for (const Json& element : value) list.push_back(toData(element));
        return list;
    }
    case Json::value_t::object: {
        mustache::data object(mustache::data::type::object);
        for (const auto& [key, element] : value.items()) object.set(key, toData(element));
        return object;
    }
    default:
        return mustache::data(dumpJson(value));
    }
}

// Asks for values when a tag needs them; the values of open sections go first.
class LookupContext final : public mustache::basic_context<std::string> {
public:
    explicit LookupContext(const TemplateLookup& lookup, const std::vector<std::string>& printed)
        : m_lookup(lookup), m_printed(printed)
    {
    }

    void push(const mustache::data* value) override { m_sections.push_back(value); }
    void pop() override { m_sections.pop_back(); }
    const mustache::data* get_partial(const std::string&) const override { return nullptr; }
    const mustache::data* get(const std::string& name) const override
    {
        const auto path = splitName(name);
        if (path.size() == 1 && path.front() == ".") return m_sections.empty() ? nullptr : m_sections.back();
        for (auto section = m_sections.rbegin(); section != m_sections.rend(); ++section)
            if (const auto* found = within(*section, path)) return found;
        const auto value = m_lookup(path);
        if (!value) return nullptr;
        return &m_made.emplace_back(isPrinted(name) ? toText(*value) : toData(*value));
    }

private:
    static const mustache::data* within(const mustache::data* value, const std::vector<std::string>& path)
    {
        for (const std::string& name : path)
            if (value == nullptr || (value = value->get(name)) == nullptr) return nullptr;
        return value;
    }
    bool isPrinted(const std::string& name) const { return std::ranges::binary_search(m_printed, name); }
    static mustache::data toText(const Json& value)
    {
        if (value.is_null()) return mustache::data("");
        return mustache::data(value.is_string() ? value.get<std::string>() : dumpJson(value));
    }

    const TemplateLookup& m_lookup;
    const std::vector<std::string>& m_printed;
    std::vector<const mustache::data*> m_sections;
    mutable std::list<mustache::data> m_made;
};

Error errorAt(std::string_view text, std::size_t position, std::string message)
{
    const std::string_view before = text.substr(0, std::min(position, text.size()));
    const auto lastBreak = before.rfind('\n');
    Error error{Reason::PipelineInvalid, std::move(message), {}, SourcePosition{}};
    error.where->line = 1 + std::count(before.begin(), before.end(), '\n');
    error.where->column =
        static_cast<std::int64_t>(before.size() - (lastBreak == std::string_view::npos ? 0 : lastBreak + 1)) + 1;
    return error;
}

// The library says `Unclosed section "a" at 17`: the number becomes a position.
Error libraryError(std::string_view text, const std::string& message)
{
    const auto at = message.rfind(" at ");
    if (at == std::string::npos) return errorAt(text, 0, message);
    std::string sentence = message.substr(0, at);
    if (!sentence.empty()) sentence[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(sentence[0])));
    return errorAt(text, static_cast<std::size_t>(std::atoll(message.c_str() + at + 4)), std::move(sentence));
}

using Component = mustache::component<std::string>;

struct Names {
    std::vector<CompiledTemplate::Variable> variables;
    std::vector<std::string> printed;  // names that stand in {{x}}
    std::vector<std::string> sections; // names that stand in {{#x}} or {{^x}}
    std::optional<Error> error;
};

void collect(Component& parent, std::string_view text, bool inside, Names& names)
{
    using Walk = Component::walk_control;
    parent.walk_children([&](Component& part) {
        switch (part.tag.type) {
        case mustache::tag_type::partial:
            names.error =
                errorAt(text, part.position, "{{> " + part.tag.name + "}}: a template cannot include another");
            return Walk::stop;
        case mustache::tag_type::set_delimiter:
            names.error = errorAt(text, part.position, "the delimiters {{ and }} cannot be changed");
            return Walk::stop;
        case mustache::tag_type::variable:
        case mustache::tag_type::unescaped_variable:
            names.printed.push_back(part.tag.name);
            break;
        case mustache::tag_type::section_begin:
        case mustache::tag_type::section_begin_inverted:
            names.sections.push_back(part.tag.name);
            break;
        default:
            return Walk::walk;
        }
        const Error place = errorAt(text, part.position, {});
        names.variables.push_back({splitName(part.tag.name), inside, place.where->line, place.where->column});
        if (!part.tag.is_section_begin()) return Walk::walk;
        collect(part, text, true, names);
        return Walk::skip;
    });
}

} // namespace

struct CompiledTemplate::Parsed {
    explicit Parsed(const std::string& text) : mustache(text)
    {
        mustache.set_custom_escape([](const std::string& plain) { return plain; });
    }
    mustache::mustache mustache;
    std::vector<std::string> printed; // sorted; names that no section uses
};

CompiledTemplate::CompiledTemplate() = default;
CompiledTemplate::~CompiledTemplate() = default;

Result<std::shared_ptr<const CompiledTemplate>> CompiledTemplate::compile(std::string_view text)
{
    if (text.size() > kMaxBytes) return fail(Reason::PipelineInvalid, "the template is larger than 256 KiB");
    std::ptrdiff_t tags = 0;
    for (auto at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) ++tags;
    if (tags > kMaxTags) return fail(Reason::PipelineInvalid, "the template has more than 4,000 tags");
    try {
        std::shared_ptr<CompiledTemplate> made(new CompiledTemplate);
        made->m_text = text;
        mustache::context<std::string> nothing;
        mustache::context_internal<std::string> state{nothing};
        Component root;
        std::string message;
        const mustache::parser<std::string> parser{made->m_text, state, root, message};
        if (!message.empty()) return tl::unexpected(libraryError(text, message));
        Names names;
        collect(root, text, false, names);
        if (names.error) return tl::unexpected(*names.error);
        made->m_variables = std::move(names.variables);
        made->m_parsed = std::make_unique<Parsed>(made->m_text);
        for (const std::string& name : names.printed)
            if (std::ranges::find(names.sections, name) == names.sections.end())
                made->m_parsed->printed.push_back(name);
        std::ranges::sort(made->m_parsed->printed);
        return made;
    } catch (const std::exception& error) {
        return fail(Reason::PipelineInvalid, std::string("not a valid template: ") + error.what());
    }
}

std::string CompiledTemplate::render(const TemplateLookup& lookup) const
{
    LookupContext context(lookup, m_parsed->printed);
    // Rendering changes nothing of the parsed form: there are no lambdas and no partials.
    return m_parsed->mustache.render(context);
}

bool looksLikeTemplate(std::string_view text) noexcept { return text.find("{{") != std::string_view::npos; }

} // namespace aiflow
