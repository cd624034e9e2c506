// What a cell means: the types of a pipeline's columns, and how texts that people type become values.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aiflow {

enum class FieldType : std::uint8_t { Text, Number, Integer, Boolean, Image, File };

// A column that a pipeline asks for.
struct FieldSpec {
    std::string name;
    FieldType type = FieldType::Text;
    bool required = false;
    std::optional<double> minimum;
    std::optional<double> maximum;
    std::vector<std::string> aliases;         // other headers that mean it
    std::vector<std::string> oneOf;           // allowed texts; empty: any
    std::shared_ptr<const Json> defaultValue; // for an empty cell; may be null
};

// Monostate: empty. Texts point into the cell or into the spec, or are own (a JSON number that is a text column's).
using FieldValue = std::variant<std::monostate, std::string_view, double, std::int64_t, bool, std::string>;

// What is wrong with a cell: "expected a number, found \"abc\"".
struct FieldProblem {
    std::string message;
    std::string hint;
};

// A unit of length or weight that stands in a header or behind a number.
struct Unit {
    enum class Kind : std::uint8_t { Length, Weight, Money, Count };
    Kind kind;
    double factor; // to millimetres, grams; 1 for the others
};
// "cm", "毫米", "kg", "元": of folded text. Nothing when it is none.
std::optional<Unit> unitFromName(std::string_view folded);

// A header or a field's name in its two parts: "宽 (cm)" gives "宽" and cm.
struct NameAndUnit {
    std::string name; // folded, without spaces, underscores and hyphens
    std::optional<Unit> unit;
};
NameAndUnit splitUnit(std::string_view header);

// The value of a cell for that column. Numbers may be full-width, have thousands separators ("1,234.5"), a unit or a
// currency; `from` is the unit of the cells (of the header), `to` the one that the field wants: other units of the same
// kind are converted. Texts stay as typed. Booleans: true/false, yes/no, 1/0, 是/否, 有/无.
tl::expected<FieldValue, FieldProblem> readField(std::string_view cell, const FieldSpec& spec,
                                                 const std::optional<Unit>& from, const std::optional<Unit>& to);
// The same for a JSON value, which must outlive the result.
tl::expected<FieldValue, FieldProblem> readField(const Json& value, const FieldSpec& spec,
                                                 const std::optional<Unit>& from, const std::optional<Unit>& to);

std::string_view name(FieldType type) noexcept; // "number"

} // namespace aiflow
