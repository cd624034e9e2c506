// What of a route changes its answers: its kind and its set of models, not their order or weights.
#pragma once

#include "core/api/settings/api_settings.h"

#include <string>

namespace aiflow {

// "text: openai/gpt-x, qwen/qwen-y", sorted.
std::string identityOf(const ApiSettings& settings, const RouteSettings& route);
// All its models are stand-ins.
bool isOffline(const ApiSettings& settings, const RouteSettings& route);

} // namespace aiflow
