#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr int kMaxDepth = 64;

SourcePosition positionOf(std::string_view text, std::size_t byte, std::string_view fileName)
{
    const std::string_view before = text.substr(0, std::min(byte, text.size()));
    const auto lastBreak = before.rfind('\n');
    SourcePosition where;
    where.file = fileName;
    where.line = 1 + std::count(before.begin(), before.end(), '\n');
    where.column = static_cast<std::int64_t>(before.size() - (lastBreak == std::string_view::npos ? 0 : lastBreak + 1));
    where.column = std::max<std::int64_t>(where.column, 1);
    where.byteOffset = static_cast<std::int64_t>(before.size());
    return where;
}

} // namespace

Result<Json> parseJson(std::string_view text, std::string_view fileName)
{
    bool tooDeep = false;
    try {
        const auto watchDepth = [&tooDeep](int depth, Json::parse_event_t, Json&) {
            if (depth <= kMaxDepth) return true;
            tooDeep = true;
            return false;
        };
        Json value = Json::parse(text, watchDepth);
        if (tooDeep) return fail(Reason::InputFileBad, "JSON is nested deeper than 64 levels");
        return value;
    } catch (const Json::parse_error& error) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ...": the end is for
        // people.
        std::string sentence = error.what();
        if (const auto colon = sentence.find(": "); colon != std::string::npos) sentence = sentence.substr(colon + 2);
        return failAt(positionOf(text, error.byte, fileName), Reason::InputFileBad, "not valid JSON: " + sentence);
    } catch (const std::exception& error) {
        return fail(Reason::InputFileBad, std::string("not valid JSON: ") + error.what());
    }
}

std::string dumpJson(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

} // namespace aiflow
