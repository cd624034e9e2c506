// How an attempt that an earlier process left open is settled (reliability.md 2.2, recovery).
#pragma once

#include "core/api/api_lane.h"
#include "core/api/protocols/protocol.h"
#include "core/api/settings/api_settings.h"

#include <filesystem>
#include <optional>

namespace aiflow {

enum class SettleWay : std::uint8_t {
    Adopt,   // its answer is in the journal, or was spooled whole
    Resume,  // a remote job is polled by its id
    LookUp,  // it is asked for by our reference
    Repeat,  // the same idempotency key again
    Unknown, // nobody can know
};

struct Settlement {
    SettleWay way = SettleWay::Unknown;
    const OpenAttempt* attempt = nullptr;
    std::size_t model = 0;
    std::size_t account = 0;
    std::optional<SpooledAnswer> answer; // Adopt
};

Settlement settlementOf(const OpenAttempt& open, const ApiSettings& settings, const std::filesystem::path& spoolFolder);

// What the policy says of an attempt whose outcome nobody can know; nothing: it may be sent again.
std::optional<Error> refusalOf(const OpenAttempt& open, const UnknownSettings& settings);

} // namespace aiflow
