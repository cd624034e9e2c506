// A lane without a network: text from templates, pictures drawn here; the same request gives the same answer.
#pragma once

#include "core/api/api_lane.h"

#include <map>

namespace aiflow {

enum class OfflineKind : std::uint8_t { Text, Image };

struct OfflineSettings {
    std::map<std::string, OfflineKind> routes{{"text", OfflineKind::Text}, {"image", OfflineKind::Image}};
};

// Every answer's provenance says provider "offline" and "offline stand-in"; nothing is ever sent.
// Calls are answered one at a time, on one thread of the lane: smaller priority first, then the oldest item, then the
// later step. Errors of an answer: UsageInvalid for an unknown route, Internal for a request that is no JSON object,
// Cancelled for calls that cancelWaiting() or the destructor took out. The destructor waits for the running answer.
// Answers of text routes: {"text":..}, or an object that fits the request's schema. Of image routes: {"images":1} and
// one SVG file of the request's size ("1024x1024" when it has none), with the word "offline" in it.
std::unique_ptr<ApiLane> makeOfflineLane(OfflineSettings settings = {});

} // namespace aiflow
