#include "cli/terminal/choices.h"

namespace aiflow::terminal {

namespace {

bool isSet(const Environment& environment, const char* name)
{
    const auto value = environment(name);
    return value && !value->empty();
}

// A switch of the CLICOLOR family: "0" and "false" turn it off.
bool isOn(const Environment& environment, const char* name)
{
    const auto value = environment(name);
    return value && !value->empty() && *value != "0" && *value != "false";
}

bool isDumb(const Environment& environment)
{
    const auto terminal = environment("TERM");
    return !terminal || terminal->empty() || *terminal == "dumb";
}

} // namespace

std::optional<ColorChoice> colorChoiceOf(std::string_view word) noexcept
{
    if (word == "auto") return ColorChoice::Auto;
    if (word == "always") return ColorChoice::Always;
    if (word == "never") return ColorChoice::Never;
    return std::nullopt;
}

bool wantsColor(ColorChoice option, const Environment& environment, bool isTerminal)
{
    if (option != ColorChoice::Auto) return option == ColorChoice::Always;
    if (isSet(environment, "NO_COLOR")) return false;
    if (isOn(environment, "CLICOLOR_FORCE") || isOn(environment, "FORCE_COLOR")) return true;
    return !isDumb(environment) && isTerminal;
}

std::optional<Progress> progressOf(std::string_view word) noexcept
{
    if (word == "tty") return Progress::Block;
    if (word == "plain") return Progress::Plain;
    if (word == "json") return Progress::Json;
    if (word == "none") return Progress::None;
    return std::nullopt;
}

Progress chooseProgress(std::string_view option, const Environment& environment, bool isTerminal)
{
    if (const auto asked = progressOf(option)) return *asked;
    if (const auto asked = progressOf(environment("AIFLOW_PROGRESS").value_or(""))) return *asked;
    if (isOn(environment, "CI")) return Progress::Plain;
    return isTerminal && !isDumb(environment) ? Progress::Block : Progress::Plain;
}

} // namespace aiflow::terminal
