// Whether to use colours, and how to show progress: the rules that people's habits and environments expect.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace aiflow::terminal {

// The value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

enum class ColorChoice : std::uint8_t { Auto, Always, Never };
enum class Progress : std::uint8_t { Block, Plain, Json, None };

// "auto", "always", "never"; nothing for another word.
std::optional<ColorChoice> colorChoiceOf(std::string_view word) noexcept;
// In this order: --color, NO_COLOR, CLICOLOR_FORCE or FORCE_COLOR, TERM=dumb, whether the stream is a terminal.
bool wantsColor(ColorChoice option, const Environment& environment, bool isTerminal);

// "tty", "plain", "json", "none"; nothing for "auto" and for another word.
std::optional<Progress> progressOf(std::string_view word) noexcept;
// In this order: --progress, AIFLOW_PROGRESS, CI (plain), whether the stream is a terminal that is not dumb.
Progress chooseProgress(std::string_view option, const Environment& environment, bool isTerminal);

} // namespace aiflow::terminal
