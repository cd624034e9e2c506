// What the processes of a host know of each other's calls, so that together they stay within one limit.
#pragma once

#include "aiflow/result.h"
#include "core/base/clock.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aiflow {

// One call's use of an account. Later states of the same id replace earlier ones.
struct LimitUse {
    enum class State : std::uint8_t {
        Reserved, // may be sent at any moment: it counts in every window until it is on the wire
        Sent,     // on the wire since `at`; holds its place until Done or `openUntil`
        Done,     // the place is free; it still counts in its windows, now with what it really used
        Released, // never sent: it counts nowhere
    };
    std::uint64_t id = 0; // from LimitStore::newId()
    State state = State::Reserved;
    std::string scope;        // of the account
    std::string organisation; // empty: none
    std::string provider;
    std::string model;
    BootTime at{};        // Reserved: when; afterwards: when it was on the wire
    BootTime openUntil{}; // the place is free then at the latest: the call's time limit and a grace
    std::int64_t requests = 1;
    std::int64_t inputTokens = 0;
    std::int64_t outputTokens = 0;
    std::int64_t images = 0;
    std::int64_t nanos = 0; // money
    std::string currency;
};

// What a process still wants from an account, so that others can make way for more urgent work.
struct LimitDemand {
    std::string scope;
    std::int32_t priority = 0; // smallest that waits; smaller is more urgent
    std::int64_t waiting = 0;  // calls
    BootTime oldest{};         // since when the oldest of them waits
    std::uint64_t process = 0; // filled by the store: whose
};

// Where a limit that was learnt from a provider's answers, or a pause it asked for, is kept for all.
struct LimitNotice {
    std::string scope;
    std::string model; // empty: all
    std::string kind;  // "pause", "requests/60000", ...
    std::int64_t value = 0;
    BootTime until{};
};

struct LimitNews {
    std::vector<LimitUse> uses;       // of others (the first time: of everyone, earlier selves too), changed since
    std::vector<LimitDemand> demands; // of the other living processes, as they stand now
    std::vector<LimitNotice> notices; // changed since
};
struct LimitChanges {
    std::vector<LimitUse> uses;
    std::vector<LimitNotice> notices;
    std::optional<std::vector<LimitDemand>> demands; // given: replaces this process's
};

// Threads: one thread uses it; newId() from any.
class LimitStore {
public:
    virtual ~LimitStore() = default;

    virtual std::uint64_t newId() = 0;
    // Runs `decide` on what the others did since the last exchange, while no other process can reserve; what it gives
    // is visible to them when exchange() returns. Blocks for the others' exchanges, well under a millisecond each.
    // Errors (`decide` did not run, or what it gave must not be sent): OutputDiskFull, OutputDenied, Internal.
    virtual Result<void> exchange(const std::function<LimitChanges(const LimitNews&)>& decide) = 0;
    // Cheap: whether another process changed something since the last exchange.
    virtual bool hasNews() = 0;
};

// For one process alone, tests and virtual time: nothing is shared.
class LoneLimitStore final : public LimitStore {
public:
    std::uint64_t newId() override { return m_last.fetch_add(1) + 1; }
    Result<void> exchange(const std::function<LimitChanges(const LimitNews&)>& decide) override
    {
        (void)decide({});
        return {};
    }
    bool hasNews() override { return false; }

private:
    std::atomic<std::uint64_t> m_last{0};
};

} // namespace aiflow
