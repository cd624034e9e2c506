// Reads one value of a step: constants, references, templates and conditions; checks what they name.
#pragma once

#include "core/pipeline/draft.h"

namespace aiflow {

class SourceReader {
public:
    // `step`: the position of the step that the values belong to; -1: the outputs section.
    SourceReader(Draft& draft, int step) : m_draft(draft), m_step(step) {}

    // Nothing when it is wrong; the mistake is reported.
    std::optional<ReadSource> read(const YamlNode& node);
    std::optional<Condition> readCondition(const YamlNode& node);
    // Names are checked; mistakes stand at `place`, or in `file` when the text was read from one.
    std::shared_ptr<const CompiledTemplate> readTemplate(const std::string& text, YamlPlace place,
                                                         const std::string& file = {});
    // "$detect.boxes" without its dollar.
    std::optional<ReadSource> readReference(const std::string& reference, YamlPlace place);

    // {{item.title}}: does the name exist?
    void checkVariable(const std::vector<std::string>& path, YamlPlace place);

private:
    std::optional<ReadSource> readText(const YamlNode& node);
    std::optional<ReadSource> readList(const YamlNode& node);
    std::optional<ReadSource> readMap(const YamlNode& node);
    std::optional<ReadSource> itemField(const std::vector<std::string>& path, YamlPlace place);
    std::optional<ReadSource> param(const std::vector<std::string>& path, YamlPlace place);
    std::optional<ReadSource> each(const std::vector<std::string>& path, YamlPlace place);
    std::optional<ReadSource> stepOutput(const std::vector<std::string>& path, YamlPlace place);
    bool checkPath(const std::string& whole, PortType type, std::size_t pathLength, YamlPlace place);
    PortType fieldType(const DraftPort& port, const std::vector<std::string>& path, const std::string& whole,
                       YamlPlace place);
    std::optional<Condition> readOperator(const YamlEntry& entry);
    std::optional<Condition> readGroup(Condition condition, const YamlEntry& entry);
    std::optional<Condition> readComparison(Condition condition, const YamlEntry& entry);
    ReadSource constant(Json value, YamlPlace place) const;

    bool isName(const std::string& head) const;
    std::string joined(const std::vector<std::string>& path) const;

    Draft& m_draft;
    int m_step;
};

} // namespace aiflow
