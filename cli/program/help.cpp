#include "cli/program/help.h"

#include "aiflow/version.h"
#include "cli/terminal/cells.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::size_t kScreenLines = 24;
constexpr std::size_t kScreenColumns = 80;

void pad(std::string& line, std::size_t column)
{
    if (line.size() < column)
        line.append(column - line.size(), ' ');
    else
        line.append("  ");
}

std::string exampleLines(std::span<const Example> examples, Language language)
{
    std::size_t widest = 0;
    for (const Example& example : examples) widest = std::max(widest, example.line.size());
    std::string text;
    for (const Example& example : examples) {
        std::string line = "  aiflow-cli ";
        line += example.line;
        pad(line, 13 + widest + 2);
        line += example.note.in(language);
        text += line + "\n";
    }
    return text;
}

std::string explained(std::span<const OptionRow> rows, Language language)
{
    std::size_t widest = 0;
    for (const OptionRow& row : rows) widest = std::max(widest, std::min<std::size_t>(row.names.size(), 30));
    std::string text;
    for (const OptionRow& row : rows) {
        std::string line = "  " + row.names;
        pad(line, 2 + widest + 2);
        line += row.help.in(language);
        text += line + "\n";
    }
    return text;
}

// Names alone, as many columns as fit.
std::string named(std::span<const OptionRow> rows)
{
    constexpr std::size_t kCell = 26;
    std::string text, line;
    for (const OptionRow& row : rows) {
        std::size_t column = line.empty() ? 2 : 2 + (line.size() - 2 + 1 + kCell) / kCell * kCell;
        if (!line.empty() && column + row.names.size() > kScreenColumns) {
            text += line + "\n";
            line.clear();
            column = 2;
        }
        line.append(column - line.size(), ' ');
        line += row.names;
    }
    return line.empty() ? text : text + line + "\n";
}

std::string opening(const CommandCard& card, Language language)
{
    std::string text(card.summary.in(language));
    text += language == Language::Chinese ? "\n\n用法： aiflow-cli " : "\n\nUsage: aiflow-cli ";
    text += card.name;
    if (!card.usage.empty()) text.append(" ").append(card.usage);
    text += language == Language::Chinese ? "\n\n示例：\n" : "\n\nExamples:\n";
    return text + exampleLines(card.examples, language);
}

std::string_view optionsTitle(Language language)
{
    return language == Language::Chinese ? "\n选项：\n" : "\nOptions:\n";
}

std::size_t widestOf(std::string_view text)
{
    std::size_t widest = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        widest = std::max(widest, static_cast<std::size_t>(terminal::cellsOf(text.substr(0, end))));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return widest;
}

std::size_t linesOf(std::string_view text)
{
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

std::string helpScreen(const HelpMaterial& material, Language language)
{
    std::string text = opening(material.card, language);
    const std::string name(material.card.name);
    const std::string more =
        (language == Language::Chinese ? "\n更多： aiflow-cli help " : "\nMore: aiflow-cli help ") + name +
        (material.options.empty() ? "" : ", help exit-codes, help env") + "\n";
    if (!material.options.empty()) {
        text += optionsTitle(language);
        const std::string full = explained(material.options, language);
        const bool fits =
            linesOf(text) + linesOf(full) + linesOf(more) <= kScreenLines && widestOf(full) <= kScreenColumns;
        text += fits ? full : named(material.options);
    }
    return text + more;
}

std::string helpInFull(const HelpMaterial& material, Language language)
{
    std::string text = opening(material.card, language);
    if (!material.options.empty()) text.append(optionsTitle(language)) += explained(material.options, language);
    text += language == Language::Chinese ? "\n每个命令都有：\n" : "\nWith every command:\n";
    return text + explained(material.common, language);
}

std::string helpOverview(Language language)
{
    static constexpr Example kExamples[]{
        {"demo", {"sample products, offline, no key", "示例商品，离线，无需密钥"}},
        {"batch products.csv", {"a pipeline over every product of a file", "对文件中的每个商品运行流程"}},
        {"status last", {"how far it is", "查看进度"}},
        {"retry last --failed", {"only what failed, again", "只重试失败的商品"}},
    };
    const bool chinese = language == Language::Chinese;
    std::string text = std::string("AIFlow ") + kVersion;
    text += chinese ? "：对商品清单批量运行 AI 流程。\n\n用法： aiflow-cli 命令 [选项]\n\n示例：\n"
                    : ": runs AI pipelines over product lists.\n\nUsage: aiflow-cli COMMAND [options]\n\nExamples:\n";
    text += exampleLines(kExamples, language);
    text += chinese ? "\n命令：\n"
                      "  运行    batch INPUT   resume JOB   retry JOB   rehearse INPUT   demo [DIR]\n"
                      "  观察    status [JOB]  list         attach JOB\n"
                      "  控制    pause JOB     cancel JOB   resume JOB\n"
                      "  结果    export JOB\n"
                      "  流程    pipelines list|show|check|graph|ops\n"
                      "  服务    providers list|test|prices\n"
                      "  设置    init [DIR]    config show|example   models list|verify   doctor\n"
                      "\n更多： aiflow-cli 命令 --help，help 命令，help exit-codes|states|reasons|env|files|faults\n"
                    : "\nCommands:\n"
                      "  run      batch INPUT   resume JOB   retry JOB   rehearse INPUT   demo [DIR]\n"
                      "  watch    status [JOB]  list         attach JOB\n"
                      "  steer    pause JOB     cancel JOB   resume JOB\n"
                      "  results  export JOB\n"
                      "  pipes    pipelines list|show|check|graph|ops\n"
                      "  services providers list|test|prices\n"
                      "  set up   init [DIR]    config show|example   models list|verify   doctor\n"
                      "\nMore: aiflow-cli COMMAND --help, help COMMAND,\n"
                      "      help exit-codes|states|reasons|env|files|faults\n";
    return text;
}

std::string helpOfGroup(const CommandGroup& group, std::span<const CommandCard> cards, Language language)
{
    const bool chinese = language == Language::Chinese;
    std::string text(group.summary.in(language));
    text += chinese ? "\n\n用法： aiflow-cli " : "\n\nUsage: aiflow-cli ";
    text.append(group.name).append(chinese ? " 命令 [选项]\n\n示例：\n" : " COMMAND [options]\n\nExamples:\n");
    std::vector<Example> examples;
    std::size_t widest = 0;
    for (const CommandCard& card : cards) {
        examples.push_back(card.examples.front());
        widest = std::max(widest, card.name.size() - group.name.size());
    }
    text += exampleLines(examples, language);
    text += chinese ? "\n命令：\n" : "\nCommands:\n";
    for (const CommandCard& card : cards) {
        std::string line = "  ";
        line += card.name.substr(group.name.size() + 1);
        pad(line, 2 + widest + 1);
        text += line.append(card.summary.in(language)) + "\n";
    }
    return text;
}

} // namespace aiflow
