#include "core/base/json.h"

#include "aiflow/job_event.h"
#include "aiflow/messages.h"

#include <cmath>

namespace aiflow {

namespace {

Json toTree(const StateCounts& counts)
{
    Json tree = Json::object();
    for (std::size_t i = 0; i < kTaskStateCount; ++i) {
        const auto state = static_cast<TaskState>(i);
        if (counts[state] != 0) tree[std::string(info(state).key)] = counts[state];
    }
    return tree;
}

Json toTree(const StepSnapshot& step)
{
    return {{"name", step.name},          {"title_en", step.titleEn},
            {"title_zh", step.titleZh},   {"kind", step.kind},
            {"target", step.target},      {"counts", toTree(step.counts)},
            {"rate", step.ratePerSecond}, {"in_flight", step.inFlight},
            {"retries", step.retries},    {"median_s", step.medianSeconds},
            {"note", step.note},          {"providers", step.providers}};
}

Json toTree(const AccountSnapshot& account)
{
    return {{"provider", account.provider}, {"account", account.account},          {"state", account.state},
            {"open", account.open},         {"sent_minute", account.sentInMinute}, {"per_minute", account.perMinute}};
}

Json toTree(const PauseSnapshot& pause)
{
    Json tree{{"provider", pause.provider},
              {"reason", std::string(info(pause.reason).code)},
              {"detail", pause.detail},
              {"since_ms", pause.since.count()}};
    if (pause.probe) tree["probe_s"] = pause.probe->count();
    return tree;
}

Json toTree(const MoneyAmount& money) { return {{"amount", money.amount}, {"currency", money.currency}}; }

Json toTree(const FailureGroupSnapshot& group)
{
    return {{"reason", std::string(info(group.reason).code)},
            {"step", group.step},
            {"message", group.message},
            {"sample", group.sampleMessage},
            {"count", group.count},
            {"items", group.sampleItems}};
}

template <typename List> Json listTree(const List& list)
{
    Json tree = Json::array();
    for (const auto& entry : list) tree.push_back(toTree(entry));
    return tree;
}

// What a member holds when it has the right type; otherwise `value` stays. Readers take what they understand.
void read(const Json& from, const char* key, std::string& value)
{
    if (const auto found = from.find(key); found != from.end() && found->is_string()) value = found->get<std::string>();
}

void read(const Json& from, const char* key, std::int64_t& value)
{
    const auto found = from.find(key);
    if (found == from.end() || !found->is_number()) return;
    // A number beyond 64 bits cannot be converted; it is no number of ours.
    if (found->is_number_integer()) {
        value = found->get<std::int64_t>();
    } else if (const double number = found->get<double>(); std::abs(number) < 9e18) {
        value = static_cast<std::int64_t>(number);
    }
}

void read(const Json& from, const char* key, double& value)
{
    if (const auto found = from.find(key); found != from.end() && found->is_number()) value = found->get<double>();
}

void read(const Json& from, const char* key, bool& value)
{
    if (const auto found = from.find(key); found != from.end() && found->is_boolean()) value = found->get<bool>();
}

void read(const Json& from, const char* key, std::chrono::milliseconds& value)
{
    std::int64_t count = value.count();
    read(from, key, count);
    value = std::chrono::milliseconds(count);
}

void read(const Json& from, const char* key, std::optional<int>& value)
{
    if (!from.contains(key) || !from[key].is_number_integer()) return;
    std::int64_t number = 0;
    read(from, key, number);
    value = static_cast<int>(number);
}

void read(const Json& from, const char* key, std::vector<std::string>& value)
{
    const auto found = from.find(key);
    if (found == from.end() || !found->is_array()) return;
    for (const Json& entry : *found)
        if (entry.is_string()) value.push_back(entry.get<std::string>());
}

void read(const Json& from, const char* key, StateCounts& counts)
{
    const auto found = from.find(key);
    if (found == from.end() || !found->is_object()) return;
    for (const auto& [name, entry] : found->items())
        if (const auto state = taskStateFromKey(name); state && entry.is_number_integer())
            counts[*state] = entry.get<std::int64_t>();
}

void read(const Json& from, const char* key, MoneyAmount& money)
{
    const auto found = from.find(key);
    if (found == from.end() || !found->is_object()) return;
    read(*found, "amount", money.amount);
    read(*found, "currency", money.currency);
}

void read(const Json& from, const char* key, std::optional<EtaRange>& eta)
{
    const auto found = from.find(key);
    if (found == from.end() || !found->is_array() || found->size() != 2) return;
    if (!(*found)[0].is_number_integer() || !(*found)[1].is_number_integer()) return;
    eta = EtaRange{std::chrono::seconds((*found)[0].get<std::int64_t>()),
                   std::chrono::seconds((*found)[1].get<std::int64_t>())};
}

std::string word(const Json& from, const char* key)
{
    std::string value;
    read(from, key, value);
    return value;
}

StepSnapshot stepFrom(const Json& tree)
{
    StepSnapshot step;
    read(tree, "name", step.name);
    read(tree, "title_en", step.titleEn);
    read(tree, "title_zh", step.titleZh);
    read(tree, "kind", step.kind);
    read(tree, "target", step.target);
    read(tree, "counts", step.counts);
    read(tree, "rate", step.ratePerSecond);
    read(tree, "in_flight", step.inFlight);
    read(tree, "retries", step.retries);
    read(tree, "median_s", step.medianSeconds);
    read(tree, "note", step.note);
    read(tree, "providers", step.providers);
    return step;
}

AccountSnapshot accountFrom(const Json& tree)
{
    AccountSnapshot account;
    read(tree, "provider", account.provider);
    read(tree, "account", account.account);
    read(tree, "state", account.state);
    read(tree, "open", account.open);
    read(tree, "sent_minute", account.sentInMinute);
    read(tree, "per_minute", account.perMinute);
    return account;
}

PauseSnapshot pauseFrom(const Json& tree)
{
    PauseSnapshot pause;
    read(tree, "provider", pause.provider);
    pause.reason = reasonFromCode(word(tree, "reason")).value_or(Reason::ProviderOutage);
    read(tree, "detail", pause.detail);
    read(tree, "since_ms", pause.since);
    std::int64_t probe = -1;
    read(tree, "probe_s", probe);
    if (probe >= 0) pause.probe = std::chrono::seconds(probe);
    return pause;
}

template <typename Entry>
void readList(const Json& tree, const char* key, Entry (*entryFrom)(const Json&), std::vector<Entry>& list)
{
    const auto found = tree.find(key);
    if (found == tree.end() || !found->is_array()) return;
    for (const Json& entry : *found) list.push_back(entryFrom(entry));
}

FailureGroupSnapshot groupFrom(const Json& tree)
{
    FailureGroupSnapshot group;
    group.reason = reasonFromCode(word(tree, "reason")).value_or(Reason::Internal);
    read(tree, "step", group.step);
    read(tree, "message", group.message);
    read(tree, "sample", group.sampleMessage);
    read(tree, "count", group.count);
    read(tree, "items", group.sampleItems);
    return group;
}

void readIdentity(const Json& tree, JobSnapshot& snapshot)
{
    read(tree, "job", snapshot.job);
    if (const auto state = jobStateFromKey(word(tree, "state"))) snapshot.state = *state;
    read(tree, "pipeline", snapshot.pipeline);
    read(tree, "input", snapshot.input);
    read(tree, "encoding", snapshot.inputEncoding);
    read(tree, "output", snapshot.output);
    read(tree, "started_at", snapshot.startedAt);
    read(tree, "ended_at", snapshot.endedAt);
    read(tree, "exit_code", snapshot.exitCode);
    read(tree, "owner_pid", snapshot.ownerPid);
    read(tree, "reused_from", snapshot.reusedFrom);
    read(tree, "reused_tasks", snapshot.reusedTasks);
}

Result<Json> parseObject(std::string_view text)
{
    auto tree = parseJson(text);
    if (tree && !tree->is_object()) return fail(Reason::InputFileBad, "not a JSON object");
    return tree;
}

void readResult(const Json& tree, JobEvent& event)
{
    read(tree, "item", event.item);
    read(tree, "line", event.line);
    read(tree, "step", event.step);
    read(tree, "attempt", event.attempt);
    read(tree, "attempts", event.attempt);
    event.state = taskStateFromKey(word(tree, "state"));
    event.reason = reasonFromCode(word(tree, "reason"));
    read(tree, "message", event.message);
    read(tree, "retryable", event.retryable);
    read(tree, "ms", event.worked);
    read(tree, "cost", event.cost);
}

void readJobWide(const Json& tree, JobEvent& event)
{
    read(tree, "provider", event.provider);
    read(tree, "detail", event.detail);
    read(tree, "probe_at", event.probeAt);
    read(tree, "after_ms", event.after);
    read(tree, "by", event.by);
    read(tree, "why", event.why);
    read(tree, "items", event.total);
    read(tree, "total", event.total);
    read(tree, "done", event.done);
    read(tree, "failed", event.failed);
    read(tree, "waiting", event.waiting);
    read(tree, "reused", event.reused);
    read(tree, "steps", event.steps);
    read(tree, "eta_s", event.eta);
    event.outcome = jobStateFromKey(word(tree, "outcome"));
    read(tree, "exit_code", event.exitCode);
}

} // namespace

std::string toJson(const JobSnapshot& snapshot)
{
    Json tree{{"job", snapshot.job},
              {"state", std::string(info(snapshot.state).key)},
              {"pipeline", snapshot.pipeline},
              {"input", snapshot.input},
              {"encoding", snapshot.inputEncoding},
              {"output", snapshot.output},
              {"total", snapshot.total},
              {"items", toTree(snapshot.items)},
              {"steps", listTree(snapshot.steps)},
              {"failures", listTree(snapshot.failures)},
              {"elapsed_ms", snapshot.elapsed.count()},
              {"cost", toTree(snapshot.cost)},
              {"accounts", listTree(snapshot.accounts)},
              {"pauses", listTree(snapshot.pauses)},
              {"banner", snapshot.banner},
              {"started_at", snapshot.startedAt},
              {"ended_at", snapshot.endedAt},
              {"last_seq", snapshot.lastSeq},
              {"owner_pid", snapshot.ownerPid},
              {"reused_from", snapshot.reusedFrom},
              {"reused_tasks", snapshot.reusedTasks}};
    if (!snapshot.budget.currency.empty()) tree["budget"] = toTree(snapshot.budget);
    if (snapshot.eta) tree["eta_s"] = {snapshot.eta->low.count(), snapshot.eta->high.count()};
    if (snapshot.exitCode) tree["exit_code"] = *snapshot.exitCode;
    return dumpJson(tree);
}

Result<JobSnapshot> snapshotFromJson(std::string_view text)
{
    const auto tree = parseObject(text);
    if (!tree) return tl::unexpected(tree.error());
    JobSnapshot snapshot;
    readIdentity(*tree, snapshot);
    read(*tree, "total", snapshot.total);
    read(*tree, "items", snapshot.items);
    readList(*tree, "steps", stepFrom, snapshot.steps);
    readList(*tree, "failures", groupFrom, snapshot.failures);
    readList(*tree, "accounts", accountFrom, snapshot.accounts);
    readList(*tree, "pauses", pauseFrom, snapshot.pauses);
    read(*tree, "budget", snapshot.budget);
    read(*tree, "elapsed_ms", snapshot.elapsed);
    read(*tree, "eta_s", snapshot.eta);
    read(*tree, "cost", snapshot.cost);
    read(*tree, "banner", snapshot.banner);
    read(*tree, "last_seq", snapshot.lastSeq);
    return snapshot;
}

Result<JobEvent> eventFromJson(std::string_view json)
{
    const auto tree = parseObject(json);
    if (!tree) return tl::unexpected(tree.error());
    JobEvent event;
    read(*tree, "seq", event.seq);
    read(*tree, "ts", event.time);
    read(*tree, "type", event.type);
    read(*tree, "job", event.job);
    readResult(*tree, event);
    readJobWide(*tree, event);
    return event;
}

} // namespace aiflow
