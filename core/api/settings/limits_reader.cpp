#include "core/api/settings/readers.h"
#include "core/base/json.h"

#include <array>

namespace aiflow {

namespace {

constexpr std::int64_t kMost = 1'000'000'000'000;
constexpr std::chrono::milliseconds kSecond{1'000};
constexpr std::chrono::milliseconds kMinute{60'000};
constexpr std::chrono::milliseconds kDay{86'400'000};

struct ShortForm {
    std::string_view key;
    LimitUnit unit;
    std::chrono::milliseconds window;
};
constexpr std::array kShortForms{
    ShortForm{"rpm", LimitUnit::Requests, kMinute},          ShortForm{"rps", LimitUnit::Requests, kSecond},
    ShortForm{"per_day", LimitUnit::Requests, kDay},         ShortForm{"tpm", LimitUnit::TotalTokens, kMinute},
    ShortForm{"input_tpm", LimitUnit::InputTokens, kMinute}, ShortForm{"output_tpm", LimitUnit::OutputTokens, kMinute},
    ShortForm{"per_minute", LimitUnit::Images, kMinute},
};

struct UnitName {
    std::string_view key;
    LimitUnit unit;
};
constexpr std::array kUnits{
    UnitName{"requests", LimitUnit::Requests},
    UnitName{"tokens", LimitUnit::TotalTokens},
    UnitName{"input_tokens", LimitUnit::InputTokens},
    UnitName{"output_tokens", LimitUnit::OutputTokens},
    UnitName{"images", LimitUnit::Images},
};

void addMoney(const Section& where, std::chrono::milliseconds window, LimitSet& limits)
{
    const auto amount = where.money("money");
    if (!amount) return;
    if (amount->amount.count() <= 0) {
        where.wrong("money", "is nothing, so that no call could ever be made",
                    "give an amount above 0, or leave it out");
        return;
    }
    if (!limits.currency.empty() && limits.currency != amount->currency)
        where.wrong("money", "is in another currency than the other limits beside it", "use one currency");
    limits.currency = amount->currency;
    limits.windows.push_back({LimitUnit::Money, amount->amount.count(), window});
}

// {requests: 4, per: 60s}: one unit, one window.
void addWindow(const Section& window, LimitSet& limits)
{
    window.allowOnly({"requests", "tokens", "input_tokens", "output_tokens", "images", "money", "per"});
    const auto span = window.duration("per", std::chrono::milliseconds{0});
    const std::size_t named = window.keys().size() - (window.has("per") ? 1 : 0);
    if (!window.has("per") || named != 1) {
        window.findings().add(window.path(), "needs one count and the time that it holds for",
                              "write it as { requests: 4, per: 60s }");
        return;
    }
    for (const UnitName& unit : kUnits)
        if (window.has(unit.key)) limits.windows.push_back({unit.unit, window.integer(unit.key, 1, 1, kMost), span});
    addMoney(window, span, limits);
}

// requests: {count: 4, per: 60s}
void addNamed(const Section& limits, const UnitName& unit, LimitSet& into)
{
    if (!limits.has(unit.key)) return;
    const Section one = limits.map(unit.key);
    one.allowOnly({"count", "per"});
    if (!one.has("count") || !one.has("per")) {
        limits.wrong(unit.key, "needs a count and the time that it holds for", "write it as { count: 4, per: 60s }");
        return;
    }
    into.windows.push_back({unit.unit, one.integer("count", 1, 1, kMost), one.duration("per", kMinute)});
}

} // namespace

LimitSet readLimits(const Section& owner)
{
    LimitSet limits;
    const Section section = owner.map("limits");
    section.allowOnly({"rpm", "rps", "per_day", "tpm", "input_tpm", "output_tpm", "per_minute", "concurrency", "money",
                       "requests", "tokens", "input_tokens", "output_tokens", "images", "windows"});
    for (const ShortForm& form : kShortForms)
        if (section.has(form.key))
            limits.windows.push_back({form.unit, section.integer(form.key, 1, 1, kMost), form.window});
    for (const UnitName& unit : kUnits) addNamed(section, unit, limits);
    addMoney(section, kDay, limits);
    if (const Json* windows = section.find("windows")) {
        if (!windows->is_array())
            section.wrong("windows", "must be a list", "write it as [ { requests: 4, per: 60s } ]");
        else
            for (std::size_t i = 0; i < windows->size(); ++i)
                addWindow(
                    Section(&(*windows)[i], section.pathOf("windows") + "." + std::to_string(i), section.findings()),
                    limits);
    }
    if (section.has("concurrency")) limits.concurrency = section.integer("concurrency", 1, 1, 1'000'000);
    return limits;
}

} // namespace aiflow
