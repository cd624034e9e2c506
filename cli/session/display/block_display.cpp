#include "cli/session/display/block_display.h"

#include "aiflow/job_event.h"
#include "aiflow/version.h"
#include "cli/program/console.h"
#include "cli/session/display/event_queue.h"
#include "cli/session/display/failure_throttle.h"
#include "cli/session/display/pause_news.h"
#include "cli/session/wording.h"
#include "cli/terminal/block.h"
#include "cli/terminal/block_printer.h"
#include "cli/terminal/cells.h"
#include "cli/terminal/event_sentence.h"
#include "cli/terminal/terminal_guard.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace aiflow {

namespace {

using Clock = std::chrono::steady_clock;

class BlockDisplay final : public Display {
public:
    BlockDisplay(Console& console, Watched watched)
        : m_console(console), m_watched(std::move(watched)),
          m_printer([this](std::string_view bytes) { m_console.err(bytes); })
    {
    }
    ~BlockDisplay() override { BlockDisplay::end(); }

    void opening(std::string_view input) override
    {
        m_input = terminal::harmless(input);
        draw({fill(m_console.say({"AIFlow {}  reading {}", "AIFlow {}  正在读取 {}"}), {kVersion, m_input})});
    }

    void checking(std::int64_t rows) override
    {
        draw({fill(m_console.say({"AIFlow {}  reading {}: {} rows", "AIFlow {}  正在读取 {}：{} 行"}),
                   {kVersion, m_input, terminal::grouped(rows)})});
    }

    void begin(const Preparation& preparation) override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_printer.erase();
        }
        announce(headerSentence(m_console, preparation));
        for (const std::string& note : preparationNotes(m_console, preparation)) announce(note);
        announce(ctrlCSentence(m_console, preparation));
        announce("");
        m_thread = std::thread([this] { show(); });
    }

    void event(const EventLine& event) override
    {
        if (isWorthALine(event)) m_queue.push(event);
    }

    void announce(std::string_view sentence) override
    {
        const std::lock_guard lock(m_mutex);
        m_printer.permanent(terminal::harmless(sentence) + "\n");
    }

    void stopping(Clock::time_point deadline) override
    {
        const std::lock_guard lock(m_mutex);
        m_deadline = deadline;
    }

    void suspend() override
    {
        // A terminal that takes no bytes must not keep the process from leaving.
        const std::unique_lock lock(m_mutex, std::chrono::milliseconds(200));
        m_suspended = true;
        if (lock.owns_lock()) {
            m_printer.erase();
            m_shown.clear();
        } else
            terminal::restoreTerminal(STDERR_FILENO);
    }

    void proceed() override { m_suspended = false; }

    void end() override
    {
        m_queue.close();
        if (m_thread.joinable()) m_thread.join();
        const std::lock_guard lock(m_mutex);
        m_printer.erase();
    }

    void conclude(const JobSnapshot&) override {}

private:
    void show()
    {
        while (true) {
            const bool closed = m_queue.closed();
            const auto events = m_queue.take(Clock::now() + std::chrono::milliseconds(100));
            for (const EventLine& line : events) tell(line);
            if (closed && events.empty()) return;
            tellHeldBack();
            draw(blockLines());
        }
    }

    void tell(const EventLine& line)
    {
        const auto event = eventFromJson(line.json);
        if (!event || !m_throttle.admits(*event) || !m_pauses.admits(*event)) return;
        const auto sentence = terminal::eventSentence(*event, m_console.errLook());
        if (!sentence) return;
        const std::lock_guard lock(m_mutex);
        m_printer.permanent(*sentence + "\n");
    }

    void tellHeldBack()
    {
        for (const auto& [kind, count] : m_throttle.heldBack(Clock::now()))
            announce(fill(m_console.say({"  ...and {} more like this: {} {}", "  ……另有 {} 个同类失败：{} {}"}),
                          {count, kind.first, kind.second}));
    }

    std::vector<std::string> blockLines()
    {
        const terminal::Look look = m_console.errLook();
        auto lines = terminal::renderBlock(m_watched.snapshot(), look);
        if (const auto left = timeLeft())
            lines.push_back(terminal::cut(
                fill(m_console.say({" stopping: {} s at most", " 正在停止：最多 {} 秒"}), {left->count()}),
                look.columns));
        return lines;
    }

    std::optional<std::chrono::seconds> timeLeft() const
    {
        const std::lock_guard lock(m_mutex);
        if (!m_deadline) return std::nullopt;
        return std::max(std::chrono::seconds(0), std::chrono::ceil<std::chrono::seconds>(*m_deadline - Clock::now()));
    }

    void draw(const std::vector<std::string>& lines)
    {
        const int columns = m_console.errLook().columns;
        const std::lock_guard lock(m_mutex);
        if (m_suspended) return;
        if (std::exchange(m_columns, columns) != columns) {
            m_printer.resized(columns);
            m_shown.clear();
        }
        std::vector<std::string> fitting(lines);
        for (std::string& line : fitting)
            if (terminal::cellsOf(line) > columns && line.find('\x1b') == std::string::npos)
                line = terminal::cut(line, columns);
        if (fitting == m_shown && !m_printer.isBehind()) return;
        if (m_printer.draw(fitting, columns, Clock::now())) m_shown = std::move(fitting);
    }

    Console& m_console;
    const Watched m_watched;
    std::string m_input;
    EventQueue m_queue{16'384};
    FailureThrottle m_throttle; // the display's thread, as the next
    PauseNews m_pauses;
    mutable std::timed_mutex m_mutex;
    terminal::BlockPrinter m_printer;            // guarded by m_mutex
    std::optional<Clock::time_point> m_deadline; // guarded by m_mutex
    std::vector<std::string> m_shown;            // guarded by m_mutex
    int m_columns = 0;                           // guarded by m_mutex
    std::atomic<bool> m_suspended = false;
    terminal::TerminalGuard m_guard{STDERR_FILENO};
    std::thread m_thread;
};

} // namespace

std::unique_ptr<Display> makeBlockDisplay(Console& console, Watched watched)
{
    return std::make_unique<BlockDisplay>(console, std::move(watched));
}

} // namespace aiflow
