#include "core/api/transport/answer_spool.h"

#include "core/api/transport/spool/answer_reader.h"
#include "core/api/transport/spool/answer_record.h"

#include <charconv>
#include <fstream>
#include <optional>

namespace aiflow {

namespace {

constexpr std::size_t kInMemory = std::size_t{64} * 1024;

std::string contentTypeOf(const RecordHead& head)
{
    const std::string* const type = headerOf(head, "content-type");
    return type == nullptr ? std::string() : *type;
}

class FileAnswerSpool final : public AnswerSpool {
public:
    FileAnswerSpool(const std::filesystem::path& folder, std::string attempt)
        : m_folder(folder.native()), m_attempt(std::move(attempt))
    {
    }
    Result<void> begin(int status, const std::vector<std::pair<std::string, std::string>>& headers) override;
    Result<void> write(std::span<const std::byte> bytes) override;
    Result<SpooledAnswer> take() override;
    void discard() override;

private:
    void makeReader();
    bool needsNoReading() const;
    Result<void> spill();
    Result<void> markWhole();
    Result<void> readAgain(std::string& text, std::int64_t from, std::int64_t to);

    const std::string m_folder; // most answers are small and need no path
    const std::string m_attempt;
    std::optional<SpoolFile> m_record; // of an answer that was spilled
    RecordHead m_head;
    std::int64_t m_lineSize = 0;
    std::int64_t m_bytes = 0;
    std::string m_pending; // all of a small answer
    bool m_spilled = false;
    bool m_taken = false;
    std::unique_ptr<AnswerReader> m_reader;
};

Result<void> FileAnswerSpool::begin(int status, const std::vector<std::pair<std::string, std::string>>& headers)
{
    m_head.status = status;
    m_head.headers = headers;
    return {};
}

Result<void> FileAnswerSpool::write(std::span<const std::byte> bytes)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    m_bytes += static_cast<std::int64_t>(bytes.size());
    if (!m_spilled) {
        m_pending.append(text);
        return m_pending.size() > kInMemory ? spill() : Result<void>();
    }
    if (auto written = m_record->append(text); !written) return written;
    return m_reader->feed(text);
}

void FileAnswerSpool::makeReader()
{
    m_reader = std::make_unique<AnswerReader>(
        std::filesystem::path(m_folder) / m_attempt, contentTypeOf(m_head), m_pending,
        [this](std::string& text, std::int64_t from, std::int64_t to) { return readAgain(text, from, to); });
}

Result<void> FileAnswerSpool::spill()
{
    m_spilled = true;
    m_record.emplace(std::filesystem::path(m_folder) / (m_attempt + ".answer"));
    const std::string line = recordLine(m_head);
    m_lineSize = static_cast<std::int64_t>(line.size());
    auto written = m_record->append(line);
    if (written) written = m_record->append(m_pending);
    if (!written) return written;
    makeReader();
    const std::string pending = std::exchange(m_pending, {});
    return m_reader->feed(pending);
}

Result<void> FileAnswerSpool::readAgain(std::string& text, std::int64_t from, std::int64_t to)
{
    if (m_spilled) return m_record->readInto(text, m_lineSize + from, m_lineSize + to);
    text.append(m_pending, static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
    return {};
}

Result<void> FileAnswerSpool::markWhole()
{
    m_head.bytes = m_bytes;
    auto done = m_record->overwrite(0, recordLine(m_head));
    return done ? m_record->close() : done;
}

// Too short for a picture's string: it is text as it stands.
bool FileAnswerSpool::needsNoReading() const
{
    return !m_spilled && m_pending.size() <= AnswerReader::kLongString && m_pending.starts_with('{') &&
           contentTypeOf(m_head).find("json") != std::string::npos;
}

Result<SpooledAnswer> FileAnswerSpool::take()
{
    if (m_taken) return fail(Reason::Internal, "the answer was taken already");
    if (needsNoReading()) {
        m_taken = true;
        return SpooledAnswer{m_head.status, std::move(m_pending), {}, {}, m_bytes};
    }
    Result<void> read;
    if (!m_spilled) {
        makeReader();
        read = m_reader->feed(m_pending);
    }
    if (read) read = m_reader->finish();
    if (read && m_spilled) read = markWhole();
    if (!read) return tl::unexpected(read.error());
    m_taken = true;
    SpooledAnswer answer;
    answer.status = m_head.status;
    answer.text = m_reader->takeText();
    answer.files = m_reader->takeFiles();
    answer.bodyBytes = m_bytes;
    if (m_spilled)
        answer.rawFile = m_record->path();
    else if (!answer.files.empty())
        answer.raw = std::move(m_pending);
    return answer;
}

void FileAnswerSpool::discard()
{
    if (m_taken) return;
    if (m_reader != nullptr) m_reader->removeFiles();
    if (m_record) m_record->remove();
}

// Whether a record whose writer died before it could say so is whole nevertheless.
bool endsAsAnnounced(const RecordHead& head, std::int64_t bytes, bool wholeJson)
{
    if (head.bytes >= 0) return head.bytes == bytes;
    const std::string* const length = headerOf(head, "content-length");
    if (length == nullptr || headerOf(head, "content-encoding") != nullptr) return wholeJson;
    std::int64_t announced = -1;
    std::from_chars(length->data(), length->data() + length->size(), announced);
    return announced == bytes;
}

class RecordFile {
public:
    explicit RecordFile(const std::filesystem::path& path) : m_path(path), m_file(path, std::ios::binary) {}
    std::optional<RecordHead> head()
    {
        std::string line;
        if (!std::getline(m_file, line) || m_file.eof()) return std::nullopt;
        m_bodyAt = static_cast<std::int64_t>(line.size()) + 1;
        return readRecordLine(line);
    }
    std::string next()
    {
        std::string piece(kInMemory, '\0');
        m_file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        piece.resize(static_cast<std::size_t>(m_file.gcount()));
        return piece;
    }
    Result<void> readInto(std::string& text, std::int64_t from, std::int64_t to)
    {
        std::ifstream again(m_path, std::ios::binary);
        const std::size_t before = text.size();
        text.resize(before + static_cast<std::size_t>(to - from));
        again.seekg(m_bodyAt + from);
        again.read(text.data() + before, to - from);
        if (again.gcount() != to - from) return fail(Reason::InputFileBad, "cannot read " + m_path.string());
        return {};
    }

private:
    std::filesystem::path m_path;
    std::ifstream m_file;
    std::int64_t m_bodyAt = 0;
};

} // namespace

std::shared_ptr<AnswerSpool> AnswerSpool::create(const std::filesystem::path& folder, std::string attempt)
{
    return std::make_shared<FileAnswerSpool>(folder, std::move(attempt));
}

Result<std::optional<SpooledAnswer>> adoptSpooled(const std::filesystem::path& folder, const std::string& attempt)
{
    const std::filesystem::path path = folder / (attempt + ".answer");
    RecordFile file(path);
    const auto head = file.head();
    if (!head) return std::optional<SpooledAnswer>();

    std::string piece = file.next();
    AnswerReader reader(
        folder / attempt, contentTypeOf(*head), piece,
        [&](std::string& text, std::int64_t from, std::int64_t to) { return file.readInto(text, from, to); });
    std::int64_t bytes = 0;
    Result<void> read;
    for (; read && !piece.empty(); piece = file.next()) {
        bytes += static_cast<std::int64_t>(piece.size());
        read = reader.feed(piece);
    }
    if (read) read = reader.finish();
    if (!read || !endsAsAnnounced(*head, bytes, reader.isWholeJson())) {
        reader.removeFiles();
        if (!read) return tl::unexpected(read.error());
        return std::optional<SpooledAnswer>();
    }
    return SpooledAnswer{head->status, reader.takeText(), reader.takeFiles(), path, bytes};
}

} // namespace aiflow
