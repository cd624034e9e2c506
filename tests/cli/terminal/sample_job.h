// A job as the terminal's tests show it: Chinese titles, failures, a paused provider.
#pragma once

#include "aiflow/messages.h"
#include "cli/terminal/look.h"

namespace aiflow::terminal {

inline StepSnapshot sampleStep(std::string name, std::string zh, std::int64_t good, std::int64_t failed,
                               std::int64_t blocked)
{
    StepSnapshot step;
    step.titleEn = name;
    step.name = std::move(name);
    step.titleZh = std::move(zh);
    step.counts[TaskState::Succeeded] = good;
    step.counts[TaskState::Failed] = failed;
    step.counts[TaskState::Blocked] = blocked;
    step.counts[TaskState::Queued] = 5'000 - good - failed - blocked;
    return step;
}

inline JobSnapshot sampleJob()
{
    JobSnapshot job;
    job.job = "7f3a9c";
    job.input = "products.csv";
    job.inputEncoding = "GB18030";
    job.pipeline = "listing";
    job.output = "out";
    job.total = 5'000;
    job.items[TaskState::Succeeded] = 1'635;
    job.items[TaskState::Cached] = 1'204;
    job.items[TaskState::Failed] = 32;
    job.items[TaskState::Waiting] = 97;
    job.items[TaskState::Running] = 16;
    job.items[TaskState::Queued] = 5'000 - job.items.total();
    job.steps = {sampleStep("load", "读取", 4'992, 8, 0), sampleStep("tag", "识图", 3'214, 0, 8),
                 sampleStep("copy", "文案", 2'977, 24, 8), sampleStep("cut", "抠图", 2'968, 0, 32),
                 sampleStep("image", "生成主图", 2'839, 0, 32)};
    job.steps[1].inFlight = 12;
    job.steps[1].ratePerSecond = 2.8;
    job.steps[1].note = "qwen-vl 171/180 rpm";
    job.steps[2].inFlight = 4;
    job.steps[2].ratePerSecond = 2.4;
    job.steps[3].ratePerSecond = 2.3;
    job.steps[3].note = "local";
    job.steps[4].counts[TaskState::Waiting] = 97;
    job.steps[4].counts[TaskState::Queued] -= 97;
    job.steps[4].note = "imagehub paused, probe in 0:06";
    job.steps[1].medianSeconds = 1.1;
    job.steps[4].medianSeconds = 4.9;
    job.elapsed = std::chrono::milliseconds(761'250);
    job.eta = EtaRange{std::chrono::seconds(960), std::chrono::seconds(1'080)};
    job.cost = {16.83, "CNY"};
    job.startedAt = "2025-11-22T02:00:00.012+08:00";
    FailureGroupSnapshot copy;
    copy.reason = Reason::ProviderContentPolicy;
    copy.step = "copy";
    copy.message = "refused field <name>";
    copy.sampleMessage = "refused field \"title\"";
    copy.count = 24;
    FailureGroupSnapshot load;
    load.reason = Reason::InputImageMissing;
    load.step = "load";
    load.message = "<path> not found";
    load.sampleMessage = "images/88410_3.jpg not found";
    load.count = 8;
    job.failures = {copy, load};
    return job;
}

inline JobSnapshot finishedJob()
{
    JobSnapshot job = sampleJob();
    job.state = JobState::Partial;
    job.items = {};
    job.items[TaskState::Succeeded] = 3'764;
    job.items[TaskState::Cached] = 1'204;
    job.items[TaskState::Failed] = 32;
    job.elapsed = std::chrono::minutes(30) + std::chrono::seconds(24);
    job.eta.reset();
    job.exitCode = 3;
    job.cost.amount = 37.9;
    return job;
}

} // namespace aiflow::terminal
