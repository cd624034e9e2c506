// Ops for the registry's tests: one that works, and one for each way to misbehave.
#include "core/base/json.h"
#include "core/compute/op.h"

#include <array>
#include <new>
#include <stdexcept>

#ifndef PROBE_ABI
#define PROBE_ABI aiflow::kOpModuleAbi
#endif

namespace aiflow {

namespace {

Result<Values> addNumbers(const OpCall& call)
{
    const double sum = call.inputs.get("a").json()->get<double>() + call.params.at("plus").get<double>();
    Values values;
    values.set("sum", Value(Json(sum)));
    return values;
}

Result<Values> throwSomething(const OpCall&) { throw std::runtime_error("the probe broke"); }

Result<Values> runOutOfMemory(const OpCall&) { throw std::bad_alloc(); }

Result<Values> throwNumber(const OpCall&) { throw 7; }

Result<Values> giveWrongType(const OpCall&)
{
    Values values;
    values.set("sum", Value(Json("not a number")));
    return values;
}

constexpr std::array kOps{
    OpEntry{"probe.add", "3", &addNumbers},        OpEntry{"probe.throw", "1", &throwSomething},
    OpEntry{"probe.memory", "1", &runOutOfMemory}, OpEntry{"probe.number", "1", &throwNumber},
    OpEntry{"probe.misfit", "1", &giveWrongType},
};

} // namespace

} // namespace aiflow

extern "C" __attribute__((visibility("default"))) const aiflow::OpModule* aiflow_op_module_v1()
{
    static constexpr aiflow::OpModule kModule{PROBE_ABI, aiflow::kOps};
    return &kModule;
}
