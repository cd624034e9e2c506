// What is durable around remote calls (reliability.md 2.2): the lane's CallRecorder over the job's journal.
#pragma once

#include "core/api/call_recorder.h"
#include "core/base/clock.h"
#include "core/store/artifact_store.h"
#include "core/store/journal.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace aiflow {

// Calls that were open when the job's last process ended, as they were found.
struct EarlierCalls {
    std::int64_t answered = 0;  // the answer is kept: it is read again
    std::int64_t resumable = 0; // a remote job whose id is known
    std::int64_t unknown = 0;
    std::map<std::string, Nanos> atRisk; // what the unknown ones may have cost, by currency
    std::int64_t count() const noexcept { return answered + resumable + unknown; }
};

// An answer of up to 64 KiB stands in the journal until its task is committed; a larger one stays in the spool folder,
// synced before it is recorded. Fault points: see core/base/failpoint.h.
// Threads: every method, from any thread. The destructor finishes what was told; the journal outlives it.
class AttemptRecorder final : public CallRecorder {
public:
    // Makes the spool folder; reads what an earlier process left, and removes spooled files that nobody needs.
    static Result<std::shared_ptr<AttemptRecorder>> open(Journal& journal, JournalReader& reader,
                                                         ArtifactStore& artifacts, const Clock& clock,
                                                         std::filesystem::path spoolFolder);
    AttemptRecorder(Journal& journal, ArtifactStore& artifacts, const Clock& clock, std::filesystem::path spoolFolder);
    ~AttemptRecorder() override;

    void intend(AttemptIntent intent, WhenDurable durable) override;
    void remoteId(const std::string& attempt, const TaskKey& task, std::string id, WhenDurable durable) override;
    void ended(AttemptReport report, WhenDurable durable) override;
    Result<std::unique_ptr<BodySource>> openFile(const RequestFile& file) override;
    std::filesystem::path spoolFolder() const override { return m_spool; }

    // Attempts of the task that an earlier process left open; given once.
    std::vector<OpenAttempt> take(const TaskKey& task);
    const EarlierCalls& earlier() const noexcept { return m_earlier; }
    // The task's end is durable: its spooled answers are not needed any more.
    void committed(const TaskKey& task);

private:
    struct Kept {
        AttemptRecord record;
        std::filesystem::path file;
        WhenDurable durable;
    };
    void load(const std::vector<AttemptRecord>& attempts);
    void removeForgotten(const std::vector<AttemptRecord>& attempts);
    void write(AttemptRecord record, WhenDurable durable);
    void keepFiles();

    Journal& m_journal;
    ArtifactStore& m_artifacts;
    const Clock& m_clock;
    const std::filesystem::path m_spool;
    EarlierCalls m_earlier;
    std::mutex m_mutex;
    std::map<TaskKey, std::vector<OpenAttempt>> m_open;           // guarded by m_mutex
    std::map<TaskKey, std::vector<std::filesystem::path>> m_kept; // guarded by m_mutex; spooled answers
    std::condition_variable m_changed;
    std::deque<Kept> m_toKeep; // guarded by m_mutex
    bool m_closing = false;    // guarded by m_mutex
    std::thread m_keeper;      // guarded by m_mutex; started when it is needed: syncing waits for the disk
};

} // namespace aiflow
