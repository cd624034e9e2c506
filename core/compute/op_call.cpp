#include "core/compute/op_call.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <new>
#include <vector>

namespace aiflow {

namespace {

std::string shapeOf(const Value& value)
{
    if (value.image() != nullptr) return value.image()->format == PixelFormat::Gray8 ? "a gray image" : "an image";
    if (value.blob() != nullptr) return "a file of type " + value.blob()->mediaType;
    if (value.list() != nullptr) return "a list";
    return value.json() == nullptr ? "nothing" : std::string("JSON: ") + value.json()->type_name();
}

std::string nearest(const Signature& op, const std::string& word)
{
    std::vector<std::string> names;
    for (const Parameter& param : op.params) names.push_back(param.name);
    if (names.empty()) return op.name + " has no parameters";
    if (const auto near = nearestWord(word, names)) return "did you mean " + *near + "?";
    return "known: " + join(names, ", ");
}

Result<void> checkParams(const Signature& op, const Json& given)
{
    for (const auto& [name, value] : given.items()) {
        const Parameter* param = op.param(name);
        if (param == nullptr)
            return fail(Reason::PipelineInvalid, op.name + ": unknown parameter \"" + name + "\"", nearest(op, name));
        if (!Value(value).fits(param->type))
            return fail(Reason::PipelineInvalid, op.name + ": parameter " + name + " must be of type " +
                                                     std::string(aiflow::name(param->type)) + ", not " +
                                                     value.type_name());
    }
    return {};
}

Result<void> checkOutputs(const Signature& op, const Values& outputs)
{
    for (const auto& [name, value] : outputs) {
        const Port* port = op.output(name);
        if (port == nullptr) return fail(Reason::Internal, op.name + ": gave an output it has not: " + name);
        if (!value.empty() && !value.fits(port->type))
            return fail(Reason::Internal, op.name + ": output " + name + " is " + shapeOf(value));
    }
    return {};
}

} // namespace

Result<void> checkInputs(const Signature& op, const Values& inputs)
{
    for (const Port& port : op.inputs) {
        const Value& value = inputs.get(port.name);
        if (value.empty()) {
            if (port.required)
                return fail(Reason::InputFieldMissing, op.name + ": the input \"" + port.name + "\" is missing");
        } else if (!value.fits(port.type)) {
            return fail(Reason::InputFieldBad, op.name + ": the input \"" + port.name + "\" must be of type " +
                                                   std::string(aiflow::name(port.type)) + ", not " + shapeOf(value));
        }
    }
    for (const auto& [name, value] : inputs)
        if (op.input(name) == nullptr)
            return fail(Reason::PipelineInvalid, op.name + ": unknown input \"" + name + "\"");
    return {};
}

Result<Json> completeParams(const Signature& op, const Json& given)
{
    Json params = given.is_null() ? Json::object() : given;
    if (!params.is_object()) return fail(Reason::PipelineInvalid, op.name + ": the parameters must be an object");
    if (const auto checked = checkParams(op, params); !checked) return tl::unexpected(checked.error());
    for (const Parameter& param : op.params) {
        if (params.contains(param.name)) continue;
        if (!param.defaultValue)
            return fail(Reason::PipelineInvalid, op.name + ": the parameter " + param.name + " must be given");
        params[param.name] = *param.defaultValue;
    }
    return params;
}

Result<Values> callOp(const Signature& op, OpFunction function, const OpCall& call)
{
    if (call.stop.stop_requested()) return fail(Reason::Cancelled, op.name + ": stopped before it began");
    try {
        auto outputs = function(call);
        if (!outputs) return outputs;
        if (const auto checked = checkOutputs(op, *outputs); !checked) return tl::unexpected(checked.error());
        return outputs;
    } catch (const std::bad_alloc&) {
        return fail(Reason::ComputeOom, op.name + ": not enough memory");
    } catch (const std::exception& error) {
        return fail(Reason::Internal, op.name + ": " + error.what());
    } catch (...) {
        return fail(Reason::Internal, op.name + ": threw something that is no std::exception");
    }
}

} // namespace aiflow
