// How an input is read and where its results go: the options that `batch` and `rehearse` share.
#pragma once

#include "aiflow/engine.h"
#include "cli/program/command.h"

namespace aiflow {

class BatchOptions {
public:
    // The input itself is the command's to declare.
    void declare(OptionSet& options);
    // Writes into `request`. UsageInvalid for a value that does not parse.
    Result<void> apply(BatchRequest& request) const;

private:
    std::optional<std::string> m_pipeline, m_encoding, m_delimiter;
    std::optional<std::filesystem::path> m_output, m_inputRoot;
    std::vector<std::string> m_map, m_set;
    bool m_strict = false;
};

} // namespace aiflow
