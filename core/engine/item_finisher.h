// Ends items: places their outputs, writes their last record, tells the viewers, remembers them for later jobs.
#pragma once

#include "core/engine/items/item_values.h"

#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// Threads: finish() on CPU-lane threads; the others on the thread that feeds the graph.
class ItemFinisher {
public:
    ItemFinisher(JobContext& job, ItemValues& values) : m_job(job), m_values(values) {}

    // All steps have ended. False: the disk refused an output; the job was told to stop and the item has not ended.
    bool finish(ActiveItem& item);
    // A bad row: it ends at once, nothing of it runs.
    void refuse(const ItemRecord& record, bool known);
    // The job stops before the item's end: what is done is written, the rest waits or is cancelled.
    void leave(ActiveItem& item, bool cancelled);

private:
    Result<std::vector<TaskOutput>> place(ActiveItem& item);
    Result<void> placeOne(ActiveItem& item, const Output& output, std::int64_t element, const TaskSlot& task,
                          std::vector<TaskOutput>& files);
    Result<void> placeValue(ActiveItem& item, const Output& output, std::int64_t element, const Value& value,
                            std::vector<TaskOutput>& files);
    Result<void> placeFile(ActiveItem& item, const Output& output, std::int64_t element, const ArtifactRef& artifact,
                           std::vector<TaskOutput>& files);
    Result<std::string> nameOf(ActiveItem& item, const Output& output, std::int64_t element);
    void remember(const ActiveItem& item);
    // Journals the item's end after `records`, and its event, in one piece.
    void announce(const ActiveItem& item, std::vector<JournalRecord> records, ItemProgress progress);

    JobContext& m_job;
    ItemValues& m_values;
};

// What an item with these steps has come to.
TaskState outcomeOf(const Pipeline& pipeline, const std::vector<TaskState>& steps);
// The names of durable outputs in an item's record: "step.port", of a fan-out "step.port[7]".
std::string recordName(const Step& step, const std::string& port, std::int64_t element);
// Puts the outputs of an item's record back where they came from. False: the record does not fit the pipeline.
bool restoreRecord(const Pipeline& pipeline, const CachedResult& record, ActiveItem& item);

} // namespace aiflow
