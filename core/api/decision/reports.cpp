#include "core/api/decision/real_dispatcher.h"

#include <algorithm>
#include <bit>

namespace aiflow {

bool RealDispatcher::Hunger::same(const Hunger& a, const Hunger& b) noexcept
{
    const auto size = [](std::int64_t waiting) { return std::bit_width(static_cast<std::uint64_t>(waiting)); };
    return size(a.waiting) == size(b.waiting) && (a.waiting == 0 || a.priority == b.priority);
}

std::vector<RealDispatcher::Hunger> RealDispatcher::hungers() const
{
    std::vector<Hunger> hungers(m_shop->limiter.pools().keys());
    for (const auto& group : m_queue->groups()) {
        const std::optional<Slot> first = m_queue->first(*group);
        if (!first || !group->hungry) continue;
        const Call& call = m_queue->at(*first);
        for (const std::size_t model : m_shop->routes.models(group->list)) {
            for (const std::size_t target : m_shop->limiter.pools().of(model)) {
                Hunger& hunger = hungers[m_shop->target(target).key];
                const bool none = hunger.waiting == 0;
                hunger.priority = none ? call.demand.priority : std::min(hunger.priority, call.demand.priority);
                hunger.oldest = none ? call.since : std::min(hunger.oldest, call.since);
                hunger.waiting += CallQueue::sizeOf(*group);
            }
        }
    }
    return hungers;
}

void RealDispatcher::tellHunger(LimitChanges& changes)
{
    std::vector<Hunger> hungers = this->hungers();
    if (std::ranges::equal(hungers, m_toldHunger, Hunger::same)) return;
    changes.demands.emplace();
    for (std::size_t key = 0; key < hungers.size(); ++key) {
        const Hunger& hunger = hungers[key];
        if (hunger.waiting == 0) continue;
        changes.demands->push_back(
            {m_shop->limiter.pools().scopeOf(key), hunger.priority, hunger.waiting, hunger.oldest, 0});
    }
    m_toldHunger = std::move(hungers);
}

LimitChanges RealDispatcher::takeChanges(BootTime now)
{
    m_now = std::max(m_now, now);
    LimitChanges changes;
    changes.uses = m_shop->limiter.takeChanges();
    changes.notices = m_shop->learnt.takeNotices();
    m_shop->health.takeNotices(changes.notices);
    tellHunger(changes);
    return changes;
}

void RealDispatcher::fillWaiting(std::vector<PauseNotice>& pauses) const
{
    if (pauses.empty()) return;
    for (PauseNotice& pause : pauses) {
        for (const auto& group : m_queue->groups()) {
            const auto& models = m_shop->routes.models(group->list);
            const bool wanted = std::ranges::any_of(
                models, [&](std::size_t model) { return m_shop->settings.providerOf(model).name == pause.provider; });
            if (wanted) pause.waiting += CallQueue::sizeOf(*group);
        }
    }
}

std::vector<AccountView> RealDispatcher::accounts(BootTime now) const
{
    std::vector<AccountView> views;
    std::size_t key = 0;
    for (const ProviderSettings& provider : m_shop->settings.providers) {
        for (const AccountSettings& account : provider.accounts) {
            AccountView view;
            view.provider = provider.name;
            view.account = account.name;
            view.open = m_shop->open[key];
            if (LimitPool* pool = m_shop->limiter.pools().accountPool(PoolMap::scopeName(account)))
                if (const auto requests = pool->requests(now)) {
                    view.sentInMinute = requests->first;
                    view.perMinute = requests->second;
                }
            view.state = m_shop->health.stateOf(key, now, view.until);
            view.spentToday = {Nanos(m_spent[key].sum()), m_spentCurrency[key]};
            views.push_back(std::move(view));
            ++key;
        }
    }
    return views;
}

} // namespace aiflow
