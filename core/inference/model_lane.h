// The GPU lane's door: models run in batches on a device; callers never wait.
#pragma once

#include "aiflow/result.h"
#include "core/base/ids.h"
#include "core/base/signature.h"
#include "core/base/units.h"
#include "core/compute/value.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Where a waiting call stands: smaller goes first. Job priority, then the oldest item, then the later step.
struct LaneOrder {
    std::int32_t priority = 0; // smaller is more urgent
    ItemIndex item;
    std::int32_t stepFromEnd = 0; // the pipeline's last step has the smallest number
    std::int32_t element = 0;
    friend constexpr auto operator<=>(const LaneOrder&, const LaneOrder&) noexcept = default;
};

// Inputs in the form that the device wants (decoded, resized, normalised). Made on a CPU-lane thread.
class PreparedInput {
public:
    virtual ~PreparedInput() = default;
    virtual Bytes size() const = 0;
};

struct ModelTiming {
    std::chrono::microseconds waited{0};
    std::chrono::microseconds worked{0}; // this call's share of its batch
    int batchSize = 0;
};
// Called once, on a thread of the lane, never from within submit(). Must be quick.
using ModelDone = std::function<void(Result<Values>, ModelTiming)>;

// Threads: every method, from any thread.
class ModelLane {
public:
    virtual ~ModelLane() = default;

    // Null for a model that is in no manifest. Loads nothing.
    virtual const Signature* find(std::string_view model) const = 0;
    virtual std::vector<const Signature*> all() const = 0;

    // Checks, resizes and packs the inputs of one call; runs on the caller's thread. The first call for a model starts
    // loading it. ComputeModelMissing: unknown, file missing, or its SHA-256 is not the manifest's.
    virtual Result<std::unique_ptr<PreparedInput>> prepare(std::string_view model, const Values& inputs,
                                                           const Json& params) = 0;
    // Queues a prepared call. Results come in any order. Out of memory halves the batch and tries again; a call that
    // fails alone is ComputeOom or Internal.
    virtual void submit(std::string_view model, std::unique_ptr<PreparedInput> input, LaneOrder order,
                        ModelDone done) = 0;
    // Calls that are not yet on the device end with Cancelled; the others finish.
    virtual void cancelWaiting() = 0;
    // Waiting and running calls now.
    virtual std::int64_t inFlight() const = 0;
};

} // namespace aiflow
