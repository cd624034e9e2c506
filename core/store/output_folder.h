// The folder that the user sees: result files with safe names, results.csv, failures.csv.
#pragma once

#include "core/base/file_system.h"
#include "core/store/artifact_store.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiflow {

// A name that cannot leave its folder or surprise a file system (R-D7): NFC, no control or reserved characters, no
// leading dot or dash, no reserved names, at most 200 bytes a part. Slashes of the template make sub-folders (8 at
// most).
std::filesystem::path safeOutputName(std::string_view wished);

// Files are for everybody who may see the folder (0644, folders 0755); job directories are not.
// Threads: every method, from any thread.
class OutputFolder {
public:
    static Result<std::unique_ptr<OutputFolder>> open(const std::filesystem::path& folder, ArtifactStore& artifacts);
    virtual ~OutputFolder() = default;
    // Puts the artifact's bytes under the name; nothing is written when the same bytes are there already. Two items
    // that wish for one name: the later gets "-<item id>" before the extension. Returns the path relative to the
    // folder.
    virtual Result<std::filesystem::path> place(std::string_view wishedName, const ArtifactRef& artifact,
                                                std::string_view itemId) = 0;
    // The path that place() gave an item in an earlier run of this job: nobody else gets it. Writes nothing.
    virtual std::filesystem::path claim(std::string_view wishedName, std::string_view itemId) = 0;
    // Everything placed so far survives a power cut. Costs one sync of the disk: call it at the end, not per file.
    virtual Result<void> sync() = 0;
    virtual const std::filesystem::path& path() const = 0;
};

// Writes a CSV for people: UTF-8 with BOM, CRLF, quotes where needed. A cell that a spreadsheet would take for a
// formula
// (= + - @ TAB CR or their full-width forms first, after spaces) gets an apostrophe in front, unless it is a plain
// number. Reading the file back gives every cell as it was, save that apostrophe: whoever reads it by program takes one
// leading apostrophe off a cell whose second character is one of the above, or writes with neutraliseFormulas = false.
class CsvWriter {
public:
    explicit CsvWriter(bool neutraliseFormulas = true) : m_neutralise(neutraliseFormulas) {}
    void row(const std::vector<std::string>& cells);
    const std::string& text() const noexcept { return m_text; }
    // What was written since the last take(): large files go out in pieces. Only the first begins with the BOM.
    std::string take() { return std::exchange(m_text, {}); }

private:
    bool m_neutralise;
    bool m_begun = false;
    std::string m_text;
};

} // namespace aiflow
