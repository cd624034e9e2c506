#include "core/facade/client/list_file.h"

#include "core/base/hash.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

Error writeError(const fs::path& path, int problem)
{
    const Reason reason =
        problem == ENOSPC || problem == EDQUOT || problem == EFBIG ? Reason::OutputDiskFull : Reason::OutputDenied;
    return Error{reason, "cannot write " + path.string() + ": " + std::strerror(problem),
                 reason == Reason::OutputDiskFull ? "free some space, then resume"
                                                  : "check the folder's permissions, then resume",
                 std::nullopt};
}

} // namespace

ListFile::ListFile(fs::path path)
    : m_path(std::move(path)), m_temporary(m_path.parent_path() / (".tmp-" + std::to_string(::getpid()) + "-" +
                                                                   std::to_string(xxh3(m_path.filename().string()))))
{
    errno = 0;
    m_stream.open(m_temporary, std::ios::binary | std::ios::trunc);
    if (!m_stream) m_problem = errno != 0 ? errno : EIO;
}

ListFile::~ListFile()
{
    std::error_code ignored;
    fs::remove(m_temporary, ignored);
}

void ListFile::write(const std::string& text)
{
    if (m_problem != 0) return;
    errno = 0;
    if (!m_stream.write(text.data(), static_cast<std::streamsize>(text.size()))) m_problem = errno != 0 ? errno : EIO;
}

Result<void> ListFile::finish()
{
    if (m_problem == 0) {
        errno = 0;
        m_stream.close();
        if (!m_stream) m_problem = errno != 0 ? errno : EIO;
    }
    if (m_problem != 0) return tl::unexpected(writeError(m_path, m_problem));
    const auto now = sha256File(m_temporary);
    const auto before = sha256File(m_path);
    if (now && before && *now == *before) return {};
    std::error_code problem;
    fs::permissions(m_temporary, fs::perms(0644), problem);
    fs::rename(m_temporary, m_path, problem);
    if (problem) return tl::unexpected(writeError(m_path, problem.value()));
    return {};
}

} // namespace aiflow
