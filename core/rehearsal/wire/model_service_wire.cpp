#include "core/base/json.h"
#include "core/rehearsal/wire/wire.h"

namespace aiflow {

namespace {

// POST /infer or /predict {"model", "inputs": {..}}; GET /health.
class ModelServiceWire final : public Wire {
public:
    std::string basePath() const override { return {}; }
    std::string_view keyOf(const WireRequest& request) const override { return bearerOf(request); }
    std::variant<Ask, Reply> read(const WireRequest& request) const override;
    Reply answer(const Ask& ask, const Product& product) const override;
    Reply trouble(Trouble trouble, const std::string& message) const override;
    Reply models(const std::vector<std::string>& names) const override { return jsonReply({{"models", names}}); }
    Places places(const Ask&) const override { return {"/outputs", {}, {}, "/outputs/boxes", "/model"}; }
};

// The JSON of the request: the body, or the part "request" of a form.
std::string_view jsonPart(const WireRequest& request)
{
    const std::string_view body = request.body;
    if (!request.header("content-type").starts_with("multipart/")) return body;
    const std::size_t name = body.find("name=\"request\"");
    const std::size_t start = body.find("\r\n\r\n", name == std::string_view::npos ? body.size() : name);
    if (start == std::string_view::npos) return {};
    const std::size_t end = body.find("\r\n--", start + 4);
    return body.substr(start + 4, end == std::string_view::npos ? end : end - start - 4);
}

std::variant<Ask, Reply> ModelServiceWire::read(const WireRequest& request) const
{
    Ask ask;
    if (request.method == "GET" && endsWith(request.path, "/health")) {
        ask.kind = AskKind::Health;
        return ask;
    }
    if (request.method == "GET" && endsWith(request.path, "/models")) {
        ask.kind = AskKind::Models;
        return ask;
    }
    const bool known = endsWith(request.path, "/infer") || endsWith(request.path, "/predict");
    if (request.method != "POST" || !known) return trouble(Trouble::NotFound, "there is nothing at " + request.path);
    const auto body = parseJson(jsonPart(request));
    if (!body || !body->is_object()) return trouble(Trouble::BadRequest, "the body is no JSON object");
    const Json inputs = body->contains("inputs") ? (*body)["inputs"] : *body;
    ask.kind = AskKind::Predict;
    if (const auto model = body->find("model"); model != body->end() && model->is_string())
        ask.model = model->get<std::string>();
    const Json schema = inputs.is_object() ? inputs.value("schema", Json()) : Json();
    if (schema.is_object()) ask.schema = dumpJson(schema);
    setPrompt(ask, ask.model, request.body, 0);
    ask.reference = request.header("x-client-request-id");
    return ask;
}

// Two boxes within a picture of 1000 x 1000, by the seed.
Json detections(std::uint64_t seed)
{
    Json boxes = Json::array();
    Json scores = Json::array();
    for (unsigned i = 0; i < 2; ++i) {
        const auto corner = [&](unsigned shift) { return static_cast<std::int64_t>(seed >> (shift + i) & 0x1FFU); };
        const std::int64_t left = corner(0);
        const std::int64_t top = corner(16);
        boxes.push_back({left, top, left + 50 + corner(32) / 2, top + 50 + corner(48) / 2});
        scores.push_back(0.9 - 0.2 * i);
    }
    return {{"boxes", std::move(boxes)}, {"scores", std::move(scores)}, {"labels", {"object", "object"}}};
}

Reply ModelServiceWire::answer(const Ask& ask, const Product& product) const
{
    Json outputs = ask.schema.empty() ? detections(ask.seed) : Json::parse(product.text, nullptr, false);
    if (product.misfit || outputs.is_discarded()) outputs = "this does not fit";
    return jsonReply({{"model", product.model}, {"outputs", std::move(outputs)}});
}

Reply ModelServiceWire::trouble(Trouble trouble, const std::string& message) const
{
    return jsonReply({{"error", message}}, statusOf(trouble));
}

} // namespace

const Wire& modelServiceWire()
{
    static const ModelServiceWire kWire;
    return kWire;
}

} // namespace aiflow
