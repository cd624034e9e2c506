#include "cli/program/json_services.h"

#include "cli/program/json_writer.h"

#include <cstdio>

namespace aiflow {

namespace {

std::string decimal(double value)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

std::string moneyOf(const MoneyAmount& money)
{
    return JsonObject().raw("amount", decimal(money.amount)).text("currency", money.currency).done();
}

std::string_view keyWord(KeyState state)
{
    return state == KeyState::Found ? "found" : state == KeyState::Missing ? "missing" : "not_needed";
}

std::string accountLine(const ProviderAccountLine& account)
{
    JsonObject object;
    object.text("name", account.name).textIfAny("key_source", account.keySource).text("key", keyWord(account.key));
    object.textIfAny("limits", account.limits).textIfAny("organisation", account.organisation);
    object.textIfAny("base_url", account.baseUrl);
    if (account.problem) object.text("problem", account.problem->message).textIfAny("hint", account.problem->hint);
    return object.done();
}

std::string providerOf(const ProviderLine& provider)
{
    JsonObject object;
    object.text("name", provider.name).textIfAny("title", provider.title).text("protocol", provider.protocol);
    object.textIfAny("base_url", provider.baseUrl).textIfAny("after_crash", provider.afterCrash);
    object.textIfAny("limits", provider.limits).raw("accounts", jsonArray(provider.accounts, accountLine));
    return object.done();
}

std::string modelOf(const ApiModelLine& model)
{
    JsonObject object;
    object.text("name", model.name).text("provider", model.provider).text("model", model.remoteName);
    object.text("price", model.price).number("context_tokens", model.contextTokens);
    object.number("max_output_tokens", model.maxOutputTokens).textIfAny("limits", model.limits);
    return object.done();
}

std::string routeOf(const RouteLine& route)
{
    JsonObject object;
    object.text("name", route.name).text("kind", route.kind).texts("models", route.models).text("rule", route.rule);
    return object.done();
}

std::string failureOf(const RehearsalFailure& failure)
{
    JsonObject object;
    object.text("item", failure.item).number("line", failure.line).textIfAny("step", failure.step);
    object.text("reason", info(failure.reason).code).text("message", failure.message);
    return object.done();
}

std::string accountOf(const RehearsalAccount& account)
{
    JsonObject object;
    object.text("account", account.account).number("calls", account.calls).number("refusals", account.refusals);
    object.number("highest_concurrency", account.highestConcurrency).raw("cost", moneyOf(account.cost));
    return object.done();
}

} // namespace

std::string providersJson(const ProviderList& list)
{
    JsonObject object;
    object.number("v", 1).raw("offline", list.offline ? "true" : "false");
    object.raw("providers", jsonArray(list.providers, providerOf)).raw("models", jsonArray(list.models, modelOf));
    object.raw("routes", jsonArray(list.routes, routeOf)).texts("organisations", list.organisations);
    return object.done();
}

std::string pricesJson(const ProviderList& list)
{
    return JsonObject().number("v", 1).raw("models", jsonArray(list.models, modelOf)).done();
}

std::string verdictKey(AccountVerdict verdict)
{
    switch (verdict) {
    case AccountVerdict::Good:
        return "good";
    case AccountVerdict::KeyMissing:
        return "key_missing";
    case AccountVerdict::KeyRefused:
        return "key_refused";
    case AccountVerdict::QuotaEmpty:
        return "quota_empty";
    case AccountVerdict::RateLimited:
        return "rate_limited";
    case AccountVerdict::CannotConnect:
        return "cannot_connect";
    case AccountVerdict::TlsFailed:
        return "tls_failed";
    case AccountVerdict::WrongAddress:
        return "wrong_address";
    case AccountVerdict::Outage:
        return "outage";
    case AccountVerdict::TimedOut:
        return "timed_out";
    }
    return "unknown";
}

std::string providerTestsJson(std::span<const AccountTest> tests, int exitCode)
{
    const auto one = [](const AccountTest& test) {
        JsonObject object;
        object.text("account", test.account).text("verdict", verdictKey(test.verdict)).text("message", test.sentence);
        return object.textIfAny("hint", test.hint).number("ms", test.latency.count()).done();
    };
    return JsonObject().number("v", 1).raw("accounts", jsonArray(tests, one)).number("exit_code", exitCode).done();
}

std::string rehearsalJson(const RehearsalReport& report)
{
    JsonObject object;
    object.raw("speed", decimal(report.speed)).number("took_ms", report.took.count());
    object.number("service_ms", report.serviceTime.count()).number("local_ms", report.localTime.count());
    object.number("at_least_ms", report.atLeast().count()).number("at_most_ms", report.atMost().count());
    object.raw("cost", jsonArray(report.cost, moneyOf)).raw("unpriced", report.unpriced ? "true" : "false");
    object.number("calls", report.calls).number("refusals", report.refusals);
    object.number("violations", report.violations).number("paid_twice", report.paidTwice);
    object.number("highest_concurrency", report.highestConcurrency);
    object.raw("accounts", jsonArray(report.accounts, accountOf));
    object.raw("troubles", jsonArray(report.troubles, [](const RehearsalTrouble& trouble) {
                   return JsonObject().text("kind", trouble.kind).number("calls", trouble.calls).done();
               }));
    object.raw("failures", jsonArray(report.failures, failureOf)).textIfAny("folder", report.folder.string());
    return object.done();
}

} // namespace aiflow
