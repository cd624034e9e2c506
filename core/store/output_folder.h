// The folder that the user sees: result files with safe names, results.csv, failures.csv.
#pragma once

#include "core/base/file_system.h"
#include "core/store/artifact_store.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// A name that cannot leave its folder or surprise a file system (R-D7): NFC, no control or reserved characters, no
// leading dot or dash, no reserved names, at most 200 bytes. Slashes of the template make sub-folders.
std::filesystem::path safeOutputName(std::string_view wished);

// Threads: place() from any thread.
class OutputFolder {
public:
    static Result<std::unique_ptr<OutputFolder>> open(const std::filesystem::path& folder, ArtifactStore& artifacts,
                                                      FileSystem& files);
    virtual ~OutputFolder() = default;
    // Puts the artifact's bytes under the name; nothing is written when the same bytes are there already. Two items
    // that wish for one name: the later gets "-<item id>" before the extension. Returns the path relative to the
    // folder.
    virtual Result<std::filesystem::path> place(std::string_view wishedName, const ArtifactRef& artifact,
                                                std::string_view itemId) = 0;
    virtual const std::filesystem::path& path() const = 0;
};

// Writes a CSV for people: UTF-8 with BOM, CRLF, quotes where needed, formula cells neutralised (R-D6).
class CsvWriter {
public:
    explicit CsvWriter(bool neutraliseFormulas = true) : m_neutralise(neutraliseFormulas) {}
    void row(const std::vector<std::string>& cells);
    const std::string& text() const noexcept { return m_text; }
    std::string take() { return std::move(m_text); }

private:
    bool m_neutralise;
    std::string m_text;
};

} // namespace aiflow
