// Under which keys results are found again: hashes of everything that can change them.
#pragma once

#include "core/engine/items/item_values.h"

#include <cstdint>
#include <string_view>

namespace aiflow {

// The identity of a durable value is its content hash, of a transient one how it was derived, of a row's field its
// JSON, of a file its content hash. Nothing is computed or decoded for a key that a hash can stand for.
// Threads: every method, from any CPU-lane thread.
class TaskKeys {
public:
    TaskKeys(JobContext& job, ItemValues& values) : m_job(job), m_values(values) {}

    // Of everything that an item gives: the pipeline and the row. An error when a file of the row cannot be read.
    Result<ContentHash> ofItem(ActiveItem& item);
    // Of a model's call, or of how an op's values come about; element -1 of a fan-out: of all its elements.
    Result<ContentHash> ofTask(ActiveItem& item, StepIndex step, std::int32_t element);
    // Of a remote call: its request holds every input, files by their hash.
    static ContentHash ofRequest(const Step& step, std::string_view request);

private:
    Result<void> addSource(Hasher& hasher, ActiveItem& item, StepIndex step, std::int32_t element,
                           const Source& source);
    Result<void> addField(Hasher& hasher, ActiveItem& item, const std::string& column);
    Result<void> addOutput(Hasher& hasher, ActiveItem& item, const StepOutput& output);

    JobContext& m_job;
    ItemValues& m_values;
};

} // namespace aiflow
