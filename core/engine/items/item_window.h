// The items in flight: those that hold memory, and those that only wait for a remote answer and are parked.
#pragma once

#include "core/engine/items/item_state.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

// An item is active while anything of it is queued, runs or is kept; when all that is left are remote calls it may be
// parked: its fields and values are dropped and what it is shrinks to a few bytes, until the next answer.
// Threads: every method, from any thread; admit(), release() and parking take one short lock.
class ItemWindow {
public:
    static constexpr std::size_t kMaxItems = std::size_t{1} << 18U;

    // `changed` runs after something that may let another item in; it must be quick.
    ItemWindow(const Pipeline& pipeline, std::function<void()> changed);
    ~ItemWindow();
    ItemWindow(const ItemWindow&) = delete;
    ItemWindow& operator=(const ItemWindow&) = delete;

    // A place for one more item, with one piece of work on it. At most kMaxItems are in use at once.
    std::pair<Token, ActiveItem*> admit(ItemHandle handle, ItemFields fields);
    // The item behind a token, brought back if it was parked. Only while there is work on it.
    ActiveItem& at(const Token& token);
    // Its call steps that have not ended count as not sent.
    void awaitCalls(const Token& token, const ActiveItem& item);
    void addWork(const Token& token);
    void endStep(const Token& token); // by someone who has a piece of work
    // True: that was the last piece, and all steps have ended; nobody else will hear of it. Otherwise the token must
    // not be used afterwards.
    bool endWork(const Token& token);
    // A call goes to a lane; `remote`: it may take long enough to park for.
    void openCall(const Token& token, bool remote);
    // The lane answered: the call has become work.
    void closeCall(const Token& token, bool remote);
    // A call step of the item asks for no more places: all of it was sent, or it ended.
    void callsSent(const Token& token, std::int32_t step);
    // Parks the newest item that can be; false: there is none. `before` sees it just before it shrinks.
    bool parkOne(const std::function<void(const ActiveItem&)>& before);
    void release(const Token& token);

    // Every item that is still here, parked or not. Only when nothing runs any more.
    void visit(const std::function<void(ActiveItem&)>& visitor);

    // Memory that values and prepared inputs hold; item may be null for what belongs to no item's cache.
    void addBytes(ActiveItem* item, std::int64_t bytes);
    void dropBytes(ActiveItem* item, std::int64_t bytes);

    std::int64_t active() const noexcept { return m_active.load(); }
    std::int64_t parked() const noexcept { return m_parked.load(); }
    // Items with a call step that was not sent.
    std::int64_t calling() const noexcept { return m_calling.load(); }
    std::int64_t mostActive() const noexcept { return m_mostActive.load(); }
    std::int64_t bytes() const noexcept { return m_bytes.load(); }
    // What an item took at its peak, on average over the last ones.
    std::int64_t bytesPerItem() const noexcept { return m_bytesPerItem.load(); }

private:
    struct Slot {
        std::atomic<ActiveItem*> item{nullptr}; // null: free or parked
        std::string packed;                     // guarded by m_mutex
        std::atomic<std::int64_t> work{0};      // pieces of work, and kStep for each step that has not ended
        std::atomic<std::int16_t> remoteCalls{0};
        std::atomic<std::int16_t> localCalls{0};
        std::atomic<std::uint64_t> toSend{0}; // a bit for each call step that was not sent
        std::uint32_t generation = 0;
        bool used = false; // guarded by m_mutex
    };
    static constexpr std::size_t kChunk = 1024;
    static constexpr std::int64_t kStep = std::int64_t{1} << 32U;
    using Chunk = std::array<Slot, kChunk>;

    Slot& slot(const Token& token) const;
    void clearToSend(Slot& place, std::uint64_t bits);
    std::uint32_t freeSlot();
    ActiveItem* freshItem();
    void forget(ActiveItem& item);

    const Pipeline& m_pipeline;
    std::function<void()> m_changed;
    std::mutex m_mutex;
    std::array<std::atomic<Chunk*>, kMaxItems / kChunk> m_chunks{};
    std::uint32_t m_slots = 0;                                   // guarded
    std::vector<std::uint32_t> m_freeSlots;                      // guarded
    std::vector<std::unique_ptr<ActiveItem>> m_items;            // guarded
    std::vector<ActiveItem*> m_freeItems;                        // guarded
    std::set<std::pair<std::int64_t, std::uint32_t>> m_parkable; // guarded; item index and slot
    std::atomic<std::int64_t> m_active{0};
    std::atomic<std::int64_t> m_parked{0};
    std::atomic<std::int64_t> m_calling{0};
    std::atomic<std::int64_t> m_mostActive{0};
    std::atomic<std::int64_t> m_bytes{0};
    std::atomic<std::int64_t> m_bytesPerItem{0};
};

} // namespace aiflow
