#include "core/store/result_cache.h"

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/store/record_codec.h"
#include "core/store/result_cache_file.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace aiflow {

namespace {

using Time = std::chrono::steady_clock;

constexpr std::size_t kLargestGroup = 4096;
constexpr std::size_t kMostWaiting = 65'536;
constexpr std::chrono::milliseconds kGroupDelay{200};
// Look-ups share a read transaction for so long: other processes cannot commit meanwhile.
constexpr std::chrono::milliseconds kReadTogether{5};
constexpr int kMostReadsTogether = 1024;
constexpr std::int64_t kTouchAfterDays = 7;

std::int64_t prefixOf(const ContentHash& key)
{
    std::int64_t prefix = 0;
    std::memcpy(&prefix, key.bytes.data(), sizeof prefix);
    return prefix;
}

std::int64_t today()
{
    return std::chrono::duration_cast<std::chrono::days>(SystemClock().wall().time_since_epoch()).count();
}

struct FileEntry {
    FileStatus status;
    ContentHash hash;
};

// What waits to be written, and is found meanwhile.
struct Waiting {
    std::unordered_map<ContentHash, CachedResult> results;
    std::unordered_map<std::string, FileEntry> files;
    std::vector<std::int64_t> touched;

    std::size_t size() const { return results.size() + files.size() + touched.size(); }
};

bool isSame(const FileStatus& a, const FileStatus& b)
{
    return a.size == b.size && a.modifiedNs == b.modifiedNs && a.inode == b.inode;
}

class SqliteResultCache final : public ResultCache {
public:
    explicit SqliteResultCache(std::filesystem::path file) : m_file(std::move(file))
    {
        openReader();
        m_thread = std::thread([this] { work(); });
    }

    ~SqliteResultCache() override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_stopping = true;
        }
        m_wake.notify_one();
        m_thread.join();
    }

    std::optional<CachedResult> find(const ContentHash& key) override
    {
        {
            const std::lock_guard lock(m_mutex);
            for (const Waiting* waiting : {&m_waiting, &m_writing}) {
                if (const auto found = waiting->results.find(key); found != waiting->results.end())
                    return found->second;
            }
        }
        std::int64_t touch = 0;
        auto found = read<CachedResult>([&](ResultCacheFile& c) -> Result<std::optional<CachedResult>> {
            auto row = c.find.bind(1, prefixOf(key)).bindBlob(2, std::span<const std::uint8_t>(key.bytes)).step();
            if (!row) return tl::unexpected(std::move(row.error()));
            if (!*row) return std::nullopt;
            if (m_today - c.find.integer(1) >= kTouchAfterDays) touch = c.find.integer(0);
            auto result = resultFrom(c.find);
            c.find.reset();
            return result;
        });
        if (touch != 0) queue([touch](Waiting& waiting) { waiting.touched.push_back(touch); });
        return found;
    }

    void add(const ContentHash& key, CachedResult result) override
    {
        queue([&](Waiting& waiting) { waiting.results.insert_or_assign(key, std::move(result)); });
    }

    Result<void> flush() override
    {
        std::unique_lock lock(m_mutex);
        m_flushing = true;
        m_wake.notify_one();
        m_written.wait(lock, [this] { return m_waiting.size() == 0 && m_writing.size() == 0; });
        m_flushing = false;
        const auto dropped = std::exchange(m_dropped, std::nullopt);
        return dropped ? tl::unexpected(*dropped) : Result<void>{};
    }

    std::optional<Error> trouble() const override
    {
        const std::lock_guard lock(m_mutex);
        return m_trouble;
    }

    std::optional<ContentHash> fileHash(const std::filesystem::path& path, const FileStatus& status) override
    {
        {
            const std::lock_guard lock(m_mutex);
            for (const Waiting* waiting : {&m_waiting, &m_writing}) {
                if (const auto found = waiting->files.find(path.native()); found != waiting->files.end())
                    return isSame(found->second.status, status) ? std::optional(found->second.hash) : std::nullopt;
            }
        }
        return read<ContentHash>([&](ResultCacheFile& c) -> Result<std::optional<ContentHash>> {
            auto row = c.findFile.bind(1, std::string_view(path.native())).step();
            if (!row) return tl::unexpected(std::move(row.error()));
            if (!*row) return std::nullopt;
            const bool same = c.findFile.integer(0) == status.size && c.findFile.integer(1) == status.modifiedNs &&
                              c.findFile.integer(2) == static_cast<std::int64_t>(status.inode);
            ContentHash hash;
            const auto bytes = c.findFile.blob(3);
            const bool whole = bytes.size() == hash.bytes.size();
            if (whole) std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
            c.findFile.reset();
            return same && whole ? std::optional(hash) : std::nullopt;
        });
    }

    void addFileHash(const std::filesystem::path& path, const FileStatus& status, const ContentHash& hash) override
    {
        queue([&](Waiting& waiting) { waiting.files.insert_or_assign(path.native(), FileEntry{status, hash}); });
    }

private:
    static std::optional<CachedResult> resultFrom(const SqliteStatement& row)
    {
        auto outputs = decodeOutputs(row.blob(2));
        if (!outputs) return std::nullopt;
        return CachedResult{std::move(*outputs), stepsFrom(row.blob(3)), row.text(4), row.text(5)};
    }

    template <typename Queue> void queue(Queue put)
    {
        std::unique_lock lock(m_mutex);
        // A cache that cannot keep up is of no more help; the work goes on without it.
        if (m_waiting.size() >= kMostWaiting) return;
        const bool first = m_waiting.size() == 0;
        put(m_waiting);
        const bool wake = first || m_waiting.size() == kLargestGroup;
        lock.unlock();
        if (wake) m_wake.notify_one();
    }

    void note(const Error& error)
    {
        const std::lock_guard lock(m_mutex);
        m_trouble = error;
    }

    // ---- reading: look-ups that come close together share a transaction

    template <typename Value, typename Look> std::optional<Value> read(Look look)
    {
        const std::lock_guard lock(m_readMutex);
        if (m_reads == 0 && !beginReading()) return std::nullopt;
        ++m_reads;
        Result<std::optional<Value>> found = look(*m_reader);
        if (!found) {
            troubleWith(m_reader, found.error());
            return std::nullopt;
        }
        if (m_reads >= kMostReadsTogether || Time::now() - m_readingSince >= kReadTogether) endReading();
        return std::move(*found);
    }

    bool beginReading()
    {
        if (m_reader && !m_reader->isOf(m_file)) m_reader.reset();
        if (!m_reader && !openReader()) return false;
        if (auto begun = m_reader->begin.run(); !begun) {
            troubleWith(m_reader, begun.error());
            return false;
        }
        m_readingSince = Time::now();
        setReadingOpen(true);
        m_wake.notify_one();
        return true;
    }

    // A file that cannot be opened is tried again once a second, not at every look-up.
    bool openReader()
    {
        if (Time::now() < m_nextOpening) return false;
        auto opened = openOrBeginAfresh(m_file);
        if (opened) {
            m_reader = std::move(*opened);
            return true;
        }
        note(opened.error());
        m_nextOpening = Time::now() + std::chrono::seconds(1);
        return false;
    }

    void endReading()
    {
        if (m_reads == 0) return;
        m_reads = 0;
        std::ignore = m_reader->commit.run();
        setReadingOpen(false);
    }

    void setReadingOpen(bool open)
    {
        const std::lock_guard lock(m_mutex);
        m_readingOpen = open;
    }

    // Damage: a fresh file begins. Anything else (busy, full, denied) may pass.
    void troubleWith(std::optional<ResultCacheFile>& connection, const Error& error)
    {
        note(error);
        if (&connection == &m_reader) m_reads = 0;
        std::ignore = connection->rollback.run();
        if (!isDamage(error)) return;
        const std::uint64_t inode = connection->inode;
        connection.reset();
        setAsideDamaged(m_file, inode);
    }

    // ---- the background thread

    void work()
    {
        std::unique_lock lock(m_mutex);
        while (true) {
            if (m_waiting.size() > 0) {
                m_wake.wait_for(lock, kGroupDelay, [this] { return mustWrite(); });
                writeGroup(lock);
                continue;
            }
            m_written.notify_all();
            if (m_stopping) return;
            if (m_readingOpen)
                m_wake.wait_for(lock, 2 * kReadTogether);
            else
                m_wake.wait(lock);
            lock.unlock();
            endIdleReading();
            lock.lock();
        }
    }

    bool mustWrite() const { return m_stopping || m_flushing || m_waiting.size() >= kLargestGroup; }

    void endIdleReading()
    {
        const std::lock_guard lock(m_readMutex);
        if (m_reads > 0 && Time::now() - m_readingSince >= kReadTogether) endReading();
    }

    void writeGroup(std::unique_lock<std::mutex>& lock)
    {
        std::swap(m_waiting, m_writing);
        lock.unlock();
        const Result<void> written = commitGroup();
        Waiting done;
        lock.lock();
        std::swap(m_writing, done);
        if (written) return;
        m_trouble = written.error();
        const bool later = written.error().reason == Reason::JobLocked && !m_stopping;
        if (!later || m_waiting.size() + done.size() > kMostWaiting) {
            m_dropped = written.error();
            return;
        }
        // Another process was quicker five seconds long: its turn ends too. What is newer stays.
        m_waiting.results.merge(done.results);
        m_waiting.files.merge(done.files);
    }

    Result<void> commitGroup()
    {
        {
            // Our own reader must not be what the commit waits for.
            const std::lock_guard readLock(m_readMutex);
            endReading();
        }
        if (!m_writer || !m_writer->isOf(m_file)) {
            m_writer.reset();
            auto opened = openOrBeginAfresh(m_file);
            if (!opened) return tl::unexpected(std::move(opened.error()));
            m_writer = std::move(*opened);
        }
        auto written = writeAll(*m_writer);
        if (!written) troubleWith(m_writer, written.error());
        return written;
    }

    Result<void> writeAll(ResultCacheFile& c)
    {
        if (auto begun = c.database.execute("BEGIN IMMEDIATE"); !begun) return begun;
        ByteBuffer outputs;
        for (const auto& [key, result] : m_writing.results) {
            const std::span<const std::uint8_t> bytes(key.bytes);
            if (auto removed = c.remove.bind(1, prefixOf(key)).bindBlob(2, bytes).run(); !removed) return removed;
            encodeOutputs(result.outputs, outputs);
            c.add.bind(1, prefixOf(key))
                .bindBlob(2, bytes)
                .bind(3, m_today)
                .bindBlob(4, std::span<const std::uint8_t>(outputs));
            c.add.bindBlob(5, bytesOf(result.steps)).bind(6, std::string_view(result.provenance));
            if (auto added = c.add.bind(7, std::string_view(result.job)).run(); !added) return added;
        }
        for (const auto& [path, file] : m_writing.files) {
            c.addFile.bind(1, std::string_view(path)).bind(2, file.status.size).bind(3, file.status.modifiedNs);
            c.addFile.bind(4, static_cast<std::int64_t>(file.status.inode));
            if (auto added = c.addFile.bindBlob(5, std::span<const std::uint8_t>(file.hash.bytes)).run(); !added)
                return added;
        }
        for (const std::int64_t id : m_writing.touched) {
            if (auto touched = c.touch.bind(1, id).bind(2, m_today).run(); !touched) return touched;
        }
        AIFLOW_FAILPOINT("before_cache_commit");
        return c.commit.run();
    }

    const std::filesystem::path m_file;
    const std::int64_t m_today = today();

    std::mutex m_readMutex; // guards the reader and its transaction
    std::optional<ResultCacheFile> m_reader;
    int m_reads = 0; // in the open transaction; 0: none is open
    Time::time_point m_readingSince, m_nextOpening;

    mutable std::mutex m_mutex; // guards what follows; never taken before m_readMutex is
    std::condition_variable m_wake, m_written;
    Waiting m_waiting, m_writing; // the writer alone changes m_writing, under the lock
    std::optional<Error> m_trouble, m_dropped;
    bool m_readingOpen = false;
    bool m_flushing = false;
    bool m_stopping = false;

    std::optional<ResultCacheFile> m_writer; // the thread's own
    std::thread m_thread;
};

} // namespace

Result<std::unique_ptr<ResultCache>> ResultCache::open(const std::filesystem::path& folder)
{
    if (auto made = systemFiles().makeDirectories(folder); !made) return tl::unexpected(std::move(made.error()));
    return std::make_unique<SqliteResultCache>(folder / "results.db");
}

} // namespace aiflow
