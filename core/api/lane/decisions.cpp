#include "core/api/lane/call_desk.h"
#include "core/base/secret.h"

#include <algorithm>

namespace aiflow {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Never longer without reading the clock again: it may have been set, or the machine slept.
constexpr nanoseconds kLongestWait = std::chrono::seconds(1);
// While calls wait for a limit that others of the host use too.
constexpr nanoseconds kLookInterval = milliseconds(50);
// After a failed exchange: the disk does not mend itself within microseconds.
constexpr nanoseconds kAfterTrouble = std::chrono::seconds(1);
// Exchanges may take a quarter of the thread's time and no call waits longer than this for one to be due.
constexpr int kPace = 3;
constexpr nanoseconds kLongestPace = milliseconds(4);

milliseconds until(std::optional<BootTime> then, BootTime now)
{
    if (!then || *then <= now) return milliseconds{0};
    return std::chrono::ceil<milliseconds>(*then - now);
}

} // namespace

std::chrono::nanoseconds CallDesk::work()
{
    const auto due = m_runner.sendDue(m_parts.clock.boot());
    if (!m_dispatcher) return kLongestWait;
    if (exchangeDue(m_parts.clock.boot())) exchange();
    return untilNext(due);
}

bool CallDesk::exchangeDue(BootTime now)
{
    if (now < m_nextExchange) return false;
    if (m_changed) return true;
    if (const auto next = m_dispatcher->nextDecision(); next && *next <= now) return true;
    if (m_unpublished && now >= m_lastExchange + kLookInterval) return true;
    if (m_dispatcher->waiting() == 0 || now < m_lastLook + kLookInterval) return false;
    m_lastLook = now;
    return m_parts.limits.hasNews();
}

void CallDesk::exchange()
{
    const BootTime began = m_parts.clock.boot();
    Decisions decisions;
    const auto exchanged = m_parts.limits.exchange([&](const LimitNews& news) {
        const BootTime now = m_parts.clock.boot();
        m_dispatcher->learn(news, now);
        decisions = m_dispatcher->decide(now);
        return m_dispatcher->takeChanges(now);
    });
    m_changed = false;
    m_unpublished = false;
    m_lastExchange = m_lastLook = m_parts.clock.boot();
    m_nextExchange = m_lastExchange + std::min(kLongestPace, (m_lastExchange - began) * kPace);
    if (!exchanged) {
        // What the others do not know of must not be sent.
        for (const SendOrder& order : decisions.sends) notBegun(order, exchanged.error());
        decisions.sends.clear();
        m_nextExchange = m_lastExchange + kAfterTrouble;
        stopJob(exchanged.error());
    }
    act(decisions);
}

void CallDesk::act(Decisions& decisions)
{
    const BootTime now = m_parts.clock.boot();
    for (const PauseNotice& pause : decisions.pauses) {
        m_parts.log.info(pause.paused ? "a provider is paused" : "a provider answers again",
                         {{"provider", pause.provider}, {"account", pause.account}, {"why", pause.detail}});
        if (m_job.onPause)
            m_job.onPause({pause.provider, pause.account, pause.paused, pause.reason, redact(pause.detail),
                           until(pause.nextProbe, now), pause.waiting});
    }
    for (const SendOrder& order : decisions.sends) begin(order);
    for (const WaitNotice& notice : decisions.waits)
        if (LaneCall* call = find(notice.call); call != nullptr && !call->open)
            tell(*call, true, notice.reason, notice.detail, until(notice.until, now));
    for (GiveUp& given : decisions.giveUps) giveUp(given);
    if (decisions.jobStops) stopJob(*decisions.jobStops);
}

void CallDesk::giveUp(GiveUp& given)
{
    if (find(given.call) == nullptr) return;
    given.error.message = redact(given.error.message);
    given.error.hint = redact(given.error.hint);
    finish(given.call, tl::unexpected(std::move(given.error)));
}

std::chrono::nanoseconds CallDesk::untilNext(std::optional<BootTime> due)
{
    const BootTime now = m_parts.clock.boot();
    BootTime next = now + kLongestWait;
    const auto sooner = [&next](BootTime then) { next = std::min(next, then); };
    if (due) sooner(*due);
    BootTime exchange = next;
    if (m_changed) exchange = now;
    if (const auto decision = m_dispatcher->nextDecision()) exchange = std::min(exchange, *decision);
    if (m_unpublished) exchange = std::min(exchange, m_lastExchange + kLookInterval);
    if (m_dispatcher->waiting() > 0) exchange = std::min(exchange, m_lastLook + kLookInterval);
    sooner(std::max(exchange, m_nextExchange));
    return std::max(nanoseconds{0}, next - now);
}

} // namespace aiflow
