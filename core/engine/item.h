// An item as the engine sees it, and where items come from.
#pragma once

#include "aiflow/result.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/json_fwd.h"
#include "core/compute/value.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

// The small part that is always in memory.
struct ItemHandle {
    ItemIndex index;
    std::string id;
    std::int64_t line = 0;
    std::int64_t byteOffset = 0;
    std::int64_t byteLength = 0;
    std::string title;
};

// The row's values by column name. Image and file columns hold the path as written.
struct ItemFields {
    std::shared_ptr<const Json> values; // an object
};

struct ItemRecord {
    ItemHandle handle;
    ItemFields fields;
    std::optional<Error> error; // the row itself is bad: the item fails with it, nothing runs
};

// Gives the job's items in order, and any one again later. The facade makes it from core/input.
// Threads: next() on one thread; fields() and open() from any thread.
class ItemSource {
public:
    virtual ~ItemSource() = default;
    virtual std::int64_t total() const = 0;
    // The next item; nothing at the end.
    virtual Result<std::optional<ItemRecord>> next() = 0;
    // The row's values again, for an item that was parked, resumed or retried.
    virtual Result<ItemFields> fields(const ItemHandle& item) = 0;
    // The bytes behind an image or file column, read beneath the input root.
    // InputImageMissing, InputImageBad (too large), InputFieldBad (leads outside).
    virtual Result<Blob> open(const ItemHandle& item, const std::string& path) = 0;
    // The content hash of that file without keeping its bytes; remembered between jobs.
    virtual Result<ContentHash> fileHash(const ItemHandle& item, const std::string& path) = 0;
};

} // namespace aiflow
