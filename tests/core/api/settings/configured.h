// A configuration as people write it, read as the program reads it.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/base/json.h"
#include "core/pipeline/config_file.h"
#include "core/pipeline/yaml_tree.h"

#include <fstream>
#include <sstream>

namespace aiflow {

inline Json shippedPresets()
{
    std::ifstream file(AIFLOW_SOURCE_DIR "/resources/providers/services.yaml");
    std::stringstream text;
    text << file.rdbuf();
    return yamlToJson(**parseYaml(text.str(), "providers.yaml", Reason::ConfigInvalid));
}

inline Result<ApiSettings> configured(const std::string& yaml, const SettingsReading& reading = {},
                                      const Json& presets = shippedPresets())
{
    const std::vector<ConfigLayer> layers{{"aiflow.yaml", yaml}};
    const auto merged = mergeConfiguration(layers);
    if (!merged) return tl::unexpected(merged.error());
    return readApiSettings(*merged->values, presets, merged->origins, reading);
}

// Without the loader's own checks of words and types, as if they had let everything pass.
inline Result<ApiSettings> unchecked(const std::string& yaml, const Json& presets = shippedPresets())
{
    const Json values = yamlToJson(**parseYaml(yaml, "aiflow.yaml", Reason::ConfigInvalid));
    return readApiSettings(values, presets, {}, {});
}

} // namespace aiflow
