#include "core/pipeline/config_file.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/pipeline/config_checker.h"
#include "core/pipeline/yaml_reader.h"

#include <algorithm>
#include <cstdlib>

namespace aiflow {

namespace {

struct Origin {
    std::string file;
    YamlPlace place;
};

// Puts a layer over what is there and notes where each value came from.
void merge(Json& into, const YamlNode& node, const std::string& path, const std::string& file,
           std::map<std::string, Origin>& origins)
{
    const auto forget = [&] {
        const std::string inner = path + ".";
        std::erase_if(origins,
                      [&](const auto& known) { return known.first == path || known.first.starts_with(inner); });
    };
    if (node.kind != YamlNode::Kind::Map) {
        forget();
        into = yamlToJson(node);
        origins[path] = {file, node.place};
        return;
    }
    if (!into.is_object()) {
        forget();
        into = Json::object();
    }
    for (const YamlEntry& entry : node.entries)
        merge(into[entry.key], *entry.value, path.empty() ? entry.key : path + "." + entry.key, file, origins);
}

std::vector<std::string> namesIn(const Json& values, const char* section)
{
    std::vector<std::string> names;
    if (const auto found = values.find(section); found != values.end() && found->is_object())
        for (const auto& entry : found->items()) names.push_back(entry.key());
    return names;
}

void checkName(const std::map<std::string, Origin>& origins, const std::string& path, const char* what,
               const std::string& word, const std::vector<std::string>& known, std::vector<Error>& errors)
{
    if (std::ranges::find(known, word) != known.end()) return;
    const auto found = origins.find(path);
    const Origin origin = found == origins.end() ? Origin{} : found->second;
    Problems problems(origin.file, Reason::ConfigInvalid);
    problems.unknown(origin.place, what, word, known);
    std::ranges::move(problems.take(), std::back_inserter(errors));
}

// What can be known only when all layers are merged: do the names name something?
void checkNames(const Json& values, const std::map<std::string, Origin>& origins, std::vector<Error>& errors)
{
    const auto providers = namesIn(values, "providers");
    const auto models = namesIn(values, "models");
    for (const auto& name : models) {
        const Json& model = values["models"][name];
        if (model.is_object() && model.contains("provider") && model["provider"].is_string())
            checkName(origins, "models." + name + ".provider", "provider", model["provider"].get<std::string>(),
                      providers, errors);
    }
    for (const auto& name : namesIn(values, "routes")) {
        const Json& route = values["routes"][name];
        const bool plain = route.is_array();
        const Json list = plain ? route : route.value("models", Json::array());
        const std::string path = "routes." + name + (plain ? "" : ".models");
        for (const Json& model : list.is_array() ? list : Json::array({list}))
            if (model.is_string()) checkName(origins, path, "model", model.get<std::string>(), models, errors);
    }
}

Configuration toConfiguration(Json values, const std::map<std::string, Origin>& origins)
{
    Configuration made;
    made.pipeline = values.value("pipeline", "");
    made.output = values.value("output", "");
    made.stateDir = values.value("state_dir", "");
    made.modelsDir = values.value("models_dir", "");
    made.cores = values.value("cpu", 0);
    if (values.contains("memory")) made.memory = memorySize(values["memory"].get<std::string>());
    const Json offline = values.value("offline", Json(false));
    made.offline = offline.is_boolean() ? offline.get<bool>() : offline == "on" || offline == "yes";
    for (const auto& [path, origin] : origins)
        made.origins[path] = origin.file + (origin.place.line > 0 ? ":" + std::to_string(origin.place.line) : "");
    made.values = std::make_shared<const Json>(std::move(values));
    return made;
}

} // namespace

const Json& Configuration::section(const std::string& name) const
{
    static const Json kNothing = Json::object();
    const auto found = values ? values->find(name) : kNothing.end();
    return !values || found == values->end() ? kNothing : *found;
}

Result<Configuration> mergeConfiguration(std::span<const ConfigLayer> layers, std::vector<Error>* allErrors)
{
    std::vector<Error> errors;
    Json values = Json::object();
    std::map<std::string, Origin> origins;
    for (const ConfigLayer& layer : layers) {
        const auto root = parseYaml(layer.text, layer.name, Reason::ConfigInvalid);
        if (!root) {
            errors.push_back(root.error());
            continue;
        }
        Problems problems(layer.name, Reason::ConfigInvalid);
        problems.hideValues();
        checkConfiguration(**root, problems);
        if (problems.none() && (*root)->kind == YamlNode::Kind::Map) merge(values, **root, "", layer.name, origins);
        std::ranges::move(problems.take(), std::back_inserter(errors));
    }
    if (errors.empty()) checkNames(values, origins, errors);
    if (errors.empty()) return toConfiguration(std::move(values), origins);
    const Error first = errors.front();
    if (allErrors != nullptr) std::ranges::move(errors, std::back_inserter(*allErrors));
    return tl::unexpected(first);
}

Result<Configuration> loadConfiguration(const ConfigPlaces& places, std::vector<Error>* allErrors)
{
    std::vector<ConfigLayer> layers;
    if (!places.builtIn.empty()) layers.push_back({"built-in", places.builtIn});
    for (const auto& file : {places.userFile, places.workspaceFile}) {
        if (file.empty() || !systemFiles().exists(file)) continue;
        const auto bytes = systemFiles().readFile(file, mebibytes(1));
        if (!bytes) {
            Error error{Reason::ConfigInvalid, bytes.error().message, {}, SourcePosition{file.string(), 0, 0, -1}};
            if (allErrors != nullptr) allErrors->push_back(error);
            return tl::unexpected(error);
        }
        layers.push_back({file.string(), std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size())});
    }
    return mergeConfiguration(layers, allErrors);
}

std::filesystem::path userConfigFile()
{
    const char* config = std::getenv("XDG_CONFIG_HOME");
    if (config != nullptr && *config == '/') return std::filesystem::path(config) / "aiflow" / "aiflow.yaml";
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') return {};
    return std::filesystem::path(home) / ".config" / "aiflow" / "aiflow.yaml";
}

std::string describeConfiguration(const Configuration& configuration, bool withOrigin)
{
    std::string text;
    for (const auto& [path, origin] : configuration.origins) {
        const Json* value = configuration.values.get();
        // A name may hold dots itself, so the longest key that is there is taken.
        std::string rest = path;
        while (!rest.empty() && value->is_object()) {
            std::string key = rest;
            while (!value->contains(key) && key.find('.') != std::string::npos) key.resize(key.rfind('.'));
            if (!value->contains(key)) break;
            value = &(*value)[key];
            rest = rest.size() > key.size() ? rest.substr(key.size() + 1) : "";
        }
        const std::string line = path + ": " + (value->is_string() ? value->get<std::string>() : dumpJson(*value));
        text += (withOrigin ? padToWidth(line, std::max(displayWidth(line), 50)) + "  " + origin : line) + '\n';
    }
    return text;
}

} // namespace aiflow
