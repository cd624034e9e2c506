#include "cli/session/job_run.h"

#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/session/display/display.h"
#include "cli/session/display/event_writer.h"
#include "cli/session/finish_hook.h"
#include "cli/session/signals.h"
#include "cli/session/stop_control.h"
#include "cli/session/wording.h"

#include <atomic>
#include <unistd.h>

namespace aiflow {

namespace {

class JobRun {
public:
    JobRun(const Invocation& invocation, const RunOptions& options, bool ownWords)
        : m_invocation(invocation), m_console(invocation.console), m_options(options), m_ownWords(ownWords),
          m_display(
              makeDisplay(m_console, options,
                          {[this] { return m_session->snapshot(); }, [this] { return m_session->progressLine(); }})),
          m_stop(options.grace, stopCalls()), m_signals(signalCalls())
    {
    }

    RunOutcome run(const std::string& input, const SessionMaker& make)
    {
        m_display->opening(input);
        auto session = make([this](std::int64_t rows) { m_display->checking(rows); });
        if (!session) {
            m_display->end();
            return {reportError(m_invocation, m_options.output, session.error()), std::nullopt};
        }
        m_session = std::move(*session);
        m_opened = true;
        m_display->begin(m_session->preparation());
        auto report = work();
        if (!report) return {reportError(m_invocation, m_options.output, report.error()), std::nullopt};
        const int exitCode = exitCodeAfter(*report);
        report->snapshot.exitCode = exitCode;
        const RunOutcome outcome{exitCode, std::move(*report)};
        tell(outcome);
        return outcome;
    }

private:
    StopControl::Calls stopCalls()
    {
        return {[this](JobSession& session, StopControl::Time deadline) {
                    m_display->announce(stoppingSentence(m_console, session.snapshot(), m_options.grace));
                    m_display->stopping(deadline);
                },
                [this](bool graceOver) {
                    m_display->announce(m_console.say(
                        graceOver ? Text{"Time is up: dropping what is in flight.", "时间已到：放弃进行中的工作。"}
                                  : Text{"Dropping what is in flight.", "正在放弃进行中的工作。"}));
                },
                [this](int exitCode) {
                    m_display->suspend();
                    if (!m_opened)
                        m_console.err(m_console.say({"Stopped before anything ran.\n", "尚未开始即已停止。\n"}));
                    ::_exit(exitCode);
                }};
    }

    SignalWatch::Calls signalCalls()
    {
        using Clock = std::chrono::steady_clock;
        return {[this](int signal) { m_stop.stop(signal, Clock::now()); },
                [this] {
                    if (m_opened) m_display->announce(statusSentence(m_console, m_session->snapshot()));
                },
                [this] { m_display->suspend(); },
                [this] { m_display->proceed(); },
                [this] { return m_stop.deadline(); },
                [this] { m_stop.deadlinePassed(Clock::now()); }};
    }

    Result<JobReport> work()
    {
        std::optional<EventWriter> writer;
        if (m_options.output == OutputFormat::JsonLines)
            writer.emplace(
                m_console, [this] { return m_session->progressLine(); }, m_options.interval,
                [this] { m_display->announce(m_console.say(kReaderGone)); });
        m_stop.setSession(m_session.get());
        auto report = m_session->run([&](const EventLine& event) {
            if (writer) writer->event(event);
            m_display->event(event);
        });
        m_stop.setSession(nullptr);
        if (writer) writer->finish();
        m_display->end();
        return report;
    }

    // A stop that came too late to matter does not change the outcome.
    int exitCodeAfter(const JobReport& report) const
    {
        const JobState state = report.snapshot.state;
        const bool complete = state == JobState::Succeeded || state == JobState::Partial || state == JobState::Failed;
        const auto signal = m_stop.signal();
        return signal && !complete ? exitCodeOfSignal(*signal) : report.exitCode;
    }

    void tell(const RunOutcome& outcome)
    {
        const JobReport& report = *outcome.report;
        m_display->conclude(report.snapshot);
        if (m_options.output == OutputFormat::Json) m_console.out(reportJson(report) + "\n");
        const bool stopped = m_stop.signal() && outcome.exitCode == exitCodeOfSignal(*m_stop.signal());
        const bool silent = m_console.quiet() && outcome.exitCode == 0;
        if (m_options.output == OutputFormat::Text && !silent && !m_options.rehearsal) {
            // The line of a stopped job names the way to go on.
            const bool bare = m_ownWords || stopped;
            m_console.out(reportSummary(
                m_console, report, bare ? std::vector<std::string>() : nextAfter(report.snapshot, m_options.again)));
            if (m_console.outGone()) m_console.warn(m_console.say(kReaderGone));
        } else if (report.cause) {
            m_console.error(*report.cause);
        }
        if (stopped && !m_options.rehearsal) m_console.err(stoppedSentence(m_console, report.snapshot) + "\n");
    }

    static constexpr Text kReaderGone{"nobody reads standard output any more; the job goes on",
                                      "标准输出已无人读取；任务继续"};

    const Invocation& m_invocation;
    Console& m_console;
    const RunOptions& m_options;
    const bool m_ownWords;                 // somebody else says what comes next
    std::unique_ptr<JobSession> m_session; // set before the display and the signals look at it
    std::atomic<bool> m_opened = false;
    std::unique_ptr<Display> m_display;
    StopControl m_stop;
    SignalWatch m_signals;
};

} // namespace

RunOutcome runJob(const Invocation& invocation, const RunOptions& options, const std::string& input,
                  const SessionMaker& make, const std::function<void(const RunOutcome&)>& lastWords)
{
    holdSignals();
    const RunOutcome outcome = JobRun(invocation, options, static_cast<bool>(lastWords)).run(input, make);
    if (!outcome.report) return outcome;
    if (lastWords) lastWords(outcome);
    if (options.onFinish) runFinishHook(invocation.console, *options.onFinish, *outcome.report, outcome.exitCode);
    return outcome;
}

int reportError(const Invocation& invocation, OutputFormat output, const Error& error)
{
    const int exitCode = exitCodeOf(error);
    invocation.console.error(error);
    if (output != OutputFormat::Text) invocation.console.out(errorJson(error, exitCode) + "\n");
    return exitCode;
}

} // namespace aiflow
