// Why a thing failed or waits: the stable codes that the terminal, the window, the journal and scripts share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace aiflow {

enum class Reason : std::uint8_t {
    ProviderRateLimited,
    ProviderOutage,
    ProviderQuota,
    ProviderAuth,
    ProviderTimeout,
    ProviderContentPolicy,
    ProviderBadOutput,
    InputImageMissing,
    InputImageBad,
    InputFieldMissing,
    InputFieldBad, // a value that does not fit its column's type or limits
    InputFileBad,  // the CSV, JSONL or folder itself: encoding, quotes, ragged rows
    ComputeOom,
    ComputeModelMissing,
    ComputeNoResult, // an algorithm ran and found nothing, e.g. no product in the picture
    OutputDiskFull,
    OutputDenied,
    BudgetReached,
    JobLocked, // another process owns the job or the output folder
    JobNotFound,
    JobChanged, // the input or pipeline is not the one that the job began with
    PipelineInvalid,
    ConfigInvalid,
    UsageInvalid,
    Cancelled,
    Internal,
};

enum class Owner : std::uint8_t { You, Provider, Aiflow };

struct ReasonInfo {
    Reason reason;
    std::string_view code; // "input.image_missing"
    Owner owner;           // who can mend it
    std::string_view headlineEn;
    std::string_view headlineZh;
    std::string_view actionEn; // what to do next
    std::string_view actionZh;
    bool retriesByItself; // the engine tries again without being asked
};

// Every reason, in the order of the enumeration.
std::span<const ReasonInfo> allReasons() noexcept;
const ReasonInfo& info(Reason reason) noexcept;
// The reason of a code such as "input.image_missing"; nothing for an unknown code.
std::optional<Reason> reasonFromCode(std::string_view code) noexcept;

} // namespace aiflow
