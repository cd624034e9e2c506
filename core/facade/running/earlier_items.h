// How far a job's earlier processes came, and what they spent: what a resumed or retried job begins with.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/engine/job_runner.h"
#include "core/store/journal.h"
#include "core/store/output_folder.h"

#include <optional>
#include <set>
#include <string>

namespace aiflow {

// Files that an earlier process of this job placed keep their names, whatever order items end in now.
Result<void> claimPlacedFiles(JournalReader& journal, OutputFolder& output);
// An item as the journal knows it; nothing when it was never begun. `again`: it is done once more although it ended.
std::optional<RestoredItem> restoredItem(JournalReader& journal, const ItemHandle& item, bool again);
// What is to be done of `total` items; `again`: those alone, unless it is empty.
std::int64_t itemsLeft(JournalReader& journal, std::int64_t total, const std::set<std::int64_t>& again);
// `budget`: "60CNY", instead of the configuration's. ConfigInvalid when it is no amount of money.
Result<JobMoney> jobMoney(const ApiSettings& services, const std::optional<std::string>& budget,
                          JournalReader& journal);

} // namespace aiflow
