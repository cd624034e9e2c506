// Lets items into the window: as many as memory, the lanes and the journal can take, in the input's order.
#pragma once

#include "core/engine/task_runner.h"

#include <cstdint>
#include <optional>

namespace aiflow {

// Threads: the one that runs the job.
class ItemAdmission {
public:
    ItemAdmission(JobContext& job, TaskRunner& tasks, const Restore& restore);

    // Until the input's end or a stop. Sleeps while nothing more may come in.
    void admitAll();
    // The job was cancelled: rows that were not let in are cancelled too, those that ended earlier are counted.
    void cancelRest();
    // Items that entered and end here.
    std::int64_t admitted() const noexcept { return m_admitted; }
    // Items of the input that were never looked at, or that this run leaves out.
    std::int64_t remaining() const noexcept;

private:
    std::optional<ItemRecord> next();
    bool admit(ItemRecord record);
    void enter(ItemRecord record, const std::optional<RestoredItem>& restored);
    bool mayAdmit();
    bool roomFor();
    bool isChosen(ItemIndex item) const;
    void journalAdmission(const ItemHandle& handle);

    JobContext& m_job;
    TaskRunner& m_tasks;
    const Restore& m_restore;
    std::int64_t m_admitted = 0;
    std::int64_t m_looked = 0;  // rows that were read
    std::int64_t m_leftOut = 0; // of these, not chosen and not ended
    bool m_atEnd = false;
    bool m_full = false; // hysteresis: once full, some must leave before the next comes
};

} // namespace aiflow
