// Which column of a file feeds which field of a pipeline, and the typed item that a record makes.
#pragma once

#include "core/input/field_value.h"
#include "core/input/id_set.h"
#include "core/input/record_reader.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

enum class MatchedBy : std::uint8_t { None, Override, ExactName, FoldedName, Alias, KnownName };

struct FieldBinding {
    FieldSpec field;
    MatchedBy by = MatchedBy::None;
    std::string header;             // as in the file; empty: no column
    std::size_t column = 0;         // its position in the header
    std::optional<Unit> headerUnit; // "宽(mm)"
    std::optional<Unit> fieldUnit;  // "width_cm"
};

struct ColumnMapSettings {
    std::vector<FieldSpec> fields; // none: every column of the file is a text field
    std::string idField;           // empty: the line number is the id. One that is no field becomes a required text
    std::vector<std::pair<std::string, std::string>> overrides; // field, header: --map title=商品标题
};

// One item, ready for the engine.
struct MappedItem {
    std::string id;
    std::string title;                  // the field that means it, else the id
    std::shared_ptr<const Json> fields; // an object; an empty cell without default is null
};

// Immutable after make(). Threads: const methods, from any thread.
class ColumnMap {
public:
    // By override, exact name, folded name, the field's aliases, then the names that shops use. A column feeds one
    // field. Columns that are missing make no error here: see missing(). UsageInvalid: an override names no such
    // field or header.
    static Result<ColumnMap> make(const ColumnMapSettings& settings, const InputDescription& description);

    const std::vector<FieldBinding>& bindings() const noexcept { return m_bindings; }
    std::vector<std::string> missing() const;          // required fields without a column and without a default
    std::vector<std::string> unmatchedHeaders() const; // not counting ignored ones
    // How well the file fits these fields: below 0.5 when a required one is missing, 1 when all have a column.
    double fit() const;
    // InputFieldMissing, naming the columns that are missing and those that the file has.
    Result<void> requireAll() const;

    // The typed item. The record's own error, InputFieldMissing or InputFieldBad; with line, column's name and id.
    Result<MappedItem> toItem(const InputRecord& record) const;
    // As above without making the item; with `seen` also an id that came before is InputFieldBad (the later row has
    // the error, with both lines).
    std::optional<Error> check(const InputRecord& record, IdSet* seen) const;
    // The id alone: the id column's text, else the line number.
    std::string idOf(const InputRecord& record) const;

private:
    using Value = tl::expected<FieldValue, FieldProblem>;

    std::size_t addField(const FieldSpec& field);
    std::optional<std::size_t> find(std::string_view field) const;
    Result<void> applyOverride(const std::string& field, const std::string& header);
    void bind();
    void feed(FieldBinding& binding, std::size_t column, MatchedBy by);
    Value read(const FieldBinding& binding, const InputRecord& record) const;
    std::string textOf(const FieldBinding& binding, const InputRecord& record) const;
    Error problemError(const FieldBinding& binding, const InputRecord& record, const FieldProblem& problem) const;
    Error missingError(const FieldBinding& binding, const InputRecord& record) const;
    Error at(const InputRecord& record, Reason reason, std::string message, std::string hint) const;

    std::vector<FieldBinding> m_bindings;
    std::vector<HeaderColumn> m_header;
    std::vector<bool> m_used;        // by header
    std::optional<std::size_t> m_id; // of m_bindings
    std::optional<std::size_t> m_title;
    std::string m_displayName;
};

} // namespace aiflow
