// An op: a pure function from named values to named values, run on the CPU lane.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/base/signature.h"
#include "core/compute/value.h"

#include <cstdint>
#include <span>
#include <stop_token>

namespace aiflow {

struct OpCall {
    const Values& inputs; // every required port is present and fits its type
    const Json& params;   // an object; defaults filled in; types checked
    std::stop_token stop; // looked at by ops that take longer than 100 ms
};

// Pure: the same inputs and params give the same outputs. May throw anything: the caller turns it into an item's error.
// Threads: called from many at once.
using OpFunction = Result<Values> (*)(const OpCall& call);

struct OpEntry {
    const char* name; // must stand in the module's manifest (NAME.ops.json) with the same version
    const char* version;
    OpFunction function;
};

// What a module of ops exports, under the C name of kOpModuleSymbol: a function without arguments that gives this.
struct OpModule {
    std::uint32_t abiVersion; // kOpModuleAbi, else the module is refused
    std::span<const OpEntry> ops;
};
inline constexpr std::uint32_t kOpModuleAbi = 1;
inline constexpr const char* kOpModuleSymbol = "aiflow_op_module_v1";
using OpModuleEntry = const OpModule* (*)();

} // namespace aiflow
