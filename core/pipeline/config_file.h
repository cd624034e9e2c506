// The workspace's aiflow.yaml, merged over the user's and the built-in one; every value knows where it came from.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/base/units.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aiflow {

struct Configuration {
    std::string pipeline;            // name or file; empty: chosen by the columns
    std::filesystem::path output;    // empty: the command's default
    std::filesystem::path stateDir;  // empty: $XDG_STATE_HOME/aiflow
    std::filesystem::path modelsDir; // empty: where the models were installed
    int cores = 0;                   // 0: what the machine has
    std::optional<Bytes> memory;     // for values between steps
    bool offline = false;
    // The whole, merged: "providers", "models", "routes", "budgets", "storage" as checked objects.
    // Keys are "env:NAME" or "file:PATH", never literal.
    std::shared_ptr<const Json> values;
    // "providers.openai.base_url" -> "aiflow.yaml:12"; for every value that is not a map.
    std::map<std::string, std::string> origins;

    // One section of `values`; an empty object when it is not there.
    const Json& section(const std::string& name) const;
};

struct ConfigLayer {
    std::string name; // a file, or "built-in"
    std::string text;
};

// Later layers win, map by map; lists and plain values are replaced whole.
// ConfigInvalid with file, line, column, the wrong word and the nearest right one; never with a value, which might be a
// key. The first mistake is the Result's error; `allErrors`, when given, receives every one.
Result<Configuration> mergeConfiguration(std::span<const ConfigLayer> layers, std::vector<Error>* allErrors = nullptr);

struct ConfigPlaces {
    std::string builtIn;                 // its text; may be empty
    std::filesystem::path userFile;      // not there: left out
    std::filesystem::path workspaceFile; // not there: left out
};
Result<Configuration> loadConfiguration(const ConfigPlaces& places, std::vector<Error>* allErrors = nullptr);
// $XDG_CONFIG_HOME/aiflow/aiflow.yaml, else $HOME/.config/aiflow/aiflow.yaml; empty without both.
std::filesystem::path userConfigFile();
// "offline: true    aiflow.yaml:3", one value a line, sorted: for `config show --origin`.
std::string describeConfiguration(const Configuration& configuration, bool withOrigin);

} // namespace aiflow
