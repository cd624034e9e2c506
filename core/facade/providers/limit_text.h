// Limits, prices and keys of services in words, for people.
#pragma once

#include "core/api/settings/api_settings.h"

#include <string>

namespace aiflow {

// "60 requests/min, 8 at once"; empty: none.
std::string limitsText(const LimitSet& limits);
// "0.15 USD/M in, 0.60 USD/M out"; "unknown" without a currency, "free" when every part is 0.
std::string priceText(const Price& price);

} // namespace aiflow
