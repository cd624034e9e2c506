// Turns an answer's bytes, as they come, into text and files.
#pragma once

#include "core/api/transport/answer_spool.h"
#include "core/api/transport/spool/base64_text.h"
#include "core/api/transport/spool/spool_file.h"

#include <functional>
#include <memory>

namespace aiflow {

// JSON keeps its text, with "aiflow-file:N" for each long base64 string; a picture becomes one file; the rest is text.
// Errors: InputFileBad (the text is larger than 8 MiB), OutputDiskFull, OutputDenied. Threads: one.
class AnswerReader {
public:
    static constexpr std::size_t kLongString = 4096; // longer ones may be pictures
    // Appends the answer's raw bytes [from, to) to a text: what turned out to be no base64 is read again.
    using ReadAgain = std::function<Result<void>(std::string& text, std::int64_t from, std::int64_t to)>;

    // `first`: the answer's first bytes; they are fed again. Files are called `<stem>.N.bin`.
    AnswerReader(std::filesystem::path stem, std::string contentType, std::string_view first, ReadAgain readAgain);
    Result<void> feed(std::string_view bytes);
    Result<void> finish();
    // A JSON value began, and every bracket of it was closed.
    bool isWholeJson() const noexcept;
    std::string takeText() { return std::move(m_text); }
    std::vector<SpooledFile> takeFiles() { return std::move(m_files); }
    void removeFiles() noexcept;

private:
    enum class Kind : std::uint8_t { Json, Text, File };
    enum class Place : std::uint8_t { Outside, Text, Candidate, File };
    static Kind kindOf(const std::string& contentType, std::string_view first);
    std::size_t outside(std::string_view bytes);
    std::size_t insideText(std::string_view bytes);
    Result<std::size_t> insideCandidate(std::string_view bytes);
    Result<std::size_t> insideFile(std::string_view bytes);
    Result<void> becomeFile();
    Result<void> putBack(std::int64_t until);
    Result<void> writeDecoded();
    Result<void> endFile(const std::string& mediaType);
    Result<void> writeFile(std::span<const std::byte> bytes);
    Result<void> checkText(std::int64_t more) const;

    std::filesystem::path m_stem;
    std::string m_contentType;
    ReadAgain m_readAgain;
    Kind m_kind;
    Place m_place = Place::Outside;
    std::int64_t m_position = 0; // of the next byte in the answer
    std::int64_t m_stringStart = 0;
    std::int64_t m_depth = 0;
    bool m_whole = false;
    bool m_escaped = false;
    std::string m_text;
    std::string m_candidate; // a string's beginning as it came, while it may be base64
    Base64Text m_base64;
    std::unique_ptr<SpoolFile> m_file;
    std::unique_ptr<Hasher> m_hasher;
    std::string m_head; // of the file's bytes
    std::vector<SpooledFile> m_files;
};

// "image/png" from the bytes' beginning; empty: not known.
std::string mediaTypeOf(std::string_view head);

} // namespace aiflow
