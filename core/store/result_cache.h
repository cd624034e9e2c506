// Results of earlier jobs by the hash of everything that produced them: the same work is never paid for twice.
#pragma once

#include "core/base/hash.h"
#include "core/store/artifact_store.h"
#include "core/store/journal.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

// An api or model task's outputs, or (one record per item) all durable outputs of an item.
struct CachedResult {
    std::vector<TaskOutput> outputs; // port, or "step.port" in an item's record
    std::vector<TaskState> steps;    // an item's record only: how each step ended (Succeeded or Skipped)
    std::string provenance;          // JSON text
    std::string job;                 // that made it
};

// Safe for many processes (results/ holds one SQLite file with a rollback journal; entries appear whole or not at all).
// Losing it loses money, not results of finished jobs: a damaged file is renamed to results.db.damaged-N and a fresh
// one begins; a file of a newer program is left alone and not used. Threads: every method, from any thread; lookups do
// not wait for writes of this process.
class ResultCache {
public:
    static Result<std::unique_ptr<ResultCache>> open(const std::filesystem::path& folder);
    virtual ~ResultCache() = default;

    // Nothing on a miss, and on any trouble with the cache (it is an aid: trouble is logged, work goes on).
    virtual std::optional<CachedResult> find(const ContentHash& key) = 0;
    // Queued and written in groups; durable soon. Call only after the artifacts are durable.
    virtual void add(const ContentHash& key, CachedResult result) = 0;
    // Waits until everything added so far is durable. The trouble that made the cache drop some of it, if any.
    virtual Result<void> flush() = 0;
    // Why the cache last failed to help, for the log; nothing when all is well.
    virtual std::optional<Error> trouble() const = 0;

    // Content hashes of input files, remembered by path, size, mtime and inode: a picture is hashed once.
    virtual std::optional<ContentHash> fileHash(const std::filesystem::path& path, const FileStatus& status) = 0;
    virtual void addFileHash(const std::filesystem::path& path, const FileStatus& status, const ContentHash& hash) = 0;
};

} // namespace aiflow
