#include "core/api/transport/admission.h"

namespace aiflow {

void Admission::arrive(CallWish wish) { (wish.untrusted ? m_untrusted : m_waiting).push_back(std::move(wish)); }

std::optional<Admitted> Admission::next()
{
    while (static_cast<std::int64_t>(m_open.size()) < m_maxOpen) {
        if (!m_untrusted.empty() && m_untrustedOpen < m_maxUntrusted) {
            CallWish wish = std::move(m_untrusted.front());
            m_untrusted.pop_front();
            const HttpId id = wish.id;
            m_open.emplace(id, std::move(wish));
            ++m_untrustedOpen;
            return Admitted{id, PoolKind::Untrusted, curl::HttpVersion::One};
        }
        if (m_waiting.empty()) return std::nullopt;
        if (auto admitted = admit(m_waiting)) return admitted;
    }
    return std::nullopt;
}

std::optional<Admitted> Admission::admit(std::deque<CallWish>& queue)
{
    CallWish wish = std::move(queue.front());
    queue.pop_front();
    Origin& origin = m_origins[wish.origin];
    if (origin.knowledge == Knowledge::BeingFound) {
        origin.waiting.push_back(std::move(wish));
        return std::nullopt;
    }
    if (origin.knowledge == Knowledge::None) {
        origin.knowledge = Knowledge::BeingFound;
        origin.scout = wish.id;
    }
    Admitted admitted{wish.id, PoolKind::Single, curl::HttpVersion::One};
    const bool mayShare = wish.version == "2" || (wish.version.empty() && wish.https);
    if (mayShare && (wish.version == "2" || origin.knowledge != Knowledge::Http1)) {
        admitted.pool = PoolKind::Multiplexed;
        admitted.version = wish.https ? curl::HttpVersion::Two : curl::HttpVersion::TwoPriorKnowledge;
    }
    m_open.emplace(wish.id, std::move(wish));
    return admitted;
}

void Admission::release(Origin& origin, Knowledge knowledge)
{
    origin.knowledge = knowledge;
    origin.scout = 0;
    // They came before whatever waits now.
    for (; !origin.waiting.empty(); origin.waiting.pop_back()) m_waiting.push_front(std::move(origin.waiting.back()));
}

void Admission::connected(HttpId id, bool http2)
{
    const auto found = m_open.find(id);
    if (found == m_open.end() || found->second.untrusted) return;
    release(m_origins[found->second.origin], http2 ? Knowledge::Http2 : Knowledge::Http1);
}

void Admission::ended(HttpId id)
{
    const auto found = m_open.find(id);
    if (found == m_open.end()) return;
    if (found->second.untrusted) {
        --m_untrustedOpen;
    } else if (Origin& origin = m_origins[found->second.origin]; origin.scout == id) {
        release(origin, Knowledge::NotFound);
    }
    m_open.erase(found);
}

bool Admission::isKnown(HttpId id) const
{
    const auto found = m_open.find(id);
    if (found == m_open.end()) return false;
    const auto origin = m_origins.find(found->second.origin);
    if (origin == m_origins.end()) return false;
    return origin->second.knowledge == Knowledge::Http1 || origin->second.knowledge == Knowledge::Http2;
}

} // namespace aiflow
