// A journal that can be slow, fail and be watched.
#pragma once

#include "core/api/call_recorder.h"
#include "core/api/transport/http_transport.h"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace aiflow::test {

// Answers on a thread of its own, in order.
// Threads: every method, from any thread.
class FakeRecorder final : public CallRecorder {
public:
    explicit FakeRecorder(std::filesystem::path spool);
    ~FakeRecorder() override;

    void intend(AttemptIntent intent, WhenDurable durable) override;
    void remoteId(const std::string& attempt, const TaskKey& task, std::string id, WhenDurable durable) override;
    void ended(AttemptReport report, WhenDurable durable) override;
    Result<std::unique_ptr<BodySource>> openFile(const RequestFile& file) override;
    std::filesystem::path spoolFolder() const override { return m_spool; }

    // Called on the journal's thread before an intent is told to be durable.
    std::function<void(const AttemptIntent&)> beforeIntentIsDurable;
    std::function<void(const AttemptReport&)> beforeEndIsDurable;
    std::map<std::string, std::string> files; // by hash; before the first call
    void failIntents(bool fail);
    void failEnds(bool fail);

    std::vector<AttemptIntent> intents() const;
    std::vector<AttemptReport> reports() const;
    std::vector<std::string> remoteIds() const;
    // "intent", "remote id", "ended responded": in the order in which they became durable.
    std::vector<std::string> order() const;

private:
    void work();
    void put(std::function<void()> job);
    void note(std::string what);

    const std::filesystem::path m_spool;
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<std::function<void()>> m_jobs; // guarded by m_mutex, as all below
    std::vector<AttemptIntent> m_intents;
    std::vector<AttemptReport> m_reports;
    std::vector<std::string> m_remoteIds;
    std::vector<std::string> m_order;
    bool m_failIntents = false;
    bool m_failEnds = false;
    bool m_closing = false;
    std::thread m_thread;
};

} // namespace aiflow::test
