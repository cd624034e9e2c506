#include "core/api/transport/spool/spool_file.h"

#include "core/base/failpoint.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr std::size_t kBuffer = std::size_t{64} * 1024;

} // namespace

SpoolFile::~SpoolFile()
{
    if (m_file >= 0) ::close(m_file);
}

tl::unexpected<Error> SpoolFile::problem(int number) const
{
    const std::string words = "cannot write " + m_path.string() + ": " + std::strerror(number);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        return fail(Reason::OutputDiskFull, words, "free some space, then resume");
    return fail(Reason::OutputDenied, words, "check the folder's permissions, then resume");
}

Result<void> SpoolFile::open()
{
    m_file = ::open(m_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (m_file < 0) return problem(errno);
    m_made = true;
    return {};
}

Result<void> SpoolFile::flush()
{
    AIFLOW_FAILPOINT_RESULT("spool_write");
    if (m_file < 0) {
        if (auto opened = open(); !opened) return opened;
    }
    std::span<const std::byte> left(m_buffer);
    while (!left.empty()) {
        const ssize_t count = ::write(m_file, left.data(), left.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return problem(errno);
        left = left.subspan(static_cast<std::size_t>(count));
    }
    m_buffer.clear();
    return {};
}

Result<void> SpoolFile::append(std::span<const std::byte> bytes)
{
    m_size += static_cast<std::int64_t>(bytes.size());
    while (!bytes.empty()) {
        const std::size_t count = std::min(bytes.size(), kBuffer - m_buffer.size());
        m_buffer.insert(m_buffer.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
        bytes = bytes.subspan(count);
        if (m_buffer.size() < kBuffer) break;
        if (auto flushed = flush(); !flushed) return flushed;
    }
    return {};
}

Result<void> SpoolFile::close()
{
    if (auto flushed = flush(); !flushed) return flushed;
    m_buffer = {};
    const int file = std::exchange(m_file, -1);
    if (::close(file) != 0) return problem(errno);
    return {};
}

Result<void> SpoolFile::readInto(std::string& text, std::int64_t from, std::int64_t to)
{
    if (auto flushed = flush(); !flushed) return flushed;
    const std::size_t before = text.size();
    text.resize(before + static_cast<std::size_t>(to - from));
    for (std::size_t at = before; at < text.size();) {
        const off_t offset = from + static_cast<off_t>(at - before);
        const ssize_t count = ::pread(m_file, text.data() + at, text.size() - at, offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return problem(count < 0 ? errno : EIO);
        at += static_cast<std::size_t>(count);
    }
    return {};
}

Result<void> SpoolFile::overwrite(std::int64_t at, std::string_view text)
{
    if (auto flushed = flush(); !flushed) return flushed;
    const ssize_t count = ::pwrite(m_file, text.data(), text.size(), at);
    if (count != static_cast<ssize_t>(text.size())) return problem(count < 0 ? errno : ENOSPC);
    return {};
}

void SpoolFile::remove() noexcept
{
    if (m_file >= 0) ::close(std::exchange(m_file, -1));
    if (m_made) ::unlink(m_path.c_str());
    m_made = false;
}

} // namespace aiflow
