#include "core/api/decision/failure.h"

#include <array>

namespace aiflow {
namespace {

struct Row {
    FailureClass failure;
    std::string_view name;
    Reason reason;
    bool definitelyNotExecuted;
};
using enum FailureClass;
constexpr std::array kRows = {
    Row{NotSent, "not_sent", Reason::ProviderOutage, true},
    Row{Throttled, "throttled", Reason::ProviderRateLimited, true},
    Row{QuotaExhausted, "quota_exhausted", Reason::ProviderQuota, true},
    Row{KeyRefused, "key_refused", Reason::ProviderAuth, true},
    Row{Outage, "outage", Reason::ProviderOutage, true},
    Row{ServerError, "server_error", Reason::ProviderOutage, false},
    Row{TimedOut, "timed_out", Reason::ProviderTimeout, false},
    Row{Unknown, "unknown", Reason::ProviderOutage, false},
    Row{ContentRefused, "content_refused", Reason::ProviderContentPolicy, false},
    Row{BadRequest, "bad_request", Reason::InputFieldBad, true},
    Row{TooLarge, "too_large", Reason::InputFieldBad, false},
    Row{CutOff, "cut_off", Reason::ProviderBadOutput, false},
    Row{Misfit, "misfit", Reason::ProviderBadOutput, false},
    Row{LyingSuccess, "lying_success", Reason::ProviderBadOutput, false},
    Row{JobFailed, "job_failed", Reason::ProviderBadOutput, false},
    Row{Cancelled, "cancelled", Reason::Cancelled, false},
};

const Row& rowOf(FailureClass failure) noexcept { return kRows.at(static_cast<std::size_t>(failure)); }

} // namespace

Reason reasonOf(FailureClass failure) noexcept { return rowOf(failure).reason; }
std::string_view nameOf(FailureClass failure) noexcept { return rowOf(failure).name; }
bool definitelyNotExecuted(FailureClass failure) noexcept { return rowOf(failure).definitelyNotExecuted; }

} // namespace aiflow
