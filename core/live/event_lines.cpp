#include "core/live/event_lines.h"

#include <fmt/format.h>

namespace aiflow::event_lines {

namespace {

void addFailure(JsonText& json, const std::optional<Reason>& reason, std::string_view message)
{
    if (reason) json.text("reason", info(*reason).code);
    json.textIfAny("message", message);
}

std::string countsOf(const StateCounts& counts)
{
    JsonText json;
    for (std::size_t i = 0; i < kTaskStateCount; ++i) {
        const auto state = static_cast<TaskState>(i);
        if (counts[state] != 0) json.number(info(state).key, counts[state]);
    }
    return json.object();
}

std::string groupsOf(const std::vector<FailureGroupSnapshot>& groups)
{
    std::string list = "[";
    for (const FailureGroupSnapshot& group : groups) {
        if (list.size() > 1) list += ',';
        list += JsonText()
                    .text("reason", info(group.reason).code)
                    .text("step", group.step)
                    .textIfAny("message", group.message)
                    .number("count", group.count)
                    .object();
    }
    return list + ']';
}

} // namespace

JsonText jobStarted(const LiveIdentity& identity, std::int64_t total, std::int64_t reusedItems)
{
    std::string steps = "[";
    for (const LiveStep& step : identity.steps) {
        if (steps.size() > 1) steps += ',';
        appendJsonString(steps, step.name);
    }
    JsonText json;
    json.text("job", identity.job).textIfAny("pipeline", identity.pipeline).textIfAny("input", identity.input);
    json.number("items", total).raw("steps", steps + ']').number("reused", reusedItems);
    return json;
}

JsonText itemFinished(std::string_view job, const ItemOutcome& outcome)
{
    JsonText json;
    json.text("job", job).text("item", outcome.id).number("line", outcome.line);
    json.text("state", info(outcome.state).key).textIfAny("step", outcome.step);
    addFailure(json, outcome.reason, outcome.message);
    json.number("attempts", outcome.attempts).number("ms", outcome.worked.count()).moneyIfAny("cost", outcome.cost);
    return json;
}

JsonText taskFinished(std::string_view job, std::string_view step, const TaskOutcome& outcome)
{
    JsonText json;
    json.text("job", job).text("item", outcome.id).number("line", outcome.line).text("step", step);
    if (outcome.element >= 0) json.number("element", outcome.element);
    json.number("attempt", outcome.attempt).text("state", info(outcome.state).key);
    addFailure(json, outcome.reason, outcome.message);
    if (outcome.reason) json.flag("retryable", outcome.retryable);
    json.number("ms", outcome.worked.count()).moneyIfAny("cost", outcome.cost);
    if (outcome.tokensIn != 0 || outcome.tokensOut != 0)
        json.raw("tokens", fmt::format(R"({{"in":{},"out":{}}})", outcome.tokensIn, outcome.tokensOut));
    json.textIfAny("request_id", outcome.requestId);
    return json;
}

JsonText jobFinished(const JobSnapshot& snapshot)
{
    JsonText json;
    json.text("job", snapshot.job).text("outcome", info(snapshot.state).key);
    json.number("exit_code", snapshot.exitCode.value_or(0)).number("ms", snapshot.elapsed.count());
    json.raw("counts", countsOf(snapshot.items)).moneyIfAny("cost", snapshot.cost);
    json.raw("groups", groupsOf(snapshot.failures));
    return json;
}

JsonText progress(const JobSnapshot& snapshot)
{
    JsonText json;
    json.text("job", snapshot.job).number("done", snapshot.items.terminal()).number("total", snapshot.total);
    json.number("failed", snapshot.items[TaskState::Failed]).number("waiting", snapshot.items[TaskState::Waiting]);
    if (snapshot.eta) json.raw("eta_s", fmt::format("[{},{}]", snapshot.eta->low.count(), snapshot.eta->high.count()));
    json.moneyIfAny("cost", snapshot.cost);
    return json;
}

} // namespace aiflow::event_lines
