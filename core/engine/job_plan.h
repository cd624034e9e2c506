// What follows from the pipeline alone, worked out once per job: what is kept, what skips what, what identifies an
// item.
#pragma once

#include "core/pipeline/pipeline.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

struct StepPlan {
    std::int32_t stepFromEnd = 0;       // the last step: 0
    std::int32_t callsBefore = 0;       // api steps before it, along one chain at most
    bool keepsAll = false;              // every output is durable: api, model, `keep: true`
    std::vector<std::string> kept;      // otherwise these ports: what `outputs:` names
    std::vector<StepIndex> needs;       // a required input comes from here: without its value the step is skipped
    std::shared_ptr<const Json> params; // never null

    bool keeps(std::string_view port) const noexcept;
    bool keepsAny() const noexcept { return keepsAll || !kept.empty(); }
};

struct PlannedColumn {
    std::string name;
    bool file = false; // its content counts, not its path
};

// Immutable.
struct GraphPlan {
    explicit GraphPlan(const Pipeline& pipeline);

    std::vector<StepPlan> steps;
    std::vector<PlannedColumn> columns; // that an item's record of results depends on
    bool recordsItems = true;           // false: a step says `cache: off`
    bool callsRemote = false;           // there are api steps
    bool callsModels = false;

    const StepPlan& at(StepIndex step) const { return steps[static_cast<std::size_t>(step.value())]; }
    bool isFile(std::string_view column) const noexcept;
};

} // namespace aiflow
