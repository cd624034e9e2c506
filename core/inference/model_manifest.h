// The models that may be run: what models.json lists, each held to its SHA-256.
#pragma once

#include "aiflow/result.h"
#include "core/base/hash.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// What a model does, and with it how its inputs are made and its outputs are read.
enum class ModelFamilyKind : std::uint8_t { Detect, Segment, Embed, Classify };

struct ModelInputSpec {
    int width = 0; // of the picture that the network sees
    int height = 0;
    bool letterbox = false; // keeps the aspect and fills the rest; otherwise the picture is stretched
    int pad = 114;          // grey level of the filling; -1 ("edge"): the outermost pixels again and again
    int range = 255;        // white is 255, or 1
};

struct ModelEntry {
    std::string name; // as pipelines call it
    ModelFamilyKind family = ModelFamilyKind::Detect;
    std::filesystem::path folder; // that the manifest stands in
    std::string file;             // beneath `folder`
    ContentHash sha256;
    std::int64_t bytes = 0;
    std::string licence;
    std::string version;
    std::string description;
    std::string provenance;
    std::string card; // a file beside it that says what the model can and cannot do; may be empty
    std::string method = "forward";
    ModelInputSpec input;
    double scoreThreshold = 0.35;
    double iouThreshold = 0.6;
    double labelThreshold = 0.5; // below it a box has no label
    std::vector<std::string> labels;
    int batchMax = 8;
    int batchMaxCpu = 4;                     // a CPU gains nothing from more, and loses its caches
    std::chrono::milliseconds batchDelay{0}; // how long a batch that is not full may wait for more
    std::string device = "auto";
    std::string precision = "auto";

    std::filesystem::path path() const { return folder / file; }
};

// Threads: every method, from any thread after open().
class ModelManifest {
public:
    // Reads models.json of each folder; of two entries of one name the first folder's wins; a folder without the file
    // is passed over. ConfigInvalid with the place: not JSON, a field missing or wrong, a path that leads outside.
    static Result<std::unique_ptr<ModelManifest>> open(const std::vector<std::filesystem::path>& folders);

    const ModelEntry* find(std::string_view model) const noexcept;            // null when not listed
    const std::vector<ModelEntry>& all() const noexcept { return m_entries; } // sorted by name
    // All methods that entries use of the entry's file.
    std::vector<std::string> methodsOf(const ModelEntry& model) const;
    // Is the file there and the very one that is listed? Read once; looked at again when its size or time changed.
    // ComputeModelMissing otherwise.
    Result<void> verify(const ModelEntry& model) const;

private:
    struct Verified {
        std::int64_t size = 0;
        std::int64_t modifiedNs = 0;
        std::uint64_t inode = 0;
        ContentHash hash;
    };
    std::vector<ModelEntry> m_entries;
    mutable std::mutex m_mutex;
    mutable std::map<std::filesystem::path, Verified> m_verified; // guarded by m_mutex
};

} // namespace aiflow
