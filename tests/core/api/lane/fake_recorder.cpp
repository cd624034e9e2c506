#include "tests/core/api/lane/fake_recorder.h"

#include "core/api/protocols/protocol.h"

namespace aiflow::test {

namespace {

const char* wordOf(AttemptOutcome outcome)
{
    static constexpr const char* kWords[] = {"responded", "not sent", "rejected", "failed", "unknown"};
    return kWords[static_cast<std::size_t>(outcome)];
}

Result<void> diskFull() { return fail(Reason::OutputDiskFull, "no space left on device", "free some space"); }

} // namespace

FakeRecorder::FakeRecorder(std::filesystem::path spool) : m_spool(std::move(spool)), m_thread([this] { work(); }) {}

FakeRecorder::~FakeRecorder()
{
    {
        const std::lock_guard lock(m_mutex);
        m_closing = true;
    }
    m_wake.notify_all();
    m_thread.join();
}

void FakeRecorder::put(std::function<void()> job)
{
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.push_back(std::move(job));
    }
    m_wake.notify_one();
}

void FakeRecorder::work()
{
    std::unique_lock lock(m_mutex);
    while (true) {
        m_wake.wait(lock, [this] { return m_closing || !m_jobs.empty(); });
        if (m_jobs.empty()) return;
        const auto job = std::move(m_jobs.front());
        m_jobs.pop_front();
        lock.unlock();
        job();
        lock.lock();
    }
}

void FakeRecorder::note(std::string what)
{
    const std::lock_guard lock(m_mutex);
    m_order.push_back(std::move(what));
}

void FakeRecorder::intend(AttemptIntent intent, WhenDurable durable)
{
    put([this, intent = std::move(intent), durable = std::move(durable)] {
        if (beforeIntentIsDurable) beforeIntentIsDurable(intent);
        bool failing = false;
        {
            const std::lock_guard lock(m_mutex);
            failing = m_failIntents;
            if (!failing) m_intents.push_back(intent);
        }
        if (!failing) note("intent");
        durable(failing ? diskFull() : Result<void>());
    });
}

void FakeRecorder::remoteId(const std::string&, const TaskKey&, std::string id, WhenDurable durable)
{
    put([this, id = std::move(id), durable = std::move(durable)] {
        {
            const std::lock_guard lock(m_mutex);
            m_remoteIds.push_back(id);
        }
        note("remote id");
        durable({});
    });
}

void FakeRecorder::ended(AttemptReport report, WhenDurable durable)
{
    put([this, report = std::move(report), durable = std::move(durable)] {
        if (beforeEndIsDurable) beforeEndIsDurable(report);
        bool failing = false;
        {
            const std::lock_guard lock(m_mutex);
            failing = m_failEnds;
            if (!failing) m_reports.push_back(report);
        }
        if (!failing) note(std::string("ended ") + wordOf(report.outcome));
        durable(failing ? diskFull() : Result<void>());
    });
}

Result<std::unique_ptr<BodySource>> FakeRecorder::openFile(const RequestFile& file)
{
    const auto found = files.find(file.hash);
    if (found == files.end()) return fail(Reason::InputFileBad, "artifact " + file.hash + " is gone");
    return textBody(found->second);
}

void FakeRecorder::failIntents(bool fail)
{
    const std::lock_guard lock(m_mutex);
    m_failIntents = fail;
}

void FakeRecorder::failEnds(bool fail)
{
    const std::lock_guard lock(m_mutex);
    m_failEnds = fail;
}

std::vector<AttemptIntent> FakeRecorder::intents() const
{
    const std::lock_guard lock(m_mutex);
    return m_intents;
}

std::vector<AttemptReport> FakeRecorder::reports() const
{
    const std::lock_guard lock(m_mutex);
    return m_reports;
}

std::vector<std::string> FakeRecorder::remoteIds() const
{
    const std::lock_guard lock(m_mutex);
    return m_remoteIds;
}

std::vector<std::string> FakeRecorder::order() const
{
    const std::lock_guard lock(m_mutex);
    return m_order;
}

} // namespace aiflow::test
