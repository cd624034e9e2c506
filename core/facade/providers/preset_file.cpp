#include "core/facade/providers/preset_file.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/pipeline/yaml_tree.h"

namespace aiflow {

Result<std::shared_ptr<const Json>> readPresets(const InstalledFiles& files)
{
    const auto file = files.share / "providers.yaml";
    if (!systemFiles().exists(file)) return std::make_shared<const Json>(Json::object());
    const auto bytes = systemFiles().readFile(file, mebibytes(1));
    if (!bytes) return fail(Reason::ConfigInvalid, bytes.error().message, "install AIFlow again");
    const std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    const auto root = parseYaml(text, file.string(), Reason::ConfigInvalid);
    if (!root) return tl::unexpected(root.error());
    return std::make_shared<const Json>(yamlToJson(**root));
}

} // namespace aiflow
