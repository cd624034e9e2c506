// Judges arrivals against limits exactly. Its own code from end to end: it shares nothing with what it judges.
#pragma once

#include "core/rehearsal/simulated_provider.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// What arrived over time, of one limit: every span [t, t + window) is looked at.
class ArrivalLog {
public:
    ArrivalLog(std::int64_t count, std::int64_t windowNs) : m_count(count), m_windowNs(windowNs) {}
    // Would any span that holds `at` be too full with `amount` more? Times may come a little out of order.
    bool overflows(std::int64_t at, std::int64_t amount) const;
    void add(std::int64_t at, std::int64_t amount);
    // The first time from `at` on at which `amount` fits; a whole window later when it never does.
    std::int64_t fitsAt(std::int64_t at, std::int64_t amount) const;
    std::int64_t used(std::int64_t at) const;
    std::int64_t count() const { return m_count; }

private:
    struct Entry {
        std::int64_t at = 0;
        std::int64_t total = 0; // with all before
    };
    std::int64_t totalBefore(std::int64_t time) const; // of entries earlier than `time`
    void forget(std::int64_t before);

    std::int64_t m_count;
    std::int64_t m_windowNs;
    std::int64_t m_forgotten = 0; // total of what fell out
    std::deque<Entry> m_entries;
};

// What one call takes from its limits.
struct CallLoad {
    std::int64_t inputTokens = 0, outputTokens = 0, images = 0;
    Nanos money;
    std::int64_t of(LimitUnit unit) const;
};

// The limits of one account, one model on an account, one organisation or one provider.
class LimitGate {
public:
    LimitGate(std::string name, const LimitSet& limits, double speed);

    struct Window {
        WindowLimit limit;
        ArrivalLog all;      // every arrival, refused ones too: what violations are judged by
        ArrivalLog admitted; // what the gate lets others wait for
    };
    const std::string& name() const { return m_name; }
    std::vector<Window>& windows() { return m_windows; }
    const std::optional<std::int64_t>& concurrency() const { return m_concurrency; }
    std::int64_t open() const { return m_open; }
    std::int64_t highest() const { return m_highest; }
    void enter();
    void leave() { --m_open; }

private:
    std::string m_name;
    std::vector<Window> m_windows;
    std::optional<std::int64_t> m_concurrency;
    std::int64_t m_open = 0;
    std::int64_t m_highest = 0;
};

struct Ruling {
    bool violates = false;
    bool refused = false;
    std::int64_t waitNs = 0; // when refused
    std::string limit;       // "60 requests in 3000 ms of account main"
};

// All limits of one service. Threads: one at a time.
class LimitJudge {
public:
    LimitJudge(const SimulatedService& service, double speed);
    using Gates = std::vector<LimitGate*>;
    // Of a call of this account and model; stays valid.
    const Gates& gatesOf(std::size_t account, std::size_t model) const;
    // Judges and logs an arrival. Not refused: it is open until left().
    Ruling arrive(const Gates& gates, std::int64_t at, const CallLoad& load);
    void left(const Gates& gates);
    // Highest number of open calls of the service, and by account.
    std::int64_t highest() const { return m_provider->highest(); }
    std::int64_t highest(std::size_t account) const { return m_accounts[account]->highest(); }

private:
    double m_speed;
    std::unique_ptr<LimitGate> m_provider;
    std::map<std::string, std::unique_ptr<LimitGate>> m_organisations;
    std::vector<std::unique_ptr<LimitGate>> m_accounts;
    std::vector<std::vector<std::unique_ptr<LimitGate>>> m_models; // by account, then model
    std::vector<std::vector<Gates>> m_gates;                       // likewise
};

} // namespace aiflow
