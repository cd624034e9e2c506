#include "cli/terminal/look.h"

#include "cli/terminal/cells.h"

#include <algorithm>
#include <cstdio>

namespace aiflow::terminal {

namespace {

template <typename... Values> std::string formatted(const char* format, Values... values)
{
    char text[96];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

const char* codeOf(Ink ink)
{
    switch (ink) {
    case Ink::Bold:
        return "1";
    case Ink::Dim:
        return "2";
    case Ink::Good:
        return "32";
    case Ink::Bad:
        return "31";
    case Ink::Waiting:
        return "33";
    case Ink::Running:
        return "36";
    case Ink::Plain:
        break;
    }
    return nullptr;
}

long long whole(std::chrono::seconds seconds)
{
    return static_cast<long long>(std::max<std::int64_t>(seconds.count(), 0));
}

std::string hoursText(const Look& look, long long minutes)
{
    return look.language == Language::Chinese ? formatted("%lld 小时 %lld 分", minutes / 60, minutes % 60)
                                              : formatted("%lldh%02lldm", minutes / 60, minutes % 60);
}

// "16-18", or "16" when both ends look the same.
std::string between(long long low, long long high)
{
    return low == high ? formatted("%lld", low) : formatted("%lld-%lld", low, high);
}

long long minutesUp(long long seconds) { return (seconds + 59) / 60; }

} // namespace

std::string paint(const Look& look, Ink ink, std::string_view text)
{
    const char* code = codeOf(ink);
    if (!look.color || !code || text.empty()) return std::string(text);
    return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
}

Ink inkOf(TaskState state) noexcept
{
    switch (state) {
    case TaskState::Failed:
        return Ink::Bad;
    case TaskState::Waiting:
        return Ink::Waiting;
    case TaskState::Running:
        return Ink::Running;
    case TaskState::Succeeded:
        return Ink::Good;
    default:
        return Ink::Plain;
    }
}

Ink inkOf(JobState state) noexcept
{
    switch (state) {
    case JobState::Running:
        return Ink::Running;
    case JobState::Pausing:
    case JobState::Paused:
    case JobState::Interrupted:
        return Ink::Waiting;
    case JobState::Succeeded:
        return Ink::Good;
    case JobState::Partial:
    case JobState::Failed:
        return Ink::Bad;
    case JobState::Cancelled:
        break;
    }
    return Ink::Plain;
}

std::string glyphOf(const Look& look, TaskState state)
{
    return look.ascii ? std::string(1, info(state).ascii) : std::string(info(state).glyph);
}

std::string glyphOf(const Look& look, JobState state)
{
    return look.ascii ? std::string(1, info(state).ascii) : std::string(info(state).glyph);
}

std::string wordOf(const Look& look, TaskState state)
{
    return std::string(look.pick(info(state).wordEn, info(state).wordZh));
}

std::string wordOf(const Look& look, JobState state)
{
    return std::string(look.pick(info(state).wordEn, info(state).wordZh));
}

std::string grouped(std::int64_t number)
{
    std::string text = std::to_string(number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (std::size_t at = text.size(); at > first + 3;) text.insert(at -= 3, ",");
    return text;
}

std::string durationText(const Look& look, std::chrono::milliseconds duration)
{
    const long long seconds = whole(std::chrono::duration_cast<std::chrono::seconds>(duration));
    const bool chinese = look.language == Language::Chinese;
    if (seconds < 60) return formatted(chinese ? "%lld 秒" : "%llds", seconds);
    if (seconds < 3600) return formatted(chinese ? "%lld 分 %lld 秒" : "%lldm%02llds", seconds / 60, seconds % 60);
    if (seconds < 48 * 3600) return hoursText(look, seconds / 60);
    return formatted(chinese ? "%lld 天 %lld 小时" : "%lldd%02lldh", seconds / 86'400, seconds / 3600 % 24);
}

std::string rangeText(const Look& look, const EtaRange& range)
{
    const long long low = whole(range.low);
    const long long high = std::max(whole(range.high), low);
    if (high <= 90) return between(low, high).append(look.pick(" s", " 秒"));
    if (high <= 120 * 60) return between(minutesUp(low), minutesUp(high)).append(look.pick(" min", " 分钟"));
    return hoursText(look, minutesUp(low)) + "-" + hoursText(look, minutesUp(high));
}

std::string shortRange(const EtaRange& range)
{
    const long long low = whole(range.low);
    const long long high = std::max(whole(range.high), low);
    if (high <= 90) return between(low, high) + "s";
    if (high <= 120 * 60) return between(minutesUp(low), minutesUp(high)) + "m";
    return between(minutesUp(low) / 60, (minutesUp(high) + 59) / 60) + "h";
}

std::string moneyText(const Look& look, const MoneyAmount& money)
{
    if (money.currency.empty()) return {};
    const char* format = money.amount != 0 && money.amount < 0.1 ? "%.4f " : "%.2f ";
    const bool yuan = money.currency == "CNY" && look.language == Language::Chinese;
    return formatted(format, money.amount) + (yuan ? "元" : harmless(money.currency));
}

std::string rateDigits(double perSecond)
{
    return formatted(perSecond < 0.095 ? "%.2f" : perSecond < 9.95 ? "%.1f" : "%.0f", perSecond);
}

std::string titleOf(const Look& look, const StepSnapshot& step)
{
    const std::string_view title = look.pick(step.titleEn, step.titleZh);
    const std::string text = harmless(title.empty() ? std::string_view(step.name) : title);
    return look.ascii && asciiOnly(text) != text ? asciiOnly(harmless(step.name)) : text;
}

} // namespace aiflow::terminal
