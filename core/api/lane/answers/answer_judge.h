// Whether an answer is what its call asked for; if not, what the next attempt must do differently.
#pragma once

#include "core/api/lane/lane_call.h"
#include "core/api/protocols/protocol.h"

#include <optional>
#include <string>

namespace aiflow {

struct Judgement {
    std::optional<Failure> failure; // none: it is good
    std::string body;               // good: the answer as the engine takes it (JSON text)
    // Bad, and another attempt can do better: with this shown to the model, or with this much room.
    std::optional<Complaint> complaint;
    std::optional<std::int64_t> maxOutputTokens;
    bool worthAsking() const noexcept { return complaint.has_value() || maxOutputTokens.has_value(); }
};

// `room`: output tokens that the judged attempt was allowed.
Judgement judgeAnswer(const LaneCall& call, const ProtocolAnswer& answer, const ApiModel& model, std::int64_t room);

} // namespace aiflow
