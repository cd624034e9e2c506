#include "core/base/json.h"
#include "core/rehearsal/wire/wire.h"

#include <algorithm>

namespace aiflow {

namespace {

std::string stringAt(const Json& object, const char* key)
{
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>()
                                                                             : std::string();
}

// POST /jobs {"model", "input": {..}, "reference", "webhook"}; GET /jobs/ID; GET /jobs?reference=..
class RemoteJobWire final : public Wire {
public:
    std::string basePath() const override { return {}; }
    std::string_view keyOf(const WireRequest& request) const override { return bearerOf(request); }
    std::variant<Ask, Reply> read(const WireRequest& request) const override;
    Reply answer(const Ask& ask, const Product& product) const override;
    Reply trouble(Trouble trouble, const std::string& message) const override;
    Reply models(const std::vector<std::string>& names) const override;
    Places places(const Ask& ask) const override;

private:
    std::variant<Ask, Reply> readSubmit(const Json& body) const;
};

std::variant<Ask, Reply> RemoteJobWire::read(const WireRequest& request) const
{
    Ask ask;
    if (request.method == "POST") {
        const auto body = parseJson(request.body);
        if (!body || !body->is_object()) return trouble(Trouble::BadRequest, "the body is no JSON object");
        auto read = readSubmit(*body);
        if (Ask* good = std::get_if<Ask>(&read); good != nullptr && good->reference.empty())
            good->reference = request.header("x-client-request-id");
        return read;
    }
    if (request.method != "GET") return trouble(Trouble::BadRequest, "only GET and POST are known here");
    if (endsWith(request.path, "/jobs")) {
        ask.reference = request.parameter("reference");
        if (ask.reference.empty()) return jsonReply({{"jobs", Json::array()}});
        ask.kind = AskKind::JobByReference;
        return ask;
    }
    if (request.path.find("/jobs/") == std::string::npos) {
        if (!endsWith(request.path, "/models"))
            return trouble(Trouble::NotFound, "there is nothing at " + request.path);
        ask.kind = AskKind::Models;
        return ask;
    }
    ask.kind = AskKind::JobStatus;
    ask.jobId = request.path.substr(request.path.find("/jobs/") + 6);
    ask.jobId = ask.jobId.substr(0, ask.jobId.find('/'));
    return ask;
}

std::variant<Ask, Reply> RemoteJobWire::readSubmit(const Json& body) const
{
    Ask ask;
    ask.model = stringAt(body, "model");
    const Json input = body.contains("input") && body["input"].is_object() ? body["input"] : body;
    const std::string prompt = stringAt(input, "prompt");
    ask.reference = stringAt(body, "reference");
    ask.callback = stringAt(body, "webhook");
    ask.size = readSize(stringAt(input, "size"));
    if (const Json schema = input.value("schema", Json()); schema.is_object()) ask.schema = dumpJson(schema);
    if (const Json count = input.value("n", Json()); count.is_number_integer())
        ask.count = std::clamp<std::int64_t>(count.get<std::int64_t>(), 1, 16);
    ask.kind = ask.size || input.contains("n") ? AskKind::Picture : AskKind::Text;
    std::int64_t pictures = input.contains("image") ? 1 : 0;
    if (const Json images = input.value("images", Json()); images.is_array())
        pictures += static_cast<std::int64_t>(images.size());
    // Pictures stand in the input as text; the model does not read them so.
    std::string read = prompt + stringAt(input, "system") + ask.schema;
    setPrompt(ask, prompt, read, pictures);
    ask.seed ^= pictures > 0 ? static_cast<std::uint64_t>(std::hash<std::string>()(dumpJson(input))) : 0U;
    return ask;
}

Reply RemoteJobWire::answer(const Ask& ask, const Product& product) const
{
    Json body = {{"id", ask.jobId},
                 {"status", "succeeded"},
                 {"model", product.model},
                 {"usage",
                  {{"input_tokens", product.usage.inputTokens},
                   {"output_tokens", product.usage.outputTokens},
                   {"images", product.usage.images}}}};
    if (!ask.reference.empty()) body["reference"] = ask.reference;
    if (ask.kind != AskKind::Picture) {
        body["output"] = {{"text", product.text}};
        if (product.cutOff) body["finish_reason"] = "length";
        return jsonReply(body);
    }
    Json output = Json::array();
    for (std::size_t i = 0; i < product.pictures.size(); ++i)
        output.push_back({{ask.byUrl ? "url" : "b64_json", pictureMark(i)}});
    body["output"] = std::move(output);
    return jsonReplyWithPictures(body, product.pictures);
}

Reply RemoteJobWire::trouble(Trouble trouble, const std::string& message) const
{
    if (trouble == Trouble::GatewayTimeout) {
        Reply page;
        page.status = 504;
        page.type = "text/html";
        page.body = "<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1>"
                    "</body></html>";
        return page;
    }
    std::string code = "invalid_request";
    if (trouble == Trouble::KeyRefused) code = "unauthorized";
    if (trouble == Trouble::NotFound) code = "not_found";
    if (trouble == Trouble::Throttled) code = "rate_limit_exceeded";
    if (trouble == Trouble::Quota) code = "insufficient_balance";
    if (trouble == Trouble::Refused) code = "content_policy_violation";
    if (trouble == Trouble::Failed || trouble == Trouble::Overloaded) code = "server_error";
    const int status = trouble == Trouble::Quota ? 402 : statusOf(trouble);
    return jsonReply({{"error", {{"code", code}, {"message", message}}}}, status);
}

Reply RemoteJobWire::models(const std::vector<std::string>& names) const { return jsonReply({{"models", names}}); }

Places RemoteJobWire::places(const Ask& ask) const
{
    if (ask.kind == AskKind::Picture)
        return {ask.byUrl ? "/output/0/url" : "/output/0/b64_json", "/usage", "/status", "/output", "/model"};
    return {"/output/text", "/usage", "/status", "/output", "/model"};
}

} // namespace

const Wire& remoteJobWire()
{
    static const RemoteJobWire kWire;
    return kWire;
}

} // namespace aiflow
