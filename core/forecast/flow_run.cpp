#include "core/forecast/flow_run.h"

#include <algorithm>

namespace aiflow {

namespace {

using Lane = ModelledStep::Lane;

constexpr std::uint8_t kDropped = UINT8_MAX;

} // namespace

FlowRun::FlowRun(const FlowShape& shape, FlowWindow window, OrderPolicy policy, std::uint64_t seed, CallPool& calls)
    : m_shape(shape), m_window(window), m_policy(policy), m_seed(seed), m_calls(calls)
{
    const std::size_t steps = shape.steps.size();
    m_devices.free = shape.devices;
    m_cpu.free = shape.cpuPlaces;
    m_missing.resize(static_cast<std::size_t>(shape.items) * steps);
    m_elements.resize(m_missing.size());
    for (std::size_t i = 0; i < m_missing.size(); ++i) {
        m_missing[i] = shape.steps[i % steps].needs;
        m_elements[i] = shape.steps[i % steps].fanOut;
    }
    m_items.assign(static_cast<std::size_t>(shape.items), {static_cast<std::uint16_t>(steps), shape.callSteps});
}

void FlowRun::follow(Course& course)
{
    course.starts.assign(m_missing.size(), 0);
    course.accounts.assign(m_missing.size(), 0);
    m_course = &course;
}

bool FlowRun::later(const Event& left, const Event& right) noexcept
{
    return left.at != right.at ? left.at > right.at : left.number > right.number;
}

bool FlowRun::lessUrgent(const Waiting& left, const Waiting& right) noexcept
{
    return left.rank != right.rank ? left.rank > right.rank : left.task.element > right.task.element;
}

std::size_t FlowRun::slot(const FlowTask& task) const noexcept
{
    return static_cast<std::size_t>(task.item) * m_shape.steps.size() + task.step;
}

Result<FlowEnd> FlowRun::run()
{
    do {
        // A call that is sent may let the next item in.
        do {
            admit();
            startLocal(m_devices);
            startLocal(m_cpu);
            startCalls();
        } while (mayAdmit());
    } while (advance());
    if (m_admitted < m_shape.items || m_active > 0)
        return fail(Reason::Internal, "the dispatcher stands still although calls wait for it");
    return m_end;
}

bool FlowRun::mayAdmit() const noexcept
{
    return m_admitted < m_shape.items && (m_window.activeItems <= 0 || m_active < m_window.activeItems) &&
           (m_window.callingItems <= 0 || m_calling < m_window.callingItems);
}

void FlowRun::admit()
{
    while (mayAdmit()) {
        const auto item = static_cast<std::int32_t>(m_admitted++);
        ++m_active;
        if (m_shape.callSteps > 0) ++m_calling;
        for (std::size_t step = 0; step < m_shape.steps.size(); ++step)
            if (m_shape.steps[step].needs == 0) release(item, static_cast<std::uint16_t>(step));
    }
}

TaskRank FlowRun::rankOf(const FlowTask& task) noexcept
{
    const StepShape& step = m_shape.steps[task.step];
    switch (m_policy) {
    case OrderPolicy::ByItem:
        return {0, task.item + (step.lane == Lane::Api ? m_window.stepLag * step.callsBefore : 0), step.fromEnd};
    case OrderPolicy::FirstCome:
        return {0, m_arrival++, 0};
    case OrderPolicy::BreadthFirst:
        return {task.step, task.item, 0};
    case OrderPolicy::DepthFirst:
        return {step.fromEnd, task.item, 0};
    case OrderPolicy::LongestRestFirst:
        return {step.rest, task.item, 0};
    }
    return {};
}

void FlowRun::release(std::int32_t item, std::uint16_t step)
{
    for (std::uint16_t element = 0; element < m_shape.steps[step].fanOut; ++element) {
        const FlowTask task{item, step, element};
        const TaskRank rank = rankOf(task);
        if (m_shape.steps[step].lane == Lane::Api) {
            m_calls.submit(task, rank, m_now);
            ++m_callsWaiting;
            continue;
        }
        LocalLane& lane = m_shape.steps[step].lane == Lane::Device ? m_devices : m_cpu;
        lane.waiting.push_back({rank, task});
        std::ranges::push_heap(lane.waiting, lessUrgent);
    }
}

void FlowRun::startLocal(LocalLane& lane)
{
    while (lane.free > 0 && !lane.waiting.empty()) {
        std::ranges::pop_heap(lane.waiting, lessUrgent);
        const FlowTask task = lane.waiting.back().task;
        lane.waiting.pop_back();
        --lane.free;
        start({task, 0, 0});
    }
}

void FlowRun::startCalls()
{
    if (m_shape.callSteps == 0) return;
    m_outcome.clear();
    m_calls.decide(m_now, m_outcome);
    // What was sent at the same moment in an earlier decision is still on its way.
    Nanoseconds at = std::max(m_now, m_lastSending + m_window.sendSpacing);
    for (const CallPool::Started& call : m_outcome.started) {
        --m_callsWaiting;
        ++m_end.calls;
        callGone(call.task);
        send(call, at);
        m_lastSending = at;
        at += m_window.sendSpacing;
    }
    for (const FlowTask& task : m_outcome.refused) {
        --m_callsWaiting;
        ++m_end.failed;
        callGone(task);
        dropAfter(task.item, task.step);
        if (--m_elements[slot(task)] == 0) stepEnded(task.item, task.step);
    }
}

void FlowRun::start(const CallPool::Started& call)
{
    const Nanoseconds duration = m_shape.duration(call.task, m_seed);
    if (m_course != nullptr) {
        m_course->starts[slot(call.task)] = m_now;
        m_course->accounts[slot(call.task)] = call.account;
    }
    m_end.busy[static_cast<std::size_t>(m_shape.steps[call.task.step].lane)] += duration;
    push({m_now + duration, m_number++, call, duration, false});
}

void FlowRun::send(const CallPool::Started& call, Nanoseconds at)
{
    if (at > m_now)
        push({at, m_number++, call, 0, true});
    else {
        m_calls.sent(call, m_now);
        start(call);
    }
}

void FlowRun::push(const Event& event)
{
    m_events.push_back(event);
    std::ranges::push_heap(m_events, later);
}

// The next moment at which something happens; false: there is none.
bool FlowRun::advance()
{
    std::optional<Nanoseconds> next;
    if (m_callsWaiting > 0) next = m_calls.nextDecision();
    if (!m_events.empty()) next = next ? std::min(*next, m_events.front().at) : m_events.front().at;
    if (!next) return false;
    m_now = std::max(*next, m_now);
    while (!m_events.empty() && m_events.front().at <= m_now) {
        std::ranges::pop_heap(m_events, later);
        const Event event = m_events.back();
        m_events.pop_back();
        if (event.isSending) {
            m_calls.sent(event.call, m_now);
            start(event.call);
        } else {
            end(event);
        }
    }
    return true;
}

void FlowRun::end(const Event& event)
{
    const FlowTask& task = event.call.task;
    switch (m_shape.steps[task.step].lane) {
    case Lane::Api:
        m_calls.ended(event.call, m_now, event.duration);
        break;
    case Lane::Device:
        ++m_devices.free;
        break;
    case Lane::Cpu:
        ++m_cpu.free;
        break;
    }
    m_end.makespan = m_now;
    if (--m_elements[slot(task)] == 0) stepEnded(task.item, task.step);
}

void FlowRun::countDown(std::int32_t item)
{
    if (--m_items[static_cast<std::size_t>(item)].steps == 0) --m_active;
}

// Sent, or never to be sent: with the last element the step asks for no more places.
void FlowRun::callGone(const FlowTask& task)
{
    if (task.element + 1 != m_shape.steps[task.step].fanOut) return;
    if (--m_items[static_cast<std::size_t>(task.item)].calls == 0) --m_calling;
}

void FlowRun::stepEnded(std::int32_t item, std::uint16_t step)
{
    countDown(item);
    for (const std::uint16_t next : m_shape.steps[step].next) {
        std::uint8_t& missing = m_missing[slot({item, next, 0})];
        if (missing != kDropped && --missing == 0) release(item, next);
    }
}

// What follows a call that is given up never runs.
void FlowRun::dropAfter(std::int32_t item, std::uint16_t step)
{
    for (const std::uint16_t next : m_shape.steps[step].next) {
        std::uint8_t& missing = m_missing[slot({item, next, 0})];
        if (missing == kDropped) continue;
        missing = kDropped;
        countDown(item);
        if (m_shape.steps[next].lane == Lane::Api)
            callGone({item, next, static_cast<std::uint16_t>(m_shape.steps[next].fanOut - 1)});
        dropAfter(item, next);
    }
}

} // namespace aiflow
