// A list that is written row by row and appears whole or not at all, however long it is.
#pragma once

#include "aiflow/result.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace aiflow {

// Memory does not depend on the list's length. Without finish() nothing is left.
// Threads: one.
class ListFile {
public:
    explicit ListFile(std::filesystem::path path);
    ~ListFile();
    ListFile(const ListFile&) = delete;
    ListFile& operator=(const ListFile&) = delete;

    void write(const std::string& text);
    // Puts the list in its place, for everybody who may see the folder. The same bytes again leave the old file alone:
    // its time says when something changed. OutputDiskFull, OutputDenied.
    Result<void> finish();

private:
    std::filesystem::path m_path;
    std::filesystem::path m_temporary;
    std::ofstream m_stream;
    int m_problem = 0; // errno of the first write that failed
};

} // namespace aiflow
