// Reads what a module of ops says about itself, so that nothing has to be loaded to know its ops.
#pragma once

#include "aiflow/result.h"
#include "core/base/signature.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

// The content of a NAME.ops.json:
// {"module": "aiflow_vision.so", "package": "aiflow-vision", "environment": {"NAME": "value"},
//  "ops": [{"name", "version", "description", "inputs": [{"name", "type", "required"}],
//           "outputs": [{"name", "type", "persistent"}], "params": [{"name", "type", "default", "description"}]}]}
struct OpManifest {
    std::filesystem::path file;   // the manifest itself
    std::filesystem::path module; // as written; looked for in the manifest's folder, then in the other folders
    std::string package;          // what to install when the module is missing; may be empty
    // Variables that the module's libraries read while they are loaded; a value that the user has set stays.
    std::vector<std::pair<std::string, std::string>> environment;
    std::vector<Signature> ops;
};

// PipelineInvalid with the file, and the op and field that are wrong.
Result<OpManifest> readOpManifest(const std::filesystem::path& file);

} // namespace aiflow
