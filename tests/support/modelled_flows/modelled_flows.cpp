#include "tests/support/modelled_flows/modelled_flows.h"

#include <chrono>
#include <utility>

namespace aiflow::test {

namespace {

using Lane = ModelledStep::Lane;
using Needs = std::vector<std::size_t>;

ModelledStep step(std::string name, Lane lane, double seconds, Needs needs, int fanOut = 1)
{
    ModelledStep made;
    made.name = std::move(name);
    made.lane = lane;
    made.needs = std::move(needs);
    made.fanOut = fanOut;
    made.duration.median = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    return made;
}

ModelledStep text(std::string name, double seconds, Needs needs)
{
    ModelledStep made = step(std::move(name), Lane::Api, seconds, std::move(needs));
    made.route = "text";
    made.inputTokens = 400;
    made.outputTokens = 200;
    return made;
}

ModelledStep picture(std::string name, double seconds, Needs needs, int fanOut = 1, const char* route = "image")
{
    ModelledStep made = step(std::move(name), Lane::Api, seconds, std::move(needs), fanOut);
    made.route = route;
    made.inputTokens = 100;
    made.images = 1;
    return made;
}

LimitSet atMost(std::int64_t requests, std::chrono::milliseconds window)
{
    return {{{LimitUnit::Requests, requests, window}}, std::nullopt, {}};
}

ApiModel model(const char* name, Price price)
{
    ApiModel made;
    made.name = name;
    made.provider = 0;
    made.remoteName = name;
    made.price = std::move(price);
    made.maxOutputTokens = 500;
    return made;
}

ApiSettings settingsFor(std::vector<LimitSet> accounts)
{
    ApiSettings settings;
    ProviderSettings provider;
    provider.name = "studio";
    for (LimitSet& limits : accounts) {
        AccountSettings account;
        account.name = "studio/" + std::to_string(provider.accounts.size() + 1);
        account.scope = "studio#" + std::to_string(provider.accounts.size() + 1);
        account.limits = std::move(limits);
        provider.accounts.push_back(std::move(account));
    }
    settings.providers.push_back(std::move(provider));
    Price words;
    words.inputPerMillion = nanosOf(0.15);
    words.outputPerMillion = nanosOf(0.60);
    words.currency = "USD";
    Price pictures;
    pictures.perImage = nanosOf(0.04);
    pictures.currency = "USD";
    settings.models = {model("writer", words), model("painter", pictures), model("editor", pictures)};
    RouteSettings route;
    route.name = "text";
    route.choices = {{0, 1}};
    settings.routes.push_back(route);
    route.name = "image";
    route.kind = RouteKind::Image;
    route.choices = {{1, 1}};
    settings.routes.push_back(route);
    route.name = "edit";
    route.choices = {{2, 1}};
    settings.routes.push_back(route);
    return settings;
}

ApiSettings tenAccounts() { return settingsFor(std::vector<LimitSet>(10, atMost(4, std::chrono::minutes(1)))); }

ModelledFlow flowOf(std::int64_t items, std::int64_t cpuPlaces, std::vector<ModelledStep> steps)
{
    ModelledFlow flow;
    flow.items = items;
    flow.cpuPlaces = cpuPlaces;
    flow.steps = std::move(steps);
    return flow;
}

} // namespace

NamedFlow heroFlow(std::int64_t items)
{
    return {"hero",
            flowOf(items, 8,
                   {text("prompt", 15, {}), picture("picture", 40, {0}), step("detect", Lane::Device, 0.5, {1}),
                    step("segment", Lane::Device, 2, {2}), step("compose", Lane::Cpu, 15, {3})}),
            tenAccounts()};
}

NamedFlow annotationFlow(std::int64_t items)
{
    return {"annotation",
            flowOf(items, 8,
                   {text("describe", 10, {}), text("measure", 10, {0}), text("label", 10, {1}), text("review", 10, {2}),
                    picture("drawing", 40, {3}), step("check", Lane::Cpu, 10, {4})}),
            tenAccounts()};
}

NamedFlow fanOutFlow(std::int64_t items)
{
    return {"fan_out",
            flowOf(items, 8,
                   {text("plan", 15, {}), picture("shots", 40, {0}, 4), step("choose", Lane::Device, 2, {1}),
                    picture("edit", 30, {2}, 1, "edit"), step("compose", Lane::Cpu, 15, {3})}),
            tenAccounts()};
}

NamedFlow unequalFlow(std::int64_t items)
{
    using std::chrono::minutes;
    LimitSet twelve = atMost(12, minutes(1));
    twelve.concurrency = 8;
    return {"unequal",
            flowOf(items, 8, {text("words", 12, {}), picture("picture", 30, {0}), step("compose", Lane::Cpu, 8, {1})}),
            settingsFor({atMost(2, minutes(1)), atMost(4, minutes(1)), atMost(6, minutes(1)), twelve,
                         atMost(5, std::chrono::seconds(20)), atMost(8, std::chrono::seconds(30))})};
}

std::vector<NamedFlow> benchFlows() { return {heroFlow(), annotationFlow(), fanOutFlow(), unequalFlow()}; }

} // namespace aiflow::test
