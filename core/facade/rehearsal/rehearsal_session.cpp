#include "core/facade/rehearsal/rehearsal_session.h"

#include "aiflow/job_event.h"
#include "core/facade/rehearsal/ledger_summary.h"
#include "core/facade/rehearsal/work_meter.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::size_t kMostFailures = 100;

std::vector<RehearsalTrouble> troublesOf(const TroubleCount& count)
{
    std::vector<RehearsalTrouble> troubles;
    for (const auto& [failure, calls] : count.counts())
        if (failure != "cancelled") troubles.push_back({failure, calls});
    std::ranges::stable_sort(troubles, std::ranges::greater{}, &RehearsalTrouble::calls);
    return troubles;
}

} // namespace

RehearsalSession::RehearsalSession(Parts parts, std::unique_ptr<JobSession> job)
    : m_parts(std::move(parts)), m_preparation(job->preparation()), m_job(std::move(job))
{
    m_preparation.rehearsalSpeed = m_parts.speed;
}

void RehearsalSession::note(const EventLine& line)
{
    if (line.type != "item_finished" || line.json.find(R"("state":"failed")") == std::string::npos) return;
    const auto event = eventFromJson(line.json);
    if (!event) return;
    const std::lock_guard lock(m_mutex);
    if (m_failures.size() < kMostFailures)
        m_failures.push_back(
            {event->item, event->line, event->step, event->reason.value_or(Reason::Internal), event->message});
}

Result<JobReport> RehearsalSession::run(std::function<void(const EventLine&)> onEvent)
{
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    const MonotonicTime start = m_clock.monotonic();
    WorkMeter meter(m_clock, [this] { return m_job->snapshot(); });
    auto ended = m_job->run([this, &onEvent](const EventLine& line) {
        note(line);
        if (onEvent) onEvent(line);
    });
    const WorkTimes times = meter.stop();
    if (!ended) return ended;
    auto report = std::make_shared<RehearsalReport>();
    report->speed = m_parts.speed;
    report->took = duration_cast<milliseconds>(m_clock.monotonic() - start);
    report->serviceTime = duration_cast<milliseconds>(times.services * m_parts.speed);
    report->localTime = duration_cast<milliseconds>(times.local);
    addLedger(*m_parts.services, m_parts.settings, *report);
    report->troubles = troublesOf(*m_parts.troubles);
    {
        const std::lock_guard lock(m_mutex);
        std::ranges::sort(m_failures, {}, &RehearsalFailure::line);
        report->failures = m_failures;
    }
    if (m_parts.folder->kept()) report->folder = m_parts.folder->path();
    // What is removed with the rehearsal's folder is no result.
    if (!m_parts.folder->kept() && !m_parts.ownOutput) ended->files.clear();
    ended->rehearsal = std::move(report);
    return ended;
}

} // namespace aiflow
