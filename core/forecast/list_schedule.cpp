#include "core/forecast/list_schedule.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace aiflow {

namespace {

constexpr std::uint32_t kNoAccount = UINT32_MAX;

enum Kind : std::size_t { Account, ModelOnAccount, Provider, Organisation };

Nanoseconds longestWindow(const LimitSet& limits)
{
    Nanoseconds longest = 0;
    for (const WindowLimit& limit : limits.windows)
        longest = std::max<Nanoseconds>(longest, std::chrono::nanoseconds(limit.window).count());
    return longest;
}

bool laterInList(const auto& left, const auto& right) noexcept
{
    return std::tie(left.key, left.item, left.step) > std::tie(right.key, right.item, right.step);
}

} // namespace

ListScheduler::ListScheduler(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings,
                             std::uint64_t seed)
    : m_shape(shape), m_settings(settings), m_seed(seed)
{
    preparePlaces(flow);
}

std::size_t ListScheduler::limitOf(std::size_t kind, std::size_t first, std::size_t second, const LimitSet& limits)
{
    const std::array<std::size_t, 3> name{kind, first, second};
    const auto found = std::ranges::find(m_names, name);
    if (found != m_names.end()) return static_cast<std::size_t>(found - m_names.begin());
    m_names.push_back(name);
    m_fresh.emplace_back(limits);
    return m_names.size() - 1;
}

void ListScheduler::preparePlaces(const ModelledFlow& flow)
{
    m_places.resize(m_shape.steps.size());
    for (std::size_t i = 0; i < m_shape.steps.size(); ++i) {
        if (m_shape.steps[i].lane != ModelledStep::Lane::Api) continue;
        for (const CallPlace& place : callShape(m_settings, flow.steps[i], m_shape.steps[i].route).places) {
            if (!place.possible) continue;
            const ProviderSettings& provider = m_settings.providers[place.provider];
            const AccountSettings& account = provider.accounts[place.account];
            const std::uint32_t number = accountNumber(place.provider, place.account);
            Place& added = m_places[i].emplace_back(Place{number, longestWindow(account.limits), place.use, {}});
            added.limits.push_back(limitOf(Account, number, 0, account.limits));
            const LimitSet& ofModel = m_settings.models[place.model].limits;
            if (!ofModel.empty()) added.limits.push_back(limitOf(ModelOnAccount, number, place.model, ofModel));
            if (!provider.limits.empty()) added.limits.push_back(limitOf(Provider, place.provider, 0, provider.limits));
            if (const OrganisationSettings* shared = organisationOf(m_settings, account)) {
                const auto index = static_cast<std::size_t>(shared - m_settings.organisations.data());
                added.limits.push_back(limitOf(Organisation, index, 0, shared->limits));
            }
        }
        std::ranges::stable_sort(m_places[i], {}, &Place::window);
    }
}

void ListScheduler::begin(const List& list)
{
    m_limits = m_fresh;
    m_devices = PlaceTimeline(m_shape.devices);
    m_cpu = PlaceTimeline(m_shape.cpuPlaces);
    m_ready.assign(list.keys.size(), 0);
    m_missing.resize(list.keys.size());
    m_queue.clear();
    const std::size_t steps = m_shape.steps.size();
    for (std::size_t i = 0; i < list.keys.size(); ++i) {
        m_missing[i] = m_shape.steps[i % steps].needs;
        if (m_missing[i] == 0) enqueue(list, i);
    }
}

void ListScheduler::enqueue(const List& list, std::size_t slot)
{
    const std::size_t steps = m_shape.steps.size();
    m_queue.push_back(
        {list.keys[slot], static_cast<std::int32_t>(slot / steps), static_cast<std::uint16_t>(slot % steps)});
    std::ranges::push_heap(m_queue, laterInList<Queued, Queued>);
}

Nanoseconds ListScheduler::makespan(const List& list)
{
    begin(list);
    Nanoseconds end = 0;
    while (!m_queue.empty()) {
        std::ranges::pop_heap(m_queue, laterInList<Queued, Queued>);
        const Queued next = m_queue.back();
        m_queue.pop_back();
        const std::size_t row = static_cast<std::size_t>(next.item) * m_shape.steps.size();
        const Nanoseconds done = layOutStep(list, next);
        end = std::max(end, done);
        for (const std::uint16_t after : m_shape.steps[next.step].next) {
            m_ready[row + after] = std::max(m_ready[row + after], done);
            if (--m_missing[row + after] == 0) enqueue(list, row + after);
        }
    }
    return end;
}

// All elements of the step; gives the last one's end.
Nanoseconds ListScheduler::layOutStep(const List& list, const Queued& step)
{
    const std::size_t slot = static_cast<std::size_t>(step.item) * m_shape.steps.size() + step.step;
    const std::uint32_t account = list.accounts.empty() ? kNoAccount : list.accounts[slot];
    Nanoseconds done = 0;
    for (std::uint16_t element = 0; element < m_shape.steps[step.step].fanOut; ++element) {
        const FlowTask task{step.item, step.step, element};
        done = std::max(done, layOut(task, m_ready[slot], account) + m_shape.duration(task, m_seed));
    }
    return done;
}

Nanoseconds ListScheduler::layOut(const FlowTask& task, Nanoseconds ready, std::uint32_t account)
{
    const Nanoseconds duration = m_shape.duration(task, m_seed);
    const StepShape& step = m_shape.steps[task.step];
    if (step.lane == ModelledStep::Lane::Api) return layOutCall(task.step, ready, duration, account);
    PlaceTimeline& places = step.lane == ModelledStep::Lane::Device ? m_devices : m_cpu;
    const Nanoseconds start = places.earliest(ready, duration);
    places.take(start, duration);
    return start;
}

// A moment that is not before `until` may be too early.
Nanoseconds ListScheduler::earliestAt(const Place& place, Nanoseconds ready, Nanoseconds duration,
                                      Nanoseconds until) const
{
    Nanoseconds start = ready;
    for (Nanoseconds before = ready - 1; before != start && start < until;) {
        before = start;
        for (const std::size_t limit : place.limits) start = m_limits[limit].earliest(start, duration, place.use);
    }
    return start;
}

Nanoseconds ListScheduler::layOutCall(std::size_t step, Nanoseconds ready, Nanoseconds duration, std::uint32_t account)
{
    const Place* best = nullptr;
    Nanoseconds earliest = std::numeric_limits<Nanoseconds>::max();
    const auto consider = [&](const Place& place) {
        const Nanoseconds start = earliestAt(place, ready, duration, earliest);
        if (start >= earliest) return;
        earliest = start;
        best = &place;
    };
    for (const Place& place : m_places[step])
        if (place.account == account) consider(place);
    for (const Place& place : m_places[step]) {
        if (earliest == ready) break;
        consider(place);
    }
    for (const std::size_t limit : best->limits) m_limits[limit].take(earliest, duration, best->use);
    return earliest;
}

} // namespace aiflow
