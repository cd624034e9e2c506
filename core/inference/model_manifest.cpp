#include "core/inference/model_manifest.h"

#include "core/base/file_system.h"
#include "core/base/json.h"

#include <algorithm>
#include <set>

namespace aiflow {

namespace {

constexpr Bytes kManifestLimit = mebibytes(4);
constexpr int kSideLimit = 4096;

tl::unexpected<Error> missing(std::string message, std::string hint)
{
    return fail(Reason::ComputeModelMissing, std::move(message), std::move(hint));
}

// Reads the fields of one entry and remembers the first complaint.
class FieldReader {
public:
    FieldReader(const Json& object, std::string where) : m_object(object), m_where(std::move(where)) {}

    std::string text(const char* key, std::string fallback = {}, bool required = false)
    {
        const auto it = m_object.find(key);
        if (it != m_object.end() && it->is_string() && !it->get_ref<const std::string&>().empty())
            return it->get<std::string>();
        if (it != m_object.end() || required) complain(key, "a text");
        return fallback;
    }
    std::int64_t whole(const char* key, std::int64_t fallback, std::int64_t least, std::int64_t most)
    {
        const auto it = m_object.find(key);
        if (it == m_object.end()) return fallback;
        if (it->is_number_integer() && it->get<std::int64_t>() >= least && it->get<std::int64_t>() <= most)
            return it->get<std::int64_t>();
        complain(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        return fallback;
    }
    double fraction(const char* key, double fallback)
    {
        const auto it = m_object.find(key);
        if (it == m_object.end()) return fallback;
        if (it->is_number() && it->get<double>() >= 0 && it->get<double>() <= 1) return it->get<double>();
        complain(key, "a number from 0 to 1");
        return fallback;
    }
    bool flag(const char* key, bool fallback)
    {
        const auto it = m_object.find(key);
        if (it == m_object.end()) return fallback;
        if (it->is_boolean()) return it->get<bool>();
        complain(key, "true or false");
        return fallback;
    }
    Json object(const char* key)
    {
        const auto it = m_object.find(key);
        if (it == m_object.end()) return Json::object();
        if (it->is_object()) return *it;
        complain(key, "an object");
        return Json::object();
    }
    void complain(const std::string& key, const std::string& expected)
    {
        if (m_problem.empty()) m_problem = m_where + ": \"" + key + "\" must be " + expected;
    }
    void take(const FieldReader& inner)
    {
        if (m_problem.empty()) m_problem = inner.m_problem;
    }
    const std::string& problem() const noexcept { return m_problem; }
    const std::string& where() const noexcept { return m_where; }

private:
    const Json& m_object;
    std::string m_where;
    std::string m_problem;
};

std::optional<ModelFamilyKind> familyFrom(std::string_view word)
{
    if (word == "detect") return ModelFamilyKind::Detect;
    if (word == "segment") return ModelFamilyKind::Segment;
    if (word == "embed") return ModelFamilyKind::Embed;
    if (word == "classify") return ModelFamilyKind::Classify;
    return std::nullopt;
}

bool staysBeneath(const std::filesystem::path& path)
{
    return !path.empty() && path.is_relative() &&
           std::ranges::none_of(path, [](const auto& part) { return part == ".."; });
}

void readIdentity(FieldReader& fields, ModelEntry& entry)
{
    const auto family = familyFrom(fields.text("family", {}, true));
    if (!family) fields.complain("family", "detect, segment, embed or classify");
    entry.family = family.value_or(ModelFamilyKind::Detect);
    entry.file = fields.text("file", {}, true);
    if (!staysBeneath(entry.file)) fields.complain("file", "a path beneath the models folder");
    const auto hash = ContentHash::fromHex(fields.text("sha256", {}, true));
    if (!hash) fields.complain("sha256", "64 lower-case hexadecimal digits (sha256sum FILE)");
    entry.sha256 = hash.value_or(ContentHash{});
    entry.bytes = fields.whole("bytes", 0, 0, std::int64_t{1} << 50U);
    entry.licence = fields.text("licence", {}, true);
    entry.version = fields.text("version", {}, true);
    entry.description = fields.text("description");
    entry.provenance = fields.text("provenance");
    entry.card = fields.text("card");
    entry.method = fields.text("method", entry.method);
}

void readInput(FieldReader& fields, ModelEntry& entry)
{
    const Json object = fields.object("input");
    FieldReader input(object, fields.where() + ", input");
    entry.input.width = static_cast<int>(input.whole("width", 0, 1, kSideLimit));
    entry.input.height = static_cast<int>(input.whole("height", 0, 1, kSideLimit));
    if (entry.input.width == 0) input.complain("width", "given");
    if (entry.input.height == 0) input.complain("height", "given");
    if (input.text("layout", "nchw") != "nchw") input.complain("layout", "\"nchw\"");
    entry.input.letterbox = input.flag("letterbox", false);
    const bool edges = object.contains("pad") && object.at("pad") == "edge";
    entry.input.pad = edges ? -1 : static_cast<int>(input.whole("pad", entry.input.pad, 0, 255));
    entry.input.range = static_cast<int>(input.whole("range", entry.input.range, 1, 255));
    if (entry.input.range != 1 && entry.input.range != 255) input.complain("range", "255 or 1");
    fields.take(input);
}

void readTuning(FieldReader& fields, ModelEntry& entry)
{
    const Json thresholdObject = fields.object("thresholds");
    FieldReader thresholds(thresholdObject, fields.where() + ", thresholds");
    entry.scoreThreshold = thresholds.fraction("score", entry.scoreThreshold);
    entry.iouThreshold = thresholds.fraction("iou", entry.iouThreshold);
    entry.labelThreshold = thresholds.fraction("label", entry.labelThreshold);
    fields.take(thresholds);
    const Json batchObject = fields.object("batch");
    FieldReader batch(batchObject, fields.where() + ", batch");
    entry.batchMax = static_cast<int>(batch.whole("max", entry.batchMax, 1, 4096));
    entry.batchMaxCpu = static_cast<int>(batch.whole("max_cpu", std::min(entry.batchMaxCpu, entry.batchMax), 1, 4096));
    entry.batchDelay = std::chrono::milliseconds(batch.whole("delay_ms", 0, 0, 60'000));
    fields.take(batch);
    entry.device = fields.text("device", entry.device);
    entry.precision = fields.text("precision", entry.precision);
    if (entry.precision != "auto" && entry.precision != "float" && entry.precision != "half")
        fields.complain("precision", "auto, float or half");
}

void readLabels(FieldReader& fields, const Json& object, ModelEntry& entry)
{
    const auto it = object.find("labels");
    if (it == object.end()) return;
    const bool texts = it->is_array() && std::ranges::all_of(*it, [](const Json& label) { return label.is_string(); });
    if (!texts) return fields.complain("labels", "a list of texts");
    entry.labels = it->get<std::vector<std::string>>();
}

Result<ModelEntry> readEntry(const Json& object, const std::filesystem::path& manifest, std::size_t index)
{
    std::string where = manifest.string() + ": model " + std::to_string(index + 1);
    if (!object.is_object()) return fail(Reason::ConfigInvalid, where + " must be an object");
    ModelEntry entry;
    entry.folder = manifest.parent_path();
    if (const auto it = object.find("name"); it != object.end() && it->is_string()) {
        entry.name = it->get<std::string>();
        where += " (" + entry.name + ")";
    }
    FieldReader fields(object, where);
    if (entry.name.empty()) fields.complain("name", "a text");
    readIdentity(fields, entry);
    readInput(fields, entry);
    readTuning(fields, entry);
    readLabels(fields, object, entry);
    if (!fields.problem().empty()) return fail(Reason::ConfigInvalid, fields.problem());
    return entry;
}

Result<std::vector<ModelEntry>> readManifest(const std::filesystem::path& file)
{
    const auto bytes = systemFiles().readFile(file, kManifestLimit);
    if (!bytes) return tl::unexpected(bytes.error());
    const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    auto json = parseJson(text, file.string());
    if (!json) {
        json.error().reason = Reason::ConfigInvalid;
        return tl::unexpected(std::move(json.error()));
    }
    if (!json->is_object() || json->value("aiflow_models", Json()) != 1 || !json->value("models", Json()).is_array())
        return fail(Reason::ConfigInvalid, file.string() + ": not a list of models of format 1",
                    "it begins with {\"aiflow_models\": 1, \"models\": [");
    std::vector<ModelEntry> entries;
    std::set<std::string> names;
    const Json& models = json->at("models");
    for (std::size_t i = 0; i < models.size(); ++i) {
        auto entry = readEntry(models[i], file, i);
        if (!entry) return tl::unexpected(std::move(entry.error()));
        if (!names.insert(entry->name).second)
            return fail(Reason::ConfigInvalid, file.string() + ": the model \"" + entry->name + "\" is listed twice");
        entries.push_back(std::move(*entry));
    }
    return entries;
}

} // namespace

Result<std::unique_ptr<ModelManifest>> ModelManifest::open(const std::vector<std::filesystem::path>& folders)
{
    auto manifest = std::make_unique<ModelManifest>();
    std::map<std::string, ModelEntry> byName;
    for (const auto& folder : folders) {
        const auto file = folder / "models.json";
        if (!systemFiles().exists(file)) continue;
        auto entries = readManifest(file);
        if (!entries) return tl::unexpected(std::move(entries.error()));
        for (auto& entry : *entries) byName.try_emplace(entry.name, std::move(entry));
    }
    for (auto& [name, entry] : byName) manifest->m_entries.push_back(std::move(entry));
    return manifest;
}

const ModelEntry* ModelManifest::find(std::string_view model) const noexcept
{
    const auto it = std::ranges::find_if(m_entries, [&](const ModelEntry& entry) { return entry.name == model; });
    return it == m_entries.end() ? nullptr : &*it;
}

std::vector<std::string> ModelManifest::methodsOf(const ModelEntry& model) const
{
    std::set<std::string> methods;
    for (const ModelEntry& entry : m_entries)
        if (entry.path() == model.path()) methods.insert(entry.method);
    return {methods.begin(), methods.end()};
}

Result<void> ModelManifest::verify(const ModelEntry& model) const
{
    const auto status = systemFiles().statusBeneath(model.folder, model.file);
    if (!status || !status->isRegular)
        return missing("the model \"" + model.name + "\" is not there: " + model.path().string() +
                           (status ? " is not a regular file" : ""),
                       "install the package aiflow-models, or put the file there");
    const std::lock_guard lock(m_mutex);
    Verified& known = m_verified[model.path()];
    if (known.size != status->size || known.modifiedNs != status->modifiedNs || known.inode != status->inode) {
        auto hash = sha256File(model.path());
        if (!hash) return missing(hash.error().message, "check the file's permissions");
        known = Verified{status->size, status->modifiedNs, status->inode, *hash};
    }
    if (known.hash == model.sha256) return {};
    return missing(model.path().string() + " is not the file that models.json lists for \"" + model.name +
                       "\": its SHA-256 is " + known.hash.hex(),
                   "install the file again; for a new version of the model change sha256 and version in models.json");
}

} // namespace aiflow
