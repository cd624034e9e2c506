// What one call of a step takes from every account that may send it, in the units that limits count.
#pragma once

#include "core/forecast/virtual_run.h"

#include <array>
#include <cstdint>
#include <vector>

namespace aiflow {

inline constexpr std::size_t kLimitUnits = 6;
// By LimitUnit.
using CallUse = std::array<std::int64_t, kLimitUnits>;

// An account with a model: where a call of the route may go.
struct CallPlace {
    std::size_t model = 0;
    std::size_t provider = 0;
    std::size_t account = 0; // index among the provider's
    CallUse use{};
    bool possible = true; // false: a single call is more than a limit of it allows
};
constexpr std::uint32_t accountNumber(std::size_t provider, std::size_t account) noexcept
{
    return static_cast<std::uint32_t>(provider << 16U | account);
}
struct CallShape {
    std::vector<CallPlace> places; // in the route's order of preference
};

CallShape callShape(const ApiSettings& settings, const ModelledStep& step, std::size_t route);
// Null: the account shares no limit.
const OrganisationSettings* organisationOf(const ApiSettings& settings, const AccountSettings& account) noexcept;
// How many calls of this use fit into one window of the limit.
std::int64_t callsIn(const WindowLimit& limit, const CallUse& use) noexcept;

} // namespace aiflow
