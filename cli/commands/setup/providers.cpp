#include "aiflow/providers.h"

#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/program/json_services.h"
#include "cli/program/table.h"
#include "cli/session/job_run.h"
#include "cli/terminal/cells.h"

#include <algorithm>

namespace aiflow {

namespace {

using terminal::harmless;

constexpr Text kNobody{"No remote service is configured: steps of kind api are answered by offline stand-ins.\n",
                       "尚未配置远程服务：api 步骤由离线替身应答。\n"};
constexpr Text kOffline{"offline: true is set: nothing is called; api steps are answered by stand-ins.\n",
                        "已设置 offline: true：不调用任何服务，api 步骤由替身应答。\n"};

std::vector<std::string> heads(const Console& console, std::initializer_list<Text> texts)
{
    std::vector<std::string> words;
    for (const Text& text : texts) words.emplace_back(console.say(text));
    return words;
}

// As wide as the reader's terminal; a pipe takes every width.
int columnsOf(const Console& console) { return console.outTraits().terminal ? console.outLook().columns : 10'000; }

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + harmless(word);
    return text;
}

// What a person reads where nothing is set.
std::string orNone(const std::string& text) { return text.empty() ? "-" : harmless(text); }

std::string keyCell(const Console& console, const ProviderAccountLine& account)
{
    if (account.key == KeyState::NotNeeded) return std::string(console.say({"not needed", "不需要"}));
    const bool found = account.key == KeyState::Found;
    const auto state = console.say(found ? Text{"(there)", "（已有）"} : Text{"(missing)", "（缺失）"});
    const bool spaced = console.language() == Language::English;
    return harmless(account.keySource) + (spaced ? " " : "") + std::string(state);
}

class ProvidersList final : public Command {
public:
    CommandCard card() const override
    {
        return {
            "providers list",
            {"Accounts, limits, models and routes; keys are never shown.", "账户、限额、模型与路由；密钥从不显示。"},
            "[--json]",
            {{"providers list", {"calls nobody", "不发出任何调用"}},
             {"providers list --json", {"for scripts", "供脚本使用"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.flag("--json", m_json, {"one object on standard output", "标准输出为一个 JSON 对象"});
    }
    int run(const Invocation& invocation) override
    {
        const auto list = listProviders(surroundingsOf(invocation.common));
        if (!list) return reportError(invocation, m_json ? OutputFormat::Json : OutputFormat::Text, list.error());
        Console& console = invocation.console;
        if (m_json) {
            console.out(providersJson(*list) + "\n");
            return 0;
        }
        console.out(textOf(console, *list));
        if (list->providers.empty())
            console.next({"init", "rehearse --sample"});
        else
            console.next({"providers test", "providers prices"});
        return 0;
    }

private:
    static std::string textOf(const Console& console, const ProviderList& list)
    {
        std::string text(list.offline ? console.say(kOffline) : "");
        if (list.providers.empty()) return text += console.say(kNobody);
        text += accountsOf(console, list);
        if (!list.models.empty()) text += "\n" + modelsOf(console, list);
        if (!list.routes.empty()) text += "\n" + routesOf(console, list);
        for (const std::string& organisation : list.organisations)
            text += fill(console.say({"\n shared limit of {}\n", "\n 共享限额 {}\n"}), {harmless(organisation)});
        return text;
    }

    static std::string accountsOf(const Console& console, const ProviderList& list)
    {
        Table table(heads(
            console,
            {{"account", "账户"}, {"protocol", "协议"}, {"key", "密钥"}, {"shares", "组织"}, {"limits", "限额"}}));
        for (const ProviderLine& provider : list.providers) {
            for (const ProviderAccountLine& account : provider.accounts)
                table.row({harmless(account.name), harmless(provider.protocol), keyCell(console, account),
                           orNone(account.organisation), orNone(account.limits)});
            if (!provider.limits.empty())
                table.row({harmless(provider.name), harmless(provider.protocol),
                           std::string(console.say({"all accounts", "全部账户"})), "-", harmless(provider.limits)});
        }
        return table.text(columnsOf(console));
    }

    static std::string modelsOf(const Console& console, const ProviderList& list)
    {
        Table table(heads(
            console, {{"model", "模型"}, {"provider", "服务商"}, {"named there", "对方名称"}, {"limits", "限额"}}));
        for (const ApiModelLine& model : list.models)
            table.row(
                {harmless(model.name), harmless(model.provider), harmless(model.remoteName), orNone(model.limits)});
        return table.text(columnsOf(console));
    }

    static std::string routesOf(const Console& console, const ProviderList& list)
    {
        Table table(heads(console, {{"route", "路由"}, {"kind", "类型"}, {"models", "模型"}, {"rule", "规则"}}));
        for (const RouteLine& route : list.routes)
            table.row({harmless(route.name), harmless(route.kind), joined(route.models), harmless(route.rule)});
        return table.text(columnsOf(console));
    }

    bool m_json = false;
};

class ProvidersPrices final : public Command {
public:
    CommandCard card() const override
    {
        return {
            "providers prices",
            {"What every model costs; tokens are priced per million (M).", "各模型的价格；token 按每百万（M）计价。"},
            "[--json]",
            {{"providers prices", {"a line per model", "每个模型一行"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.flag("--json", m_json, {"one object on standard output", "标准输出为一个 JSON 对象"});
    }
    int run(const Invocation& invocation) override
    {
        const auto list = listProviders(surroundingsOf(invocation.common));
        if (!list) return reportError(invocation, m_json ? OutputFormat::Json : OutputFormat::Text, list.error());
        Console& console = invocation.console;
        if (m_json) {
            console.out(pricesJson(*list) + "\n");
            return 0;
        }
        if (list->models.empty()) {
            console.out(std::string(
                console.say({"No model of a remote service is configured.\n", "尚未配置远程服务的模型。\n"})));
            console.next({"init"});
            return 0;
        }
        console.out(tableOf(console, *list));
        return 0;
    }

private:
    static std::string countOf(std::int64_t tokens) { return tokens > 0 ? terminal::grouped(tokens) : "-"; }

    static std::string tableOf(const Console& console, const ProviderList& list)
    {
        Table table(heads(console, {{"model", "模型"},
                                    {"provider", "服务商"},
                                    {"price", "价格"},
                                    {"context", "上下文"},
                                    {"max. answer", "最长回答"}}));
        table.align(3, Table::Align::Right);
        table.align(4, Table::Align::Right);
        for (const ApiModelLine& model : list.models)
            table.row({harmless(model.name), harmless(model.provider), harmless(model.price),
                       countOf(model.contextTokens), countOf(model.maxOutputTokens)});
        return table.text(columnsOf(console));
    }

    bool m_json = false;
};

Text wordsOf(AccountVerdict verdict)
{
    switch (verdict) {
    case AccountVerdict::Good:
        return {"works", "正常"};
    case AccountVerdict::KeyMissing:
        return {"no key", "缺少密钥"};
    case AccountVerdict::KeyRefused:
        return {"key refused", "密钥被拒"};
    case AccountVerdict::QuotaEmpty:
        return {"nothing left to spend", "额度用尽"};
    case AccountVerdict::RateLimited:
        return {"works, but is at its limit", "正常，但已达限额"};
    case AccountVerdict::CannotConnect:
        return {"cannot be reached", "无法连接"};
    case AccountVerdict::TlsFailed:
        return {"not who it claims to be", "身份验证失败（TLS）"};
    case AccountVerdict::WrongAddress:
        return {"something else answers", "地址不是该服务"};
    case AccountVerdict::Outage:
        return {"does not work now", "服务暂时不可用"};
    case AccountVerdict::TimedOut:
        return {"does not answer", "无响应"};
    }
    return {"", ""};
}

class ProvidersTest final : public Command {
public:
    CommandCard card() const override
    {
        return {"providers test",
                {"Try every key with the cheapest call there is: one line per account.",
                 "用最便宜的调用检查每个密钥：每个账户一行。"},
                "[PROVIDER] [--json]",
                {{"providers test", {"exit 4: a key; 5: no answer", "退出码 4 密钥；5 无响应"}},
                 {"providers test openai", {"only this one", "只检查这一个"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.positional("PROVIDER", m_provider, Need::Optional, {"default: all", "默认全部"});
        options.flag("--json", m_json, {"one object on standard output", "标准输出为一个 JSON 对象"});
    }
    int run(const Invocation& invocation) override
    {
        const OutputFormat output = m_json ? OutputFormat::Json : OutputFormat::Text;
        const Surroundings surroundings = surroundingsOf(invocation.common);
        const auto list = listProviders(surroundings);
        if (!list) return reportError(invocation, output, list.error());
        m_width = widestAccount(*list);
        Console& console = invocation.console;
        const auto told = [&](const AccountTest& test) {
            if (!m_json) tell(console, test);
        };
        const auto only = m_provider.empty() ? std::nullopt : std::optional(m_provider);
        const auto tests = testProviders(surroundings, only, told);
        if (!tests) return reportError(invocation, output, tests.error());
        const int exitCode = exitCodeOf(*tests);
        if (m_json) console.out(providerTestsJson(*tests, exitCode) + "\n");
        if (!m_json && tests->empty()) console.out(std::string(console.say(kNobody)));
        return exitCode;
    }

private:
    static int widestAccount(const ProviderList& list)
    {
        int widest = 0;
        for (const ProviderLine& provider : list.providers)
            for (const ProviderAccountLine& account : provider.accounts)
                widest = std::max(widest, terminal::cellsOf(harmless(account.name)));
        return widest;
    }

    void tell(Console& console, const AccountTest& test) const
    {
        const bool good = test.verdict == AccountVerdict::Good;
        const terminal::Look look = console.outLook();
        const std::string sign = terminal::glyphOf(look, good ? TaskState::Succeeded : TaskState::Failed);
        std::string line = " " + terminal::paint(look, good ? terminal::Ink::Good : terminal::Ink::Bad, sign) + " ";
        line +=
            terminal::pad(harmless(test.account), std::max(m_width, terminal::cellsOf(harmless(test.account)))) + "  ";
        // Of a missing key the sentence says it all.
        const bool bare = test.verdict == AccountVerdict::KeyMissing && console.language() == Language::English;
        if (!bare) line += console.say(wordsOf(test.verdict));
        if (!good && !test.sentence.empty())
            line += std::string(bare ? "" : console.say({": ", "："})) + harmless(test.sentence);
        if (good) line += test.latency.count() == 0 ? "  < 1 ms" : "  " + std::to_string(test.latency.count()) + " ms";
        line += "\n";
        if (!test.hint.empty()) line += "     " + harmless(test.hint) + "\n";
        console.out(line);
    }

    std::string m_provider;
    bool m_json = false;
    int m_width = 0;
};

} // namespace

void addProviderCommands(CommandList& commands)
{
    commands.push_back(std::make_unique<ProvidersList>());
    commands.push_back(std::make_unique<ProvidersTest>());
    commands.push_back(std::make_unique<ProvidersPrices>());
}

} // namespace aiflow
