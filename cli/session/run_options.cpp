#include "cli/session/run_options.h"

#include "cli/program/console.h"

#include <charconv>
#include <cmath>

namespace aiflow {

namespace {

struct Quantity {
    double value = 0;
    std::string_view unit;
};

std::optional<Quantity> quantityOf(std::string_view text)
{
    Quantity quantity;
    const char* end = text.data() + text.size();
    const auto [rest, code] = std::from_chars(text.data(), end, quantity.value);
    if (code != std::errc() || !std::isfinite(quantity.value) || quantity.value < 0) return std::nullopt;
    quantity.unit = std::string_view(rest, static_cast<std::size_t>(end - rest));
    return quantity;
}

std::optional<std::chrono::milliseconds> durationOf(std::string_view text)
{
    const auto quantity = quantityOf(text);
    if (!quantity || quantity->value > 1e6) return std::nullopt;
    double seconds = quantity->value;
    if (quantity->unit == "ms")
        seconds /= 1000;
    else if (quantity->unit == "m")
        seconds *= 60;
    else if (quantity->unit == "h")
        seconds *= 3600;
    else if (!quantity->unit.empty() && quantity->unit != "s")
        return std::nullopt;
    if (seconds <= 0) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::optional<std::int64_t> bytesOf(std::string_view text)
{
    const auto quantity = quantityOf(text);
    if (!quantity || quantity->value > 1e15) return std::nullopt;
    static constexpr std::pair<std::string_view, double> kUnits[]{
        {"", 1.},          {"K", 1024.},       {"KiB", 1024.},      {"M", 1048576.},
        {"MiB", 1048576.}, {"G", 1073741824.}, {"GiB", 1073741824.}};
    for (const auto& [unit, factor] : kUnits)
        if (quantity->unit == unit && quantity->value > 0) return static_cast<std::int64_t>(quantity->value * factor);
    return std::nullopt;
}

} // namespace

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
