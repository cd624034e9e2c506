#include "core/api/transport/spool/answer_record.h"

#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::size_t kHeadersKept = 50;
constexpr std::size_t kLongestValue = 512;
constexpr std::size_t kNumberWidth = 20;

} // namespace

std::string recordLine(const RecordHead& head)
{
    Json headers = Json::array();
    for (const auto& [name, value] : head.headers) {
        const bool session = name == "set-cookie" || name == "set-cookie2";
        if (!session && headers.size() < kHeadersKept && value.size() <= kLongestValue)
            headers.push_back({name, value});
    }
    std::string bytes = std::to_string(head.bytes);
    bytes.insert(0, kNumberWidth - std::min(bytes.size(), kNumberWidth), ' ');
    return "{\"bytes\":" + bytes + ",\"status\":" + std::to_string(head.status) + ",\"headers\":" + dumpJson(headers) +
           "}\n";
}

std::optional<RecordHead> readRecordLine(std::string_view line)
{
    const auto json = parseJson(line);
    if (!json || !json->is_object()) return std::nullopt;
    const Json& object = *json;
    if (!object.contains("bytes") || !object.contains("status") || !object.contains("headers")) return std::nullopt;
    if (!object["bytes"].is_number_integer() || !object["status"].is_number_integer()) return std::nullopt;
    if (!object["headers"].is_array()) return std::nullopt;
    RecordHead head;
    head.bytes = object["bytes"].get<std::int64_t>();
    head.status = object["status"].get<int>();
    for (const Json& header : object["headers"]) {
        if (!header.is_array() || header.size() != 2 || !header[0].is_string() || !header[1].is_string())
            return std::nullopt;
        head.headers.emplace_back(header[0].get<std::string>(), header[1].get<std::string>());
    }
    return head;
}

const std::string* headerOf(const RecordHead& head, std::string_view lowerCaseName)
{
    const auto found = std::find_if(head.headers.begin(), head.headers.end(),
                                    [&](const auto& header) { return header.first == lowerCaseName; });
    return found == head.headers.end() ? nullptr : &found->second;
}

} // namespace aiflow
