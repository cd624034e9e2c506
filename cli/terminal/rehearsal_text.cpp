#include "cli/terminal/rehearsal_text.h"

#include "cli/terminal/cells.h"

#include <algorithm>
#include <cstdio>

namespace aiflow::terminal {

namespace {

constexpr int kLabel = 12;
constexpr std::size_t kMostFailures = 10;

std::string labelled(const Look& look, std::string_view en, std::string_view zh, const std::string& text)
{
    return "  " + pad(look.pick(en, zh), kLabel) + text + '\n';
}

// The values at the places of {}.
std::string filled(std::string_view pattern, std::initializer_list<std::string> values)
{
    std::string text;
    for (const std::string& value : values) {
        const auto place = std::min(pattern.find("{}"), pattern.size());
        text.append(pattern.substr(0, place)).append(value);
        pattern.remove_prefix(std::min(place + 2, pattern.size()));
    }
    return text.append(pattern);
}

std::string digits(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string headline(const RehearsalReport& report, const JobSnapshot& job, const Look& look)
{
    const std::int64_t good = job.items[TaskState::Succeeded] + job.items[TaskState::Cached];
    const std::string text =
        paint(look, Ink::Bold, look.pick("Rehearsal", "演练")) +
        filled(look.pick(" in {}: {} of {} items done, services simulated at {} times life speed",
                         "用时 {}：{} / {} 个商品完成，模拟服务以 {} 倍速运行"),
               {durationText(look, report.took), grouped(good), grouped(job.total), digits(report.speed)});
    return text + '\n';
}

std::string timeText(const RehearsalReport& report, const Look& look)
{
    using std::chrono::duration_cast;
    using std::chrono::seconds;
    const EtaRange range{duration_cast<seconds>(report.atLeast()), duration_cast<seconds>(report.atMost())};
    if (report.localTime < seconds(1))
        return filled(look.pick("{} in life, waiting for services", "实际约 {}，均为等待服务"),
                      {rangeText(look, range)});
    return filled(
        look.pick("{} in life: waiting for services {}, own steps {}", "实际约 {}：等待服务 {}，本机步骤 {}"),
        {rangeText(look, range), durationText(look, report.serviceTime), durationText(look, report.localTime)});
}

std::string timeNote(const RehearsalReport& report, const Look& look)
{
    if (report.localTime < std::chrono::seconds(1)) return {};
    const std::string margin(kLabel + 2, ' ');
    if (look.language == Language::Chinese)
        return margin + "（本机步骤按真实速度运行；两者会重叠，实际时间介于较长者与两者之和之间）\n";
    return margin + "(own steps ran at their real speed; both overlap, so the time is between\n" + margin +
           "the longer one and their sum)\n";
}

std::string costText(const RehearsalReport& report, const Look& look)
{
    std::string text;
    for (const MoneyAmount& money : report.cost) text += (text.empty() ? "" : " + ") + moneyText(look, money);
    if (text.empty()) text = look.pick("nothing", "无");
    text.append(look.pick(" at the configured prices", "（按配置的价格）"));
    if (report.unpriced) text.append(look.pick(", and calls to models without a price", "，另有未标价模型的调用"));
    return text;
}

std::string limitsText(const RehearsalReport& report, const Look& look)
{
    const bool kept = report.violations == 0;
    const std::string verdict =
        paint(look, kept ? Ink::Good : Ink::Bad, look.pick(kept ? "kept" : "NOT kept", kept ? "遵守" : "未遵守"));
    return verdict + filled(look.pick(": {} calls over a limit, {} refused for one", "：超限 {} 次，因限额被拒 {} 次"),
                            {grouped(report.violations), grouped(report.refusals)});
}

std::string paidTwiceText(const RehearsalReport& report, const Look& look)
{
    return filled(look.pick("{}: their first answers were lost on the way (on_unknown in aiflow.yaml decides)",
                            "{} 次：首次回答在途中丢失（由 aiflow.yaml 的 on_unknown 决定）"),
                  {grouped(report.paidTwice)});
}

std::string accountsText(const RehearsalReport& report, const Look& look)
{
    int name = cellsOf(look.pick("account", "账户"));
    for (const RehearsalAccount& account : report.accounts) name = std::max(name, cellsOf(harmless(account.account)));
    name = std::min(name, std::max(look.columns - 42, 8));
    const auto line = [&](const std::string& account, const std::string& calls, const std::string& most,
                          const std::string& refused, const std::string& cost) {
        return "  " + pad(account, name) + padLeft(calls, 8) + padLeft(most, 10) + padLeft(refused, 9) + "  " + cost +
               '\n';
    };
    std::string text =
        '\n' + paint(look, Ink::Dim,
                     line(std::string(look.pick("account", "账户")), std::string(look.pick("calls", "调用")),
                          std::string(look.pick("at once", "并发")), std::string(look.pick("refused", "被拒")),
                          std::string(look.pick("cost", "费用"))));
    for (const RehearsalAccount& account : report.accounts)
        text += line(harmless(account.account), grouped(account.calls), grouped(account.highestConcurrency),
                     grouped(account.refusals), moneyText(look, account.cost));
    return text;
}

std::string troubleName(const std::string& kind, const Look& look)
{
    struct Name {
        std::string_view kind, en, zh;
    };
    static constexpr Name kNames[]{
        {"throttled", "too many requests (429)", "请求过多（429）"},
        {"quota_exhausted", "balance or quota empty", "余额或额度用尽"},
        {"key_refused", "key refused", "密钥被拒"},
        {"outage", "service unavailable", "服务不可用"},
        {"server_error", "server error", "服务器错误"},
        {"timed_out", "no answer in time", "超时无应答"},
        {"unknown", "connection lost, answer unknown", "连接中断，结果未知"},
        {"not_sent", "could not be sent", "未能发出"},
        {"content_refused", "content refused", "内容被拒"},
        {"bad_request", "request refused", "请求被拒"},
        {"too_large", "too large", "过大"},
        {"cut_off", "answer cut off at its limit", "回答被截断"},
        {"misfit", "answer did not fit its schema", "回答不符合 Schema"},
        {"lying_success", "answer was no answer", "名为成功的错误回答"},
        {"job_failed", "remote job failed", "远程任务失败"},
    };
    for (const Name& name : kNames)
        if (name.kind == kind) return std::string(look.pick(name.en, name.zh));
    return harmless(kind);
}

std::string troublesText(const RehearsalReport& report, const JobSnapshot& job, const Look& look)
{
    std::string text = '\n' + std::string(look.pick("  Trouble that the services made\n", "  服务出现的故障\n"));
    for (const RehearsalTrouble& trouble : report.troubles)
        text += padLeft(grouped(trouble.calls), 9) + "  " + troubleName(trouble.kind, look) + '\n';
    const bool harmed = std::ranges::any_of(job.failures, [](const FailureGroupSnapshot& group) {
        return info(group.reason).code.starts_with("provider.");
    });
    if (!harmed)
        text += std::string(look.pick("           no item failed because of it\n", "           没有商品因此失败\n"));
    return text;
}

std::string failuresText(const RehearsalReport& report, const JobSnapshot& job, const Look& look)
{
    std::string text = '\n' + filled(look.pick("  Items that failed: {}\n", "  失败的商品：{}\n"),
                                     {grouped(job.items[TaskState::Failed])});
    for (const RehearsalFailure& failure : report.failures) {
        if (&failure - report.failures.data() >= static_cast<std::ptrdiff_t>(kMostFailures)) break;
        const std::string line = "    " + filled(look.pick("line {}", "第 {} 行"), {std::to_string(failure.line)}) +
                                 "  " + harmless(failure.item) + "  " + harmless(failure.step) + "  " +
                                 std::string(info(failure.reason).code) + ": " + harmless(failure.message);
        text += cut(line, look.columns) + '\n';
    }
    if (report.failures.size() > kMostFailures)
        text.append("    ").append(look.pick("... all of them: --output json\n", "……全部见 --output json\n"));
    return text;
}

} // namespace

std::string renderRehearsal(const RehearsalReport& report, const JobSnapshot& job, const Look& look)
{
    std::string text = headline(report, job, look) + '\n';
    text += labelled(look, "Time", "时间", timeText(report, look)) + timeNote(report, look);
    text += labelled(look, "Cost", "费用", costText(report, look));
    text += labelled(look, "Calls", "调用",
                     filled(look.pick("{}, at most {} at once", "{} 次，最多同时 {} 个"),
                            {grouped(report.calls), grouped(report.highestConcurrency)}));
    text += labelled(look, "Limits", "限额", limitsText(report, look));
    if (report.paidTwice > 0) text += labelled(look, "Paid twice", "重复付费", paidTwiceText(report, look));
    if (!report.accounts.empty()) text += accountsText(report, look);
    if (!report.troubles.empty()) text += troublesText(report, job, look);
    if (job.items[TaskState::Failed] > 0) text += failuresText(report, job, look);
    if (!report.folder.empty()) text += '\n' + labelled(look, "Folder", "文件夹", harmless(report.folder.string()));
    return text;
}

} // namespace aiflow::terminal
