// One module of ops as a file: found, loaded when first needed, held against its manifest, never unloaded.
#pragma once

#include "core/compute/op.h"
#include "core/compute/op_manifest.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// Threads: function(), from any thread; the first one loads while the others wait.
class OpModuleFile {
public:
    // `folders` are searched after the manifest's own.
    OpModuleFile(OpManifest manifest, std::vector<std::filesystem::path> folders);

    const OpManifest& manifest() const noexcept { return m_manifest; }

    // The op's code. ComputeModelMissing: the module is not there, does not load, or is not the one that the manifest
    // describes; the message names the file and the hint the package.
    Result<OpFunction> function(const std::string& opName);

private:
    using Functions = std::map<std::string, OpFunction, std::less<>>;

    Result<std::filesystem::path> locate() const;
    Result<Functions> load() const;
    Result<Functions> check(const OpModule& module, const std::filesystem::path& file) const;
    tl::unexpected<Error> refuse(const std::string& why) const;

    const OpManifest m_manifest;
    const std::vector<std::filesystem::path> m_folders;
    std::once_flag m_once;
    std::optional<Result<Functions>> m_functions; // set once, then constant
};

} // namespace aiflow
