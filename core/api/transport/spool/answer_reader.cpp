#include "core/api/transport/spool/answer_reader.h"

#include "core/api/transport/ascii.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

constexpr std::int64_t kTextCap = std::int64_t{8} * 1024 * 1024;
constexpr std::size_t kHead = 16;

struct Magic {
    std::size_t at;
    std::string_view bytes;
    std::string_view mediaType;
};

using namespace std::string_view_literals;

constexpr std::array kMagics = {
    Magic{0, "\x89PNG\r\n\x1A\n"sv, "image/png"},
    Magic{0, "\xFF\xD8\xFF"sv, "image/jpeg"},
    Magic{8, "WEBP"sv, "image/webp"},
    Magic{0, "GIF8"sv, "image/gif"},
    Magic{0, "BM"sv, "image/bmp"},
    Magic{0, "II*\0"sv, "image/tiff"},
    Magic{0, "MM\0*"sv, "image/tiff"},
    Magic{4, "ftypavif"sv, "image/avif"},
    Magic{4, "ftyphei"sv, "image/heic"},
    Magic{4, "ftyp"sv, "video/mp4"},
    Magic{0, "%PDF-"sv, "application/pdf"},
    Magic{8, "WAVE"sv, "audio/wav"},
    Magic{0, "ID3"sv, "audio/mpeg"},
    Magic{0, "OggS"sv, "audio/ogg"},
    Magic{0, "PK\x03\x04"sv, "application/zip"},
};

bool startsWithAny(std::string_view text, std::initializer_list<std::string_view> beginnings)
{
    return std::any_of(beginnings.begin(), beginnings.end(), [&](auto each) { return text.starts_with(each); });
}

} // namespace

std::string mediaTypeOf(std::string_view head)
{
    for (const Magic& magic : kMagics)
        if (head.size() > magic.at && head.substr(magic.at).starts_with(magic.bytes))
            return std::string(magic.mediaType);
    return {};
}

AnswerReader::AnswerReader(std::filesystem::path stem, std::string contentType, std::string_view first,
                           ReadAgain readAgain)
    : m_stem(std::move(stem)), m_contentType(lowerAscii(contentType.substr(0, contentType.find(';')))),
      m_readAgain(std::move(readAgain)), m_kind(kindOf(m_contentType, first))
{
}

AnswerReader::Kind AnswerReader::kindOf(const std::string& contentType, std::string_view first)
{
    // Services name types carelessly: the bytes are believed first.
    if (startsWithAny(mediaTypeOf(first), {"image/p", "image/j", "image/w", "image/g", "image/a", "image/h"}))
        return Kind::File;
    if (contentType.find("json") != std::string::npos || contentType == "text/event-stream") return Kind::Json;
    if (startsWithAny(contentType, {"image/", "audio/", "video/", "application/octet-stream", "binary/",
                                    "application/pdf", "application/zip"}))
        return Kind::File;
    if (contentType == "text/html") return Kind::Text;
    const auto begin = first.find_first_not_of(" \t\r\n");
    const bool json = begin != std::string_view::npos && (first[begin] == '{' || first[begin] == '[');
    return json ? Kind::Json : Kind::Text;
}

Result<void> AnswerReader::checkText(std::int64_t more) const
{
    if (static_cast<std::int64_t>(m_text.size()) + more <= kTextCap) return {};
    return fail(Reason::InputFileBad, "the answer holds more than 8 MiB of text");
}

Result<void> AnswerReader::feed(std::string_view bytes)
{
    if (m_kind == Kind::File) return writeFile(std::as_bytes(std::span(bytes.data(), bytes.size())));
    while (!bytes.empty()) {
        Result<std::size_t> taken = std::size_t{0};
        if (m_kind == Kind::Text) {
            m_text.append(bytes);
            taken = bytes.size();
        } else if (m_place == Place::Outside) {
            taken = outside(bytes);
        } else if (m_place == Place::Text) {
            taken = insideText(bytes);
        } else if (m_place == Place::Candidate) {
            taken = insideCandidate(bytes);
        } else {
            taken = insideFile(bytes);
        }
        if (!taken) return tl::unexpected(taken.error());
        m_position += static_cast<std::int64_t>(*taken);
        bytes.remove_prefix(*taken);
        if (auto fits = checkText(0); !fits) return fits;
    }
    return {};
}

std::size_t AnswerReader::outside(std::string_view bytes)
{
    std::size_t at = 0;
    for (; at < bytes.size() && bytes[at] != '"'; ++at) {
        const bool opens = bytes[at] == '{' || bytes[at] == '[';
        const bool closes = bytes[at] == '}' || bytes[at] == ']';
        if (!opens && !closes) continue;
        m_depth += opens ? 1 : -1;
        m_whole = m_depth == 0;
    }
    if (at < bytes.size()) {
        ++at;
        m_place = Place::Candidate;
        m_stringStart = m_position + static_cast<std::int64_t>(at);
        m_candidate.clear();
        m_base64.reset();
    }
    m_text.append(bytes.substr(0, at));
    return at;
}

std::size_t AnswerReader::insideText(std::string_view bytes)
{
    std::size_t at = 0;
    for (; at < bytes.size(); ++at) {
        if (m_escaped)
            m_escaped = false;
        else if (bytes[at] == '\\')
            m_escaped = true;
        else if (bytes[at] == '"')
            break;
    }
    if (at < bytes.size()) {
        ++at;
        m_place = Place::Outside;
    }
    m_text.append(bytes.substr(0, at));
    return at;
}

Result<std::size_t> AnswerReader::insideCandidate(std::string_view bytes)
{
    std::size_t taken = 0;
    const Base64Text::Fed fed = m_base64.feed(bytes.substr(0, kLongString + 1 - m_candidate.size()), taken);
    m_candidate.append(bytes.substr(0, taken));
    if (fed == Base64Text::Fed::All) {
        if (m_candidate.size() <= kLongString) return taken;
        if (auto became = becomeFile(); !became) return tl::unexpected(became.error());
        return taken;
    }
    m_text.append(m_candidate);
    m_place = Place::Text;
    m_escaped = false;
    // An escape is all or nothing to the decoder; here its beginning may have been read already.
    for (const char each : m_candidate) m_escaped = !m_escaped && each == '\\';
    return taken;
}

Result<void> AnswerReader::becomeFile()
{
    m_place = Place::File;
    m_candidate.clear();
    return writeDecoded();
}

Result<std::size_t> AnswerReader::insideFile(std::string_view bytes)
{
    std::size_t taken = 0;
    const Base64Text::Fed fed = m_base64.feed(bytes, taken);
    if (fed == Base64Text::Fed::AtQuote && m_base64.finish()) {
        auto written = writeDecoded();
        if (written) written = endFile(m_base64.mediaType());
        if (!written) return tl::unexpected(written.error());
        m_text += "aiflow-file:" + std::to_string(m_files.size() - 1);
        m_place = Place::Text;
        m_escaped = false;
        return taken;
    }
    if (fed == Base64Text::Fed::All) {
        if (auto written = writeDecoded(); !written) return tl::unexpected(written.error());
        return taken;
    }
    if (auto put = putBack(m_position + static_cast<std::int64_t>(taken)); !put) return tl::unexpected(put.error());
    return taken;
}

// What looked like base64 for a while is text after all: every byte of it, as it came.
Result<void> AnswerReader::putBack(std::int64_t until)
{
    if (m_file != nullptr) m_file->remove();
    m_file.reset();
    m_hasher.reset();
    if (auto fits = checkText(until - m_stringStart); !fits) return fits;
    const std::size_t before = m_text.size();
    if (auto read = m_readAgain(m_text, m_stringStart, until); !read) return read;
    m_place = Place::Text;
    m_escaped = false;
    for (std::size_t i = before; i < m_text.size(); ++i) m_escaped = !m_escaped && m_text[i] == '\\';
    return {};
}

Result<void> AnswerReader::writeDecoded()
{
    auto written = writeFile(m_base64.decoded());
    m_base64.decoded().clear();
    return written;
}

Result<void> AnswerReader::writeFile(std::span<const std::byte> bytes)
{
    if (m_file == nullptr) {
        m_file = std::make_unique<SpoolFile>(m_stem.string() + "." + std::to_string(m_files.size()) + ".bin");
        m_hasher = std::make_unique<Hasher>();
        m_head.clear();
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (m_head.size() < kHead) m_head += text.substr(0, kHead - m_head.size());
    m_hasher->add(bytes);
    return m_file->append(bytes);
}

Result<void> AnswerReader::endFile(const std::string& mediaType)
{
    if (auto closed = m_file->close(); !closed) return closed;
    SpooledFile file;
    file.mediaType = mediaType.empty() ? mediaTypeOf(m_head) : mediaType;
    if (file.mediaType.empty()) file.mediaType = "application/octet-stream";
    file.path = m_file->path();
    file.size = m_file->size();
    file.hash = m_hasher->finish();
    m_files.push_back(std::move(file));
    m_file.reset();
    m_hasher.reset();
    return {};
}

Result<void> AnswerReader::finish()
{
    if (m_kind == Kind::File) {
        if (m_file == nullptr) return {}; // an empty body
        const bool named = startsWithAny(m_contentType, {"image/", "audio/", "video/", "application/pdf"});
        return endFile(named ? m_contentType : std::string());
    }
    // A string without an end: the body is cut off, and whoever reads it shall see how it came.
    if (m_place == Place::Candidate) m_text.append(std::exchange(m_candidate, {}));
    if (m_place == Place::File) return putBack(m_position);
    return checkText(0);
}

bool AnswerReader::isWholeJson() const noexcept
{
    return m_kind == Kind::Json && m_contentType != "text/event-stream" && m_whole && m_place == Place::Outside;
}

void AnswerReader::removeFiles() noexcept
{
    if (m_file != nullptr) m_file->remove();
    m_file.reset();
    for (const SpooledFile& file : m_files) {
        std::error_code ignored;
        std::filesystem::remove(file.path, ignored);
    }
    m_files.clear();
}

} // namespace aiflow
