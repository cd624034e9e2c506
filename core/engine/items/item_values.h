// The values of an item's steps: in memory while someone needs them, else from their artifacts, else made again.
#pragma once

#include "core/engine/job_context.h"

#include <memory>
#include <string_view>

namespace aiflow {

// The artifact that holds a port: its own, or one of which the port is a part (`inside`): a field of an api step's
// whole answer, one of its pictures.
struct KeptPort {
    const TaskOutput* output = nullptr; // null: the port is not durable
    bool inside = false;
};
inline constexpr std::string_view kAnswerPort = "answer";
KeptPort findKept(const TaskSlot& task, std::string_view port) noexcept;

// Threads: every method, from any CPU-lane thread; two branches of an item at once too. No lock is held while an op
// runs or an artifact is read, so two branches may make the same transient value at once.
class ItemValues {
public:
    explicit ItemValues(JobContext& job) : m_job(job) {}

    // The row; read again when the item was parked.
    Result<std::shared_ptr<const Json>> fields(ActiveItem& item);
    // The bytes behind an image or file column; an empty value for an empty cell.
    Result<Value> file(ActiveItem& item, const std::string& column, const Json& cell);
    // What a step that has ended gave; an empty value when it gave nothing (skipped, optional and failed).
    // Of a step that fans out: the list over its elements.
    Result<Value> output(ActiveItem& item, StepIndex step, std::string_view port);
    // The list that a step fans out over.
    Result<Value> elements(ActiveItem& item, StepIndex step);

    // Reads a durable value.
    Result<Value> load(const KeptPort& kept, std::string_view port);

    // Holds a result for the steps that use it.
    void hold(ActiveItem& item, TaskSlot& task, std::shared_ptr<const Values> values);
    // `step` has ended: values that nobody else waits for are dropped.
    void consumed(ActiveItem& item, const Step& step);
    // Puts the values of a fan-out's elements together, port by port.
    void gatherElements(ActiveItem& item, StepIndex step);

private:
    Result<Value> loadList(ActiveItem& item, StepIndex step, std::string_view port);
    Result<std::shared_ptr<const Values>> makeAgain(ActiveItem& item, StepIndex step);
    Result<Values> runAgain(ActiveItem& item, StepIndex step, std::int32_t element);
    void drop(ActiveItem& item, StepRun& run);

    JobContext& m_job;
};

// The values of a fan-out's elements, port by port as lists; what an element did not give is empty.
Values joinElements(const std::vector<Values>& parts);
// The entry of a list: of values, or of a JSON array. Empty when there is none.
Value elementOf(const Value& list, std::size_t index);
// How many; nothing when it is no list.
std::optional<std::size_t> lengthOf(const Value& list);

} // namespace aiflow
