#include "core/compute/op_manifest.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/compute/value.h"

#include <stdexcept>

namespace aiflow {

namespace {

constexpr Bytes kLargestManifest = mebibytes(4);

PortType typeOf(const Json& json)
{
    const auto word = json.at("type").get<std::string>();
    const auto type = portTypeFromName(word);
    if (!type) throw std::invalid_argument("\"" + word + "\" is no type of a port");
    return *type;
}

Port portFrom(const Json& json)
{
    return {json.at("name").get<std::string>(), typeOf(json), json.value("required", true),
            json.value("persistent", false)};
}

Parameter parameterFrom(const Json& json)
{
    Parameter param{json.at("name").get<std::string>(), typeOf(json), nullptr, json.value("description", "")};
    if (const auto value = json.find("default"); value != json.end()) {
        if (!Value(*value).fits(param.type)) throw std::invalid_argument("the default of " + param.name + " misfits");
        param.defaultValue = std::make_shared<const Json>(*value);
    }
    return param;
}

Signature signatureFrom(const Json& json)
{
    Signature op;
    op.name = json.at("name").get<std::string>();
    try {
        op.version = json.at("version").get<std::string>();
        op.description = json.value("description", "");
        for (const Json& port : json.at("inputs")) op.inputs.push_back(portFrom(port));
        for (const Json& port : json.at("outputs")) op.outputs.push_back(portFrom(port));
        for (const Json& param : json.value("params", Json::array())) op.params.push_back(parameterFrom(param));
    } catch (const std::exception& error) {
        throw std::invalid_argument("op \"" + op.name + "\": " + error.what());
    }
    return op;
}

OpManifest manifestFrom(const Json& json, const std::filesystem::path& file)
{
    OpManifest manifest{file, json.at("module").get<std::string>(), json.value("package", ""), {}, {}};
    const Json environment = json.value("environment", Json::object()); // items() does not keep a temporary alive
    for (const auto& [name, value] : environment.items())
        manifest.environment.emplace_back(name, value.get<std::string>());
    for (const Json& op : json.at("ops")) manifest.ops.push_back(signatureFrom(op));
    return manifest;
}

} // namespace

Result<OpManifest> readOpManifest(const std::filesystem::path& file)
{
    const auto invalid = [&](std::string_view why) {
        return fail(Reason::PipelineInvalid, file.string() + ": not a list of ops: " + std::string(why),
                    "install the package again that this file belongs to");
    };
    const auto bytes = systemFiles().readFile(file, kLargestManifest);
    if (!bytes) return invalid(bytes.error().text());
    const auto json =
        parseJson({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, file.filename().string());
    if (!json) return invalid(json.error().text());
    try {
        return manifestFrom(*json, file);
    } catch (const std::exception& error) {
        return invalid(error.what());
    }
}

} // namespace aiflow
