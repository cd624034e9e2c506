// Decides which waiting inputs go to the device together, and when: a pure machine, without threads or clocks.
#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"
#include "core/inference/model_lane.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace aiflow {

struct BatchLimits {
    int max = 8;
    std::chrono::milliseconds delay{0}; // how long the first of a batch that is not full waits for more
    Bytes bytes = mebibytes(256);       // of inputs; one input may be larger
};

// Inputs of one group have the same model and shape, so that they fit into one batch.
using BatchGroup = std::int32_t;
using BatchTicket = std::uint64_t;

struct Batch {
    BatchGroup group = 0;
    std::vector<BatchTicket> tickets; // in the order of their turn
};

// Threads: one at a time.
class Batcher {
public:
    BatchGroup addGroup(BatchLimits limits);
    // Queues an input. Equal orders keep the order of their coming.
    void add(BatchTicket ticket, BatchGroup group, LaneOrder order, Bytes size, MonotonicTime now);

    // The batch that a free device should run now: of the group whose first input comes first in the order, among the
    // groups that are full or have waited long enough. Nothing when none is.
    std::optional<Batch> next(MonotonicTime now);
    // When next() may give something without a further add(); nothing when no input waits.
    std::optional<MonotonicTime> nextDue() const;

    // A batch of `size` did not fit into the device's memory: later ones of this group have at most half as many.
    // False when it was already a single input.
    bool outOfMemory(BatchGroup group, std::size_t size);
    // Later batches of the group have at most so many.
    void limit(BatchGroup group, int max);
    int currentMax(BatchGroup group) const { return at(group).max; }

    // Takes a waiting input out; false when it does not wait.
    bool remove(BatchTicket ticket);
    std::size_t waiting() const noexcept { return m_places.size(); }
    Bytes waitingBytes() const noexcept { return m_bytes; }

private:
    using Turn = std::pair<LaneOrder, std::uint64_t>; // the second number: the order of coming
    struct Entry {
        BatchTicket ticket = 0;
        Bytes size;
        MonotonicTime since{};
    };
    struct Group {
        BatchLimits limits;
        int max = 1;
        std::map<Turn, Entry> queue;
    };
    const Group& at(BatchGroup group) const { return m_groups[static_cast<std::size_t>(group)]; }
    static MonotonicTime dueAt(const Group& group);

    std::vector<Group> m_groups;
    std::map<BatchTicket, std::pair<BatchGroup, Turn>> m_places;
    std::uint64_t m_comers = 0;
    Bytes m_bytes;
};

} // namespace aiflow
