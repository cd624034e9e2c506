#include "core/input/column_map.h"

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/input/header_names.h"
#include "core/input/text_place.h"

#include <algorithm>

namespace aiflow {

namespace {

bool isEmpty(const FieldValue& value) { return std::holds_alternative<std::monostate>(value); }

Json toJson(const FieldValue& value)
{
    return std::visit(
        [](const auto& held) -> Json {
            using Held = std::decay_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::monostate>) {
                return nullptr;
            } else if constexpr (std::is_same_v<Held, std::string_view>) {
                return std::string(held);
            } else {
                return held;
            }
        },
        value);
}

// A name in the forms by which it is compared: made once, not for every pair.
struct NameForms {
    explicit NameForms(const std::string& text)
        : exact(text), folded(foldForMatching(text)), plain(splitUnit(text).name), meaning(meaningOf(plain))
    {
    }
    bool like(const NameForms& other) const { return folded == other.folded || plain == other.plain; }

    std::string exact;
    std::string folded;
    std::string plain;
    std::string_view meaning;
};

struct FieldForms {
    explicit FieldForms(const FieldSpec& field) : name(field.name)
    {
        for (const std::string& alias : field.aliases) aliases.emplace_back(alias);
    }

    NameForms name;
    std::vector<NameForms> aliases;
};

bool fits(const FieldForms& field, const NameForms& header, MatchedBy by)
{
    switch (by) {
    case MatchedBy::ExactName:
        return header.exact == field.name.exact;
    case MatchedBy::FoldedName:
        return header.like(field.name);
    case MatchedBy::Alias:
        return std::ranges::any_of(field.aliases, [&](const NameForms& alias) { return alias.like(header); });
    case MatchedBy::KnownName:
        return !header.meaning.empty() && header.meaning == field.name.meaning;
    case MatchedBy::None:
    case MatchedBy::Override:
        break;
    }
    return false;
}

std::vector<std::string> namesOf(const std::vector<HeaderColumn>& header)
{
    std::vector<std::string> names;
    for (const HeaderColumn& column : header)
        if (!column.ignored) names.push_back(column.name);
    return names;
}

FieldSpec textField(const std::string& name, bool required)
{
    FieldSpec field;
    field.name = name;
    field.required = required;
    return field;
}

std::string withNearest(std::string_view word, const std::vector<std::string>& known)
{
    const auto near = nearestWord(word, known);
    return near ? "did you mean " + *near + "?" : "known are: " + join(known, ", ");
}

} // namespace

Result<ColumnMap> ColumnMap::make(const ColumnMapSettings& settings, const InputDescription& description)
{
    ColumnMap map;
    map.m_header = description.header;
    map.m_used.resize(description.header.size());
    map.m_displayName = description.displayName;
    for (const FieldSpec& field : settings.fields) map.addField(field);
    if (settings.fields.empty())
        for (const std::string& header : namesOf(description.header)) map.addField(textField(header, false));
    if (!settings.idField.empty()) {
        auto id = map.find(settings.idField);
        if (!id) id = map.addField(textField(settings.idField, true));
        map.m_id = id;
    }
    for (const auto& [field, header] : settings.overrides)
        if (auto done = map.applyOverride(field, header); !done) return tl::unexpected(done.error());
    map.bind();
    return map;
}

std::size_t ColumnMap::addField(const FieldSpec& field)
{
    FieldBinding binding;
    binding.field = field;
    const NameAndUnit parts = splitUnit(field.name);
    binding.fieldUnit = parts.unit;
    m_bindings.push_back(std::move(binding));
    if (!m_title && meaningOf(parts.name) == "title") m_title = m_bindings.size() - 1;
    return m_bindings.size() - 1;
}

std::optional<std::size_t> ColumnMap::find(std::string_view field) const
{
    for (std::size_t i = 0; i < m_bindings.size(); ++i)
        if (m_bindings[i].field.name == field) return i;
    return std::nullopt;
}

Result<void> ColumnMap::applyOverride(const std::string& field, const std::string& header)
{
    const auto index = find(field);
    if (!index) {
        std::vector<std::string> fields;
        for (const FieldBinding& known : m_bindings) fields.push_back(known.field.name);
        return fail(Reason::UsageInvalid, "--map: the pipeline has no field " + field, withNearest(field, fields));
    }
    auto column = std::ranges::find(m_header, header, &HeaderColumn::name);
    if (column == m_header.end())
        column = std::ranges::find_if(m_header, [&](const HeaderColumn& known) {
            return foldForMatching(known.name) == foldForMatching(header);
        });
    if (column == m_header.end())
        return fail(Reason::UsageInvalid, "--map: " + m_displayName + " has no column " + header,
                    withNearest(header, namesOf(m_header)));
    feed(m_bindings[*index], static_cast<std::size_t>(column - m_header.begin()), MatchedBy::Override);
    return {};
}

void ColumnMap::bind()
{
    std::vector<NameForms> headers;
    for (const HeaderColumn& column : m_header) headers.emplace_back(column.name);
    std::vector<FieldForms> fields;
    for (const FieldBinding& binding : m_bindings) fields.emplace_back(binding.field);
    for (const MatchedBy by : {MatchedBy::ExactName, MatchedBy::FoldedName, MatchedBy::Alias, MatchedBy::KnownName})
        for (std::size_t field = 0; field < m_bindings.size(); ++field)
            for (std::size_t column = 0; column < headers.size() && m_bindings[field].by == MatchedBy::None; ++column)
                if (!m_used[column] && !m_header[column].ignored && fits(fields[field], headers[column], by))
                    feed(m_bindings[field], column, by);
}

void ColumnMap::feed(FieldBinding& binding, std::size_t column, MatchedBy by)
{
    binding.by = by;
    binding.column = column;
    binding.header = m_header[column].name;
    binding.headerUnit = splitUnit(binding.header).unit;
    m_used[column] = true;
}

std::vector<std::string> ColumnMap::missing() const
{
    std::vector<std::string> names;
    for (const FieldBinding& binding : m_bindings)
        if (binding.field.required && !binding.field.defaultValue && binding.by == MatchedBy::None)
            names.push_back(binding.field.name);
    return names;
}

std::vector<std::string> ColumnMap::unmatchedHeaders() const
{
    std::vector<std::string> names;
    for (std::size_t i = 0; i < m_header.size(); ++i)
        if (!m_used[i] && !m_header[i].ignored) names.push_back(m_header[i].name);
    return names;
}

double ColumnMap::fit() const
{
    const auto all = static_cast<double>(m_bindings.size());
    const auto found = static_cast<double>(
        std::ranges::count_if(m_bindings, [](const FieldBinding& binding) { return binding.by != MatchedBy::None; }));
    const auto required = static_cast<double>(
        std::ranges::count_if(m_bindings, [](const FieldBinding& binding) { return binding.field.required; }));
    const auto lacking = static_cast<double>(missing().size());
    if (all == 0) return 1;
    return lacking > 0 ? 0.5 * (required - lacking) / (required + 1) : 0.5 + 0.5 * found / all;
}

Result<void> ColumnMap::requireAll() const
{
    const auto names = missing();
    if (names.empty()) return {};
    return failAt({m_displayName, 1, 0, -1}, Reason::InputFieldMissing,
                  "missing columns: " + join(names, ", ") + "; the file has: " + join(namesOf(m_header), ", "),
                  "add them, or say which column it is: --map " + names.front() + "=COLUMN");
}

ColumnMap::Value ColumnMap::read(const FieldBinding& binding, const InputRecord& record) const
{
    if (record.object) {
        auto found = record.object->find(binding.by == MatchedBy::None ? binding.field.name : binding.header);
        if (found == record.object->end()) found = record.object->find(binding.field.name);
        if (found == record.object->end()) return FieldValue();
        return readField(*found, binding.field, binding.headerUnit, binding.fieldUnit);
    }
    if (binding.by == MatchedBy::None || binding.column >= record.cells.size()) return FieldValue();
    return readField(std::string_view(record.cells[binding.column]), binding.field, binding.headerUnit,
                     binding.fieldUnit);
}

std::string ColumnMap::textOf(const FieldBinding& binding, const InputRecord& record) const
{
    const auto value = read(binding, record);
    if (!value) return {};
    if (const auto* text = std::get_if<std::string_view>(&*value)) return std::string(trimSpaces(*text));
    if (const auto* own = std::get_if<std::string>(&*value)) return *own;
    return isEmpty(*value) ? std::string() : dumpJson(toJson(*value));
}

std::string ColumnMap::idOf(const InputRecord& record) const
{
    std::string id = m_id ? textOf(m_bindings[*m_id], record) : std::string();
    return id.empty() ? std::to_string(record.line) : id;
}

Error ColumnMap::at(const InputRecord& record, Reason reason, std::string message, std::string hint) const
{
    return {reason, std::move(message), std::move(hint),
            SourcePosition{m_displayName, record.line, 0, record.byteOffset}};
}

Error ColumnMap::problemError(const FieldBinding& binding, const InputRecord& record, const FieldProblem& problem) const
{
    const std::string& column = binding.header.empty() ? binding.field.name : binding.header;
    return at(record, Reason::InputFieldBad, "item " + idOf(record) + ", column " + column + ": " + problem.message,
              problem.hint.empty() ? "correct the cell" : problem.hint);
}

Error ColumnMap::missingError(const FieldBinding& binding, const InputRecord& record) const
{
    const std::string& column = binding.header.empty() ? binding.field.name : binding.header;
    return at(record, Reason::InputFieldMissing,
              "item " + idOf(record) + ", column " + column + ": expected " + std::string(name(binding.field.type)) +
                  ", found nothing",
              "fill in the cell");
}

Result<MappedItem> ColumnMap::toItem(const InputRecord& record) const
{
    if (record.error) return tl::unexpected(*record.error);
    auto fields = std::make_shared<Json>(Json::object());
    for (const FieldBinding& binding : m_bindings) {
        const auto value = read(binding, record);
        if (!value) return tl::unexpected(problemError(binding, record, value.error()));
        if (!isEmpty(*value)) {
            (*fields)[binding.field.name] = toJson(*value);
        } else if (binding.field.defaultValue) {
            (*fields)[binding.field.name] = *binding.field.defaultValue;
        } else if (binding.field.required) {
            return tl::unexpected(missingError(binding, record));
        } else {
            (*fields)[binding.field.name] = nullptr;
        }
    }
    // The id is in file names and reports: there it has no spaces around it.
    if (Json* id = m_id ? &(*fields)[m_bindings[*m_id].field.name] : nullptr; id != nullptr && id->is_string())
        *id = std::string(trimSpaces(id->get_ref<const std::string&>()));
    MappedItem item{idOf(record), m_title ? textOf(m_bindings[*m_title], record) : std::string(), std::move(fields)};
    if (item.title.empty()) item.title = item.id;
    return item;
}

std::optional<Error> ColumnMap::check(const InputRecord& record, IdSet* seen) const
{
    if (record.error) return record.error;
    for (const FieldBinding& binding : m_bindings) {
        const auto value = read(binding, record);
        if (!value) return problemError(binding, record, value.error());
        if (isEmpty(*value) && binding.field.required && !binding.field.defaultValue)
            return missingError(binding, record);
    }
    if (seen == nullptr || !m_id) return std::nullopt;
    const std::string id = textOf(m_bindings[*m_id], record);
    if (id.empty()) return std::nullopt;
    const auto first = seen->insert(id, record.line);
    if (!first) return std::nullopt;
    return at(record, Reason::InputFieldBad,
              "item " + id + " stands in the file twice: first on line " + std::to_string(*first) + ", again on line " +
                  std::to_string(record.line),
              "give each row its own " + m_bindings[*m_id].header + ", or delete one of the two");
}

} // namespace aiflow
