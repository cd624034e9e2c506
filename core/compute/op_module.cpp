#include "core/compute/op_module.h"

#include <algorithm>
#include <dlfcn.h>
#include <string_view>

namespace aiflow {

OpModuleFile::OpModuleFile(OpManifest manifest, std::vector<std::filesystem::path> folders)
    : m_manifest(std::move(manifest)), m_folders(std::move(folders))
{
}

Result<OpFunction> OpModuleFile::function(const std::string& opName)
{
    std::call_once(m_once, [this] { m_functions = load(); });
    if (!*m_functions) return tl::unexpected(m_functions->error());
    return (*m_functions)->find(opName)->second;
}

tl::unexpected<Error> OpModuleFile::refuse(const std::string& why) const
{
    const std::string hint = m_manifest.package.empty()
                                 ? "build or install the module that belongs to " + m_manifest.file.filename().string()
                                 : "install the package " + m_manifest.package;
    return fail(Reason::ComputeModelMissing, "the module " + m_manifest.module.filename().string() + " " + why, hint);
}

Result<std::filesystem::path> OpModuleFile::locate() const
{
    std::vector<std::filesystem::path> folders{m_manifest.file.parent_path()};
    folders.insert(folders.end(), m_folders.begin(), m_folders.end());
    std::string searched;
    for (const auto& folder : folders) {
        auto file = folder / m_manifest.module;
        std::error_code error;
        // An absolute path: a bare name would send dlopen through the system's library folders.
        if (std::filesystem::is_regular_file(file, error)) return std::filesystem::absolute(file);
        searched += (searched.empty() ? "" : ", ") + folder.string();
    }
    return refuse("is not there; looked in " + searched);
}

Result<OpModuleFile::Functions> OpModuleFile::load() const
{
    const auto file = locate();
    if (!file) return tl::unexpected(file.error());
    void* const library = ::dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return refuse("does not load: " + std::string(::dlerror()));
    const auto entry = reinterpret_cast<OpModuleEntry>(::dlsym(library, kOpModuleSymbol));
    if (entry == nullptr) return refuse("is no module of ops: " + file->string() + " lacks " + kOpModuleSymbol);
    const OpModule* const module = entry();
    if (module == nullptr) return refuse("gives no ops: " + file->string());
    return check(*module, *file);
}

Result<OpModuleFile::Functions> OpModuleFile::check(const OpModule& module, const std::filesystem::path& file) const
{
    if (module.abiVersion != kOpModuleAbi)
        return refuse("was built for another version of AIFlow (interface " + std::to_string(module.abiVersion) +
                      ", this program needs " + std::to_string(kOpModuleAbi) + "): " + file.string());
    Functions functions;
    for (const Signature& op : m_manifest.ops) {
        const auto it = std::ranges::find(module.ops, std::string_view(op.name),
                                          [](const OpEntry& entry) { return std::string_view(entry.name); });
        if (it == module.ops.end()) return refuse("lacks the op " + op.name + " that its manifest names");
        if (op.version != it->version)
            return refuse("has " + op.name + " in version " + it->version + ", its manifest says " + op.version);
        functions.emplace(op.name, it->function);
    }
    return functions;
}

} // namespace aiflow
