// How long a service usually takes to answer, for whoever must know before the first call: forecasts and rehearsals.
#pragma once

#include "core/api/settings/api_settings.h"

namespace aiflow {

struct UsualLatency {
    std::chrono::milliseconds median{0}; // of one call
    double sigma = 0;                    // lognormal; 0: always the median
    bool told = false;                   // by the configuration
};
// What a model is used for, as the routes say; a price per picture tells it too.
RouteKind kindOf(const ApiSettings& settings, std::size_t model);
// The option `latency` of the model, or else of its provider, is taken as it stands; without it, what is usual for the
// kind, and it varies.
UsualLatency usualLatency(const ApiSettings& settings, std::size_t model);

} // namespace aiflow
