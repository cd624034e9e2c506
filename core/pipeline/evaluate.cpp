#include "core/pipeline/evaluate.h"

#include "core/base/json.h"
#include "core/pipeline/template.h"

#include <charconv>
#include <unicode/regex.h>

namespace aiflow {

namespace {

constexpr std::int32_t kRegexSteps = 2000;            // ICU's units: about a second
constexpr std::int32_t kRegexStack = 8 * 1024 * 1024; // bytes

template <typename... Fs> struct Overload : Fs... {
    using Fs::operator()...;
};
template <typename... Fs> Overload(Fs...) -> Overload<Fs...>;

// Null when the path leads nowhere.
const Json* walk(const Json* value, const std::vector<std::string>& path, std::size_t from = 0)
{
    for (std::size_t i = from; i < path.size() && value != nullptr; ++i) {
        const std::string& name = path[i];
        if (value->is_object()) {
            const auto found = value->find(name);
            value = found == value->end() ? nullptr : &*found;
        } else {
            std::size_t index = 0;
            const char* last = name.data() + name.size();
            const auto [end, error] = std::from_chars(name.data(), last, index);
            const bool good = value->is_array() && error == std::errc{} && end == last && index < value->size();
            value = good ? &(*value)[index] : nullptr;
        }
    }
    return value;
}

Result<Json> toJson(Seen seen, const std::vector<std::string>& path, const std::string& what)
{
    if (!seen.present) return Json();
    if (seen.json == nullptr)
        return fail(Reason::PipelineInvalid, what + " is an image or a file, where text or JSON is needed");
    const Json* value = walk(seen.json, path);
    return value == nullptr ? Json() : *value;
}

bool truthy(const Json& value)
{
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number()) return value.get<double>() != 0.0;
    if (value.is_string()) return !value.get_ref<const std::string&>().empty();
    return !value.empty();
}

bool isLess(const Json& a, const Json& b)
{
    if (a.is_number() && b.is_number()) return a.get<double>() < b.get<double>();
    if (a.is_string() && b.is_string()) return a.get_ref<const std::string&>() < b.get_ref<const std::string&>();
    return false;
}

bool contains(const Json& list, const Json& value)
{
    if (!list.is_array()) return false;
    for (const Json& element : list)
        if (element == value) return true;
    return false;
}

StepIndex indexOf(const Pipeline& pipeline, const Step& step)
{
    return StepIndex(static_cast<std::int32_t>(&step - pipeline.steps.data()));
}

std::shared_ptr<const Json> share(const Json* value)
{
    // Does not own: the values outlive the rendering that asks for them.
    return value == nullptr ? nullptr : std::shared_ptr<const Json>(std::shared_ptr<const Json>(), value);
}

std::string joinFrom(const std::vector<std::string>& path, std::size_t from)
{
    std::string text;
    for (std::size_t i = from; i < path.size(); ++i) text += (i == from ? "" : ".") + path[i];
    return text;
}

std::shared_ptr<const Json> lookUp(const std::vector<std::string>& path, const Pipeline& pipeline,
                                   const ValueLookup& values)
{
    if (path.empty()) return nullptr;
    const std::string& head = path.front();
    if (head == "item") return share(values.field(joinFrom(path, 1)).json);
    if (head == "params") return share(walk(pipeline.params.get(), path, 1));
    if (head == "each") return share(walk(values.each().json, path, 1));
    if (head == "each_index") return std::make_shared<const Json>(values.eachIndex());
    const Step* step = pipeline.find(head);
    if (step == nullptr) return nullptr;
    const std::string port = path.size() > 1 ? path[1] : step->mainOutput;
    const Seen seen = values.output(indexOf(pipeline, *step), port);
    // An image is printed as nothing, but a section about it is shown.
    if (seen.present && seen.json == nullptr) return std::make_shared<const Json>(Json{{"present", true}});
    return share(walk(seen.json, path, 2));
}

Result<bool> compare(const Condition& condition, const Pipeline& pipeline, const ValueLookup& values)
{
    const auto a = evaluate(condition.operands.at(0), pipeline, values);
    if (!a) return tl::unexpected(a.error());
    if (condition.kind == Condition::Kind::Matches) {
        if (a->is_null()) return false;
        return condition.pattern->search(a->is_string() ? a->get<std::string>() : dumpJson(*a));
    }
    const auto b = evaluate(condition.operands.at(1), pipeline, values);
    if (!b) return tl::unexpected(b.error());
    switch (condition.kind) {
    case Condition::Kind::Equals:
        return *a == *b;
    case Condition::Kind::Less:
        return isLess(*a, *b);
    case Condition::Kind::Greater:
        return isLess(*b, *a);
    default:
        return contains(*b, *a);
    }
}

} // namespace

bool isPlainReference(const Source& source) noexcept
{
    if (std::holds_alternative<ItemField>(source.from)) return true;
    if (const auto* output = std::get_if<StepOutput>(&source.from)) return output->path.empty();
    const auto* each = std::get_if<EachElement>(&source.from);
    return each != nullptr && each->path.empty();
}

Result<Json> evaluate(const Source& source, const Pipeline& pipeline, const ValueLookup& values)
{
    return std::visit(
        Overload{
            [](const Constant& from) -> Result<Json> { return *from.value; },
            [&](const ItemField& from) { return toJson(values.field(from.column), {}, "$item." + from.column); },
            [&](const StepOutput& from) {
                return toJson(values.output(from.step, from.port), from.path,
                              "$" + pipeline.at(from.step).name + "." + from.port);
            },
            [&](const ParamValue& from) -> Result<Json> {
                const Json* value = walk(pipeline.params.get(), {from.name});
                return value == nullptr ? Json() : *value;
            },
            [&](const EachElement& from) { return toJson(values.each(), from.path, "$each"); },
            [&](const EachIndex&) -> Result<Json> { return Json(values.eachIndex()); },
            [&](const Template& from) -> Result<Json> { return renderTemplate(*from.compiled, pipeline, values); },
            [&](const ObjectOf& from) -> Result<Json> {
                Json object = Json::object();
                for (const auto& [key, field] : from.fields) {
                    auto value = evaluate(*field, pipeline, values);
                    if (!value) return value;
                    object[key] = std::move(*value);
                }
                return object;
            },
            [&](const ArrayOf& from) -> Result<Json> {
                Json array = Json::array();
                for (const auto& element : from.elements) {
                    auto value = evaluate(*element, pipeline, values);
                    if (!value) return value;
                    array.push_back(std::move(*value));
                }
                return array;
            },
        },
        source.from);
}

bool isTruthy(const Source& source, const Pipeline& pipeline, const ValueLookup& values)
{
    const auto present = [](Seen seen) { return seen.present && seen.json == nullptr; };
    if (const auto* output = std::get_if<StepOutput>(&source.from))
        if (present(values.output(output->step, output->port))) return true;
    if (std::holds_alternative<EachElement>(source.from) && present(values.each())) return true;
    const auto value = evaluate(source, pipeline, values);
    return value && truthy(*value);
}

Result<bool> evaluate(const Condition& condition, const Pipeline& pipeline, const ValueLookup& values)
{
    const bool isAny = condition.kind == Condition::Kind::Any;
    switch (condition.kind) {
    case Condition::Kind::Truthy:
        return isTruthy(condition.operands.at(0), pipeline, values);
    case Condition::Kind::Not:
        return evaluate(condition.conditions.at(0), pipeline, values).map([](bool value) { return !value; });
    case Condition::Kind::All:
    case Condition::Kind::Any:
        for (const Condition& part : condition.conditions) {
            const auto value = evaluate(part, pipeline, values);
            if (!value || *value == isAny) return value;
        }
        return !isAny;
    default:
        return compare(condition, pipeline, values);
    }
}

std::string renderTemplate(const CompiledTemplate& text, const Pipeline& pipeline, const ValueLookup& values)
{
    return text.render([&](const std::vector<std::string>& path) { return lookUp(path, pipeline, values); });
}

struct RegularExpression::Pattern {
    std::unique_ptr<icu::RegexPattern> compiled;
};

RegularExpression::RegularExpression() : m_pattern(std::make_unique<Pattern>()) {}
RegularExpression::~RegularExpression() = default;

Result<std::shared_ptr<const RegularExpression>> RegularExpression::compile(std::string_view pattern)
{
    UErrorCode status = U_ZERO_ERROR;
    UParseError where{};
    std::shared_ptr<RegularExpression> made(new RegularExpression);
    made->m_pattern->compiled.reset(
        icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(std::string(pattern)), 0, where, status));
    if (U_FAILURE(status))
        return fail(Reason::PipelineInvalid, "\"" + std::string(pattern) + "\" is not a regular expression: " +
                                                 u_errorName(status) + " at character " + std::to_string(where.offset));
    return made;
}

Result<bool> RegularExpression::search(std::string_view text) const
{
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(std::string(text));
    const std::unique_ptr<icu::RegexMatcher> matcher(m_pattern->compiled->matcher(wide, status));
    if (U_SUCCESS(status)) matcher->setTimeLimit(kRegexSteps, status);
    if (U_SUCCESS(status)) matcher->setStackLimit(kRegexStack, status);
    const bool found = U_SUCCESS(status) && matcher->find(status) != 0;
    if (U_FAILURE(status))
        return fail(Reason::PipelineInvalid,
                    std::string("the regular expression took too long: ") + u_errorName(status));
    return found;
}

} // namespace aiflow
