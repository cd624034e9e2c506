// A seeded world for the dispatchers: strict providers, faults of every class, several processes that share their
// limits, kills and restarts; all in virtual time.
#pragma once

#include "core/api/decision/dispatcher.h"
#include "tests/core/api/decision/strict_judge.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

namespace aiflow::test {

struct WorldFault {
    std::size_t provider = 0;
    std::optional<std::size_t> account;
    FailureClass failure = FailureClass::Outage;
    double probability = 1;
    BootTime from{};
    BootTime until{};
    std::optional<std::chrono::milliseconds> retryAfter;
};
struct WorldKill {
    std::size_t process = 0;
    BootTime at{};
    std::chrono::nanoseconds away{0};
    bool atSend = false; // the next time it is about to send: reserved, and not on the wire
};
struct WorldJob { // of one process
    std::int64_t calls = 0;
    std::int32_t priority = 0;
    std::chrono::nanoseconds begins{0};
    std::chrono::nanoseconds spacing{0}; // between submissions
};
struct WorldPlan {
    std::uint64_t seed = 1;
    ApiSettings settings;
    std::vector<WorldJob> jobs;
    std::vector<WorldFault> faults;
    std::vector<WorldKill> kills;
    std::chrono::nanoseconds shortest{0}, longest{0}; // latency
    std::int64_t inputTokens = 10;                    // at most
    std::int64_t images = 0;
    bool lyingUsage = false;
    std::chrono::nanoseconds horizon{0};
};

struct SentCall {
    std::uint64_t life = 0; // of its process
    CallId call;
    std::size_t provider = 0, account = 0, model = 0;
    BootTime decided{}, wired{};
    bool retry = false; // counts against the retry budget
    bool first = false; // counts as a first attempt
};

class SimulatedWorld {
public:
    explicit SimulatedWorld(WorldPlan plan);
    ~SimulatedWorld();

    // Runs to the end of all work, or to the horizon. What went wrong; empty: nothing.
    std::string run();
    const std::vector<SentCall>& sent() const noexcept { return m_sent; }
    std::int64_t answered() const noexcept { return m_answered; }
    std::int64_t givenUp() const noexcept { return m_givenUp; }
    BootTime now() const noexcept { return m_now; }

private:
    struct Process;
    struct Open;
    struct Event {
        BootTime at;
        std::uint64_t number;
        std::function<void()> what;
        friend bool operator<(const Event& a, const Event& b)
        {
            return a.at != b.at ? b.at < a.at : b.number < a.number;
        }
    };
    struct Outcome {
        std::optional<Failure> failure;
        bool asksAgain = false;
        Usage usage;
        bool usageKnown = false;
        std::chrono::nanoseconds latency{0};
        std::chrono::nanoseconds holdsPlace{0}; // at the provider, from the arrival
        Amounts counted;                        // by the provider
    };

    void at(BootTime when, std::function<void()> what);
    void wrong(const std::string& what);
    void start(std::size_t process, bool again);
    void kill(const WorldKill& kill);
    void submitNext(std::size_t process, std::int64_t index);
    CallDemand demandOf(std::size_t process, std::int64_t index);
    void step(std::size_t process);
    void schedule(std::size_t process);
    LimitNews newsFor(Process& process);
    void publish(Process& process, LimitChanges changes);
    void handle(std::size_t process, const SendOrder& order);
    void wire(std::size_t process, const SendOrder& order);
    void arrive(const SendOrder& order, const Outcome& outcome);
    void end(std::size_t process, AttemptId attempt, const Outcome& outcome, BootTime wired);
    Outcome outcomeOf(const SendOrder& order);
    void failing(Outcome& outcome, const WorldFault& fault, const SendOrder& order);
    void checkGiveUp(const GiveUp& giveUp, std::size_t process);
    void checkTold(std::size_t process, const SendOrder& order);
    void checkMoney(const SendOrder& order, const Outcome& outcome);
    void note(std::size_t process, const SendOrder& order);
    std::vector<std::string> poolsOf(const SendOrder& order) const;
    std::chrono::nanoseconds between(std::chrono::nanoseconds low, std::chrono::nanoseconds high);
    bool chance(double probability) { return m_random.uniform() < probability; }

    WorldPlan m_plan;
    SeededRandom m_random;
    StrictJudge m_judge;
    std::priority_queue<Event> m_events;
    std::uint64_t m_eventNumber = 0;
    std::uint64_t m_lastId = 0;
    BootTime m_now;
    std::vector<std::unique_ptr<Process>> m_processes;
    std::vector<std::pair<std::uint64_t, LimitUse>> m_uses; // with the process that told
    std::vector<std::pair<std::uint64_t, LimitNotice>> m_notices;
    std::map<std::uint64_t, std::vector<LimitDemand>> m_demands;
    std::uint64_t m_lives = 0;
    std::vector<SentCall> m_sent;
    std::string m_wrong;
    std::int64_t m_answered = 0;
    std::int64_t m_givenUp = 0;
    Nanos m_spentOfDay;
};

// Whether every span of `window` holds at most 1.1 x first attempts + 10 sends, by process and provider.
std::string checkRetries(const std::vector<SentCall>& sent, const RetrySettings& retry);
// A random plan.
WorldPlan planOf(std::uint64_t seed);

} // namespace aiflow::test
