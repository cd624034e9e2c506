// The real API lane: waits for places, records, sends, reads, asks again, and hands every answer back once.
#pragma once

#include "core/api/api_lane.h"
#include "core/api/settings/api_settings.h"
#include "core/api/transport/http_transport.h"
#include "core/base/clock.h"
#include "core/base/limit_store.h"
#include "core/base/log.h"
#include "core/base/random.h"

#include <memory>

namespace aiflow {

struct NetworkLaneParts {
    ApiSettings settings;
    std::unique_ptr<HttpTransport> transport;
    std::unique_ptr<LimitStore> limits;
    const Clock& clock; // outlives the lane, as the next two
    Random& random;
    Log& log;
};

// Routes of protocol `offline` are answered by the offline lane inside. Two threads of its own (decisions; the
// transport's), whatever the number of calls. The destructor cancels what waits, cuts what is open (recorded as
// unknown) and returns when every ApiDone was called.
std::unique_ptr<ApiLane> makeNetworkLane(NetworkLaneParts parts);

} // namespace aiflow
