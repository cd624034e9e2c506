#include "core/engine/item_admission.h"

#include <algorithm>
#include <utility>

namespace aiflow {

namespace {

constexpr std::int64_t kMostParked = 100'000;
// More than are ever sent before the next look.
constexpr std::int64_t kMostUnsent = 2048;
constexpr std::size_t kMostKeeping = 256;
constexpr std::size_t kMostReady = 65'536;

ItemAdmitted admittedRecord(const ItemHandle& handle)
{
    return {handle.index, handle.id, handle.line, handle.byteOffset, handle.byteLength, handle.title};
}

// Done, and not to be done again: what failed or was blocked gets another chance.
bool stays(TaskState state, bool optional)
{
    return isGood(state) || state == TaskState::Skipped || (state == TaskState::Failed && optional);
}

void restoreElement(const TaskEnded& task, StepRun& run)
{
    const auto element = static_cast<std::size_t>(task.task.element);
    if (!run.fanout) run.fanout = std::make_unique<Fanout>(0);
    if (element >= run.fanout->elements.size()) run.fanout->elements.resize(element + 1);
    run.fanout->elements[element].state = task.state;
    run.fanout->elements[element].durable = task.outputs;
}

void restoreInto(const RestoredItem& restored, const Pipeline& pipeline, ActiveItem& item)
{
    for (std::size_t i = 0; i < std::min(restored.steps.size(), item.steps.size()); ++i)
        if (stays(restored.steps[i], pipeline.steps[i].optional)) item.steps[i].state.store(restored.steps[i]);
    for (const TaskEnded& task : restored.tasks) {
        const auto index = static_cast<std::size_t>(task.task.step.value());
        if (index >= item.steps.size() || !stays(task.state, pipeline.steps[index].optional)) continue;
        StepRun& run = item.steps[index];
        item.cost += task.cost;
        if (!task.currency.empty()) item.currency = task.currency;
        item.worked += task.worked;
        if (task.task.element >= 0) {
            restoreElement(task, run);
        } else {
            // The task's record is written before the item's: it knows more after a crash.
            run.state.store(task.state);
            run.task.durable = task.outputs;
        }
    }
    for (std::size_t i = 0; i < item.steps.size(); ++i)
        if (pipeline.steps[i].forEach && isGood(item.steps[i].state.load()) && !item.steps[i].fanout)
            item.steps[i].fanout = std::make_unique<Fanout>(0);
}

} // namespace

ItemAdmission::ItemAdmission(JobContext& job, TaskRunner& tasks, const Restore& restore)
    : m_job(job), m_tasks(tasks), m_restore(restore)
{
}

void ItemAdmission::admitAll()
{
    while (!m_job.stopping()) {
        if (!mayAdmit()) {
            m_job.bell.sleepUntil([this] { return m_job.stopping() || mayAdmit(); });
            continue;
        }
        auto record = next();
        if (!record) return;
        admit(std::move(*record));
    }
}

std::optional<ItemRecord> ItemAdmission::next()
{
    if (m_atEnd) return std::nullopt;
    auto record = m_job.parts.items.next();
    if (!record) {
        m_job.stopBecause(std::move(record.error()));
        return std::nullopt;
    }
    m_atEnd = !*record;
    if (*record) ++m_looked;
    return std::move(*record);
}

bool ItemAdmission::admit(ItemRecord record)
{
    std::optional<RestoredItem> restored = m_restore ? m_restore(record.handle) : std::nullopt;
    if (restored && isTerminal(restored->state)) {
        m_job.parts.live.itemRestored(restored->state, restored->steps);
        m_job.countRestored(restored->state);
        return false;
    }
    if (!isChosen(record.handle.index)) {
        ++m_leftOut;
        return false;
    }
    ++m_admitted;
    if (record.error)
        m_tasks.finisher().refuse(record, restored.has_value());
    else
        enter(std::move(record), restored);
    return true;
}

void ItemAdmission::enter(ItemRecord record, const std::optional<RestoredItem>& restored)
{
    if (!restored) m_job.parts.journal.write(admittedRecord(record.handle));
    const std::int64_t rowBytes = std::max<std::int64_t>(record.handle.byteLength, 64) * 4; // as JSON in memory
    auto [token, item] = m_job.window.admit(std::move(record.handle), std::move(record.fields));
    m_job.window.addBytes(item, rowBytes);
    if (restored) {
        restoreInto(*restored, m_job.pipeline(), *item);
        item->announced = true;
        m_job.parts.live.itemRestored(TaskState::Running, stepStates(*item));
    }
    if (m_job.settings.callingItems > 0) m_job.window.awaitCalls(token, *item);
    m_tasks.enter(token, *item, m_job.parts.cache != nullptr && m_job.plan.recordsItems);
}

bool ItemAdmission::isChosen(ItemIndex item) const
{
    return m_job.settings.only.empty() || std::ranges::binary_search(m_job.settings.only, item);
}

bool ItemAdmission::mayAdmit()
{
    if (m_job.queue.closed() || m_job.parts.journal.congested()) return false;
    if (m_tasks.keeping() > kMostKeeping || m_job.queue.size() > kMostReady) return false;
    // Each waiting call costs the lane some two kilobytes. One that something holds back makes way for other items.
    if (m_job.unsent.load() - m_job.waiting.count() > kMostUnsent) return false;
    if (m_job.settings.callingItems > 0 && m_job.window.calling() >= m_job.settings.callingItems) return false;
    if (m_job.window.active() == 0) return m_job.window.parked() < kMostParked;
    // Whoever only waits for an answer makes room.
    while (!roomFor()) {
        if (m_job.window.parked() >= kMostParked) return false;
        const bool parked = m_job.window.parkOne(
            [this](const ActiveItem& item) { m_job.parts.journal.write(progressOf(item, TaskState::Running)); });
        if (!parked) return false;
    }
    return true;
}

bool ItemAdmission::roomFor()
{
    const ItemWindow& window = m_job.window;
    const std::int64_t limit = m_job.settings.activeItems;
    const std::int64_t memory = m_job.settings.valueMemory.count();
    // Those that have just come in will soon hold what an item holds on average.
    const std::int64_t expected = std::max(window.bytes(), window.active() * window.bytesPerItem());
    m_full = window.active() >= (m_full ? limit - limit / 4 : limit) || expected >= memory;
    return !m_full;
}

void ItemAdmission::cancelRest()
{
    while (auto record = next()) {
        auto restored = m_restore ? m_restore(record->handle) : std::nullopt;
        if (restored && isTerminal(restored->state)) {
            m_job.parts.live.itemRestored(restored->state, restored->steps);
            m_job.countRestored(restored->state);
            continue;
        }
        ItemProgress progress;
        progress.item = record->handle.index;
        progress.state = TaskState::Cancelled;
        progress.steps.assign(m_job.pipeline().steps.size(), TaskState::Cancelled);
        progress.reason = Reason::Cancelled;
        progress.endedAt = m_job.parts.clock.wall();
        m_job.parts.live.itemRestored(TaskState::Cancelled, progress.steps);
        m_job.countRestored(TaskState::Cancelled);
        std::vector<JournalRecord> records;
        if (!restored) records.emplace_back(admittedRecord(record->handle));
        records.emplace_back(std::move(progress));
        m_job.parts.journal.write(std::move(records));
    }
}

std::int64_t ItemAdmission::remaining() const noexcept
{
    return m_leftOut + std::max<std::int64_t>(0, m_job.parts.items.total() - m_looked);
}

} // namespace aiflow
