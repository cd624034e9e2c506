#include "core/engine/items/item_window.h"

#include <algorithm>
#include <cassert>

namespace aiflow {

namespace {

// Steps beyond the 64th share the bits of the first.
std::uint64_t bitOf(std::size_t step) noexcept { return std::uint64_t{1} << (step % 64U); }

} // namespace

ItemWindow::ItemWindow(const Pipeline& pipeline, std::function<void()> changed)
    : m_pipeline(pipeline), m_changed(std::move(changed))
{
}

ItemWindow::~ItemWindow()
{
    for (auto& chunk : m_chunks) delete chunk.load();
}

ItemWindow::Slot& ItemWindow::slot(const Token& token) const
{
    Slot& found = (*m_chunks[token.slot / kChunk].load(std::memory_order_acquire))[token.slot % kChunk];
    assert(found.generation == token.generation);
    return found;
}

std::uint32_t ItemWindow::freeSlot()
{
    if (!m_freeSlots.empty()) {
        const std::uint32_t index = m_freeSlots.back();
        m_freeSlots.pop_back();
        return index;
    }
    assert(m_slots < kMaxItems);
    if (m_slots % kChunk == 0) m_chunks[m_slots / kChunk].store(new Chunk, std::memory_order_release);
    return m_slots++;
}

ActiveItem* ItemWindow::freshItem()
{
    ActiveItem* item = nullptr;
    if (m_freeItems.empty()) {
        item = m_items.emplace_back(std::make_unique<ActiveItem>()).get();
    } else {
        item = m_freeItems.back();
        m_freeItems.pop_back();
    }
    item->reset(m_pipeline);
    const std::int64_t now = m_active.fetch_add(1) + 1;
    if (now > m_mostActive.load(std::memory_order_relaxed)) m_mostActive.store(now, std::memory_order_relaxed);
    return item;
}

// The item's memory goes; the object waits for its next use.
void ItemWindow::forget(ActiveItem& item)
{
    const std::int64_t peak = item.peakBytes.load(std::memory_order_relaxed);
    const std::int64_t average = m_bytesPerItem.load(std::memory_order_relaxed);
    m_bytesPerItem.store(average + (peak - average) / 8, std::memory_order_relaxed);
    m_bytes.fetch_sub(item.bytes.exchange(0));
    item.fields.values.reset();
    for (StepRun& step : item.steps) {
        step.task.values.reset();
        step.fanout.reset();
    }
    m_freeItems.push_back(&item);
    m_active.fetch_sub(1);
}

std::pair<Token, ActiveItem*> ItemWindow::admit(ItemHandle handle, ItemFields fields)
{
    const std::lock_guard lock(m_mutex);
    Token token;
    token.slot = freeSlot();
    ActiveItem* item = freshItem();
    item->handle = std::move(handle);
    item->fields = std::move(fields);
    Slot& place = (*m_chunks[token.slot / kChunk].load(std::memory_order_relaxed))[token.slot % kChunk];
    token.generation = ++place.generation;
    place.used = true;
    place.work.store(1 + kStep * static_cast<std::int64_t>(m_pipeline.steps.size()));
    place.item.store(item, std::memory_order_release);
    return {token, item};
}

ActiveItem& ItemWindow::at(const Token& token)
{
    Slot& place = slot(token);
    if (ActiveItem* item = place.item.load(std::memory_order_acquire)) return *item;
    const std::lock_guard lock(m_mutex);
    if (ActiveItem* item = place.item.load(std::memory_order_relaxed)) return *item;
    ActiveItem* item = freshItem();
    unpackItem(place.packed, m_pipeline, *item);
    place.packed = std::string();
    m_parked.fetch_sub(1);
    place.item.store(item, std::memory_order_release);
    return *item;
}

void ItemWindow::awaitCalls(const Token& token, const ActiveItem& item)
{
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < m_pipeline.steps.size(); ++i)
        if (m_pipeline.steps[i].kind == StepKind::Api && !isTerminal(item.steps[i].state.load())) bits |= bitOf(i);
    if (bits != 0) m_calling.fetch_add(1);
    slot(token).toSend.store(bits);
}

void ItemWindow::callsSent(const Token& token, std::int32_t step)
{
    clearToSend(slot(token), bitOf(static_cast<std::size_t>(step)));
}

void ItemWindow::clearToSend(Slot& place, std::uint64_t bits)
{
    const std::uint64_t before = place.toSend.fetch_and(~bits);
    if (before == 0 || (before & ~bits) != 0) return;
    m_calling.fetch_sub(1);
    m_changed();
}

void ItemWindow::addWork(const Token& token) { slot(token).work.fetch_add(1); }

void ItemWindow::endStep(const Token& token) { slot(token).work.fetch_sub(kStep); }

bool ItemWindow::endWork(const Token& token)
{
    Slot& place = slot(token);
    // With the last piece gone the place may be another item's at any moment.
    const bool callsOpen = place.remoteCalls.load() > 0;
    const std::int64_t before = place.work.fetch_sub(1);
    if (before == 1) return true;
    if (before % kStep != 1 || !callsOpen) return false;
    {
        const std::lock_guard lock(m_mutex);
        const ActiveItem* item = place.item.load();
        if (!place.used || place.generation != token.generation || item == nullptr) return false;
        if (place.work.load() % kStep != 0 || place.remoteCalls.load() == 0 || place.localCalls.load() != 0)
            return false;
        m_parkable.emplace(item->handle.index.value(), token.slot);
    }
    m_changed();
    return false;
}

void ItemWindow::openCall(const Token& token, bool remote)
{
    Slot& place = slot(token);
    (remote ? place.remoteCalls : place.localCalls).fetch_add(1);
}

void ItemWindow::closeCall(const Token& token, bool remote)
{
    const std::lock_guard lock(m_mutex);
    Slot& place = slot(token);
    if (const ActiveItem* item = place.item.load()) m_parkable.erase({item->handle.index.value(), token.slot});
    place.work.fetch_add(1);
    (remote ? place.remoteCalls : place.localCalls).fetch_sub(1);
}

bool ItemWindow::parkOne(const std::function<void(const ActiveItem&)>& before)
{
    const std::lock_guard lock(m_mutex);
    if (m_parkable.empty()) return false;
    const auto newest = std::prev(m_parkable.end());
    Slot& place = (*m_chunks[newest->second / kChunk].load())[newest->second % kChunk];
    m_parkable.erase(newest);
    ActiveItem& item = *place.item.load();
    before(item);
    place.packed = packItem(item);
    place.item.store(nullptr, std::memory_order_release);
    forget(item);
    m_parked.fetch_add(1);
    return true;
}

void ItemWindow::release(const Token& token)
{
    {
        const std::lock_guard lock(m_mutex);
        Slot& place = slot(token);
        forget(*place.item.exchange(nullptr));
        if (place.toSend.exchange(0) != 0) m_calling.fetch_sub(1);
        place.used = false;
        place.work.store(0);
        ++place.generation;
        m_freeSlots.push_back(token.slot);
    }
    m_changed();
}

void ItemWindow::visit(const std::function<void(ActiveItem&)>& visitor)
{
    ActiveItem unpacked;
    for (std::uint32_t index = 0; index < m_slots; ++index) {
        Slot& place = (*m_chunks[index / kChunk].load())[index % kChunk];
        if (!place.used) continue;
        if (ActiveItem* item = place.item.load()) {
            visitor(*item);
        } else {
            unpacked.reset(m_pipeline);
            unpackItem(place.packed, m_pipeline, unpacked);
            visitor(unpacked);
        }
    }
}

void ItemWindow::addBytes(ActiveItem* item, std::int64_t bytes)
{
    if (bytes == 0) return;
    m_bytes.fetch_add(bytes);
    if (item == nullptr) return;
    const std::int64_t now = item->bytes.fetch_add(bytes) + bytes;
    if (now > item->peakBytes.load(std::memory_order_relaxed)) item->peakBytes.store(now, std::memory_order_relaxed);
}

void ItemWindow::dropBytes(ActiveItem* item, std::int64_t bytes)
{
    if (bytes == 0) return;
    m_bytes.fetch_sub(bytes);
    if (item != nullptr) item->bytes.fetch_sub(bytes);
    m_changed();
}

} // namespace aiflow
