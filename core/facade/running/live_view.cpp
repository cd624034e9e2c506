#include "core/facade/running/live_view.h"

#include <algorithm>

namespace aiflow {

namespace {

// Of a route that stand-ins answer: nobody.
std::vector<std::string> providersOf(const Step& step, const JobPlan& plan, const ApiSettings& services)
{
    std::vector<std::string> providers;
    const RouteSettings* route =
        step.kind == StepKind::Api && !plan.options.offline ? services.findRoute(step.target) : nullptr;
    if (route == nullptr) return providers;
    for (const RouteChoice& choice : route->choices) {
        const std::string& name = services.providerOf(choice.model).name;
        if (std::ranges::find(providers, name) == providers.end()) providers.push_back(name);
    }
    return providers;
}

} // namespace

LiveIdentity liveIdentity(const JobDescription& job, const JobPlan& plan, const ApiSettings& services,
                          const JobMoney& money, std::int64_t firstSeq)
{
    LiveIdentity identity;
    identity.job = job.id.text();
    identity.pipeline = job.pipelineName;
    identity.input = job.input.string();
    identity.inputEncoding = job.inputEncoding;
    identity.output = job.output.string();
    identity.total = plan.preparation.total;
    identity.firstSeq = firstSeq;
    if (money.budget) identity.budget = {money.budget->amount.units(), money.budget->currency};
    if (money.spent.amount.count() > 0) identity.spent = {money.spent.amount.units(), money.spent.currency};
    for (const Step& step : plan.pipeline.steps) {
        static constexpr const char* kKinds[] = {"api", "model", "op"};
        identity.steps.push_back({step.name, step.title.en, step.title.zh, kKinds[static_cast<std::size_t>(step.kind)],
                                  step.target, providersOf(step, plan, services)});
    }
    return identity;
}

std::vector<AccountSnapshot> accountsOf(const ApiLane& lane)
{
    std::vector<AccountSnapshot> accounts;
    for (const ApiAccountView& view : lane.accounts())
        accounts.push_back({view.provider, view.account, view.state, view.open, view.sentInMinute, view.perMinute});
    return accounts;
}

std::vector<EventLine> journaledEvents(Journal& journal, std::int64_t from, std::int64_t limit)
{
    std::vector<EventLine> lines;
    (void)journal.flush();
    const auto reader = journal.reader();
    if (!reader) return lines;
    const auto events = (*reader)->events(from, limit);
    if (!events) return lines;
    for (const EventRecord& event : *events) lines.push_back({event.seq, "", event.json});
    return lines;
}

} // namespace aiflow
