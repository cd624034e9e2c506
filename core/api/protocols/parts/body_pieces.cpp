#include "core/api/protocols/parts/body_pieces.h"

#include "core/base/hash.h"
#include "core/base/json.h"

#include <algorithm>
#include <cstring>

namespace aiflow {

namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kReadAtOnce = 48 * 1024; // a multiple of 3, so that no code unit spans two readings

std::int64_t sentSize(const BodyPiece& piece)
{
    if (!piece.file) return static_cast<std::int64_t>(piece.text.size());
    const std::int64_t size = piece.file->size;
    return static_cast<std::int64_t>(piece.text.size()) + (piece.base64 ? (size + 2) / 3 * 4 : size);
}

std::string coded(std::span<const std::byte> bytes)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i)
            group = group << 8U | (at + i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i)
            text.push_back(at + i > bytes.size() ? '=' : kDigits[group >> (18U - 6U * i) & 63U]);
    }
    return text;
}

class PiecesBody final : public BodySource {
public:
    PiecesBody(std::vector<BodyPiece> pieces, OpenFile open) : m_pieces(std::move(pieces)), m_open(std::move(open))
    {
        for (const BodyPiece& piece : m_pieces) m_size += sentSize(piece);
        if (!m_pieces.empty()) m_ready = std::move(m_pieces.front().text);
    }

    std::int64_t size() const override { return m_size; }

    Result<std::size_t> read(std::span<std::byte> into) override
    {
        std::size_t filled = 0;
        while (filled < into.size()) {
            if (m_at == m_ready.size()) {
                const auto more = refill();
                if (!more) return tl::unexpected(more.error());
                if (!*more) break;
                continue;
            }
            const std::size_t count = std::min(into.size() - filled, m_ready.size() - m_at);
            std::memcpy(into.data() + filled, m_ready.data() + m_at, count);
            filled += count;
            m_at += count;
        }
        return filled;
    }

private:
    // The next bytes to send are in m_ready; false: there are none.
    Result<bool> refill()
    {
        m_ready.clear();
        m_at = 0;
        if (m_piece == m_pieces.size()) return false;
        const BodyPiece& piece = m_pieces[m_piece];
        if (!piece.file || m_fileEnded) return nextPiece();
        return readFile(piece);
    }

    bool nextPiece()
    {
        m_fileEnded = false;
        m_fileRead = 0;
        if (++m_piece == m_pieces.size()) return false;
        m_ready = std::move(m_pieces[m_piece].text);
        return true;
    }

    Result<bool> readFile(const BodyPiece& piece)
    {
        if (!m_source) {
            auto source = m_open ? m_open(*piece.file) : fail(Reason::InputFileBad, "a file of the request is gone");
            if (!source) return tl::unexpected(source.error());
            m_source = std::move(*source);
        }
        m_buffer.resize(kReadAtOnce);
        std::size_t filled = 0;
        while (filled < m_buffer.size()) {
            const auto count = m_source->read(std::span(m_buffer).subspan(filled));
            if (!count) return tl::unexpected(count.error());
            if (*count == 0) break;
            filled += *count;
        }
        m_fileRead += static_cast<std::int64_t>(filled);
        const bool ended = filled < m_buffer.size();
        if (m_fileRead > piece.file->size || (ended && m_fileRead != piece.file->size))
            return fail(Reason::InputFileBad, "a file of the request is not as long as it was: " + piece.file->hash,
                        "run the job again; if it stays, the disk is damaged");
        const std::span<const std::byte> bytes(m_buffer.data(), filled);
        m_ready = piece.base64 ? coded(bytes) : std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (ended) {
            m_source.reset();
            m_buffer = {};
            m_fileEnded = true;
        }
        return true;
    }

    std::vector<BodyPiece> m_pieces;
    OpenFile m_open;
    std::int64_t m_size = 0;
    std::size_t m_piece = 0;
    std::string m_ready;
    std::size_t m_at = 0;
    std::unique_ptr<BodySource> m_source;
    std::vector<std::byte> m_buffer;
    std::int64_t m_fileRead = 0;
    bool m_fileEnded = false;
};

// Writes JSON and breaks the text where a file stands. Marks are JSON's binary values: no text of a user can be one.
class PieceWriter {
public:
    explicit PieceWriter(const std::vector<RequestFile>& files) : m_files(files) {}

    void write(const Json& value)
    {
        if (value.is_object())
            writeObject(value);
        else if (value.is_array())
            writeArray(value);
        else if (value.is_binary())
            writeFile(value);
        else
            m_text += dumpJson(value);
    }
    std::vector<BodyPiece> take()
    {
        m_pieces.push_back({std::move(m_text), std::nullopt, true});
        return std::move(m_pieces);
    }

private:
    void writeObject(const Json& value)
    {
        m_text += '{';
        bool first = true;
        for (const auto& [key, member] : value.items()) {
            m_text += (first ? "" : ",") + dumpJson(Json(key)) + ':';
            first = false;
            write(member);
        }
        m_text += '}';
    }
    void writeArray(const Json& value)
    {
        m_text += '[';
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (i > 0) m_text += ',';
            write(value[i]);
        }
        m_text += ']';
    }
    void writeFile(const Json& value)
    {
        const auto& mark = value.get_binary();
        std::size_t index = 0;
        for (const std::uint8_t byte : mark) index = index << 8U | byte;
        const RequestFile& file = m_files.at(index);
        m_text += '"';
        if (mark.has_subtype() && mark.subtype() == 1) {
            const std::string type = dumpJson(Json(file.mediaType));
            m_text += "data:" + type.substr(1, type.size() - 2) + ";base64,";
        }
        m_pieces.push_back({std::move(m_text), file, true});
        m_text = '"';
    }

    const std::vector<RequestFile>& m_files;
    std::vector<BodyPiece> m_pieces;
    std::string m_text;
};

} // namespace

std::unique_ptr<BodySource> piecesBody(std::vector<BodyPiece> pieces, OpenFile open)
{
    return std::make_unique<PiecesBody>(std::move(pieces), std::move(open));
}

Json fileMark(std::size_t index, bool asDataUrl)
{
    Json::binary_t::container_type bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(index >> shift & 255U));
    return Json::binary(std::move(bytes), asDataUrl ? 1U : 0U);
}

std::vector<BodyPiece> jsonPieces(const Json& body, const std::vector<RequestFile>& files)
{
    PieceWriter writer(files);
    writer.write(body);
    return writer.take();
}

void MultipartForm::add(std::string name, std::string value)
{
    m_parts.push_back({std::move(name), std::move(value), "", "", std::nullopt});
}

void MultipartForm::addJson(std::string name, std::string value)
{
    m_parts.push_back({std::move(name), std::move(value), "application/json", "", std::nullopt});
}

void MultipartForm::add(std::string name, std::string fileName, RequestFile file)
{
    std::string type = file.mediaType;
    m_parts.push_back({std::move(name), "", std::move(type), std::move(fileName), std::move(file)});
}

// The hash of everything in the form: nobody can write a text that holds it.
std::string MultipartForm::boundary() const
{
    Hasher hasher;
    for (const Part& part : m_parts)
        hasher.addField(part.name).addField(part.value).addField(part.file ? part.file->hash : "");
    return "aiflow-" + hasher.finish().hex().substr(0, 32);
}

std::string MultipartForm::contentType() const { return "multipart/form-data; boundary=" + boundary(); }

std::vector<BodyPiece> MultipartForm::pieces() const
{
    const std::string line = "--" + boundary();
    std::vector<BodyPiece> made;
    std::string text;
    for (const Part& part : m_parts) {
        text += line + "\r\nContent-Disposition: form-data; name=\"" + part.name + "\"";
        if (part.file) text += "; filename=\"" + part.fileName + "\"";
        if (!part.mediaType.empty()) text += "\r\nContent-Type: " + part.mediaType;
        text += "\r\n\r\n" + part.value;
        if (part.file) made.push_back({std::exchange(text, {}), part.file, false});
        text += "\r\n";
    }
    made.push_back({text + line + "--\r\n", std::nullopt, true});
    return made;
}

std::string extensionOf(const std::string& mediaType)
{
    if (mediaType == "image/jpeg") return "jpg";
    if (mediaType == "image/svg+xml") return "svg";
    const std::size_t slash = mediaType.find('/');
    std::string rest = slash == std::string::npos ? std::string() : mediaType.substr(slash + 1);
    const bool plain =
        std::ranges::all_of(rest, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
    return rest.empty() || !plain ? "bin" : rest;
}

} // namespace aiflow
