// How a running job looks while it runs: a live block, plain lines, JSON lines, or nothing.
#pragma once

#include "aiflow/engine.h"
#include "cli/session/run_options.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace aiflow {

class Console;

// Threads: every method, from any thread; opening() to begin() come before the others. Destroying it takes the live
// parts off the screen.
class Display {
public:
    virtual ~Display() = default;
    // Before the input is read: at once.
    virtual void opening(std::string_view input) = 0;
    virtual void checking(std::int64_t rows) = 0;
    virtual void begin(const Preparation& preparation) = 0;
    // Quick, since engine threads call it: what takes time happens on the display's own thread.
    virtual void event(const EventLine& event) = 0;
    // A sentence that stays, as soon as possible.
    virtual void announce(std::string_view sentence) = 0;
    // Counted down in the live block.
    virtual void stopping(std::chrono::steady_clock::time_point deadline) = 0;
    // The terminal belongs to somebody else between the two.
    virtual void suspend() = 0;
    virtual void proceed() = 0;
    // The job ended: what is queued is written, live parts go.
    virtual void end() = 0;
    // After end().
    virtual void conclude(const JobSnapshot& snapshot) = 0;
};

// What a display looks at while the job runs.
struct Watched {
    std::function<JobSnapshot()> snapshot;
    std::function<EventLine()> progress;
};

// Does a person want to read about it? Looks at the text only, since every event of a job passes here.
bool isWorthALine(const EventLine& event);

// `watched` is called from begin() on.
std::unique_ptr<Display> makeDisplay(Console& console, const RunOptions& options, Watched watched);

} // namespace aiflow
