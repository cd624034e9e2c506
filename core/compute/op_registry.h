// Knows every op by name from the modules' manifests, and loads a module when one of its ops first runs.
#pragma once

#include "core/compute/op.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Threads: every method, from any thread after construction.
class OpRegistry {
public:
    // Reads every *.ops.json of the folders, the first folder wins; nothing is loaded. A folder that is not there is
    // passed over. PipelineInvalid: a manifest that cannot be read, or two ops of one name in one folder.
    // Sets the manifests' environment variables (limits that libraries read while they load): call it before the
    // program starts threads.
    static Result<std::unique_ptr<OpRegistry>> open(const std::vector<std::filesystem::path>& folders);
    virtual ~OpRegistry() = default;

    // Ops that are compiled into the program (the no-ops of tests and benches). Before the first run() only.
    virtual void add(Signature signature, OpFunction function) = 0;

    // Null for an unknown name.
    virtual const Signature* find(std::string_view name) const = 0;
    virtual std::vector<const Signature*> all() const = 0; // sorted by name

    // Runs the op here and now; loads its module first if need be (dlopen RTLD_NOW | RTLD_LOCAL, never closed).
    // Checks inputs against the signature, fills in params' defaults, turns every exception into an Error.
    virtual Result<Values> run(std::string_view name, const Values& inputs, const Json& params,
                               std::stop_token stop) = 0;
};

} // namespace aiflow
