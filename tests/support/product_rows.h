// Rows of made-up products for benches of the engine: "sku" and a number "n", no files.
#pragma once

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/engine/item.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace aiflow::test {

class ProductRows final : public ItemSource {
public:
    explicit ProductRows(std::int64_t count) : m_count(count) {}
    std::int64_t total() const override { return m_count; }
    Result<std::optional<ItemRecord>> next() override
    {
        if (m_next >= m_count) return std::optional<ItemRecord>();
        ItemRecord record;
        record.handle = {ItemIndex(m_next),
                         "SKU-" + std::to_string(m_next),
                         m_next + 2,
                         m_next * 40,
                         40,
                         "A product with a title " + std::to_string(m_next)};
        record.fields = fields(record.handle).value();
        ++m_next;
        return std::optional(std::move(record));
    }
    Result<ItemFields> fields(const ItemHandle& item) override
    {
        return ItemFields{std::make_shared<const Json>(Json{{"sku", item.id}, {"n", item.index.value()}})};
    }
    Result<Blob> open(const ItemHandle&, const std::string& path) override
    {
        return fail(Reason::InputImageMissing, path);
    }
    Result<ContentHash> fileHash(const ItemHandle&, const std::string& path) override { return sha256(path); }

private:
    std::int64_t m_count;
    std::int64_t m_next = 0;
};

} // namespace aiflow::test
