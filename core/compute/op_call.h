// One call of an op: what goes in and what comes out is held against the signature, and nothing is thrown.
#pragma once

#include "core/base/json_fwd.h"
#include "core/compute/op.h"

namespace aiflow {

// InputFieldMissing: a required input is absent or empty. InputFieldBad: an input does not fit its port.
Result<void> checkInputs(const Signature& op, const Values& inputs);

// `given` (an object or null) with the defaults filled in. PipelineInvalid: unknown, missing or of the wrong type.
Result<Json> completeParams(const Signature& op, const Json& given);

// Runs `function`; every exception becomes an Error that names the op (out of memory: ComputeOom, else Internal).
// Internal as well when an output is unknown to the signature or misfits; absent outputs are allowed.
Result<Values> callOp(const Signature& op, OpFunction function, const OpCall& call);

} // namespace aiflow
