#include "core/facade/item_stream.h"

#include "core/base/file_system.h"
#include "core/base/json.h"

namespace aiflow {

namespace fs = std::filesystem;

namespace {

constexpr Bytes kLargestFile = mebibytes(64);

// By the bytes alone: what a file calls itself proves nothing.
std::string mediaTypeOf(const std::vector<std::byte>& bytes)
{
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 16));
    if (head.starts_with("\xFF\xD8\xFF")) return "image/jpeg";
    if (head.starts_with("\x89PNG\r\n\x1A\n")) return "image/png";
    if (head.starts_with("RIFF") && head.substr(8, 4) == "WEBP") return "image/webp";
    if (head.starts_with("II*") || head.starts_with(std::string_view("MM\0*", 4))) return "image/tiff";
    if (head.starts_with("BM")) return "image/bmp";
    return "application/octet-stream";
}

Error tooLarge(Error error)
{
    if (error.reason == Reason::InputFileBad) error.reason = Reason::InputImageBad;
    return error;
}

} // namespace

Result<std::unique_ptr<ItemStream>> ItemStream::open(const fs::path& snapshot, const InputSettings& settings,
                                                     ColumnMap columns, fs::path root, std::int64_t total,
                                                     ResultCache* hashes)
{
    auto reader = RecordReader::open(snapshot, settings);
    if (!reader) return tl::unexpected(reader.error());
    auto access = RecordAccess::open(snapshot, (*reader)->description());
    if (!access) return tl::unexpected(access.error());
    std::unique_ptr<ItemStream> stream(new ItemStream(std::move(columns), std::move(root)));
    stream->m_reader = std::move(*reader);
    stream->m_access = std::move(*access);
    stream->m_total = total;
    stream->m_hashes = hashes;
    return stream;
}

Result<std::optional<ItemRecord>> ItemStream::next()
{
    const auto more = m_reader->next(m_record);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return std::nullopt;
    ItemRecord item;
    item.handle.index = ItemIndex(m_next++);
    item.handle.line = m_record.line;
    item.handle.byteOffset = m_record.byteOffset;
    item.handle.byteLength = m_record.byteLength;
    if (auto problem = m_columns.check(m_record, &m_ids)) {
        item.error = std::move(problem);
        item.handle.id = m_record.error ? "line-" + std::to_string(m_record.line) : m_columns.idOf(m_record);
        return item;
    }
    auto mapped = m_columns.toItem(m_record);
    if (!mapped) {
        item.error = mapped.error();
        item.handle.id = m_columns.idOf(m_record);
        return item;
    }
    item.handle.id = std::move(mapped->id);
    item.handle.title = std::move(mapped->title);
    item.fields.values = std::move(mapped->fields);
    return item;
}

Result<ItemFields> ItemStream::fields(const ItemHandle& item)
{
    const auto record = m_access->read({item.line, item.byteOffset, item.byteLength});
    if (!record) return tl::unexpected(record.error());
    auto mapped = m_columns.toItem(*record);
    if (!mapped) return tl::unexpected(mapped.error());
    return ItemFields{std::move(mapped->fields)};
}

fs::path ItemStream::relative(const std::string& path) const
{
    const fs::path wished(path);
    // An absolute path that leads beneath the root means the same file.
    return wished.is_absolute() ? wished.lexically_normal().lexically_relative(m_root.lexically_normal()) : wished;
}

Result<Blob> ItemStream::open(const ItemHandle&, const std::string& path)
{
    auto bytes = systemFiles().readBeneath(m_root, relative(path), kLargestFile);
    if (!bytes) return tl::unexpected(tooLarge(bytes.error()));
    Blob blob;
    blob.mediaType = mediaTypeOf(*bytes);
    blob.name = path;
    blob.bytes = std::make_shared<const std::vector<std::byte>>(std::move(*bytes));
    return blob;
}

Result<ContentHash> ItemStream::fileHash(const ItemHandle& item, const std::string& path)
{
    const fs::path inner = relative(path);
    const auto status = systemFiles().statusBeneath(m_root, inner);
    if (!status) return tl::unexpected(status.error());
    const fs::path whole = (m_root / inner).lexically_normal();
    if (m_hashes != nullptr)
        if (const auto known = m_hashes->fileHash(whole, *status)) return *known;
    const auto blob = open(item, path);
    if (!blob) return tl::unexpected(blob.error());
    const ContentHash hash = sha256(std::span<const std::byte>(*blob->bytes));
    if (m_hashes != nullptr) m_hashes->addFileHash(whole, *status, hash);
    return hash;
}

} // namespace aiflow
