// Makes results durable off the CPU lane: artifacts, then the journal's record, and the cache of all jobs.
#pragma once

#include "core/engine/job_context.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace aiflow {

struct KeepOrder {
    Token token;
    TaskKey task;
    TaskResult result;
    std::optional<ApiAnswer> answer;     // to be read into the result's values first
    std::optional<ContentHash> cacheKey; // under which later jobs find it; none: they do not
};

// Large artifacts wait for the disk, which must cost no core: a few threads of its own. Small ones do not: they are
// synced once for all records that the journal commits together. An api task's result is handed on when its record is
// durable; that of others as soon as its artifacts are written.
// Threads: keep() from any thread. The destructor finishes what was ordered.
class ResultKeeper {
public:
    // `kept` receives the result with its durable outputs; `lost` one that the disk refused (the job was told to
    // stop). Each order ends in one of them, on a thread of the keeper or of the journal.
    using Listener = std::function<void(KeepOrder&)>;
    ResultKeeper(JobContext& job, Listener kept, Listener lost);
    ~ResultKeeper();
    ResultKeeper(const ResultKeeper&) = delete;
    ResultKeeper& operator=(const ResultKeeper&) = delete;

    void keep(KeepOrder order);
    std::size_t waiting() const;

private:
    void work();
    void handle(KeepOrder order);
    void commit(KeepOrder order);
    Result<void> store(KeepOrder& order);
    Result<void> takeFiles(ApiAnswer& answer, TaskResult& result);
    Result<void> storeValues(KeepOrder& order);
    void remember(const KeepOrder& order);

    JobContext& m_job;
    Listener m_kept;
    Listener m_lost;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<KeepOrder> m_orders;     // guarded by m_mutex
    std::vector<std::thread> m_threads; // guarded by m_mutex; started as they are needed
    std::size_t m_idle = 0;             // guarded by m_mutex
    std::size_t m_atWork = 0;           // guarded by m_mutex; orders that were taken
    bool m_closing = false;             // guarded by m_mutex
};

} // namespace aiflow
