#include "core/base/json.h"
#include "core/compute/value.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

namespace aiflow {

namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kPixelsType = "application/x-aiflow-pixels";
constexpr std::string_view kListType = "application/x-aiflow-list";
constexpr std::string_view kEmptyType = "application/x-aiflow-empty";
constexpr std::string_view kBlobType = "application/x-aiflow-blob"; // only where a Blob's own type is one of these
constexpr std::string_view kPixelsMagic = "AIFPIX01";
constexpr std::string_view kListMagic = "AIFLST01";
constexpr std::size_t kPixelsHeader = 24; // magic, width, height, format and four spare bytes that are zero
constexpr int kMaxDepth = 16;

bool isReserved(std::string_view mediaType)
{
    constexpr std::array kReserved{kJsonType, kPixelsType, kListType, kEmptyType, kBlobType};
    return std::ranges::find(kReserved, mediaType) != kReserved.end();
}

tl::unexpected<Error> damaged(std::string_view what)
{
    return fail(Reason::Internal, "a stored value is damaged: " + std::string(what));
}

// --- writing

class ByteWriter {
public:
    explicit ByteWriter(std::vector<std::byte>& out) : m_out(out) {}

    void number(std::uint64_t value, int bytes)
    {
        for (int i = 0; i < bytes; ++i) m_out.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFFU));
    }
    void raw(const void* data, std::size_t size)
    {
        const auto* first = static_cast<const std::byte*>(data);
        m_out.insert(m_out.end(), first, first + size);
    }
    void text(std::string_view text)
    {
        number(text.size(), 4);
        raw(text.data(), text.size());
    }

private:
    std::vector<std::byte>& m_out;
};

EncodedValue encodeImage(const Image& image)
{
    EncodedValue encoded{std::string(kPixelsType), {}};
    const auto rowBytes = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(channels(image.format));
    encoded.bytes.reserve(kPixelsHeader + rowBytes * static_cast<std::size_t>(image.height));
    ByteWriter writer(encoded.bytes);
    writer.raw(kPixelsMagic.data(), kPixelsMagic.size());
    writer.number(static_cast<std::uint32_t>(image.width), 4);
    writer.number(static_cast<std::uint32_t>(image.height), 4);
    writer.number(static_cast<std::uint32_t>(image.format), 4);
    writer.number(0, 4);
    if (!image.empty())
        for (int y = 0; y < image.height; ++y) writer.raw(image.row(y), rowBytes);
    return encoded;
}

EncodedValue encodeList(const Value::List& list)
{
    EncodedValue encoded{std::string(kListType), {}};
    ByteWriter writer(encoded.bytes);
    writer.raw(kListMagic.data(), kListMagic.size());
    writer.number(list.size(), 4);
    for (const Value& value : list) {
        const EncodedValue element = encodeValue(value);
        writer.text(element.mediaType);
        writer.number(element.bytes.size(), 8);
        writer.raw(element.bytes.data(), element.bytes.size());
    }
    return encoded;
}

EncodedValue encodeBlob(const Blob& blob)
{
    static const std::vector<std::byte> kNothing;
    const auto& bytes = blob.bytes ? *blob.bytes : kNothing;
    if (!blob.mediaType.empty() && !isReserved(blob.mediaType)) return {blob.mediaType, bytes};
    EncodedValue encoded{std::string(kBlobType), {}};
    ByteWriter writer(encoded.bytes);
    writer.text(blob.mediaType);
    writer.raw(bytes.data(), bytes.size());
    return encoded;
}

// --- reading

class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> bytes) : m_rest(bytes) {}

    std::optional<std::uint64_t> number(std::size_t bytes)
    {
        const auto piece = take(bytes);
        if (!piece) return std::nullopt;
        std::uint64_t value = 0;
        for (std::size_t i = bytes; i-- > 0;) value = (value << 8U) | std::to_integer<std::uint64_t>((*piece)[i]);
        return value;
    }
    std::optional<std::span<const std::byte>> take(std::uint64_t bytes)
    {
        if (bytes > m_rest.size()) return std::nullopt;
        const auto piece = m_rest.first(static_cast<std::size_t>(bytes));
        m_rest = m_rest.subspan(static_cast<std::size_t>(bytes));
        return piece;
    }
    std::optional<std::string> text()
    {
        const auto size = number(4);
        const auto piece = size ? take(*size) : std::nullopt;
        if (!piece) return std::nullopt;
        return std::string(reinterpret_cast<const char*>(piece->data()), piece->size());
    }
    bool magic(std::string_view expected)
    {
        const auto piece = take(expected.size());
        return piece && std::memcmp(piece->data(), expected.data(), expected.size()) == 0;
    }
    std::span<const std::byte> rest() const { return m_rest; }

private:
    std::span<const std::byte> m_rest;
};

Result<Value> decodeAny(std::string_view mediaType, std::span<const std::byte> bytes, int depth);

Result<Value> decodeImage(std::span<const std::byte> bytes)
{
    ByteReader reader(bytes);
    if (!reader.magic(kPixelsMagic)) return damaged("the pixels do not begin with AIFPIX01");
    const auto width = reader.number(4);
    const auto height = reader.number(4);
    const auto format = reader.number(4);
    if (!reader.number(4)) return damaged("the header of the pixels is cut off");
    if (*width == 0 && *height == 0 && reader.rest().empty()) return Value(Image{});
    constexpr std::uint64_t kMaxSide = 1U << 24U;
    if (*format > 2 || *width == 0 || *height == 0 || *width > kMaxSide || *height > kMaxSide)
        return damaged("the size or format of the pixels makes no sense");
    const auto pixelFormat = static_cast<PixelFormat>(*format);
    const std::uint64_t size = *width * *height * static_cast<std::uint64_t>(channels(pixelFormat));
    if (reader.rest().size() != size) return damaged("the number of pixels does not match their header");
    NewImage made = makeImage(static_cast<int>(*width), static_cast<int>(*height), pixelFormat);
    std::memcpy(made.pixels, reader.rest().data(), reader.rest().size());
    return Value(std::move(made.image));
}

Result<Value> decodeList(std::span<const std::byte> bytes, int depth)
{
    if (depth >= kMaxDepth) return damaged("lists are nested too deep");
    ByteReader reader(bytes);
    if (!reader.magic(kListMagic)) return damaged("the list does not begin with AIFLST01");
    const auto count = reader.number(4);
    if (!count) return damaged("the list is cut off");
    Value::List list;
    for (std::uint64_t i = 0; i < *count; ++i) {
        const auto mediaType = reader.text();
        const auto size = mediaType ? reader.number(8) : std::nullopt;
        const auto element = size ? reader.take(*size) : std::nullopt;
        if (!element) return damaged("the list is cut off");
        auto value = decodeAny(*mediaType, *element, depth + 1);
        if (!value) return value;
        list.push_back(std::move(*value));
    }
    if (!reader.rest().empty()) return damaged("the list has bytes after its end");
    return Value(std::move(list));
}

Result<Value> decodeJson(std::span<const std::byte> bytes)
{
    auto json = parseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!json) return damaged(json.error().text());
    return Value(std::move(*json));
}

Value makeBlob(std::string mediaType, std::span<const std::byte> bytes)
{
    return Value(
        Blob{std::move(mediaType), std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end()), {}});
}

Result<Value> decodeAny(std::string_view mediaType, std::span<const std::byte> bytes, int depth)
{
    if (mediaType == kJsonType) return decodeJson(bytes);
    if (mediaType == kPixelsType) return decodeImage(bytes);
    if (mediaType == kListType) return decodeList(bytes, depth);
    if (mediaType == kEmptyType) return bytes.empty() ? Result<Value>(Value{}) : damaged("an empty value has bytes");
    if (mediaType != kBlobType) return makeBlob(std::string(mediaType), bytes);
    ByteReader reader(bytes);
    auto inner = reader.text();
    if (!inner) return damaged("the name of the media type is cut off");
    return makeBlob(std::move(*inner), reader.rest());
}

} // namespace

EncodedValue encodeValue(const Value& value)
{
    if (const Image* image = value.image()) return encodeImage(*image);
    if (const Blob* blob = value.blob()) return encodeBlob(*blob);
    if (const Value::List* list = value.list()) return encodeList(*list);
    if (value.json() == nullptr) return {std::string(kEmptyType), {}};
    const std::string text = dumpJson(*value.json());
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {std::string(kJsonType), {first, first + text.size()}};
}

Result<Value> decodeValue(std::string_view mediaType, std::span<const std::byte> bytes)
{
    return decodeAny(mediaType, bytes, 0);
}

} // namespace aiflow
