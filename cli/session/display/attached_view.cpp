#include "cli/session/display/attached_view.h"

#include "aiflow/job_event.h"
#include "cli/program/console.h"
#include "cli/program/key_mode.h"
#include "cli/session/display/display.h"
#include "cli/session/display/failure_throttle.h"
#include "cli/session/display/pause_news.h"
#include "cli/session/signals.h"
#include "cli/session/wording.h"
#include "cli/terminal/block.h"
#include "cli/terminal/block_printer.h"
#include "cli/terminal/event_sentence.h"
#include "cli/terminal/plain_lines.h"
#include "cli/terminal/terminal_guard.h"

#include <array>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace aiflow {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// What a viewer sees of the job: the block, or lines, or events.
class Screen {
public:
    Screen(Console& console, const ViewOptions& options)
        : m_console(console), m_options(options), m_printer([&console](std::string_view bytes) { console.err(bytes); }),
          m_lines([&console](std::string_view line) { console.err(line); }, options.interval)
    {
        if (options.progress == terminal::Progress::Block) m_guard.emplace(STDERR_FILENO);
    }

    void begin(const JobSnapshot& snapshot)
    {
        m_last = snapshot;
        if (m_options.progress == terminal::Progress::Plain) m_lines.started(snapshot, timeText(), Clock::now());
        if (m_options.progress != terminal::Progress::Block) return;
        m_printer.permanent(std::string(m_console.say({"Watching job ", "正在查看任务 "})) + snapshot.job +
                            std::string(m_console.say({".  d or Ctrl-C detaches; the job goes on.\n\n",
                                                       "。按 d 或 Ctrl-C 离开；任务继续运行。\n\n"})));
    }

    void update(JobSnapshot snapshot) { m_last = std::move(snapshot); }

    // To standard output, once each.
    void pass(const EventLine& line)
    {
        if (line.seq == 0 || line.seq >= m_nextSeq) m_console.out(line.json + "\n");
        m_nextSeq = std::max(m_nextSeq, line.seq + 1);
    }

    void event(const EventLine& line)
    {
        if (m_options.eventsFrom) pass(line);
        if (m_options.progress == terminal::Progress::None || !isWorthALine(line)) return;
        const auto event = eventFromJson(line.json);
        if (!event) return;
        if (!m_pauses.admits(*event)) return;
        if (m_options.progress == terminal::Progress::Plain) return m_lines.event(*event, Clock::now());
        if (!m_throttle.admits(*event)) return;
        if (const auto sentence = terminal::eventSentence(*event, m_console.errLook()))
            m_printer.permanent(*sentence + "\n");
    }

    void tick()
    {
        if (m_options.progress == terminal::Progress::Plain) m_lines.heartbeat(m_last, timeText(), Clock::now());
        if (m_options.progress != terminal::Progress::Block) return;
        const terminal::Look look = m_console.errLook();
        if (std::exchange(m_columns, look.columns) != look.columns) {
            m_printer.resized(look.columns);
            m_shown.clear();
        }
        auto lines = terminal::renderBlock(m_last, look);
        if (lines == m_shown && !m_printer.isBehind()) return;
        if (m_printer.draw(lines, look.columns, Clock::now())) m_shown = std::move(lines);
    }

    void erase()
    {
        m_printer.erase();
        m_shown.clear();
    }
    const JobSnapshot& last() const noexcept { return m_last; }
    std::int64_t nextSeq() const noexcept { return m_nextSeq; }
    void startAt(std::int64_t seq) { m_nextSeq = seq; }

private:
    Console& m_console;
    const ViewOptions m_options;
    terminal::BlockPrinter m_printer;
    terminal::PlainLines m_lines;
    FailureThrottle m_throttle;
    PauseNews m_pauses;
    std::optional<terminal::TerminalGuard> m_guard;
    JobSnapshot m_last;
    std::vector<std::string> m_shown;
    std::int64_t m_nextSeq = 1;
    int m_columns = 0;
};

class Watch {
public:
    Watch(Console& console, JobClient& client, const ViewOptions& options)
        : m_console(console), m_client(client), m_options(options), m_screen(console, options)
    {
        holdSignals();
        m_signals = ::signalfd(-1, &heldSignals(), SFD_CLOEXEC | SFD_NONBLOCK);
    }
    ~Watch()
    {
        if (m_signals >= 0) ::close(m_signals);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    Result<Attached> run(const std::string& job)
    {
        auto status = m_client.status(job);
        if (!status) return tl::unexpected(status.error());
        m_job = status->job;
        m_screen.startAt(m_options.eventsFrom.value_or(1));
        auto follower = m_client.follow(m_job, m_options.eventsFrom);
        if (!follower && follower.error().reason != Reason::JobNotFound) return tl::unexpected(follower.error());
        if (follower) {
            m_screen.begin(*status);
            const auto ended = follow(**follower);
            m_screen.erase();
            if (!ended) return tl::unexpected(ended.error());
            if (!*ended) return Attached{m_screen.last(), true};
        }
        return lastWord();
    }

private:
    // True: the job's process ended. False: the watcher left.
    Result<bool> follow(JobFollower& follower)
    {
        KeyMode keys;
        while (true) {
            auto ended = drain(follower);
            if (!ended) return tl::unexpected(ended.error());
            if (*ended) return true;
            m_screen.tick();
            std::array<pollfd, 3> sources{{{follower.descriptor(), POLLIN, 0},
                                           {m_signals, POLLIN, 0},
                                           {keys.active() ? STDIN_FILENO : -1, POLLIN, 0}}};
            ::poll(sources.data(), sources.size(), 100);
            if (wantsToLeave(keys) || m_console.outGone()) return false;
        }
    }

    Result<bool> drain(JobFollower& follower)
    {
        // Bounded, so that keys and signals are seen in a flood of events.
        for (int i = 0; i < 5000; ++i) {
            auto next = follower.next(0ms);
            if (!next) {
                if (next.error().reason == Reason::JobNotFound) return true;
                return tl::unexpected(next.error());
            }
            if (!*next) break;
            if (auto* snapshot = std::get_if<JobSnapshot>(&**next))
                m_screen.update(std::move(*snapshot));
            else
                m_screen.event(std::get<EventLine>(**next));
        }
        return false;
    }

    bool wantsToLeave(KeyMode& keys)
    {
        bool leave = false;
        while (keys.active()) {
            const auto key = KeyMode::key();
            if (!key) break;
            leave = leave || *key == 'd' || *key == 'q';
        }
        signalfd_siginfo signal{};
        while (::read(m_signals, &signal, sizeof signal) == sizeof signal) {
            if (signal.ssi_signo == SIGTSTP)
                stopHere(keys);
            else
                leave = leave || signal.ssi_signo != SIGUSR1;
            if (signal.ssi_signo == SIGUSR1) m_console.err(statusSentence(m_console, m_screen.last()) + "\n");
        }
        return leave;
    }

    void stopHere(KeyMode& keys)
    {
        m_screen.erase();
        keys.suspend();
        ::kill(::getpid(), SIGSTOP);
        keys.proceed();
    }

    // The journal knows how it ended, and the events that the feed did not bring any more.
    Result<Attached> lastWord()
    {
        constexpr std::int64_t kPage = 5000;
        while (m_options.eventsFrom) {
            const auto events = m_client.events(m_job, m_screen.nextSeq(), kPage);
            if (!events) return tl::unexpected(events.error());
            for (const EventLine& event : *events) m_screen.pass(event);
            if (std::ssize(*events) < kPage) break;
        }
        auto status = m_client.status(m_job);
        if (!status) return tl::unexpected(status.error());
        return Attached{std::move(*status), false};
    }

    Console& m_console;
    JobClient& m_client;
    const ViewOptions m_options;
    std::string m_job;
    Screen m_screen;
    int m_signals = -1;
};

} // namespace

Result<Attached> watchJob(Console& console, JobClient& client, const std::string& job, const ViewOptions& options)
{
    return Watch(console, client, options).run(job);
}

} // namespace aiflow
