#include "cli/commands/run/fault_words.h"

#include "cli/session/quantities.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

using Kind = RehearsalFault::Kind;
using namespace std::chrono_literals;

constexpr std::array<std::pair<std::string_view, Kind>, 11> kKinds{{{"outage", Kind::Outage},
                                                                    {"throttle", Kind::Throttle},
                                                                    {"error", Kind::ServerError},
                                                                    {"hang", Kind::Hang},
                                                                    {"reset", Kind::Reset},
                                                                    {"refuse", Kind::Refuse},
                                                                    {"misfit", Kind::Misfit},
                                                                    {"cutoff", Kind::CutOff},
                                                                    {"lie", Kind::Lie},
                                                                    {"quota", Kind::Quota},
                                                                    {"key", Kind::Key}}};

tl::unexpected<Error> wrong(std::string_view words, const std::string& why)
{
    return fail(Reason::UsageInvalid, "--fault does not understand \"" + std::string(words) + "\": " + why,
                "e.g. --fault outage=2m, --fault throttle=0.3, --fault openai/main:quota@5m");
}

// What stands before `sign`, taken off `rest`; with `sign` missing nothing is taken.
std::optional<std::string_view> takeBefore(std::string_view& rest, char sign)
{
    const auto place = rest.find(sign);
    if (place == std::string_view::npos) return std::nullopt;
    const std::string_view taken = rest.substr(0, place);
    rest.remove_prefix(place + 1);
    return taken;
}

// "2m" is how long, "0.3" and "30%" how many of the calls.
bool readValue(std::string_view value, RehearsalFault& fault)
{
    if (const auto share = shareOf(value)) {
        fault.share = *share;
        return true;
    }
    const auto quantity = quantityOf(value);
    if (!quantity || quantity->unit.empty()) return false;
    fault.lasting = durationOf(value);
    return fault.lasting.has_value();
}

} // namespace

std::string faultKinds()
{
    std::string text;
    for (const auto& [name, kind] : kKinds) text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

Result<RehearsalFault> faultOf(std::string_view words)
{
    RehearsalFault fault;
    std::string_view rest = words;
    if (const auto whom = takeBefore(rest, ':')) {
        fault.provider = whom->substr(0, whom->find('/'));
        if (whom->find('/') != std::string_view::npos) fault.account = *whom;
        if (fault.provider.empty()) return wrong(words, "a provider's name is missing before the colon");
    }
    std::optional<std::string_view> start;
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        start = rest.substr(at + 1);
        rest = rest.substr(0, at);
    }
    std::string_view value = rest;
    const auto named = takeBefore(value, '=');
    const auto kind = std::ranges::find(kKinds, named.value_or(rest), &decltype(kKinds)::value_type::first);
    if (kind == kKinds.end()) return wrong(words, "the kinds are " + faultKinds());
    fault.kind = kind->second;
    if (fault.kind == Kind::Outage) {
        // Not from the first call on: an outage is interesting when work was going on.
        fault.from = 30s;
        fault.lasting = 2min;
    }
    if (named && !readValue(value, fault)) return wrong(words, "after = stands a share (0.3, 30%) or a time (2m)");
    if (!start) return fault;
    const auto from = durationOf(*start);
    if (!from) return wrong(words, "after @ stands a time, e.g. 5m");
    fault.from = *from;
    return fault;
}

} // namespace aiflow
