#include "core/api/protocols/wire_protocols.h"

#include "core/api/protocols/parts/result_reader.h"
#include "core/base/json.h"

namespace aiflow {

namespace {

class ModelServiceConversation final : public WireConversation {
public:
    using WireConversation::WireConversation;
    Result<Exchange> first() override;

private:
    Exchange asJson(const std::string& path, const Json& inputs) const;
    Exchange asForm(const std::string& path, const Json& inputs) const;
    NextMove read(const Json& body, const ExchangeAnswer& answer) override;
    std::optional<NextMove> readFile(const ExchangeAnswer& answer) override;
};

Result<Exchange> ModelServiceConversation::first()
{
    const AttemptPlan& plan = wire().plan();
    if (!plan.request || !plan.request->is_object()) return fail(Reason::UsageInvalid, "the request is no JSON object");
    const auto given = plan.request->find("inputs");
    const Json& inputs = given == plan.request->end() ? *plan.request : *given;
    if (inputs.empty())
        return fail(Reason::UsageInvalid, "the request has no inputs", "give the step's request: some fields");
    const std::string path = wire().options().text("path", "/infer");
    return wire().options().text("form", "json") == "multipart" ? asForm(path, inputs) : asJson(path, inputs);
}

Exchange ModelServiceConversation::asJson(const std::string& path, const Json& inputs) const
{
    std::vector<RequestFile> files;
    Json body{{"model", wire().model().remoteName}};
    body["inputs"] = withFiles(inputs, files, [&](std::size_t index) {
        return Json{{"media_type", files[index].mediaType}, {"base64", fileMark(index, false)}};
    });
    return wire().post(path, {}, std::move(body), files);
}

Exchange ModelServiceConversation::asForm(const std::string& path, const Json& inputs) const
{
    std::vector<RequestFile> files;
    Json body{{"model", wire().model().remoteName}};
    body["inputs"] = withFiles(inputs, files, [&](std::size_t index) {
        return Json{{"media_type", files[index].mediaType}, {"part", "file" + std::to_string(index)}};
    });
    MultipartForm form;
    form.addJson("request", dumpJson(body));
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string name = "file" + std::to_string(i);
        form.add(name, name + "." + extensionOf(files[i].mediaType), files[i]);
    }
    return wire().post(path, {}, form);
}

// The service answers with the picture itself.
std::optional<NextMove> ModelServiceConversation::readFile(const ExchangeAnswer& answer)
{
    auto file = takeBody(answer.spooled, headerOf(answer.end, "content-type"));
    if (!file || !file->mediaType.starts_with("image/")) {
        if (file) return lie("the answer is a file of type " + file->mediaType + ", no picture");
        return std::nullopt;
    }
    if (auto failure = pictures().add(std::move(*file))) return std::move(*failure);
    ProtocolAnswer made;
    made.model = wire().model().remoteName;
    return finishPictures(std::move(made));
}

NextMove ModelServiceConversation::read(const Json& body, const ExchangeAnswer& answer)
{
    const std::string pointer = wire().options().text("result", body.contains("outputs") ? "/outputs" : "");
    const Json* result = atPointer(body, pointer);
    if (result == nullptr) return lie("the answer has nothing at " + pointer);
    ProtocolAnswer made;
    made.model = wire().model().remoteName;
    made.requestId = headerOf(answer.end, "x-request-id");
    return readResult(*result, body, answer.spooled, std::move(made));
}

class ModelServiceProtocol final : public WireProtocol {
public:
    ModelServiceProtocol() : WireProtocol(ProtocolKind::ModelService) {}
    Result<std::unique_ptr<Conversation>> begin(AttemptPlan plan) const override
    {
        return started(std::make_unique<ModelServiceConversation>(ProtocolKind::ModelService, std::move(plan)));
    }
    Result<Exchange> probe(const ProviderSettings& provider, std::size_t account) const override
    {
        return probeOf(provider, account, WireOptions(provider, nullptr).text("probe", "/health"), {});
    }
};

} // namespace

const Protocol& modelServiceProtocol()
{
    static const ModelServiceProtocol protocol;
    return protocol;
}

} // namespace aiflow
