#include "core/facade/client/job_files.h"

#include <charconv>

namespace aiflow {

namespace {

constexpr std::int64_t kPage = 10'000;

std::string stepName(std::string_view indexText, const std::vector<std::string>& names)
{
    std::size_t index = names.size();
    const auto parsed = std::from_chars(indexText.data(), indexText.data() + indexText.size(), index);
    return parsed.ec == std::errc{} && index < names.size() ? names[index] : std::string(indexText);
}

std::vector<StepSnapshot> emptySteps(const JobDescription& job)
{
    std::vector<StepSnapshot> steps;
    for (const std::string& name : job.stepNames) {
        StepSnapshot step;
        step.name = name;
        steps.push_back(std::move(step));
    }
    return steps;
}

// A task that had not ended when its process died is as good as not begun.
TaskState atRest(TaskState state) { return isTerminal(state) ? state : TaskState::Queued; }

Result<void> addUp(JournalReader& reader, JobSnapshot& job)
{
    std::int64_t admitted = 0;
    for (ItemQuery query{ItemIndex{0}, kPage, {}, {}};;) {
        const auto rows = reader.items(query);
        if (!rows) return tl::unexpected(rows.error());
        for (const ItemRow& row : *rows) {
            ++admitted;
            ++job.items[atRest(row.state)];
            job.cost.amount += row.cost;
            for (std::size_t i = 0; i < job.steps.size(); ++i)
                ++job.steps[i].counts[i < row.steps.size() ? atRest(row.steps[i]) : TaskState::Queued];
        }
        if (static_cast<std::int64_t>(rows->size()) < kPage) break;
        query.from = ItemIndex(rows->back().item.value() + 1);
    }
    job.total = std::max(job.total, admitted);
    job.items[TaskState::Queued] += job.total - admitted;
    for (StepSnapshot& step : job.steps) step.counts[TaskState::Queued] += job.total - admitted;
    return {};
}

JobSnapshot describe(const JobDescription& job)
{
    JobSnapshot snapshot;
    snapshot.job = job.id.text();
    snapshot.state = JobState::Interrupted;
    snapshot.pipeline = job.pipelineName;
    snapshot.input = job.input.string();
    snapshot.inputEncoding = job.inputEncoding;
    snapshot.output = job.output.string();
    snapshot.startedAt = toIso8601(job.startedAt);
    snapshot.steps = emptySteps(job);
    return snapshot;
}

} // namespace

FailureGroupSnapshot toSnapshot(const FailureGroup& group, const std::vector<std::string>& stepNames,
                                JournalReader& reader)
{
    FailureGroupSnapshot snapshot;
    snapshot.reason = group.reason;
    snapshot.step = stepName(group.step, stepNames);
    snapshot.message = group.message;
    snapshot.sampleMessage = group.sampleMessage;
    snapshot.count = group.count;
    for (const ItemIndex index : group.sampleItems)
        if (const auto row = reader.item(index); row && *row) snapshot.sampleItems.push_back((*row)->id);
    return snapshot;
}

ItemLine toItemLine(const ItemRow& row, const std::vector<std::string>& stepNames)
{
    ItemLine line;
    line.index = row.item.value();
    line.line = row.line;
    line.id = row.id;
    line.title = row.title;
    line.state = row.state;
    line.steps = row.steps;
    line.reason = row.reason;
    if (row.failedStep) {
        const auto index = static_cast<std::size_t>(row.failedStep->value());
        if (index < stepNames.size()) line.step = stepNames[index];
    }
    line.message = row.message;
    line.cost.amount = row.cost;
    line.worked = std::chrono::duration_cast<std::chrono::milliseconds>(row.worked);
    return line;
}

Result<JobSnapshot> snapshotAtRest(const JobEntry& entry)
{
    auto reader = JournalReader::open(entry.path / "journal.db");
    if (!reader) {
        // Killed before its journal began: the description alone is known.
        if (reader.error().reason == Reason::JobNotFound) return describe(entry.description);
        return tl::unexpected(reader.error());
    }
    const auto last = (*reader)->field(job_field::kFinalSnapshot);
    if (!last) return tl::unexpected(last.error());
    if (*last && !(*last)->empty()) {
        auto snapshot = snapshotFromJson(**last);
        if (snapshot) snapshot->ownerPid = 0;
        return snapshot;
    }
    JobSnapshot job = describe(entry.description);
    if (const auto total = (*reader)->field(job_field::kTotal); total && *total)
        std::from_chars((*total)->data(), (*total)->data() + (*total)->size(), job.total);
    if (auto added = addUp(**reader, job); !added) return tl::unexpected(added.error());
    if (const auto groups = (*reader)->failureGroups(); groups)
        for (const FailureGroup& group : *groups)
            job.failures.push_back(toSnapshot(group, entry.description.stepNames, **reader));
    if (const auto seq = (*reader)->lastEventSeq(); seq) job.lastSeq = *seq;
    return job;
}

} // namespace aiflow
