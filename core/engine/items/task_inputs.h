// What one task sees: its inputs as values, its conditions and texts as the pipeline's rules give them.
#pragma once

#include "core/engine/items/item_values.h"
#include "core/pipeline/evaluate.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace aiflow {

// Threads: one; made for one task and dropped with it.
class TaskInputs final : public ValueLookup {
public:
    TaskInputs(ItemValues& values, const JobContext& job, ActiveItem& item, StepIndex step, std::int32_t element = -1);

    // By port; ports whose value is empty are left out.
    Result<Values> all();
    // A reference passes its value on whatever it is; everything else is JSON. Null JSON is an empty value.
    Result<Value> value(const Source& source);
    Result<bool> holds(const Condition& condition);
    Result<std::string> render(const CompiledTemplate& text);

    Seen field(std::string_view column) const override;
    Seen output(StepIndex step, std::string_view port) const override;
    Seen each() const override;
    std::int64_t eachIndex() const override { return m_element; }

private:
    Result<Value> reference(const Source& source);
    Seen see(Result<Value> value) const;

    ItemValues& m_values;
    const JobContext& m_job;
    ActiveItem& m_item;
    StepIndex m_step;
    std::int32_t m_element;
    // What was shown must live as long as this; what could not be read makes every answer an error.
    mutable std::deque<Value> m_seen;
    mutable std::optional<Error> m_error;
};

} // namespace aiflow
