// What travels between steps: JSON, pixels, encoded bytes, or a list of these.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"
#include "core/base/signature.h"
#include "core/compute/image.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aiflow {

// Encoded bytes, e.g. a PNG or the file of an image column.
struct Blob {
    std::string mediaType; // "image/png"
    std::shared_ptr<const std::vector<std::byte>> bytes;
    std::string name; // the file's name where it has one; for messages
};

// Immutable; copies are cheap (shared storage). An empty value means: an optional step gave nothing.
// Threads: a value; may be read from many threads.
class Value {
public:
    using List = std::vector<Value>;

    Value() = default;
    explicit Value(Json json);
    explicit Value(Image image) : m_data(std::move(image)) {}
    explicit Value(Blob blob) : m_data(std::move(blob)) {}
    explicit Value(List list) : m_data(std::make_shared<const List>(std::move(list))) {}

    bool empty() const noexcept { return std::holds_alternative<std::monostate>(m_data); }
    const Json* json() const noexcept; // null when it is something else
    const Image* image() const noexcept;
    const Blob* blob() const noexcept;
    const List* list() const noexcept;

    // Bytes of memory that it holds alive; for the byte-bounded cache.
    std::size_t byteSize() const noexcept;
    // Does it have the shape of `type`? (Mask: one channel. Any: always.)
    bool fits(PortType type) const noexcept;

private:
    std::variant<std::monostate, std::shared_ptr<const Json>, Image, Blob, std::shared_ptr<const List>> m_data;
};

// Named values: a step's inputs or outputs. Few entries, so a flat list.
class Values {
public:
    using Entry = std::pair<std::string, Value>;

    void set(std::string_view name, Value value);
    const Value* find(std::string_view name) const noexcept; // null when absent
    const Value& get(std::string_view name) const noexcept;  // an empty value when absent
    bool empty() const noexcept { return m_entries.empty(); }
    std::size_t size() const noexcept { return m_entries.size(); }
    auto begin() const noexcept { return m_entries.begin(); }
    auto end() const noexcept { return m_entries.end(); }
    std::size_t byteSize() const noexcept;

private:
    std::vector<Entry> m_entries;
};

// A value as an artifact and back: JSON as application/json, a Blob as itself, pixels as application/x-aiflow-pixels
// (a 24-byte header "AIFPIX01", width, height, format as little-endian 32-bit numbers, then packed rows), a list as
// application/x-aiflow-list (framed). Lossless, quick, no codec.
struct EncodedValue {
    std::string mediaType;
    std::vector<std::byte> bytes;
};
EncodedValue encodeValue(const Value& value);
// Internal when the bytes do not fit the media type (a damaged artifact).
Result<Value> decodeValue(std::string_view mediaType, std::span<const std::byte> bytes);

} // namespace aiflow
