#include "core/engine/ready_queue.h"

#include <algorithm>
#include <tuple>

namespace aiflow {

namespace {

auto rank(const Work& work) noexcept
{
    return std::tuple(work.priority, work.item.value(), work.stepFromEnd, work.token.element);
}

// The standard heap keeps the greatest on top, so "less" is "less urgent".
bool lessUrgent(const Work& left, const Work& right) noexcept { return rank(left) > rank(right); }

bool ends(WorkKind kind) noexcept { return kind == WorkKind::Settle || kind == WorkKind::Finish; }

Work take(std::vector<Work>& heap)
{
    std::pop_heap(heap.begin(), heap.end(), lessUrgent);
    Work work = std::move(heap.back());
    heap.pop_back();
    return work;
}

} // namespace

void ReadyQueue::push(Work work)
{
    const std::lock_guard lock(m_mutex);
    auto& heap = ends(work.kind) ? m_finishing : work.op ? m_ops : m_starting;
    heap.push_back(std::move(work));
    std::push_heap(heap.begin(), heap.end(), lessUrgent);
    m_size.fetch_add(1, std::memory_order_relaxed);
}

std::optional<Work> ReadyQueue::pop()
{
    const std::lock_guard lock(m_mutex);
    const bool opsMayStart = m_opsRunning < m_mostOps;
    std::vector<Work>* best = nullptr;
    const auto consider = [&best](std::vector<Work>& heap) {
        if (!heap.empty() && (best == nullptr || lessUrgent(best->front(), heap.front()))) best = &heap;
    };
    consider(m_finishing);
    if (!m_closed) consider(m_starting);
    if (!m_closed && opsMayStart) consider(m_ops);
    if (best == nullptr) {
        ++(m_closed || m_ops.empty() ? m_owed : m_owedToOps);
        return std::nullopt;
    }
    m_size.fetch_sub(1, std::memory_order_relaxed);
    if (best == &m_ops) ++m_opsRunning;
    return take(*best);
}

bool ReadyQueue::endOp()
{
    const std::lock_guard lock(m_mutex);
    --m_opsRunning;
    if (m_owedToOps == 0) return false;
    --m_owedToOps;
    return true;
}

void ReadyQueue::close()
{
    const std::lock_guard lock(m_mutex);
    m_closed = true;
}

void ReadyQueue::closeForGood()
{
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    m_final = true;
}

std::int64_t ReadyQueue::open()
{
    const std::lock_guard lock(m_mutex);
    if (m_final) return 0;
    m_closed = false;
    return std::exchange(m_owed, 0);
}

bool ReadyQueue::closed() const
{
    const std::lock_guard lock(m_mutex);
    return m_closed;
}

} // namespace aiflow
