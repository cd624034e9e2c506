#include "core/input/text_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;

bool isBefore(std::int64_t at, const TextAnchor& anchor) { return at < anchor.text; }

} // namespace

InputFile::~InputFile()
{
    if (m_descriptor >= 0) ::close(m_descriptor);
}

InputFile& InputFile::operator=(InputFile&& other) noexcept
{
    std::swap(m_descriptor, other.m_descriptor);
    return *this;
}

Result<InputFile> InputFile::open(const std::string& path)
{
    InputFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0)
        return fail(Reason::InputFileBad, "cannot read " + path + ": " + std::strerror(errno),
                    errno == ENOENT ? "check the file's name" : "check the file's permissions");
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return fail(Reason::InputFileBad, path + " is not a regular file", "give a CSV or JSONL file, or a folder");
    return file;
}

TextSource::TextSource(InputFile file, std::string fileName, DetectedEncoding start, Hasher* hasher)
    : m_file(std::move(file)), m_fileName(std::move(fileName)), m_start(start), m_hasher(hasher)
{
    m_fileEnd = start.textOffset;
    m_anchors.push_back({0, start.textOffset});
    if (start.encoding != Encoding::Utf8) m_decoder = std::make_unique<Decoder>(start.encoding);
    if (m_hasher == nullptr || start.textOffset == 0) return;
    std::string mark(static_cast<std::size_t>(start.textOffset), '\0');
    readAt(m_file.get(), mark.data(), mark.size(), 0);
    m_hasher->add(std::string_view(mark));
}

void TextSource::compact()
{
    const TextAnchor start{textPosition(0), fileOffset(0)};
    m_text.erase(0, m_begin);
    m_dropped += static_cast<std::int64_t>(m_begin);
    m_valid -= m_begin;
    m_begin = 0;
    const auto next = std::upper_bound(m_anchors.begin(), m_anchors.end(), start.text, isBefore);
    m_anchors.erase(m_anchors.begin(), next - 1);
    m_anchors.front() = start;
}

Result<void> TextSource::grow()
{
    compact();
    const std::size_t before = m_valid;
    while (!m_atEnd && m_badOffset < 0 && m_valid < before * 2 + 1)
        if (auto read = readBlock(); !read) return read;
    // What was good before an invalid byte is handed out first.
    if (m_badOffset >= 0 && m_valid == before)
        return tl::unexpected(invalidByteError(m_file.get(), m_fileName, m_start, m_badOffset));
    return {};
}

Result<void> TextSource::readBlock()
{
    std::string& target = m_decoder ? m_raw : m_text;
    const std::size_t old = m_decoder ? 0 : m_text.size();
    target.resize(old + kBlock);
    const std::int64_t count = readAt(m_file.get(), target.data() + old, kBlock, m_fileEnd);
    if (count < 0) return fail(Reason::InputFileBad, "cannot read " + m_fileName + ": " + std::strerror(errno));
    target.resize(old + static_cast<std::size_t>(count));
    const std::string_view raw(target.data() + old, static_cast<std::size_t>(count));
    if (m_hasher != nullptr) m_hasher->add(raw);
    const bool last = raw.size() < kBlock;
    if (m_decoder) {
        m_decoder->setTextOffset(m_dropped);
        if (const auto bad = m_decoder->decode(raw, m_fileEnd, last, m_text, m_anchors)) m_badOffset = *bad;
        m_valid = m_text.size();
    } else {
        const auto prefix = utf8Prefix(std::string_view(m_text).substr(m_valid));
        m_valid += prefix.valid;
        if (m_valid < m_text.size() && !(prefix.cutOff && !last))
            m_badOffset = m_start.textOffset + m_dropped + static_cast<std::int64_t>(m_valid);
    }
    m_fileEnd += count;
    m_atEnd = last && m_badOffset < 0;
    return {};
}

std::int64_t TextSource::fileOffset(std::size_t position) const
{
    const std::int64_t at = textPosition(position);
    if (!m_decoder) return m_start.textOffset + at;
    const auto next = std::upper_bound(m_anchors.begin(), m_anchors.end(), at, isBefore);
    const TextAnchor& anchor = *(next - 1);
    const auto between = static_cast<std::size_t>(at - anchor.text);
    if (between == 0) return anchor.file;
    const auto from = static_cast<std::size_t>(anchor.text - m_dropped);
    return anchor.file + encodedSize(std::string_view(m_text).substr(from, between), m_start.encoding);
}

} // namespace aiflow
