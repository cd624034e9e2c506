// What an attempt leaves behind: its record for the journal, and what a result says of where it came from.
#pragma once

#include "core/api/lane/lane_attempt.h"
#include "core/api/lane/lane_call.h"

namespace aiflow {

// What it cost: what the provider said, or what was reserved when nobody knows.
Nanos costOfEnding(const LaneAttempt& attempt, const AttemptEnding& ending, const ApiModel& model);

// `failure`: why it did not do, though an answer came; null: as `ending` says.
AttemptReport reportOf(const LaneAttempt& attempt, AttemptEnding& ending, const Failure* failure, Nanos cost,
                       const ApiSettings& settings);

Provenance provenanceOf(const LaneCall& call, const LaneAttempt& attempt, const ProtocolAnswer& answer,
                        std::chrono::nanoseconds latency, const ApiSettings& settings);

// For a call that shared the answer of an identical one.
Provenance sharedProvenance(const Provenance& leaders, const std::string& leadersItem);

} // namespace aiflow
