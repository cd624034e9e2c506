// Small configurations made in code, and a dispatcher in virtual time, for the tests of the decisions.
#pragma once

#include "core/api/decision/dispatcher.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace aiflow::test {

using namespace std::chrono_literals;

inline BootTime at(std::chrono::nanoseconds sinceStart) { return BootTime(1000h + sinceStart); }

inline WindowLimit perMinute(std::int64_t count, LimitUnit unit = LimitUnit::Requests) { return {unit, count, 60s}; }

// One provider "p" with accounts "p/0", "p/1", ..., one model "m" and one route "r".
inline ApiSettings settingsWith(std::size_t accounts, LimitSet limits)
{
    ApiSettings settings;
    ProviderSettings provider;
    provider.name = "p";
    for (std::size_t i = 0; i < accounts; ++i) {
        AccountSettings account;
        account.name = "p/" + std::to_string(i);
        account.scope = "host#" + std::to_string(i);
        account.limits = limits;
        provider.accounts.push_back(account);
    }
    settings.providers.push_back(provider);
    ApiModel model;
    model.name = "m";
    model.provider = 0;
    model.maxOutputTokens = 100;
    settings.models.push_back(model);
    settings.routes.push_back({"r", RouteKind::Text, {{0, 1}}});
    return settings;
}

// A second provider with one account and one model, as the next choice of the route.
inline void addFallback(ApiSettings& settings, const std::string& name)
{
    ProviderSettings provider;
    provider.name = name;
    AccountSettings account;
    account.name = name + "/0";
    account.scope = name + "#0";
    provider.accounts.push_back(account);
    settings.providers.push_back(provider);
    ApiModel model;
    model.name = name + "-model";
    model.provider = settings.providers.size() - 1;
    model.maxOutputTokens = 100;
    settings.models.push_back(model);
    settings.routes.front().choices.push_back({settings.models.size() - 1, 1});
}

struct Bench {
    explicit Bench(ApiSettings world, std::uint64_t seed = 1) : settings(std::move(world)), random(seed)
    {
        dispatcher = Dispatcher::create({settings, random, [this] { return ++lastId; }});
    }
    CallId submit(std::int64_t item, BootTime now, std::int32_t priority = 0)
    {
        CallDemand call;
        call.id = CallId(++lastCall);
        call.item = ItemIndex(item);
        call.itemHash = static_cast<std::uint64_t>(item);
        call.budgetItem = static_cast<std::uint64_t>(item);
        call.priority = priority;
        call.inputTokens = 10;
        dispatcher->submit(call, now);
        return call.id;
    }
    // Decides, and puts every send on the wire at once.
    std::vector<SendOrder> sendsAt(BootTime now)
    {
        last = dispatcher->decide(now);
        for (const SendOrder& order : last.sends) dispatcher->onWire(order.attempt, now);
        return last.sends;
    }
    void answered(const SendOrder& order, BootTime now)
    {
        AttemptEnd end;
        end.attempt = order.attempt;
        end.latency = 1s;
        dispatcher->ended(end, now);
    }
    void failed(const SendOrder& order, Failure failure, BootTime now)
    {
        AttemptEnd end;
        end.attempt = order.attempt;
        end.failure = std::move(failure);
        dispatcher->ended(end, now);
    }

    ApiSettings settings;
    SeededRandom random;
    std::uint64_t lastId = 0;
    std::uint64_t lastCall = 0;
    std::unique_ptr<Dispatcher> dispatcher;
    Decisions last;
};

inline Failure failureOf(FailureClass failure)
{
    Failure made;
    made.failure = failure;
    made.message = "as the test wants";
    return made;
}

} // namespace aiflow::test
