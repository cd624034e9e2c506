// What a decision costs: submit, decide, wire, end and the exchange with the other processes, with thousands waiting.
// bench_dispatcher [calls]; the last line is one JSON object.
#include "core/api/decision/dispatcher.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <string>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

constexpr double kBarNanos = 5000; // a call; an API step may cost 0.12 ms in all
constexpr std::size_t kAccounts = 10;

double cpuNanos()
{
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

ApiSettings settingsOf(std::int64_t perMinute, std::optional<std::int64_t> concurrency)
{
    ApiSettings settings;
    ProviderSettings provider;
    provider.name = "openai";
    for (std::size_t i = 0; i < kAccounts; ++i) {
        AccountSettings account;
        account.name = "openai/" + std::to_string(i);
        account.scope = "api.example.com#000000000000000" + std::to_string(i);
        account.limits.windows.push_back({LimitUnit::Requests, perMinute, 60s});
        account.limits.windows.push_back({LimitUnit::TotalTokens, perMinute * 5000, 60s});
        account.limits.concurrency = concurrency;
        provider.accounts.push_back(account);
    }
    settings.providers.push_back(provider);
    ApiModel model;
    model.name = "gpt-image";
    model.provider = 0;
    settings.models.push_back(model);
    for (const char* name : {"text", "image", "judge"}) settings.routes.push_back({name, RouteKind::Text, {{0, 1}}});
    return settings;
}

// Every end is followed by a decision, as in the lane. Nanoseconds of CPU a call.
double nanosPerCall(const ApiSettings& settings, std::int64_t calls)
{
    SeededRandom random(1);
    std::uint64_t lastId = 0;
    const auto dispatcher = Dispatcher::create({settings, random, [&lastId] { return ++lastId; }});
    BootTime now{1000h};
    std::deque<AttemptId> open;
    const double before = cpuNanos();
    for (std::int64_t i = 0; i < calls; ++i) {
        CallDemand call;
        call.id = CallId(static_cast<std::uint64_t>(i + 1));
        call.route = static_cast<std::size_t>(i % 3);
        call.item = ItemIndex((i * 7919) % calls);
        call.inputTokens = 500;
        dispatcher->submit(call, now);
    }
    std::int64_t ended = 0;
    const auto decide = [&] {
        for (const SendOrder& order : dispatcher->decide(now).sends) {
            dispatcher->onWire(order.attempt, now);
            open.push_back(order.attempt);
        }
        (void)dispatcher->takeChanges(now);
        (void)dispatcher->nextDecision();
    };
    decide();
    while (!open.empty()) {
        now += 100us;
        AttemptEnd end;
        end.attempt = open.front();
        end.usageKnown = true;
        end.usage.inputTokens = 400;
        end.usage.outputTokens = 300;
        end.latency = 15s;
        open.pop_front();
        dispatcher->ended(end, now);
        ++ended;
        decide();
    }
    if (ended != calls) {
        std::fprintf(stderr, "only %lld calls of %lld ended\n", static_cast<long long>(ended),
                     static_cast<long long>(calls));
        std::exit(1);
    }
    return (cpuNanos() - before) / static_cast<double>(calls);
}

} // namespace

int main(int argc, char** argv)
{
    const std::int64_t calls = argc > 1 ? std::atoll(argv[1]) : 20'000;
    const double free = nanosPerCall(settingsOf(1'000'000, std::nullopt), calls);
    const double places = nanosPerCall(settingsOf(1'000'000, 64), calls);
    std::printf("%lld calls, %zu accounts: %.0f ns a call when nothing binds, %.0f ns when 640 places do\n",
                static_cast<long long>(calls), kAccounts, free, places);
    std::printf("{\"bench\":\"dispatcher\",\"calls\":%lld,\"ns_per_call\":%.0f,\"ns_per_call_places\":%.0f,"
                "\"bar_ns\":%.0f,\"ok\":%s}\n",
                static_cast<long long>(calls), free, places, kBarNanos,
                free <= kBarNanos && places <= 2 * kBarNanos ? "true" : "false");
    return 0;
}
