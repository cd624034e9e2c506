#include "cli/session/stop_control.h"

#include "cli/session/signals.h"

namespace aiflow {

namespace {

// The second Ctrl-C promises an end within two seconds; the journal bears it at any moment.
constexpr std::chrono::milliseconds kLastMoment{1700};

} // namespace

void StopControl::setSession(JobSession* session)
{
    const std::lock_guard lock(m_mutex);
    m_session = session;
    if (!session) m_deadline.reset();
}

void StopControl::stop(int signal, Time now)
{
    std::unique_lock lock(m_mutex);
    if (!m_signal) m_signal = signal;
    ++m_asked;
    if (!m_session || m_asked > 2) {
        lock.unlock();
        m_calls.leave(exitCodeOfSignal(signal));
    } else if (m_asked == 2) {
        dropNow(lock, false, now);
    } else {
        m_deadline = now + m_grace;
        JobSession* const session = m_session;
        lock.unlock();
        m_calls.stopping(*session, now + m_grace);
        session->stop(false);
    }
}

void StopControl::deadlinePassed(Time now)
{
    std::unique_lock lock(m_mutex);
    if (!m_session || !m_deadline || now < *m_deadline) return;
    if (!m_dropped) return dropNow(lock, true, now);
    lock.unlock();
    m_calls.leave(exitCodeOfSignal(*m_signal));
}

void StopControl::dropNow(std::unique_lock<std::mutex>& lock, bool graceOver, Time now)
{
    if (m_dropped) return;
    m_dropped = true;
    m_deadline = now + kLastMoment;
    JobSession* const session = m_session;
    lock.unlock();
    m_calls.dropping(graceOver);
    session->stop(true);
}

std::optional<StopControl::Time> StopControl::deadline() const
{
    const std::lock_guard lock(m_mutex);
    return m_deadline;
}

std::optional<int> StopControl::signal() const
{
    const std::lock_guard lock(m_mutex);
    return m_signal;
}

} // namespace aiflow
