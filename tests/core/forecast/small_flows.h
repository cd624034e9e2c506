// Little flows and accounts made at random, the same for the same seed.
#pragma once

#include "core/base/random.h"
#include "core/forecast/virtual_run.h"

#include <chrono>

namespace aiflow::test {

struct SmallWorld {
    ModelledFlow flow;
    ApiSettings settings;
};
struct SmallWorldSize {
    std::int64_t items = 6;
    std::int64_t steps = 4;
    bool fansOut = true;
    bool varies = false; // lognormal durations
};

class SmallWorlds {
public:
    explicit SmallWorlds(std::uint64_t seed) : m_random(seed) {}

    SmallWorld make(const SmallWorldSize& size)
    {
        SmallWorld world{makeFlow(size), {}};
        const std::int64_t providers = below(2) + 1;
        for (std::int64_t i = 0; i < providers; ++i) addProvider(world.settings, i);
        RouteSettings first, both;
        first.name = "first";
        first.choices = {{0, 1}};
        both.name = "both";
        for (std::size_t i = 0; i < world.settings.models.size(); ++i) both.choices.push_back({i, 1});
        world.settings.routes = {first, both};
        return world;
    }
    std::int64_t below(std::int64_t count)
    {
        return static_cast<std::int64_t>(m_random.uniform() * static_cast<double>(count));
    }

private:
    ModelledFlow makeFlow(const SmallWorldSize& size)
    {
        ModelledFlow flow;
        flow.items = 1 + below(size.items);
        flow.cpuPlaces = 1 + below(3);
        flow.devices = 1 + below(2);
        const std::int64_t steps = 1 + below(size.steps);
        for (std::int64_t i = 0; i < steps; ++i) {
            ModelledStep step;
            step.name = "step" + std::to_string(i);
            const std::int64_t lane = below(4);
            step.lane = lane < 2    ? ModelledStep::Lane::Api
                        : lane == 2 ? ModelledStep::Lane::Device
                                    : ModelledStep::Lane::Cpu;
            step.route = below(2) == 0 ? "first" : "both";
            step.duration.median = std::chrono::seconds(1 + below(30));
            if (size.varies && below(2) == 0) step.duration.sigma = 0.3;
            step.fanOut = size.fansOut && below(5) == 0 ? 2 : 1;
            step.inputTokens = 100 * below(5);
            for (std::int64_t need = 0; need < i; ++need)
                if (below(2) == 0) step.needs.push_back(static_cast<std::size_t>(need));
            flow.steps.push_back(std::move(step));
        }
        return flow;
    }

    LimitSet limits()
    {
        LimitSet made;
        made.windows.push_back({LimitUnit::Requests, 1 + below(4), std::chrono::seconds(10 + below(50))});
        if (below(4) == 0) made.windows.push_back({LimitUnit::InputTokens, 1000, std::chrono::seconds(60)});
        if (below(4) == 0) made.concurrency = 1 + below(3);
        return made;
    }

    void addProvider(ApiSettings& settings, std::int64_t number)
    {
        ProviderSettings provider;
        provider.name = "p" + std::to_string(number);
        const std::int64_t accounts = 1 + below(3);
        for (std::int64_t i = 0; i < accounts; ++i) {
            AccountSettings account;
            account.name = provider.name + "/" + std::to_string(i);
            account.scope = provider.name + "#" + std::to_string(i);
            account.limits = limits();
            provider.accounts.push_back(std::move(account));
        }
        if (below(4) == 0) provider.limits = {{{LimitUnit::Requests, 5, std::chrono::seconds(30)}}, std::nullopt, {}};
        settings.providers.push_back(std::move(provider));
        ApiModel model;
        model.name = "m" + std::to_string(number);
        model.remoteName = model.name;
        model.provider = static_cast<std::size_t>(number);
        if (below(4) == 0) model.limits = {{{LimitUnit::Requests, 2, std::chrono::seconds(20)}}, std::nullopt, {}};
        settings.models.push_back(std::move(model));
    }

    SeededRandom m_random;
};

} // namespace aiflow::test
