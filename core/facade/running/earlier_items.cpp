#include "core/facade/running/earlier_items.h"

namespace aiflow {

Result<void> claimPlacedFiles(JournalReader& journal, OutputFolder& output)
{
    for (ItemQuery query{ItemIndex{0}, 5000, {}, {}};;) {
        const auto rows = journal.items(query);
        if (!rows) return tl::unexpected(rows.error());
        for (const ItemRow& row : *rows)
            for (const TaskOutput& file : row.files) output.claim(file.port, row.id);
        if (static_cast<std::int64_t>(rows->size()) < query.limit) return {};
        query.from = ItemIndex(rows->back().item.value() + 1);
    }
}

std::optional<RestoredItem> restoredItem(JournalReader& journal, const ItemHandle& item, bool again)
{
    const auto row = journal.item(item.index);
    if (!row || !*row) return std::nullopt;
    RestoredItem restored{(*row)->state, (*row)->steps, {}};
    // What was cancelled did not end: whoever resumes the job takes the cancel back.
    if (isTerminal(restored.state) && restored.state != TaskState::Cancelled && !again) return restored;
    restored.state = TaskState::Queued;
    for (TaskState& step : restored.steps)
        if (!isGood(step) && step != TaskState::Skipped) step = TaskState::Queued;
    if (auto tasks = journal.tasksOf(item.index); tasks)
        for (TaskEnded& task : *tasks)
            if (isGood(task.state) || task.state == TaskState::Skipped) restored.tasks.push_back(std::move(task));
    return restored;
}

std::int64_t itemsLeft(JournalReader& journal, std::int64_t total, const std::set<std::int64_t>& again)
{
    if (!again.empty()) return std::ssize(again);
    const auto counts = journal.itemCounts();
    return total - (counts ? counts->terminal() : 0);
}

Result<JobMoney> jobMoney(const ApiSettings& services, const std::optional<std::string>& budget, JournalReader& journal)
{
    JobMoney money;
    money.budget = services.budgets.perJob;
    if (budget) {
        auto asked = parseMoney(*budget);
        if (!asked) return tl::unexpected(asked.error());
        money.budget = std::move(*asked);
    }
    const auto spent = journal.spentNanos();
    if (!spent) return tl::unexpected(spent.error());
    for (const auto& [currency, nanos] : *spent)
        if (nanos > 0 && (!money.budget || currency == money.budget->currency)) money.spent = {Nanos(nanos), currency};
    return money;
}

} // namespace aiflow
