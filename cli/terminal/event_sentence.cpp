#include "cli/terminal/event_sentence.h"

#include "cli/terminal/cells.h"

#include <algorithm>

namespace aiflow::terminal {

namespace {

// "image_missing" of "input.image_missing".
std::string_view detailOf(Reason reason)
{
    const std::string_view code = info(reason).code;
    const auto dot = code.rfind('.');
    return dot == std::string_view::npos ? code : code.substr(dot + 1);
}

std::string finished(const Look& look, Ink ink, const std::string& glyph, const std::string& text)
{
    const std::string rest = cut(look.ascii ? asciiOnly(text) : text, look.columns - cellsOf(glyph) - 1);
    return paint(look, ink, glyph) + ' ' + rest;
}

std::string failureText(const JobEvent& event, const Look& look)
{
    std::string text(look.pick("line ", "第 "));
    text.append(std::to_string(event.line)).append(look.pick("", " 行"));
    text.append("  ").append(harmless(event.item));
    text.append("  ").append(pad(harmless(event.step), std::max(6, cellsOf(event.step))));
    if (event.reason) text.append(" ").append(detailOf(*event.reason));
    return text.append("   ").append(harmless(event.message));
}

// "02:12:47" of an ISO 8601 time.
std::string clockOf(std::string_view time) { return harmless(time.size() >= 19 ? time.substr(11, 8) : time); }

// The service's own words give way to the numbers behind them.
std::string pausedText(const JobEvent& event, const Look& look)
{
    constexpr int kShortestWords = 12;
    const std::string head = harmless(event.provider) + std::string(look.pick(" paused: ", " 已暂停："));
    std::string tail(look.pick(". ", "。"));
    tail += std::to_string(event.waiting);
    tail += look.pick(" waiting.", " 个等待。");
    if (!event.probeAt.empty()) tail.append(look.pick(" Next probe ", "下次探测 ")).append(clockOf(event.probeAt));
    const std::string words =
        event.detail.empty() && event.reason
            ? std::string(look.pick(info(*event.reason).headlineEn, info(*event.reason).headlineZh))
            : harmless(event.detail);
    return head + cut(words, std::max(look.columns - 2 - cellsOf(head) - cellsOf(tail), kShortestWords)) + tail;
}

} // namespace

std::optional<std::string> eventSentence(const JobEvent& event, const Look& look)
{
    const std::string wait = glyphOf(look, TaskState::Waiting);
    const std::string done = glyphOf(look, TaskState::Succeeded);
    if (event.type == "item_finished" && event.state == TaskState::Failed)
        return finished(look, Ink::Bad, glyphOf(look, TaskState::Failed), failureText(event, look));
    if (event.type == "provider_paused") return finished(look, Ink::Waiting, wait, pausedText(event, look));
    if (event.type == "provider_resumed")
        return finished(look, Ink::Good, done,
                        harmless(event.provider) + std::string(look.pick(" is back after ", " 已恢复，中断 ")) +
                            durationText(look, event.after));
    if (event.type == "job_paused") {
        std::string text(look.pick("Paused by ", "已暂停，来自 "));
        text += harmless(event.by);
        if (!event.why.empty()) text.append(look.pick(": ", "：")).append(harmless(event.why));
        return finished(look, Ink::Waiting, wait, text);
    }
    if (event.type == "job_resumed")
        return finished(look, Ink::Good, done,
                        std::string(look.pick("Resumed by ", "已继续，来自 ")) + harmless(event.by));
    return std::nullopt;
}

} // namespace aiflow::terminal
