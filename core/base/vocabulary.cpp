#include "aiflow/reason.h"
#include "aiflow/result.h"
#include "aiflow/state.h"

#include <array>
#include <numeric>

namespace aiflow {

namespace {

using enum Reason;

constexpr std::array kReasons{
    ReasonInfo{ProviderRateLimited, "provider.rate_limited", Owner::Provider, "Too many requests", "请求过于频繁",
               "waits by itself", "会自动等待", true},
    ReasonInfo{ProviderOutage, "provider.outage", Owner::Provider, "Provider not answering", "服务商无响应",
               "retry the group when it is back", "恢复后重试该组", true},
    ReasonInfo{ProviderQuota, "provider.quota", Owner::You, "Account quota used up", "账户额度用尽",
               "add credit, then resume", "充值后继续", false},
    ReasonInfo{ProviderAuth, "provider.auth", Owner::You, "Key missing or refused", "密钥缺失或被拒", "set the key",
               "设置密钥", false},
    ReasonInfo{ProviderTimeout, "provider.timeout", Owner::Provider, "No answer in time", "响应超时",
               "raise the timeout, retry", "延长超时后重试", true},
    ReasonInfo{ProviderContentPolicy, "provider.content_policy", Owner::You, "Content refused", "内容被拒绝",
               "edit the prompt or the row", "修改提示词或该行", false},
    ReasonInfo{ProviderBadOutput, "provider.bad_output", Owner::Provider, "Answer did not fit the schema",
               "返回格式不符", "look at the answer, retry", "查看返回内容后重试", true},
    ReasonInfo{InputImageMissing, "input.image_missing", Owner::You, "Picture not found", "找不到图片",
               "fix the file or its name", "修正文件或文件名", false},
    ReasonInfo{InputImageBad, "input.image_bad", Owner::You, "Picture cannot be read", "图片无法读取",
               "replace the picture", "更换图片", false},
    ReasonInfo{InputFieldMissing, "input.field_missing", Owner::You, "Field missing", "字段缺失", "fill in the field",
               "补全字段", false},
    ReasonInfo{InputFieldBad, "input.field_bad", Owner::You, "Field not valid", "字段无效", "correct the field",
               "更正字段", false},
    ReasonInfo{InputFileBad, "input.file_bad", Owner::You, "Input file cannot be read", "输入文件无法读取",
               "correct the file", "更正文件", false},
    ReasonInfo{ComputeOom, "compute.oom", Owner::Aiflow, "Not enough memory", "内存不足", "lower the batch size",
               "减小批量", true},
    ReasonInfo{ComputeModelMissing, "compute.model_missing", Owner::You, "Model missing or altered", "模型缺失或被改动",
               "check: aiflow-cli models verify", "检查：aiflow-cli models verify", false},
    ReasonInfo{ComputeNoResult, "compute.no_result", Owner::You, "Nothing found in the picture", "图片中未找到目标",
               "use a clearer picture", "使用更清晰的图片", false},
    ReasonInfo{OutputDiskFull, "output.disk_full", Owner::You, "Disk full", "磁盘已满", "free space, then resume",
               "释放空间后继续", false},
    ReasonInfo{OutputDenied, "output.denied", Owner::You, "Cannot write results", "无法写入结果",
               "check permissions, then resume", "检查权限后继续", false},
    ReasonInfo{BudgetReached, "budget.reached", Owner::You, "Budget reached", "已达预算上限",
               "raise the budget, then resume", "提高预算后继续", false},
    ReasonInfo{JobLocked, "job.locked", Owner::You, "Another process owns it", "已被其他进程占用",
               "wait, or stop the other process", "等待或停止另一进程", false},
    ReasonInfo{JobNotFound, "job.not_found", Owner::You, "No such job", "没有该任务", "see: aiflow-cli list",
               "查看：aiflow-cli list", false},
    ReasonInfo{JobChanged, "job.changed", Owner::You, "Input or pipeline changed", "输入或流程已改变",
               "start a new job with batch", "用 batch 新建任务", false},
    ReasonInfo{PipelineInvalid, "pipeline.invalid", Owner::You, "Pipeline file not valid", "流程文件无效",
               "correct the file", "更正文件", false},
    ReasonInfo{ConfigInvalid, "config.invalid", Owner::You, "Configuration not valid", "配置无效", "correct the file",
               "更正文件", false},
    ReasonInfo{UsageInvalid, "usage.invalid", Owner::You, "Command not understood", "命令无法识别", "see --help",
               "参见 --help", false},
    ReasonInfo{Cancelled, "cancelled", Owner::You, "Cancelled", "已取消", "", "", false},
    ReasonInfo{Internal, "internal", Owner::Aiflow, "Unexpected error", "内部错误", "report it with the log",
               "附日志反馈", false},
};

} // namespace

std::span<const ReasonInfo> allReasons() noexcept { return kReasons; }

const ReasonInfo& info(Reason reason) noexcept
{
    const auto index = static_cast<std::size_t>(reason);
    return index < kReasons.size() ? kReasons[index] : kReasons.back();
}

std::optional<Reason> reasonFromCode(std::string_view code) noexcept
{
    for (const ReasonInfo& entry : kReasons)
        if (entry.code == code) return entry.reason;
    return std::nullopt;
}

std::string Error::text() const
{
    if (!where) return message;
    std::string place = where->file;
    if (where->line > 0) place += (place.empty() ? "line " : ":") + std::to_string(where->line);
    if (where->column > 0) place += (where->file.empty() ? " column " : ":") + std::to_string(where->column);
    return place.empty() ? message : place + ": " + message;
}

namespace {

// Glyphs of neutral East Asian width: one cell everywhere.
constexpr std::array<StateInfo, kTaskStateCount> kTaskStates{{
    {"queued", ".", '.', "Queued", "排队中"},
    {"running", "▸", '>', "Running", "运行中"},
    {"waiting", "⧗", '~', "Waiting", "等待中"},
    {"succeeded", "✓", '+', "Done", "已完成"},
    {"cached", "↻", '=', "Reused", "已复用"},
    {"skipped", "-", '-', "Skipped", "已跳过"},
    {"failed", "✗", 'x', "Failed", "失败"},
    {"blocked", "⊘", 'o', "Blocked", "受阻"},
    {"cancelled", "▪", '#', "Cancelled", "已取消"},
}};

constexpr std::array<StateInfo, 8> kJobStates{{
    {"running", "▸", '>', "Running", "运行中"},
    {"pausing", "⧗", '~', "Pausing", "正在暂停"},
    {"paused", "⧗", '~', "Paused", "已暂停"},
    {"succeeded", "✓", '+', "Done", "已完成"},
    {"partial", "✗", 'x', "Partial", "部分失败"},
    {"failed", "✗", 'x', "Failed", "失败"},
    {"cancelled", "▪", '#', "Cancelled", "已取消"},
    {"interrupted", "!", '!', "Interrupted", "已中断"},
}};

} // namespace

const StateInfo& info(TaskState state) noexcept { return kTaskStates[static_cast<std::size_t>(state)]; }

const StateInfo& info(JobState state) noexcept { return kJobStates[static_cast<std::size_t>(state)]; }

std::optional<TaskState> taskStateFromKey(std::string_view key) noexcept
{
    for (std::size_t i = 0; i < kTaskStates.size(); ++i)
        if (kTaskStates[i].key == key) return static_cast<TaskState>(i);
    return std::nullopt;
}

std::optional<JobState> jobStateFromKey(std::string_view key) noexcept
{
    for (std::size_t i = 0; i < kJobStates.size(); ++i)
        if (kJobStates[i].key == key) return static_cast<JobState>(i);
    return std::nullopt;
}

std::int64_t StateCounts::total() const noexcept
{
    return std::accumulate(count.begin(), count.end(), std::int64_t{0});
}

std::int64_t StateCounts::terminal() const noexcept
{
    return std::accumulate(count.begin() + static_cast<int>(TaskState::Succeeded), count.end(), std::int64_t{0});
}

} // namespace aiflow
