#include "core/store/journal.h"

#include "core/store/journal_rows.h"
#include "core/store/journal_schema.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace aiflow {

namespace {

using Time = std::chrono::steady_clock;

constexpr std::size_t kLargestGroup = 4096;
// How long a record that somebody waits for lets others join it.
constexpr std::chrono::milliseconds kUrgentDelay{2};
constexpr std::int64_t kPageSize = 4096;
constexpr std::int64_t kCheckpointPages = 64LL * 1024 * 1024 / kPageSize;
constexpr std::int64_t kTooManyPages = 1024LL * 1024 * 1024 / kPageSize;
// A reader in the way must not hold up the writer for long; the log is emptied at a later group.
constexpr std::chrono::milliseconds kCheckpointWait{500};

struct Entry {
    JournalRecord record;
    Journal::WhenDurable whenDurable; // of the last record of its batch
    bool endsBatch = true;
    bool holdsRecord = true; // an empty batch only waits for its turn
};

class NoJournal final : public Journal {
public:
    void write(JournalRecord, WhenDurable whenDurable) override
    {
        if (whenDurable) whenDurable({});
    }
    void write(std::vector<JournalRecord>, WhenDurable whenDurable) override
    {
        if (whenDurable) whenDurable({});
    }
    bool congested() const override { return false; }
    Result<void> flush() override { return {}; }
    std::optional<Error> brokenBy() const override { return std::nullopt; }
    void onBroken(std::function<void(const Error&)>) override {}
    Result<std::unique_ptr<JournalReader>> reader() override
    {
        return fail(Reason::JobNotFound, "this run keeps no journal");
    }
};

class SqliteJournal final : public Journal {
public:
    SqliteJournal(SqliteDatabase database, JournalRows rows, const Settings& settings)
        : m_settings(settings), m_file(database.file()), m_database(std::move(database)), m_rows(std::move(rows)),
          m_writer([this] { work(); })
    {
    }

    ~SqliteJournal() override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_stopping = true;
        }
        m_wake.notify_one();
        m_writer.join();
    }

    void write(JournalRecord record, WhenDurable whenDurable) override
    {
        std::unique_lock lock(m_mutex);
        const bool wake = noteQueued(1, static_cast<bool>(whenDurable));
        m_queue.push_back({std::move(record), std::move(whenDurable)});
        lock.unlock();
        if (wake) m_wake.notify_one();
    }

    void write(std::vector<JournalRecord> records, WhenDurable whenDurable) override
    {
        if (records.empty() && !whenDurable) return;
        std::unique_lock lock(m_mutex);
        const bool wake = noteQueued(std::max<std::size_t>(records.size(), 1), static_cast<bool>(whenDurable));
        for (JournalRecord& record : records) m_queue.push_back({std::move(record), {}, false});
        if (records.empty()) m_queue.push_back({{}, {}, true, false});
        m_queue.back().whenDurable = std::move(whenDurable);
        m_queue.back().endsBatch = true;
        lock.unlock();
        if (wake) m_wake.notify_one();
    }

    bool congested() const override
    {
        return m_waiting.load(std::memory_order_relaxed) >= m_settings.congestedAt ||
               m_logTooLong.load(std::memory_order_relaxed);
    }

    Result<void> flush() override
    {
        std::unique_lock lock(m_mutex);
        const std::uint64_t upTo = m_queued;
        m_flushUpTo = std::max(m_flushUpTo, upTo);
        m_wake.notify_one();
        m_progressed.wait(lock, [&] { return m_settled >= upTo; });
        return m_broken ? tl::unexpected(*m_broken) : Result<void>{};
    }

    std::optional<Error> brokenBy() const override
    {
        const std::lock_guard lock(m_mutex);
        return m_broken;
    }

    void onBroken(std::function<void(const Error&)> listener) override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_onBroken = std::move(listener);
        }
        m_wake.notify_one();
    }

    Result<std::unique_ptr<JournalReader>> reader() override { return JournalReader::open(m_file); }

private:
    // Under the lock, before the records are queued. True: the writer must be woken.
    bool noteQueued(std::size_t count, bool urgent)
    {
        const bool first = m_queue.empty();
        const bool firstUrgent = urgent && !m_urgentSince;
        const auto now = first || firstUrgent ? Time::now() : Time::time_point{};
        if (first) m_oldest = now;
        if (firstUrgent) m_urgentSince = now;
        m_queued += count;
        m_waiting.store(m_queued - m_settled, std::memory_order_relaxed);
        const bool full = m_queue.size() < kLargestGroup && m_queue.size() + count >= kLargestGroup;
        return first || firstUrgent || full;
    }

    // ---- the writer's thread

    void work()
    {
        std::unique_lock lock(m_mutex);
        while (true) {
            tellBroken(lock);
            waitForGroup(lock);
            if (m_queue.empty()) {
                if (m_stopping) break;
                continue;
            }
            std::swap(m_queue, m_taken);
            m_urgentSince.reset();
            lock.unlock();
            settleTaken();
            lock.lock();
        }
        tellBroken(lock);
        if (!m_broken) std::ignore = m_database.checkpoint();
    }

    void waitForGroup(std::unique_lock<std::mutex>& lock)
    {
        m_wake.wait(lock, [this] { return !m_queue.empty() || m_stopping || mustTellBroken(); });
        const auto ready = [this] {
            return m_stopping || m_broken || m_queue.size() >= kLargestGroup || m_flushUpTo > m_settled;
        };
        while (!m_queue.empty() && !ready()) {
            auto until = m_oldest + m_settings.groupDelay;
            if (m_urgentSince) until = std::min(until, *m_urgentSince + kUrgentDelay);
            if (Time::now() >= until) return;
            m_wake.wait_until(lock, until);
        }
    }

    bool mustTellBroken() const { return m_broken && m_onBroken && !m_toldBroken; }

    void tellBroken(std::unique_lock<std::mutex>& lock)
    {
        if (!mustTellBroken()) return;
        m_toldBroken = true;
        const auto listener = m_onBroken;
        const Error error = *m_broken;
        lock.unlock();
        listener(error);
        lock.lock();
    }

    // Everything that was taken, in groups that do not cut a batch.
    void settleTaken()
    {
        for (std::size_t from = 0; from < m_taken.size();) {
            std::size_t to = std::min(from + kLargestGroup, m_taken.size());
            while (!m_taken[to - 1].endsBatch) ++to;
            auto broken = brokenBy();
            settle(from, to, broken ? tl::unexpected(std::move(*broken)) : commit(from, to));
            from = to;
        }
        m_taken.clear();
    }

    Result<void> commit(std::size_t from, std::size_t to)
    {
        m_group.clear();
        for (std::size_t i = from; i < to; ++i) {
            if (m_taken[i].holdsRecord) m_group.push_back(&m_taken[i].record);
        }
        if (m_group.empty()) return {};
        if (m_settings.beforeCommit)
            if (auto ready = m_settings.beforeCommit(); !ready) return ready;
        auto committed = m_rows.commit(m_group);
        if (committed) keepLogShort();
        return committed;
    }

    // The group holds already: a checkpoint that fails breaks the journal for what comes later.
    void keepLogShort()
    {
        const std::int64_t pages = m_database.walPages();
        m_logTooLong.store(pages > kTooManyPages, std::memory_order_relaxed);
        if (pages < m_checkpointAt) return;
        m_database.setBusyTimeout(kCheckpointWait);
        auto emptied = m_database.checkpoint();
        m_database.setBusyTimeout(std::chrono::milliseconds{5000});
        if (!emptied) return breakWith(emptied.error());
        m_checkpointAt = *emptied ? kCheckpointPages : pages + kCheckpointPages / 4;
        if (*emptied) m_logTooLong.store(false, std::memory_order_relaxed);
    }

    void settle(std::size_t from, std::size_t to, const Result<void>& outcome)
    {
        if (!outcome) breakWith(outcome.error());
        {
            std::unique_lock lock(m_mutex);
            tellBroken(lock);
        }
        for (std::size_t i = from; i < to; ++i) {
            if (m_taken[i].whenDurable) m_taken[i].whenDurable(outcome);
        }
        {
            const std::lock_guard lock(m_mutex);
            m_settled += to - from;
            m_waiting.store(m_queued - m_settled, std::memory_order_relaxed);
        }
        m_progressed.notify_all();
    }

    void breakWith(const Error& error)
    {
        const std::lock_guard lock(m_mutex);
        if (!m_broken) m_broken = error;
    }

    const Settings m_settings;
    const std::filesystem::path m_file;
    std::atomic<std::size_t> m_waiting{0};
    std::atomic<bool> m_logTooLong{false};

    mutable std::mutex m_mutex;
    std::condition_variable m_wake, m_progressed;
    // Guarded by m_mutex.
    std::vector<Entry> m_queue;
    std::uint64_t m_queued = 0, m_settled = 0, m_flushUpTo = 0; // records since the start
    Time::time_point m_oldest;                                  // when the queue began to fill
    std::optional<Time::time_point> m_urgentSince;
    std::optional<Error> m_broken;
    std::function<void(const Error&)> m_onBroken;
    bool m_toldBroken = false;
    bool m_stopping = false;

    // The writer's own.
    SqliteDatabase m_database;
    JournalRows m_rows;
    std::vector<Entry> m_taken;
    std::vector<JournalRecord*> m_group;
    std::int64_t m_checkpointAt = kCheckpointPages;

    std::thread m_writer; // last: starts when everything else is there
};

} // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& file, const Settings& settings)
{
    if (!settings.durable) return std::make_unique<NoJournal>();
    auto database = SqliteDatabase::open(file, SqliteDatabase::Mode::ReadWrite);
    if (!database) return tl::unexpected(std::move(database.error()));
    auto ready = configureJournal(*database);
    if (ready) ready = migrateJournal(*database, journalMigrations());
    if (!ready) return tl::unexpected(std::move(ready.error()));
    // What a process that died left in the log goes into the database first.
    if (auto emptied = database->checkpoint(); !emptied) return tl::unexpected(std::move(emptied.error()));
    auto rows = JournalRows::prepare(*database);
    if (!rows) return tl::unexpected(std::move(rows.error()));
    return std::make_unique<SqliteJournal>(std::move(*database), std::move(*rows), settings);
}

} // namespace aiflow
