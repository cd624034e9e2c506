#include "core/pipeline/config_file.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/pipeline/yaml_reader.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <regex>

namespace aiflow {

namespace {

constexpr std::array<std::string_view, 14> kKeys{"aiflow",  "pipeline", "output",  "state_dir", "models_dir",
                                                 "offline", "cpu",      "memory",  "providers", "organisations",
                                                 "models",  "routes",   "budgets", "storage"};
constexpr std::array<std::string_view, 6> kProviderKeys{"protocol", "base_url", "accounts",
                                                        "limits",   "timeout",  "title"};
constexpr std::array<std::string_view, 4> kAccountKeys{"key", "limits", "organisation", "weight"};
constexpr std::array<std::string_view, 8> kLimitKeys{"rpm",         "tpm",     "input_tpm", "output_tpm",
                                                     "concurrency", "per_day", "money",     "per_minute"};
constexpr std::array<std::string_view, 11> kModelKeys{"provider", "model",   "price", "context",   "file",  "device",
                                                      "batch",    "timeout", "title", "instances", "sha256"};
constexpr std::array<std::string_view, 5> kPriceKeys{"input", "output", "image", "call", "currency"};
constexpr std::array<std::string_view, 5> kRouteKeys{"kind", "models", "weights", "canary", "sticky"};
constexpr std::array<std::string_view, 4> kBudgetKeys{"per_job", "per_day", "per_month", "per_item"};
constexpr std::array<std::string_view, 6> kStorageKeys{"type", "endpoint", "bucket", "path", "key", "secret"};
constexpr std::array<std::string_view, 6> kProtocols{"openai",     "gemini",        "anthropic",
                                                     "remote-job", "model-service", "offline"};

struct Origin {
    std::string file;
    YamlPlace place;
};

template <std::size_t N> std::vector<std::string> words(const std::array<std::string_view, N>& list)
{
    return {list.begin(), list.end()};
}

std::optional<Bytes> sizeOf(const std::string& text)
{
    static const std::regex form("([0-9]{1,9})\\s*(MiB|GiB|MB|GB|M|G)");
    std::smatch parts;
    if (!std::regex_match(text, parts, form)) return std::nullopt;
    const std::int64_t count = std::stoll(parts[1].str());
    return parts[2].str()[0] == 'M' ? mebibytes(count) : gibibytes(count);
}

// Checks one file; knows nothing of the others.
class FileChecker {
public:
    explicit FileChecker(Problems& problems) : m_problems(problems) {}
    void check(const YamlNode& root);

private:
    using Check = void (FileChecker::*)(const YamlEntry&);
    void each(const MapReader& reader, std::string_view key, Check check);
    void oneOf(const MapReader& reader, std::string_view key, const std::vector<std::string>& allowed);
    void key(const MapReader& reader, std::string_view key);
    void limits(const MapReader& reader, const std::string& owner);
    void money(const MapReader& reader, std::string_view key);
    void provider(const YamlEntry& entry);
    void account(const YamlEntry& entry);
    void organisation(const YamlEntry& entry);
    void model(const YamlEntry& entry);
    void route(const YamlEntry& entry);
    void storage(const YamlEntry& entry);
    static std::string called(const char* what, const YamlEntry& entry)
    {
        return std::string(what) + " \"" + entry.key + "\"";
    }

    Problems& m_problems;
};

void FileChecker::each(const MapReader& reader, std::string_view section, Check check)
{
    const YamlEntry* entry = reader.find(section);
    if (entry == nullptr) return;
    const MapReader names(*entry->value, "\"" + std::string(section) + "\"", {}, m_problems);
    for (const YamlEntry* one : names.entries()) (this->*check)(*one);
}

void FileChecker::oneOf(const MapReader& reader, std::string_view word, const std::vector<std::string>& allowed)
{
    const YamlEntry* entry = reader.find(word);
    if (entry == nullptr) return;
    const std::string text = reader.text(word);
    if (!text.empty() && std::ranges::find(allowed, text) == allowed.end())
        m_problems.unknown(entry->value->place, std::string(word), text, allowed);
}

void FileChecker::key(const MapReader& reader, std::string_view word)
{
    const YamlEntry* entry = reader.find(word);
    if (entry == nullptr) return;
    const std::string& text = entry->value->text;
    const bool named = (text.starts_with("env:") || text.starts_with("file:")) && text.size() > text.find(':') + 1;
    if (named) return;
    m_problems.add(entry->value->place,
                   "\"" + entry->key + "\" must name where the key is, not hold it (the value is not shown)",
                   "write env:NAME for an environment variable, or file:PATH for a file of mode 0600; if the key was "
                   "committed or shared, replace it at the provider");
}

void FileChecker::money(const MapReader& reader, std::string_view word)
{
    static const std::regex form("[0-9]{1,9}(\\.[0-9]{1,4})?\\s?[A-Z]{3}");
    const YamlEntry* entry = reader.find(word);
    if (entry != nullptr && !std::regex_match(entry->value->text, form))
        reader.wrongType(*entry, "money such as 60CNY");
}

void FileChecker::limits(const MapReader& owner, const std::string& what)
{
    const YamlEntry* entry = owner.find("limits");
    if (entry == nullptr) return;
    const MapReader reader(*entry->value, "\"limits\" of " + what, kLimitKeys, m_problems);
    for (const std::string_view word : kLimitKeys) {
        if (word == "money")
            money(reader, word);
        else
            reader.integer(word, 0, 1, 1'000'000'000'000);
    }
}

void FileChecker::provider(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("provider", entry), kProviderKeys, m_problems);
    oneOf(reader, "protocol", words(kProtocols));
    reader.text("base_url");
    reader.duration("timeout");
    limits(reader, called("provider", entry));
    each(reader, "accounts", &FileChecker::account);
}

void FileChecker::account(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("account", entry), kAccountKeys, m_problems);
    key(reader, "key");
    reader.text("organisation");
    reader.number("weight");
    limits(reader, called("account", entry));
}

void FileChecker::organisation(const YamlEntry& entry)
{
    constexpr std::array<std::string_view, 1> kOnly{"limits"};
    const MapReader reader(*entry.value, called("organisation", entry), kOnly, m_problems);
    limits(reader, called("organisation", entry));
}

void FileChecker::model(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("model", entry), kModelKeys, m_problems);
    for (const std::string_view word : {"provider", "model", "file", "device", "sha256"}) reader.text(word);
    reader.integer("context", 0, 1, 100'000'000);
    reader.integer("batch", 0, 1, 4096);
    reader.integer("instances", 0, 1, 64);
    reader.duration("timeout");
    const YamlEntry* price = reader.find("price");
    if (price == nullptr) return;
    const MapReader prices(*price->value, "\"price\" of " + called("model", entry), kPriceKeys, m_problems);
    for (const std::string_view word : {"input", "output", "image", "call"}) prices.number(word);
    prices.text("currency");
}

void FileChecker::route(const YamlEntry& entry)
{
    if (entry.value->kind == YamlNode::Kind::List) return; // text: [a, b] in order
    const MapReader reader(*entry.value, called("route", entry), kRouteKeys, m_problems);
    oneOf(reader, "kind", {"text", "image"});
    oneOf(reader, "sticky", {"item", "off"});
    reader.texts("models");
    if (const auto canary = reader.number("canary"); canary && (*canary < 0 || *canary > 100))
        reader.wrongType(*reader.find("canary"), "a percentage from 0 to 100");
    const YamlEntry* weights = reader.find("weights");
    if (weights == nullptr) return;
    const MapReader names(*weights->value, "\"weights\" of " + called("route", entry), {}, m_problems);
    for (const YamlEntry* weight : names.entries()) names.number(weight->key);
}

void FileChecker::storage(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("storage target", entry), kStorageKeys, m_problems);
    oneOf(reader, "type", {"folder", "s3"});
    for (const std::string_view word : {"endpoint", "bucket", "path"}) reader.text(word);
    key(reader, "key");
    key(reader, "secret");
}

void FileChecker::check(const YamlNode& root)
{
    if (root.kind == YamlNode::Kind::Null) return;
    const MapReader reader(root, "the configuration", kKeys, m_problems);
    if (!reader.isMap()) return;
    reader.integer("aiflow", 1, 1, 1);
    for (const std::string_view word : {"pipeline", "output", "state_dir", "models_dir"}) reader.text(word);
    reader.flag("offline", false);
    reader.integer("cpu", 0, 1, 4096);
    if (const YamlEntry* memory = reader.find("memory"); memory != nullptr && !sizeOf(memory->value->text))
        reader.wrongType(*memory, "a size such as 512MiB or 4GiB");
    each(reader, "providers", &FileChecker::provider);
    each(reader, "organisations", &FileChecker::organisation);
    each(reader, "models", &FileChecker::model);
    each(reader, "routes", &FileChecker::route);
    each(reader, "storage", &FileChecker::storage);
    const YamlEntry* budgets = reader.find("budgets");
    if (budgets == nullptr) return;
    const MapReader money(*budgets->value, "\"budgets\"", kBudgetKeys, m_problems);
    for (const std::string_view word : kBudgetKeys) this->money(money, word);
}

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
    if (values.contains("memory")) made.memory = sizeOf(values["memory"].get<std::string>());
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
        FileChecker(problems).check(**root);
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
