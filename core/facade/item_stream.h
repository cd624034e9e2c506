// Makes the engine's items from the rows of a job's input.
#pragma once

#include "core/engine/item.h"
#include "core/facade/client/job_input.h"
#include "core/input/column_map.h"
#include "core/store/result_cache.h"

#include <filesystem>
#include <memory>

namespace aiflow {

// Reads rows in order with one reader, and single rows again from any thread.
// Threads: as ItemSource says.
class ItemStream final : public ItemSource {
public:
    // `snapshot`: the job's copy of its input. `total`: items, as the check counted them. `hashes` remembers the hashes
    // of files between jobs; may be null.
    static Result<std::unique_ptr<ItemStream>> open(const std::filesystem::path& snapshot,
                                                    const InputSettings& settings, ColumnMap columns,
                                                    std::filesystem::path root, std::int64_t total,
                                                    ResultCache* hashes);

    std::int64_t total() const override { return m_total; }
    Result<std::optional<ItemRecord>> next() override;
    Result<ItemFields> fields(const ItemHandle& item) override;
    Result<Blob> open(const ItemHandle& item, const std::string& path) override;
    Result<ContentHash> fileHash(const ItemHandle& item, const std::string& path) override;

private:
    ItemStream(ColumnMap columns, std::filesystem::path root) : m_columns(std::move(columns)), m_root(std::move(root))
    {
    }
    std::filesystem::path relative(const std::string& path) const;

    ColumnMap m_columns;
    std::filesystem::path m_root;
    std::unique_ptr<RecordReader> m_reader;
    std::shared_ptr<const RecordAccess> m_access;
    IdSet m_ids;
    InputRecord m_record;
    std::int64_t m_total = 0;
    std::int64_t m_next = 0;
    ResultCache* m_hashes = nullptr;
};

} // namespace aiflow
