#include "core/facade/providers/preset_file.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/pipeline/yaml_tree.h"

#include <algorithm>
#include <vector>

namespace aiflow {

namespace fs = std::filesystem;

Result<std::shared_ptr<const Json>> readPresets(const InstalledFiles& files)
{
    std::vector<fs::path> found;
    std::error_code problem;
    for (const auto& entry : fs::directory_iterator(files.share / "providers", problem))
        if (entry.path().extension() == ".yaml") found.push_back(entry.path());
    std::ranges::sort(found);
    auto presets = std::make_shared<Json>(Json::object());
    for (const fs::path& file : found) {
        const auto bytes = systemFiles().readFile(file, mebibytes(1));
        if (!bytes) return fail(Reason::ConfigInvalid, bytes.error().message, "install AIFlow again");
        const std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        const auto root = parseYaml(text, file.string(), Reason::ConfigInvalid);
        if (!root) return tl::unexpected(root.error());
        presets->merge_patch(yamlToJson(**root));
    }
    return presets;
}

} // namespace aiflow
