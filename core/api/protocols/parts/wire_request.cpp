#include "core/api/protocols/parts/wire_request.h"

#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::chrono::milliseconds kDefaultTimeout{300'000};
constexpr std::int64_t kTextCap = 8;     // MiB
constexpr std::int64_t kPictureCap = 64; // MiB, for one; a picture as base64 is a third longer

Bytes capOf(const AttemptPlan& plan)
{
    if (plan.kind == RouteKind::Text || plan.kind == RouteKind::Embedding) return mebibytes(kTextCap);
    std::int64_t count = 1;
    if (plan.request && plan.request->is_object())
        if (const auto n = plan.request->find("n"); n != plan.request->end() && n->is_number_integer())
            count = std::clamp<std::int64_t>(n->get<std::int64_t>(), 1, 16);
    return mebibytes(kPictureCap + (count - 1) * kPictureCap / 2);
}

void address(HttpRequest& http, const ProviderSettings& provider, const AccountSettings& account,
             const std::string& path, const KeyForm& key)
{
    const WireOptions options(provider, nullptr);
    http.url = (account.baseUrl.empty() ? provider.baseUrl : account.baseUrl) + path;
    http.plainAllowed = http.url.starts_with("http://");
    http.keyHeader.name = options.text("key_header", key.header);
    // Another header holds the bare key, unless it is told what stands before it.
    http.keyHeader.prefix = options.text("key_prefix", http.keyHeader.name == key.header ? key.prefix : "");
    http.keyHeader.key = account.key;
    http.headers.emplace_back("Accept", "application/json");
    for (const auto& [name, value] : provider.headers) http.headers.emplace_back(name, value);
    http.caFile = provider.caFile;
    http.proxy = provider.proxy;
    http.version = provider.httpVersion;
}

} // namespace

const Json* WireOptions::find(const char* name) const
{
    for (const Json* options : {m_model != nullptr ? m_model->options.get() : nullptr, m_provider.options.get()}) {
        if (options == nullptr || !options->is_object()) continue;
        if (const auto found = options->find(name); found != options->end()) return &*found;
    }
    return nullptr;
}

std::string WireOptions::text(const char* name, std::string fallback) const
{
    const Json* value = find(name);
    if (value == nullptr) return fallback;
    return value->is_string() ? value->get<std::string>() : dumpJson(*value);
}

std::vector<std::string> WireOptions::texts(const char* name) const
{
    const Json* value = find(name);
    if (value == nullptr) return {};
    if (value->is_string()) return {value->get<std::string>()};
    std::vector<std::string> list;
    for (const Json& one : *value)
        if (one.is_string()) list.push_back(one.get<std::string>());
    return list;
}

std::chrono::milliseconds WireOptions::duration(const char* name, std::chrono::milliseconds fallback) const
{
    const Json* value = find((std::string(name) + "_ms").c_str());
    return value != nullptr && value->is_number_integer() ? std::chrono::milliseconds(value->get<std::int64_t>())
                                                          : fallback;
}

std::chrono::milliseconds WirePlan::timeout() const
{
    if (model().timeout.count() > 0) return model().timeout;
    return provider().timeout.count() > 0 ? provider().timeout : kDefaultTimeout;
}

Exchange WirePlan::call(const std::string& method, const std::string& path, const KeyForm& key) const
{
    Exchange made;
    made.http.method = method;
    address(made.http, provider(), account(), path, key);
    made.http.totalTimeout = timeout();
    made.http.answerCap = capOf(m_plan);
    return made;
}

void WirePlan::addOptions(Json& body) const
{
    for (const std::string& name : options().texts("pass"))
        if (const auto found = m_plan.request->find(name); found != m_plan.request->end()) body[name] = *found;
    if (const Json* extra = options().find("extra"); extra != nullptr && extra->is_object()) body.update(*extra, true);
}

Exchange WirePlan::post(const std::string& path, const KeyForm& key, Json body,
                        const std::vector<RequestFile>& files) const
{
    addOptions(body);
    Exchange made = call("POST", path, key);
    made.paid = true;
    made.http.headers.emplace_back("Content-Type", "application/json");
    const std::string idempotency = options().text("idempotency_header");
    if (!idempotency.empty() && !m_plan.idempotencyKey.empty())
        made.http.headers.emplace_back(idempotency, m_plan.idempotencyKey);
    const std::string reference = options().text("reference_header");
    if (!reference.empty() && !m_plan.attemptId.empty()) made.http.headers.emplace_back(reference, m_plan.attemptId);
    made.http.body = piecesBody(jsonPieces(body, files), m_plan.openFile);
    return made;
}

Exchange WirePlan::post(const std::string& path, const KeyForm& key, const MultipartForm& form) const
{
    Exchange made = post(path, key, Json::object(), {});
    std::erase_if(made.http.headers, [](const auto& header) { return header.first == "Content-Type"; });
    made.http.headers.emplace_back("Content-Type", form.contentType());
    made.http.body = piecesBody(form.pieces(), m_plan.openFile);
    return made;
}

Exchange probeOf(const ProviderSettings& provider, std::size_t account, const std::string& path, const KeyForm& key)
{
    Exchange made;
    made.http.method = "GET";
    address(made.http, provider, provider.accounts.at(account), path, key);
    made.http.totalTimeout = std::chrono::seconds(30);
    return made;
}

Json plainSchema(const Json& schema)
{
    Json made = schema;
    for (const char* key : {"$schema", "$id"}) made.erase(key);
    return made;
}

std::string schemaWords(const Json& schema)
{
    return "Answer with one JSON value that fits the following JSON Schema, and with nothing before or after it:\n" +
           dumpJson(plainSchema(schema));
}

std::string complaintWords(const Complaint& complaint)
{
    return "This answer cannot be used:\n" + complaint.mistake +
           "\nGive the whole answer again, with this corrected and everything else as asked before.";
}

std::string urlSegment(std::string_view text)
{
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string made;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.' || c == '~';
        if (plain)
            made.push_back(c);
        else
            made += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    return made;
}

} // namespace aiflow
