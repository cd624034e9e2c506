// A checked pipeline as virtual time sees it: who does each step, what it needs, how long it usually takes.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/forecast/virtual_run.h"
#include "core/pipeline/pipeline.h"

namespace aiflow {

struct JobSize {
    std::int64_t items = 0; // to be done
    std::int64_t cores = 0; // of the CPU lane; 0: what the machine has
};

// Calls last as long as their route's first model usually does; a model of this machine 0.5 s, an op 1 s, as nobody
// says how long they take. Steps fan out as far as the pipeline itself lists their elements, else once. Conditions are
// taken to hold. `settings` are at life speed and know every route of the pipeline.
ModelledFlow modelled(const Pipeline& pipeline, const ApiSettings& settings, const JobSize& size);

} // namespace aiflow
