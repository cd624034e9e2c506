#include "core/input/jsonl_reader.h"

#include "core/base/json.h"
#include "core/input/csv_row.h"
#include "core/input/text_place.h"

#include <algorithm>
#include <set>

namespace aiflow {

namespace {

constexpr std::size_t kMaxLine = CsvLimits{}.rowBytes;
constexpr std::int64_t kMaxRows = 10'000'000;
constexpr int kSampleLines = 1000;

bool isBlank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

Error lineError(std::string_view text, std::size_t at, const InputDescription& description, const RecordPlace& place,
                std::string message, std::string hint)
{
    return {Reason::InputFileBad, std::move(message), std::move(hint), placeInText(text, at, description, place)};
}

Result<Json> parseLine(std::string_view text, const InputDescription& description, const RecordPlace& place)
{
    auto value = parseJson(text);
    if (!value) {
        const auto at = value.error().where ? std::max<std::int64_t>(value.error().where->byteOffset, 1) - 1 : 0;
        return tl::unexpected(lineError(text, static_cast<std::size_t>(at), description, place, value.error().message,
                                        "each line holds one whole JSON object"));
    }
    if (!value->is_object())
        return tl::unexpected(lineError(text, 0, description, place,
                                        "expected a JSON object, found a JSON " + std::string(value->type_name()),
                                        "each line holds one JSON object: {\"sku\": \"A1\", \"title\": \"...\"}"));
    return value;
}

} // namespace

void fillJsonlRecord(std::string_view text, const InputDescription& description, const RecordPlace& place,
                     InputRecord& record)
{
    record.cells.clear();
    record.object.reset();
    record.error.reset();
    record.line = place.line;
    record.byteOffset = place.byteOffset;
    record.byteLength = place.byteLength;
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    if (text.size() > kMaxLine) {
        record.error =
            lineError(text, 0, description, place, "the line is larger than 4 MiB", "give large texts as files");
        return;
    }
    auto value = parseLine(text, description, place);
    if (!value) {
        record.error = std::move(value.error());
    } else if (description.format == InputFormat::Folder && value->contains("unreadable_name")) {
        record.error = lineError(text, 0, description, place,
                                 "the file name is not valid UTF-8: " + value->value("unreadable_name", std::string()),
                                 "rename the file");
    } else {
        record.object = std::make_shared<const Json>(std::move(*value));
    }
}

Result<std::unique_ptr<RecordReader>> JsonlReader::open(TextSource source, InputFormat format)
{
    std::unique_ptr<JsonlReader> reader(new JsonlReader(std::move(source)));
    reader->m_description.format = format;
    reader->m_description.encoding = reader->m_source.start();
    reader->m_description.displayName = reader->m_source.fileName();
    if (auto named = reader->readNames(); !named) return tl::unexpected(named.error());
    return reader;
}

Result<void> JsonlReader::readNames()
{
    std::size_t length = 0;
    const auto found = findLine(length);
    if (!found) return tl::unexpected(found.error());
    if (!*found && m_description.format != InputFormat::Folder)
        return fail(Reason::InputFileBad, m_source.fileName() + " is empty: expected a JSON object on each line",
                    "each line holds one product: {\"sku\": \"A1\", \"title\": \"...\"}");
    std::string_view text = m_source.window();
    if (const auto first = text.find_first_not_of(" \t\r\n"); first != std::string_view::npos && text[first] == '[')
        return failAt({m_source.fileName(), 1, 1, m_description.encoding.textOffset}, Reason::InputFileBad,
                      "expected a JSON object on each line, found an array",
                      "write one object a line: jq -c '.[]' FILE > FILE.jsonl");
    std::set<std::string> names;
    for (int i = 0; i < kSampleLines && !text.empty(); ++i) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos && !m_source.atEnd()) break;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.size() > kMaxLine || isBlank(line)) continue;
        const auto value = parseJson(line);
        if (!value || !value->is_object()) continue;
        for (const auto& [key, ignored] : value->items()) names.insert(key);
    }
    for (const std::string& key : names) m_description.header.push_back({key, key.starts_with('_')});
    return {};
}

// Empty lines are consumed. False at the end; `length` counts the line's end, unless the line is too large.
Result<bool> JsonlReader::findLine(std::size_t& length)
{
    for (;;) {
        const std::string_view window = m_source.window();
        if (window.empty() && m_source.atEnd()) return false;
        const std::size_t end = window.substr(0, kMaxLine + 1).find('\n');
        const bool whole = end != std::string_view::npos || window.size() > kMaxLine || m_source.atEnd();
        if (whole) {
            length = end == std::string_view::npos ? std::min(window.size(), kMaxLine + 1) : end + 1;
            if (length > kMaxLine + 1 || !isBlank(window.substr(0, length))) return true;
            m_source.consume(length);
            if (end != std::string_view::npos) ++m_line;
            continue;
        }
        if (auto grown = m_source.grow(); !grown) return tl::unexpected(grown.error());
    }
}

Result<void> JsonlReader::skipToLineEnd()
{
    for (;;) {
        const std::string_view window = m_source.window();
        const std::size_t end = window.find('\n');
        if (end != std::string_view::npos) {
            m_source.consume(end + 1);
            return {};
        }
        m_source.consume(window.size());
        if (m_source.atEnd()) return {};
        if (auto grown = m_source.grow(); !grown) return grown;
    }
}

Result<bool> JsonlReader::next(InputRecord& record)
{
    std::size_t length = 0;
    auto found = findLine(length);
    if (!found || !*found) return found;
    if (++m_rows > kMaxRows)
        return failAt({m_source.fileName(), m_line, 0, m_source.fileOffset(0)}, Reason::InputFileBad,
                      "the file has more than 10,000,000 lines",
                      "split the file and run its parts one after the other");
    const RecordPlace place{m_line, m_source.fileOffset(0), 0};
    const std::string_view line = m_source.window().substr(0, length);
    const bool cut = line.size() > kMaxLine && line.back() != '\n';
    fillJsonlRecord(line, m_description, place, record);
    m_source.consume(length);
    if (cut)
        if (auto skipped = skipToLineEnd(); !skipped) return tl::unexpected(skipped.error());
    ++m_line;
    record.byteLength = m_source.fileOffset(0) - place.byteOffset;
    return true;
}

} // namespace aiflow
