#include "core/engine/items/task_inputs.h"

#include "core/base/json.h"

namespace aiflow {

namespace {

// A list of JSON values as one JSON array; nothing when an element is an image or a file.
std::optional<Json> asArray(const Value::List& list)
{
    Json array = Json::array();
    for (const Value& element : list) {
        if (element.empty()) {
            array.push_back(nullptr);
        } else if (const Json* json = element.json()) {
            array.push_back(*json);
        } else if (const Value::List* inner = element.list()) {
            auto nested = asArray(*inner);
            if (!nested) return std::nullopt;
            array.push_back(std::move(*nested));
        } else {
            return std::nullopt;
        }
    }
    return array;
}

bool isBlank(const Json& cell)
{
    return cell.is_null() || (cell.is_string() && cell.get_ref<const std::string&>().empty());
}

} // namespace

TaskInputs::TaskInputs(ItemValues& values, const JobContext& job, ActiveItem& item, StepIndex step,
                       std::int32_t element)
    : m_values(values), m_job(job), m_item(item), m_step(step), m_element(element)
{
}

Result<Values> TaskInputs::all()
{
    Values inputs;
    for (const auto& [port, source] : m_job.pipeline().at(m_step).inputs) {
        auto value = this->value(source);
        if (!value) return tl::unexpected(std::move(value.error()));
        if (!value->empty()) inputs.set(port, std::move(*value));
    }
    return inputs;
}

Result<Value> TaskInputs::value(const Source& source)
{
    if (isPlainReference(source)) return reference(source);
    auto json = evaluate(source, m_job.pipeline(), *this);
    if (m_error) return tl::unexpected(*m_error);
    if (!json) return tl::unexpected(std::move(json.error()));
    return json->is_null() ? Value() : Value(std::move(*json));
}

Result<Value> TaskInputs::reference(const Source& source)
{
    if (const auto* output = std::get_if<StepOutput>(&source.from))
        return m_values.output(m_item, output->step, output->port);
    if (std::holds_alternative<EachElement>(source.from)) {
        auto list = m_values.elements(m_item, m_step);
        if (!list) return list;
        return elementOf(*list, static_cast<std::size_t>(m_element));
    }
    const std::string& column = std::get<ItemField>(source.from).column;
    auto fields = m_values.fields(m_item);
    if (!fields) return tl::unexpected(std::move(fields.error()));
    const auto cell = (*fields)->find(column);
    if (cell == (*fields)->end() || isBlank(*cell)) return Value();
    if (m_job.plan.isFile(column)) return m_values.file(m_item, column, *cell);
    return Value(*cell);
}

Result<bool> TaskInputs::holds(const Condition& condition)
{
    auto result = evaluate(condition, m_job.pipeline(), *this);
    if (m_error) return tl::unexpected(*m_error);
    return result;
}

Result<std::string> TaskInputs::render(const CompiledTemplate& text)
{
    std::string rendered = renderTemplate(text, m_job.pipeline(), *this);
    if (m_error) return tl::unexpected(*m_error);
    return rendered;
}

Seen TaskInputs::field(std::string_view column) const
{
    auto fields = m_values.fields(m_item);
    if (!fields) {
        m_error = std::move(fields.error());
        return {};
    }
    // The row itself stays alive in the item for as long as the task runs.
    const auto cell = (*fields)->find(column);
    if (cell == (*fields)->end() || isBlank(*cell)) return {};
    return {true, &*cell};
}

Seen TaskInputs::output(StepIndex step, std::string_view port) const
{
    return see(m_values.output(m_item, step, port));
}

Seen TaskInputs::each() const
{
    if (m_element < 0) return {};
    auto list = m_values.elements(m_item, m_step);
    if (!list) return see(std::move(list));
    return see(elementOf(*list, static_cast<std::size_t>(m_element)));
}

Seen TaskInputs::see(Result<Value> value) const
{
    if (!value) {
        m_error = std::move(value.error());
        return {};
    }
    if (value->empty()) return {};
    const Value::List* list = value->list();
    auto array = list != nullptr ? asArray(*list) : std::nullopt;
    m_seen.push_back(array ? Value(std::move(*array)) : std::move(*value));
    return {true, m_seen.back().json()};
}

} // namespace aiflow
