#include "core/api/protocols/parts/result_reader.h"

#include "core/base/json.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

constexpr std::array kPictureKeys{"url", "b64_json", "base64", "image_url", "uri", "image_base64"};
constexpr std::array kListKeys{"images", "image", "results", "outputs", "output", "files", "data", "result"};

const Json* memberOf(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string typeOf(const Json& object)
{
    for (const char* key : {"media_type", "mime_type", "content_type"})
        if (const Json* type = memberOf(object, key); type != nullptr && type->is_string())
            return type->get<std::string>();
    return {};
}

bool isPictureText(const Json& value)
{
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    return text.starts_with("aiflow-file:") || (text.starts_with("data:") && text.find(";base64,") < 100);
}

// What "$name" stands for; nothing: the request has no such field.
std::optional<Json> valueOf(const std::string& name, const WirePlan& plan, std::vector<RequestFile>& files)
{
    if (name == "model") return plan.model().remoteName;
    if (name == "reference") return plan.plan().attemptId;
    if (name == "max_output") return plan.plan().maxOutputTokens;
    const Json* field = memberOf(*plan.plan().request, name.c_str());
    if (field == nullptr) return std::nullopt;
    return withFiles(*field, files, [](std::size_t index) { return fileMark(index, true); });
}

std::optional<Json> filled(const Json& form, const WirePlan& plan, std::vector<RequestFile>& files)
{
    if (form.is_string()) {
        const auto& text = form.get_ref<const std::string&>();
        if (text.starts_with("$$")) return text.substr(1);
        return text.starts_with('$') ? valueOf(text.substr(1), plan, files) : std::optional<Json>(form);
    }
    if (!form.is_structured()) return form;
    Json made = form.is_object() ? Json::object() : Json::array();
    for (const auto& [key, member] : form.items()) {
        auto value = filled(member, plan, files);
        if (!value) continue;
        if (form.is_object())
            made[key] = std::move(*value);
        else
            made.push_back(std::move(*value));
    }
    return made;
}

} // namespace

Json withFiles(const Json& value, std::vector<RequestFile>& files, const std::function<Json(std::size_t)>& place)
{
    if (auto file = fileFrom(value)) {
        files.push_back(std::move(*file));
        return place(files.size() - 1);
    }
    if (!value.is_structured()) return value;
    Json made = value.is_object() ? Json::object() : Json::array();
    for (const auto& [key, member] : value.items()) {
        Json inner = withFiles(member, files, place);
        if (value.is_object())
            made[key] = std::move(inner);
        else
            made.push_back(std::move(inner));
    }
    return made;
}

Json filledForm(const Json& form, const WirePlan& plan, std::vector<RequestFile>& files)
{
    return filled(form, plan, files).value_or(Json::object());
}

std::optional<Failure> takePictures(const Json& result, SpooledAnswer& spooled, PictureFetches& pictures)
{
    if (result.is_string()) return pictures.add(takePicture(result, spooled));
    if (result.is_array()) {
        for (const Json& one : result)
            if (auto failure = takePictures(one, spooled, pictures)) return failure;
        return std::nullopt;
    }
    if (!result.is_object()) return lie("the answer's result is no picture");
    for (const char* key : kPictureKeys)
        if (const Json* found = memberOf(result, key); found != nullptr && found->is_string())
            return pictures.add(takePicture(*found, spooled, typeOf(result)));
    for (const char* key : kListKeys)
        if (const Json* found = memberOf(result, key)) return takePictures(*found, spooled, pictures);
    return lie("the answer's result holds no picture");
}

std::optional<Failure> liftPictures(Json& result, SpooledAnswer& spooled, PictureFetches& pictures)
{
    const Json* coded = result.is_object() ? memberOf(result, "base64") : nullptr;
    const bool isFile = isPictureText(result) || (coded != nullptr && coded->is_string());
    if (isFile) {
        const std::string type = coded != nullptr ? typeOf(result) : std::string();
        if (auto failure = pictures.add(takePicture(coded != nullptr ? *coded : result, spooled, type))) return failure;
        result = Json{{"file", pictures.count() - 1}};
        return std::nullopt;
    }
    if (!result.is_structured()) return std::nullopt;
    for (Json& member : result)
        if (auto failure = liftPictures(member, spooled, pictures)) return failure;
    return std::nullopt;
}

std::string textOfResult(const Json& result, bool structured)
{
    if (result.is_string()) return result.get<std::string>();
    if (result.is_object()) {
        const Json* text = memberOf(result, "text");
        const bool only = text != nullptr && text->is_string() && (!structured || result.size() == 1);
        return only ? text->get<std::string>() : dumpJson(result);
    }
    const bool pieces = result.is_array() && !result.empty() &&
                        std::ranges::all_of(result, [](const Json& one) { return one.is_string(); });
    if (!pieces) return result.is_null() ? std::string() : dumpJson(result);
    std::string text;
    for (const Json& piece : result) text += piece.get_ref<const std::string&>();
    return text;
}

} // namespace aiflow
