// How things are written for a reader: language, glyphs, colours, numbers, times and money.
#pragma once

#include "aiflow/messages.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace aiflow::terminal {

enum class Language : std::uint8_t { English, Chinese };

// What the reader's terminal can show, and how wide it is.
struct Look {
    Language language = Language::English;
    bool ascii = false; // no glyph outside ASCII
    bool color = false;
    int columns = 80;
    int rows = 24;

    std::string_view pick(std::string_view en, std::string_view zh) const noexcept
    {
        return language == Language::Chinese ? zh : en;
    }
};

enum class Ink : std::uint8_t { Plain, Bold, Dim, Good, Bad, Waiting, Running };

// With colour codes around it when the look has colours; otherwise as it is.
std::string paint(const Look& look, Ink ink, std::string_view text);
Ink inkOf(TaskState state) noexcept;
Ink inkOf(JobState state) noexcept;

std::string glyphOf(const Look& look, TaskState state);
std::string glyphOf(const Look& look, JobState state);
std::string wordOf(const Look& look, TaskState state);
std::string wordOf(const Look& look, JobState state);

// "12,345".
std::string grouped(std::int64_t number);
// "41s", "12m41s", "1h02m", "2d03h"; with words in Chinese.
std::string durationText(const Look& look, std::chrono::milliseconds duration);
// "16-18 min", "40-60 s", "2h10m-2h40m".
std::string rangeText(const Look& look, const EtaRange& range);
// "16-18m": for narrow places.
std::string shortRange(const EtaRange& range);
// "16.83 CNY", with more digits for small amounts; empty when nothing was spent.
std::string moneyText(const Look& look, const MoneyAmount& money);
// "2.8", "0.05", "120": three digits at most.
std::string rateDigits(double perSecond);
// The step's title in the reader's language, else its name; harmless to print.
std::string titleOf(const Look& look, const StepSnapshot& step);

} // namespace aiflow::terminal
