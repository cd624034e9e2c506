// Request bodies made of pieces: texts, and files that are read (and coded as base64) while they are sent.
#pragma once

#include "core/api/protocols/protocol.h"

#include <string>
#include <utility>
#include <vector>

namespace aiflow {

struct BodyPiece {
    std::string text;
    std::optional<RequestFile> file; // after the text
    bool base64 = true;              // false: its bytes as they are
};

// Opens each file when it is its turn. An error of reading: the file is gone, or no longer as long as it was.
std::unique_ptr<BodySource> piecesBody(std::vector<BodyPiece> pieces, OpenFile open);

// A place in a JSON body where a file's base64 will stand: a string, with "data:TYPE;base64," before it when asked.
Json fileMark(std::size_t index, bool asDataUrl);
// The JSON text in pieces; `files` are what the marks count.
std::vector<BodyPiece> jsonPieces(const Json& body, const std::vector<RequestFile>& files);

// multipart/form-data; the same parts give the same bytes.
class MultipartForm {
public:
    void add(std::string name, std::string value);
    void addJson(std::string name, std::string value);
    void add(std::string name, std::string fileName, RequestFile file);
    std::string contentType() const;
    std::vector<BodyPiece> pieces() const;

private:
    struct Part {
        std::string name, value, mediaType, fileName;
        std::optional<RequestFile> file;
    };
    std::string boundary() const;
    std::vector<Part> m_parts;
};

// "png" of "image/png": for file names in forms.
std::string extensionOf(const std::string& mediaType);

} // namespace aiflow
