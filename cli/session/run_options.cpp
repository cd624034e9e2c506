#include "cli/session/run_options.h"

#include "cli/program/console.h"
#include "cli/session/quantities.h"

namespace aiflow {

OutputFormat outputFormatOf(std::string_view word) noexcept
{
    return word == "json" ? OutputFormat::Json : word == "jsonl" ? OutputFormat::JsonLines : OutputFormat::Text;
}

void RunOptions::declareView(OptionSet& options)
{
    options.choice(
        "--output", m_output, "text|json|jsonl",
        {"on standard output: summary, one object, or every event", "标准输出的内容：摘要、一个对象或全部事件"});
    options.choice("--progress", m_progress, "auto|tty|plain|json|none", {"on standard error", "标准错误上的进度形式"});
    options.text("--progress-interval", m_interval, "TIME",
                 {"between plain progress lines; 60s", "普通进度行的间隔；默认 60s"});
}

void RunOptions::declare(OptionSet& options)
{
    declareView(options);
    options.number("--grace", m_grace, 0,
                   {"seconds to finish open work after Ctrl-C; 120", "Ctrl-C 后等待进行中工作的秒数；默认 120"});
    options.text("--on-finish", onFinish, "CMD",
                 {"run at the end; gets the JSON summary on its standard input", "结束后运行；标准输入为 JSON 摘要"});
}

Result<void> RunOptions::settle(const Console& console)
{
    output = outputFormatOf(m_output);
    if (m_grace) grace = std::chrono::seconds(*m_grace);
    if (m_interval) {
        const auto duration = durationOf(*m_interval);
        if (!duration)
            return fail(Reason::UsageInvalid,
                        "--progress-interval needs a time such as 10s or 5m, not \"" + *m_interval + "\"");
        interval = *duration;
    }
    progress = terminal::chooseProgress(m_progress, environmentVariable, console.errTraits().terminal);
    // Data on the same terminal would tear the block.
    const bool dataOnScreen = output != OutputFormat::Text && console.outTraits().terminal;
    if (m_progress == "auto" && dataOnScreen) progress = terminal::Progress::None;
    if (console.quiet()) progress = terminal::Progress::None;
    return {};
}

void WorkOptions::declare(OptionSet& options)
{
    options.text("--max-failures", m_maxFailures, "N|N%", {"stop when more items failed", "失败商品超过此数即停止"});
    options.flag("--fail-fast", m_failFast, {"stop at the first failed item", "首个商品失败即停止"});
    options.number("--cores", m_cores, 1, {"processor cores to use", "使用的处理器核数"});
    options.text("--memory", m_memory, "SIZE", {"for decoded pictures, e.g. 2GiB", "解码图片可用内存，如 2GiB"});
    options.number("--priority", m_priority, 0, {"smaller is more urgent; 5 is usual", "越小越急；通常为 5"});
    options.text("--budget", m_budget, "60CNY", {"what the whole job may cost", "整个任务的费用上限"});
    options.choice("--on-outage", m_onOutage, "wait|stop",
                   {"when a service does not answer; wait", "服务无响应时等待或停止；默认 wait"});
    options.text("--max-wait", m_maxWait, "TIME",
                 {"stop after a service was away so long", "服务中断达到此时长即停止，如 2h"});
}

Result<void> WorkOptions::apply(BatchRequest& request) const
{
    request.failFast = m_failFast;
    if (m_cores) request.cores = static_cast<int>(*m_cores);
    if (m_priority) request.priority = static_cast<std::int32_t>(*m_priority);
    if (m_memory) {
        request.memoryBytes = bytesOf(*m_memory);
        if (!request.memoryBytes)
            return fail(Reason::UsageInvalid,
                        "--memory needs a size such as 512MiB or 2GiB, not \"" + *m_memory + "\"");
    }
    if (auto limited = applyPatience(request); !limited) return limited;
    if (!m_maxFailures) return {};
    const auto limit = quantityOf(*m_maxFailures);
    if (limit && limit->unit == "%" && limit->value <= 100)
        request.maxFailurePercent = limit->value;
    else if (limit && limit->unit.empty() && limit->value < 1e12)
        request.maxFailures = static_cast<std::int64_t>(limit->value);
    else
        return fail(Reason::UsageInvalid,
                    "--max-failures needs a number or a percentage such as 20 or 5%, not \"" + *m_maxFailures + "\"");
    return {};
}

Result<void> WorkOptions::applyPatience(BatchRequest& request) const
{
    request.stopOnOutage = m_onOutage == "stop";
    request.budget = m_budget;
    if (m_budget && !looksLikeMoney(*m_budget))
        return fail(Reason::UsageInvalid,
                    "--budget needs an amount and its currency such as 60CNY, not \"" + *m_budget + "\"");
    if (!m_maxWait) return {};
    request.maxWait = durationOf(*m_maxWait);
    if (!request.maxWait)
        return fail(Reason::UsageInvalid, "--max-wait needs a time such as 30m or 2h, not \"" + *m_maxWait + "\"");
    return {};
}

Result<std::vector<std::pair<std::string, std::string>>> pairsOf(std::string_view option,
                                                                 const std::vector<std::string>& words)
{
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::string& word : words) {
        const auto equals = word.find('=');
        if (equals == 0 || equals == std::string::npos)
            return fail(Reason::UsageInvalid, std::string(option) + " needs NAME=VALUE, not \"" + word + "\"");
        pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
    return pairs;
}

} // namespace aiflow
