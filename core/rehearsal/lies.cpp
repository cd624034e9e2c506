#include "core/rehearsal/lies.h"
#include "core/base/json.h"
#include "core/rehearsal/picture.h"

#include <array>
#include <cstddef>

namespace aiflow {

namespace {

constexpr std::int64_t kBombSize = 96 << 20; // unpacked: more than any cap of a text or a picture
constexpr int kDeep = 100'000;

using Twist = Reply (*)(Reply, const Ask&, const Places&, const std::string&);

// Puts `value` at the pointer, if the answer has such a place.
Reply with(Reply right, const std::string& pointer, const Json& value)
{
    auto body = Json::parse(right.body, nullptr, false);
    if (pointer.empty() || body.is_discarded()) return right;
    try {
        body.at(Json::json_pointer(pointer)) = value;
    } catch (const Json::exception&) {
        return right;
    }
    right.body = dumpJson(body);
    return right;
}

Reply without(Reply right, const std::string& pointer)
{
    auto body = Json::parse(right.body, nullptr, false);
    if (pointer.empty() || body.is_discarded()) return right;
    const Json::json_pointer place(pointer);
    try {
        Json& parent = body.at(place.parent_pointer());
        if (parent.is_object()) parent.erase(place.back());
    } catch (const Json::exception&) {
        return right;
    }
    right.body = dumpJson(body);
    return right;
}

Reply saying(Reply right, std::string body, std::string type = "application/json")
{
    right.body = std::move(body);
    right.type = std::move(type);
    return right;
}

// A number in the usage, written so that JSON libraries stumble.
Reply withRawNumber(Reply right, const Places& places, const std::string& raw)
{
    static const std::string kMark = "\"@@number@@\"";
    const std::string place = places.usage.empty() ? places.text : places.usage;
    right = with(std::move(right), place, "@@number@@");
    if (const std::size_t at = right.body.find(kMark); at != std::string::npos)
        right.body.replace(at, kMark.size(), raw);
    else
        right.body = "{\"value\":" + raw + '}';
    return right;
}

Reply withEveryNumber(Reply right, const Places& places, std::int64_t value)
{
    auto body = Json::parse(right.body, nullptr, false);
    if (places.usage.empty() || body.is_discarded()) return right;
    const Json::json_pointer place(places.usage);
    if (!body.contains(place)) return right;
    for (auto& [key, number] : body[place].items())
        if (number.is_number()) number = value;
    right.body = dumpJson(body);
    return right;
}

Reply withList(Reply right, const Places& places, int change)
{
    auto body = Json::parse(right.body, nullptr, false);
    if (places.list.empty() || body.is_discarded() || !body.contains(Json::json_pointer(places.list)))
        return saying(std::move(right), "{}");
    Json& list = body[Json::json_pointer(places.list)];
    if (!list.is_array() || list.empty()) return saying(std::move(right), "{}");
    if (change < 0)
        list.erase(list.size() - 1);
    else
        list.push_back(list.back());
    right.body = dumpJson(body);
    return right;
}

Reply streamed(Reply right, bool done)
{
    std::string text = "data: " + right.body + "\n\n";
    if (done) text += "data: [DONE]\n\n";
    return saying(std::move(right), std::move(text), "text/event-stream");
}

Reply delivering(Reply right, Delivery delivery)
{
    right.delivery = delivery;
    return right;
}

// A picture's bytes where the answer carries them, for all others a text.
Reply withPicture(Reply right, const Ask& ask, const Places& places, const std::string& bytes)
{
    return ask.kind == AskKind::Picture && !ask.byUrl ? with(std::move(right), places.text, base64(bytes))
                                                      : with(std::move(right), places.text, bytes);
}

const std::string kPage = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad "
                          "Gateway</h1><hr>nginx</body></html>";
const std::string kErrorBody = R"({"error":{"message":"The server had an error","type":"server_error","code":null}})";

struct Lie {
    const char* name;
    Twist twist;
};
#define AIFLOW_LIE                                                                                                     \
    [](Reply right, [[maybe_unused]] const Ask& ask, [[maybe_unused]] const Places& places,                            \
       [[maybe_unused]] const std::string& origin) -> Reply

constexpr std::size_t kCount = kLieVariants;
const std::array<Lie, kCount> kLies = {{{"error inside a 200", AIFLOW_LIE{return saying(right, kErrorBody);
} // namespace
} // namespace aiflow
, {"HTML page", AIFLOW_LIE{return saying(right, kPage, "text/html");
}
}
, {"empty body", AIFLOW_LIE{return saying(right, "");
}
}
, {"blank body", AIFLOW_LIE{return saying(right, " \r\n\t \n");
}
}
, {"truncated JSON", AIFLOW_LIE{return saying(right, right.body.substr(0, right.body.size() * 2 / 3));
}
}
, {"shorter than announced", AIFLOW_LIE{return delivering(right, Delivery::CloseMidBody);
}
}
, {"NaN", AIFLOW_LIE{return withRawNumber(right, places, "NaN");
}
}
, {"infinite number", AIFLOW_LIE{return withRawNumber(right, places, "1e999");
}
}
, {"depth 100,000", AIFLOW_LIE{return saying(right, std::string(kDeep, '[') + std::string(kDeep, ']'));
}
}
, {"byte order mark", AIFLOW_LIE{return saying(right, "\xEF\xBB\xBF" + right.body);
}
}
, {"invalid UTF-8", AIFLOW_LIE{right = with(right, places.text, "@@bytes@@");
const std::size_t at = right.body.find("@@bytes@@");
if (at == std::string::npos) return saying(right, "\"\xC3\x28\xFF\"");
right.body.replace(at, 9, "\xC3\x28 \xFF\xFE");
return right;
}
}
, {"gzip bomb", AIFLOW_LIE{static const std::string kBomb = gzipOfOneByte(' ', kBombSize);
right.headers.emplace_back("Content-Encoding", "gzip");
return saying(right, kBomb);
}
}
, {"no gzip although it says so", AIFLOW_LIE{right.headers.emplace_back("Content-Encoding", "gzip");
return right;
}
}
, {"endless drip", AIFLOW_LIE{return delivering(right, Delivery::Drip);
}
}
, {"endless flood", AIFLOW_LIE{return delivering(right, Delivery::Flood);
}
}
, {"number instead of text", AIFLOW_LIE{return with(right, places.text, 42);
}
}
, {"null instead of text", AIFLOW_LIE{return with(right, places.text, nullptr);
}
}
, {"answer's place is missing", AIFLOW_LIE{return without(right, places.list.empty() ? places.text : places.list);
}
}
, {"empty list", AIFLOW_LIE{return with(right, places.list, Json::array());
}
}
, {"list instead of object", AIFLOW_LIE{return saying(right, "[]");
}
}
, {"text instead of object", AIFLOW_LIE{return saying(right, "\"ok\"");
}
}
, {"plain text", AIFLOW_LIE{return saying(right, "OK", "text/plain");
}
}
, {"unknown status word", AIFLOW_LIE{return with(right, places.finish, "perhaps");
}
}
, {"one too few", AIFLOW_LIE{return withList(right, places, -1);
}
}
, {"one too many", AIFLOW_LIE{return withList(right, places, 1);
}
}
, {"expired URL", AIFLOW_LIE{return with(right, places.text, origin + "/files/expired");
}
}
, {"no base64", AIFLOW_LIE{return with(right, places.text, "!!! this is no base64 !!!");
}
}
, {"page instead of a picture", AIFLOW_LIE{return withPicture(right, ask, places, kPage);
}
}
, {"half a picture", AIFLOW_LIE{const std::string whole = pngPicture(64, 64, ask.seed);
return withPicture(right, ask, places, ask.kind == AskKind::Picture ? whole.substr(0, whole.size() / 2) : "half a pic");
}
}
, {"wrong content type", AIFLOW_LIE{return saying(right, right.body, "image/png");
}
}
, {"empty text", AIFLOW_LIE{return with(right, places.text, "");
}
}
, {"blank text", AIFLOW_LIE{return with(right, places.text, " \n\t ");
}
}
, {"gateway's page as text", AIFLOW_LIE{return with(right, places.text, kPage);
}
}
, {"error as text", AIFLOW_LIE{return with(right, places.text, kErrorBody);
}
}
, {"duplicate keys", AIFLOW_LIE{return saying(right, R"({"error":null,"choices":[],"data":[],)" + right.body.substr(1));
}
}
, {"garbage after the JSON", AIFLOW_LIE{return saying(right, right.body + "\n<!-- cached -->");
}
}
, {"JSON twice", AIFLOW_LIE{return saying(right, right.body + right.body);
}
}
, {"stream without its end", AIFLOW_LIE{return streamed(right, false);
}
}
, {"stream nobody asked for", AIFLOW_LIE{return streamed(right, true);
}
}
, {"another model", AIFLOW_LIE{return with(right, places.model, "another-model");
}
}
, {"negative usage", AIFLOW_LIE{return withEveryNumber(right, places, -5);
}
}
, {"absurd usage", AIFLOW_LIE{return withEveryNumber(right, places, 1'000'000'000'000'000);
}
}
, {"no usage", AIFLOW_LIE{return without(right, places.usage);
}
}
, {"redirect", AIFLOW_LIE{right.status = 302;
right.headers.emplace_back("Location", origin + "/elsewhere");
return saying(right, "");
}
}
, {"no content", AIFLOW_LIE{right.status = 204;
return saying(right, "");
}
}
,
}
}
;
#undef AIFLOW_LIE

const Lie& lieAt(int variant)
{
    constexpr int kAll = kLieVariants;
    return kLies[static_cast<std::size_t>((variant % kAll + kAll) % kAll)];
}

} // namespace

std::string lieName(int variant) { return lieAt(variant).name; }

Reply lieOf(int variant, Reply right, const Ask& ask, const Places& places, const std::string& origin)
{
    return lieAt(variant).twist(std::move(right), ask, places, origin);
}

} // namespace aiflow
