// Where an answer lands while it arrives: small ones in memory, large ones in a file, pictures decoded as they stream.
#pragma once

#include "core/api/transport/http_transport.h"
#include "core/base/hash.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace aiflow {

// A file that the answer carried.
struct SpooledFile {
    std::string mediaType;      // from a data: prefix, the content type, or the bytes' beginning
    std::filesystem::path path; // in the spool folder; belongs to whoever takes the answer; empty: `bytes` holds all
    std::int64_t size = 0;
    ContentHash hash;               // SHA-256 of the bytes
    std::vector<std::byte> bytes{}; // of a small picture that stood in the JSON text itself
};

// What is left when the answer is whole.
struct SpooledAnswer {
    int status = 0;
    std::string text; // the body; every long base64 string in it is replaced by "aiflow-file:N"
    std::vector<SpooledFile> files;
    std::filesystem::path rawFile; // the spooled record (status, chosen headers, body); empty: small enough for memory
    std::int64_t bodyBytes = 0;
    std::string raw{}; // the whole body as it came, when pictures were taken out of it and there is no rawFile
};

// JSON bodies are scanned as they stream: a string of more than 4 KiB that is base64 (with or without a data: prefix)
// is decoded into `<attempt>.N.bin` and never held as a whole; every other byte stays in `text`. Bodies of an image
// type become one file. Up to 64 KiB nothing touches the disk; above, the raw bytes are also written to
// `<attempt>.answer`, whose first line is a JSON record of status and headers, so that another process can adopt them.
// Threads: the transport's, then whoever takes the answer after `ended`.
class AnswerSpool : public AnswerSink {
public:
    // `attempt` names the files; the folder exists.
    static std::shared_ptr<AnswerSpool> create(const std::filesystem::path& folder, std::string attempt);
    // After the end. Errors: OutputDiskFull, OutputDenied.
    virtual Result<SpooledAnswer> take() = 0;
    // Removes every file of it that nobody took.
    virtual void discard() = 0;
};

// An answer that an earlier process spooled completely ("<attempt>.answer" that ends as its record says): read again.
// Nothing: there is none, or it is cut off.
Result<std::optional<SpooledAnswer>> adoptSpooled(const std::filesystem::path& folder, const std::string& attempt);

} // namespace aiflow
