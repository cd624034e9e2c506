// A file that fills up while an answer arrives: made when the first bytes come, for this user alone.
#pragma once

#include "aiflow/result.h"
#include "core/base/hash.h"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace aiflow {

// Errors of all methods: OutputDiskFull, OutputDenied, with the path. Threads: one.
class SpoolFile {
public:
    explicit SpoolFile(std::filesystem::path path) : m_path(std::move(path)) {}
    ~SpoolFile();
    SpoolFile(const SpoolFile&) = delete;
    SpoolFile& operator=(const SpoolFile&) = delete;

    Result<void> append(std::span<const std::byte> bytes);
    Result<void> append(std::string_view text) { return append(std::as_bytes(std::span(text.data(), text.size()))); }
    Result<void> close(); // flushed; nothing may be appended afterwards
    // Bytes [from, to) that were appended earlier.
    Result<void> readInto(std::string& text, std::int64_t from, std::int64_t to);
    // Writes over bytes that were appended earlier.
    Result<void> overwrite(std::int64_t at, std::string_view text);
    void remove() noexcept;

    const std::filesystem::path& path() const noexcept { return m_path; }
    std::int64_t size() const noexcept { return m_size; }

private:
    Result<void> flush();
    Result<void> open();
    tl::unexpected<Error> problem(int number) const;

    std::filesystem::path m_path;
    std::vector<std::byte> m_buffer;
    std::int64_t m_size = 0;
    int m_file = -1;
    bool m_made = false;
};

} // namespace aiflow
