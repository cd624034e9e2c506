#include "cli/session/display/line_display.h"

#include "aiflow/job_event.h"
#include "cli/program/console.h"
#include "cli/session/display/event_queue.h"
#include "cli/session/display/pause_news.h"
#include "cli/session/wording.h"
#include "cli/terminal/cells.h"
#include "cli/terminal/plain_lines.h"

#include <thread>

namespace aiflow {

namespace {

using Clock = std::chrono::steady_clock;

// Says only what somebody asked for.
class SilentDisplay : public Display {
public:
    explicit SilentDisplay(Console& console) : m_console(console) {}
    void opening(std::string_view) override {}
    void checking(std::int64_t) override {}
    void begin(const Preparation&) override {}
    void event(const EventLine&) override {}
    void announce(std::string_view sentence) override { m_console.err(std::string(sentence) + "\n"); }
    void stopping(Clock::time_point) override {}
    void suspend() override {}
    void proceed() override {}
    void end() override {}
    void conclude(const JobSnapshot&) override {}

protected:
    Console& m_console;
};

// Writes what events and the clock bring, on a thread of its own.
class TickingDisplay : public SilentDisplay {
public:
    TickingDisplay(Console& console, const RunOptions& options, Watched watched)
        : SilentDisplay(console), m_watched(std::move(watched)), m_interval(options.interval)
    {
    }
    ~TickingDisplay() override { stop(); }
    void begin(const Preparation&) override
    {
        m_thread = std::thread([this] { show(); });
    }
    void end() override { stop(); }

protected:
    virtual void tick() = 0;
    virtual void tell(const EventLine& event) = 0;
    virtual void last() {}

    Watched m_watched;
    EventQueue m_queue{16'384};

    // Before the members of derived classes go.
    void stop()
    {
        m_queue.close();
        if (m_thread.joinable()) m_thread.join();
    }

private:
    void show()
    {
        auto next = Clock::now() + m_interval;
        while (true) {
            const bool closed = m_queue.closed();
            const auto events = m_queue.take(next);
            for (const EventLine& event : events) tell(event);
            if (closed && events.empty()) break;
            if (closed || Clock::now() < next) continue;
            tick();
            next = Clock::now() + m_interval;
        }
        last();
    }

    std::chrono::milliseconds m_interval;
    std::thread m_thread;
};

class PlainDisplay final : public TickingDisplay {
public:
    PlainDisplay(Console& console, const RunOptions& options, Watched watched)
        : TickingDisplay(console, options, std::move(watched)),
          m_lines([this](std::string_view line) { m_console.err(line); }, options.interval)
    {
    }
    ~PlainDisplay() override { stop(); }

    void opening(std::string_view input) override { announce("reading " + std::string(input)); }

    void begin(const Preparation& preparation) override
    {
        m_lines.started(m_watched.snapshot(), timeText(), Clock::now());
        for (const std::string& note : preparationNotes(m_console, preparation)) announce(note);
        TickingDisplay::begin(preparation);
    }
    void event(const EventLine& event) override
    {
        if (isWorthALine(event)) m_queue.push(event);
    }
    void announce(std::string_view sentence) override
    {
        m_console.err(timeText() + " " + terminal::harmless(sentence) + "\n");
    }
    void conclude(const JobSnapshot& snapshot) override { m_lines.finished(snapshot, timeText()); }

private:
    void tick() override { m_lines.heartbeat(m_watched.snapshot(), timeText(), Clock::now()); }
    void tell(const EventLine& line) override
    {
        if (const auto event = eventFromJson(line.json); event && m_pauses.admits(*event))
            m_lines.event(*event, Clock::now());
    }

    PauseNews m_pauses;           // the display's own thread
    terminal::PlainLines m_lines; // begin()'s thread, then the display's own, then conclude()'s
};

class JsonDisplay final : public TickingDisplay {
public:
    using TickingDisplay::TickingDisplay;
    ~JsonDisplay() override { stop(); }

private:
    void tick() override { m_console.err(m_watched.progress().json + "\n"); }
    void tell(const EventLine&) override {}
    void last() override { tick(); }
};

} // namespace

std::unique_ptr<Display> makePlainDisplay(Console& console, const RunOptions& options, Watched watched)
{
    return std::make_unique<PlainDisplay>(console, options, std::move(watched));
}

std::unique_ptr<Display> makeJsonDisplay(Console& console, const RunOptions& options, Watched watched)
{
    return std::make_unique<JsonDisplay>(console, options, std::move(watched));
}

std::unique_ptr<Display> makeSilentDisplay(Console& console) { return std::make_unique<SilentDisplay>(console); }

} // namespace aiflow
