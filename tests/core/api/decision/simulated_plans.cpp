#include "tests/core/api/decision/simulated_world.h"

#include <algorithm>
#include <array>

namespace aiflow::test {
namespace {

using namespace std::chrono_literals;
constexpr BootTime kStart{1000h};

class PlanMaker {
public:
    explicit PlanMaker(std::uint64_t seed) : m_random(seed * 104729 + 17) { m_plan.seed = seed; }

    WorldPlan make()
    {
        providers();
        routes();
        money();
        jobs();
        faults();
        kills();
        // Days where a limit spans days; else what faults, benched keys and the retry budget can take.
        m_plan.horizon = m_days ? 24h * 20 : 12h;
        return m_plan;
    }

private:
    std::int64_t upTo(std::int64_t highest) // from 0
    {
        return static_cast<std::int64_t>(m_random.next() % static_cast<std::uint64_t>(highest + 1));
    }
    bool chance(double probability) { return m_random.uniform() < probability; }

    LimitSet limits(double probability)
    {
        LimitSet set;
        const std::array<std::chrono::milliseconds, 4> windows{1s, 10s, 60s, 60s};
        if (chance(probability))
            set.windows.push_back({LimitUnit::Requests, 1 + upTo(30), windows.at(static_cast<std::size_t>(upTo(3)))});
        if (chance(probability / 6)) {
            set.windows.push_back({LimitUnit::Requests, 50 + upTo(300), 24h});
            m_days = true;
        }
        if (chance(probability / 3)) set.windows.push_back({LimitUnit::TotalTokens, 400 + upTo(4000), 60s});
        if (chance(probability / 4)) set.windows.push_back({LimitUnit::InputTokens, 200 + upTo(2000), 60s});
        if (chance(probability / 4)) set.windows.push_back({LimitUnit::OutputTokens, 150 + upTo(2000), 60s});
        if (chance(probability / 3)) set.concurrency = 1 + upTo(8);
        return set;
    }
    void providers()
    {
        const std::int64_t count = 1 + upTo(2);
        if (chance(0.3)) m_plan.settings.organisations.push_back({"org", limits(0.9)});
        for (std::int64_t p = 0; p < count; ++p) {
            ProviderSettings provider;
            provider.name = "p" + std::to_string(p);
            provider.timeout = 60s;
            provider.capability = chance(0.2) ? CapabilityClass::A : CapabilityClass::D;
            if (chance(0.2)) provider.limits = limits(0.8);
            const std::int64_t accounts = 1 + upTo(4);
            for (std::int64_t a = 0; a < accounts; ++a) {
                AccountSettings account;
                account.name = provider.name + "/" + std::to_string(a);
                account.scope = provider.name + "#" + std::to_string(a);
                account.limits = limits(0.8);
                if (!m_plan.settings.organisations.empty() && chance(0.5)) account.organisation = "org";
                provider.accounts.push_back(std::move(account));
            }
            m_plan.settings.providers.push_back(std::move(provider));
            for (std::int64_t m = 0; m <= upTo(1); ++m) model(static_cast<std::size_t>(p));
        }
    }
    void model(std::size_t provider)
    {
        ApiModel model;
        model.name = "m" + std::to_string(m_plan.settings.models.size());
        model.provider = provider;
        model.maxOutputTokens = 50 + upTo(100);
        if (chance(0.2)) model.limits = limits(0.8);
        if (chance(0.6)) {
            model.price.currency = "USD";
            model.price.perCall = nanosOf(0.001);
            model.price.outputPerMillion = nanosOf(10);
        }
        m_plan.settings.models.push_back(std::move(model));
    }
    void routes()
    {
        for (std::int64_t r = 0; r <= upTo(1); ++r) {
            RouteSettings route;
            route.name = "r" + std::to_string(r);
            std::vector<std::size_t> models;
            for (std::size_t i = 0; i < m_plan.settings.models.size(); ++i) models.push_back(i);
            std::ranges::rotate(models, models.begin() + upTo(std::ssize(models) - 1));
            const std::int64_t choices = 1 + upTo(std::ssize(models) - 1);
            for (std::int64_t i = 0; i < choices; ++i)
                route.choices.push_back({models[static_cast<std::size_t>(i)], 1.0 + static_cast<double>(upTo(3))});
            route.weighted = chance(0.2);
            if (chance(0.2)) route.canaryPercent = 20;
            route.canaryCalls = 10;
            m_plan.settings.routes.push_back(std::move(route));
        }
    }
    void money()
    {
        BudgetSettings& budgets = m_plan.settings.budgets;
        if (chance(0.15)) budgets.perJob = Money{nanosOf(0.05), "USD"};
        if (chance(0.1)) budgets.perItem = Money{nanosOf(0.006), "USD"};
        if (chance(0.1)) {
            budgets.perDay = Money{nanosOf(0.1), "USD"};
            m_days = true;
        }
        if (chance(0.1)) budgets.perCall = Money{nanosOf(0.0021), "USD"};
    }
    void jobs()
    {
        const std::int64_t processes = 1 + (chance(0.5) ? upTo(2) : 0);
        for (std::int64_t i = 0; i < processes; ++i) {
            WorldJob job;
            job.calls = 5 + upTo(45);
            job.priority = static_cast<std::int32_t>(upTo(1) * 8 + 1);
            job.begins = std::chrono::milliseconds(upTo(30'000));
            if (chance(0.3)) job.spacing = std::chrono::milliseconds(10 + upTo(3000));
            m_plan.jobs.push_back(job);
        }
        m_plan.shortest = 200ms;
        m_plan.longest = chance(0.5) ? 3s : 20s;
        m_plan.inputTokens = 1 + upTo(90);
        m_plan.lyingUsage = chance(0.1);
    }
    void faults()
    {
        using enum FailureClass;
        const std::array kinds{NotSent,    Throttled, Throttled,   Throttled, QuotaExhausted, KeyRefused,
                               Outage,     Outage,    ServerError, TimedOut,  Unknown,        ContentRefused,
                               BadRequest, TooLarge,  CutOff,      Misfit,    LyingSuccess,   JobFailed};
        const std::int64_t count = chance(0.3) ? 0 : 1 + upTo(3);
        for (std::int64_t i = 0; i < count; ++i) {
            WorldFault fault;
            fault.provider = static_cast<std::size_t>(upTo(std::ssize(m_plan.settings.providers) - 1));
            const auto& accounts = m_plan.settings.providers[fault.provider].accounts;
            if (chance(0.5)) fault.account = static_cast<std::size_t>(upTo(std::ssize(accounts) - 1));
            fault.failure = kinds.at(static_cast<std::size_t>(upTo(std::ssize(kinds) - 1)));
            fault.probability = chance(0.3) ? 1.0 : 0.05 + m_random.uniform() / 2;
            fault.from = kStart + std::chrono::seconds(upTo(120));
            fault.until = fault.from + std::chrono::seconds(1 + upTo(600));
            if (fault.failure == Throttled && chance(0.7))
                fault.retryAfter = std::chrono::milliseconds(1 + upTo(90'000));
            m_plan.faults.push_back(fault);
        }
    }
    void kills()
    {
        if (!chance(0.3)) return;
        for (std::int64_t i = 0; i <= upTo(2); ++i) {
            WorldKill kill;
            kill.process = static_cast<std::size_t>(upTo(std::ssize(m_plan.jobs) - 1));
            kill.at = kStart + std::chrono::milliseconds(upTo(200'000));
            kill.away = std::chrono::milliseconds(1 + upTo(30'000));
            kill.atSend = chance(0.5);
            m_plan.kills.push_back(kill);
        }
    }

    SeededRandom m_random;
    WorldPlan m_plan;
    bool m_days = false;
};

} // namespace

WorldPlan planOf(std::uint64_t seed) { return PlanMaker(seed).make(); }

} // namespace aiflow::test
