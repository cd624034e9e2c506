#include "core/forecast/dispatched_calls.h"

#include "core/forecast/call_shape.h"

namespace aiflow {

DispatchedCalls::DispatchedCalls(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings,
                                 std::uint64_t seed)
    : m_flow(flow), m_shape(shape), m_settings(settings), m_random(mixBits(seed)), m_busy(settings.providers.size()),
      m_sent(settings.providers.size())
{
    m_dispatcher = Dispatcher::create({settings, m_random, [this] { return ++m_lastAttempt; }});
}

void DispatchedCalls::submit(const FlowTask& task, const TaskRank& rank, Nanoseconds now)
{
    const ModelledStep& step = m_flow.steps[task.step];
    if (m_free.empty()) {
        m_free.push_back(static_cast<std::uint32_t>(m_calls.size()));
        m_calls.emplace_back();
    }
    const std::uint32_t place = m_free.back();
    m_free.pop_back();
    m_calls[place].task = task;
    CallDemand demand;
    demand.id = CallId(place + 1);
    demand.route = m_shape.steps[task.step].route;
    demand.priority = rank.priority;
    demand.item = ItemIndex(rank.item);
    demand.stepFromEnd = rank.step;
    demand.element = task.element;
    demand.itemHash = mixBits(static_cast<std::uint64_t>(task.item));
    demand.inputTokens = step.inputTokens;
    demand.maxOutputTokens = step.outputTokens;
    demand.images = step.images;
    demand.budgetItem = static_cast<std::uint64_t>(task.item) + 1;
    m_dispatcher->submit(demand, at(now));
}

void DispatchedCalls::decide(Nanoseconds now, Outcome& outcome)
{
    const Decisions decisions = m_dispatcher->decide(at(now));
    for (const SendOrder& order : decisions.sends) {
        const auto place = static_cast<std::uint32_t>(order.call.value() - 1);
        m_calls[place].attempt = order.attempt;
        m_calls[place].model = static_cast<std::uint32_t>(order.model);
        ++m_sent[order.provider];
        outcome.started.push_back({m_calls[place].task, place, accountNumber(order.provider, order.account)});
    }
    for (const GiveUp& given : decisions.giveUps) {
        const auto place = static_cast<std::uint32_t>(given.call.value() - 1);
        outcome.refused.push_back(m_calls[place].task);
        m_free.push_back(place);
    }
    (void)m_dispatcher->takeChanges(at(now));
}

std::optional<Nanoseconds> DispatchedCalls::nextDecision() const
{
    const auto next = m_dispatcher->nextDecision();
    if (!next) return std::nullopt;
    return (next->time_since_epoch() - kStart).count();
}

void DispatchedCalls::sent(const Started& call, Nanoseconds now)
{
    m_dispatcher->onWire(m_calls[call.handle].attempt, at(now));
}

void DispatchedCalls::ended(const Started& call, Nanoseconds now, Nanoseconds latency)
{
    const Call& known = m_calls[call.handle];
    const ModelledStep& step = m_flow.steps[call.task.step];
    const ApiModel& model = m_settings.models[known.model];
    AttemptEnd end;
    end.attempt = known.attempt;
    end.usage = Usage{step.inputTokens, 0, step.outputTokens, step.images, false};
    end.usageKnown = true;
    end.latency = std::chrono::nanoseconds(latency);
    m_cost[model.price.currency] += costOf(model.price, end.usage);
    m_busy[model.provider] += latency;
    m_dispatcher->ended(end, at(now));
    m_free.push_back(static_cast<std::uint32_t>(call.handle));
}

} // namespace aiflow
