#include "core/compute/op_registry.h"

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/compute/op_call.h"
#include "core/compute/op_module.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

namespace aiflow {

namespace {

constexpr std::string_view kManifestEnding = ".ops.json";

struct KnownOp {
    Signature signature;
    OpFunction function = nullptr; // compiled in; null: in `module`
    OpModuleFile* module = nullptr;
};

class Registry final : public OpRegistry {
public:
    explicit Registry(std::vector<std::filesystem::path> folders) : m_folders(std::move(folders)) {}

    Result<void> addFolder(const std::filesystem::path& folder);
    void add(Signature signature, OpFunction function) override;
    const Signature* find(std::string_view name) const override;
    std::vector<const Signature*> all() const override;
    Result<Values> run(std::string_view name, const Values& inputs, const Json& params, std::stop_token stop) override;

private:
    Result<void> addManifest(OpManifest manifest, std::set<std::string>& namesOfFolder);
    tl::unexpected<Error> unknown(std::string_view name) const;

    const std::vector<std::filesystem::path> m_folders;
    std::vector<std::unique_ptr<OpModuleFile>> m_modules; // constant after open()
    std::map<std::string, KnownOp, std::less<>> m_ops;    // constant after the last add()
};

std::vector<std::filesystem::path> manifestsIn(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (entry.path().filename().string().ends_with(kManifestEnding)) files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

Result<void> Registry::addFolder(const std::filesystem::path& folder)
{
    std::set<std::string> names;
    for (const auto& file : manifestsIn(folder)) {
        auto manifest = readOpManifest(file);
        if (!manifest) return tl::unexpected(manifest.error());
        if (auto added = addManifest(std::move(*manifest), names); !added) return added;
    }
    return {};
}

Result<void> Registry::addManifest(OpManifest manifest, std::set<std::string>& namesOfFolder)
{
    for (const auto& [name, value] : manifest.environment) ::setenv(name.c_str(), value.c_str(), 0);
    auto& module = m_modules.emplace_back(std::make_unique<OpModuleFile>(std::move(manifest), m_folders));
    for (const Signature& op : module->manifest().ops) {
        if (!namesOfFolder.insert(op.name).second)
            return fail(Reason::PipelineInvalid, module->manifest().file.string() + ": the op " + op.name +
                                                     " stands twice in this folder's lists of ops");
        m_ops.try_emplace(op.name, KnownOp{op, nullptr, module.get()});
    }
    return {};
}

void Registry::add(Signature signature, OpFunction function)
{
    const std::string name = signature.name;
    m_ops.insert_or_assign(name, KnownOp{std::move(signature), function, nullptr});
}

const Signature* Registry::find(std::string_view name) const
{
    const auto it = m_ops.find(name);
    return it == m_ops.end() ? nullptr : &it->second.signature;
}

std::vector<const Signature*> Registry::all() const
{
    std::vector<const Signature*> signatures;
    for (const auto& [name, op] : m_ops) signatures.push_back(&op.signature);
    return signatures;
}

tl::unexpected<Error> Registry::unknown(std::string_view name) const
{
    std::vector<std::string> names;
    for (const auto& [known, op] : m_ops) names.push_back(known);
    const auto near = nearestWord(name, names);
    return fail(Reason::PipelineInvalid, "there is no op \"" + std::string(name) + "\"",
                near ? "did you mean " + *near + "?" : "see: aiflow-cli pipelines ops");
}

Result<Values> Registry::run(std::string_view name, const Values& inputs, const Json& params, std::stop_token stop)
{
    const auto it = m_ops.find(name);
    if (it == m_ops.end()) return unknown(name);
    const KnownOp& op = it->second;
    if (const auto checked = checkInputs(op.signature, inputs); !checked) return tl::unexpected(checked.error());
    const auto completed = completeParams(op.signature, params);
    if (!completed) return tl::unexpected(completed.error());
    OpFunction function = op.function;
    if (function == nullptr) {
        const auto loaded = op.module->function(op.signature.name);
        if (!loaded) return tl::unexpected(loaded.error());
        function = *loaded;
    }
    return callOp(op.signature, function, OpCall{inputs, *completed, std::move(stop)});
}

} // namespace

Result<std::unique_ptr<OpRegistry>> OpRegistry::open(const std::vector<std::filesystem::path>& folders)
{
    auto registry = std::make_unique<Registry>(folders);
    for (const auto& folder : folders)
        if (auto added = registry->addFolder(folder); !added) return tl::unexpected(added.error());
    return registry;
}

} // namespace aiflow
