#include "core/api/decision/limits/lease_set.h"

#include <iterator>

namespace aiflow {

void LeaseSet::take(std::uint64_t id, BootTime until)
{
    const auto [place, added] = m_until.try_emplace(id, until);
    if (!added) {
        if (place->second == until) return;
        m_byEnd.erase({place->second, id});
        place->second = until;
    }
    m_byEnd.emplace(until, id);
}

void LeaseSet::free(std::uint64_t id)
{
    const auto place = m_until.find(id);
    if (place == m_until.end()) return;
    m_byEnd.erase({place->second, id});
    m_until.erase(place);
}

std::int64_t LeaseSet::open(BootTime now)
{
    while (!m_byEnd.empty() && m_byEnd.begin()->first <= now) {
        m_until.erase(m_byEnd.begin()->second);
        m_byEnd.erase(m_byEnd.begin());
    }
    return static_cast<std::int64_t>(m_byEnd.size());
}

BootTime LeaseSet::roomBelow(std::int64_t places, BootTime now)
{
    const std::int64_t tooMany = open(now) - places;
    if (tooMany < 0) return BootTime::min();
    return std::next(m_byEnd.begin(), tooMany)->first;
}

} // namespace aiflow
