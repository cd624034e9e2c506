// The record of what arrived and how it ended, and the figures over it.
#pragma once

#include "core/rehearsal/simulated_provider.h"

#include <cstdio>
#include <memory>
#include <unordered_set>

namespace aiflow {

// Threads: one at a time.
class CallLedger {
public:
    // OutputDenied when the file cannot be opened.
    static Result<std::unique_ptr<CallLedger>> open(const std::filesystem::path& file, bool keepEntries);

    void called(bool violates, bool refused, bool early);
    // The work of a call was done.
    void executed(const LedgerEntry& entry, const std::string& currency);
    void replayed() { ++m_verdict.replays; }
    void opened(const std::string& account, std::int64_t openOfAccount);
    void closed() { --m_open; }
    // The end of any request.
    void add(LedgerEntry entry);

    const std::vector<LedgerEntry>& entries() const { return m_entries; }
    const Verdict& verdict() const { return m_verdict; }

private:
    struct CloseFile {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    CallLedger() = default;

    std::unique_ptr<std::FILE, CloseFile> m_file;
    bool m_keep = true;
    std::vector<LedgerEntry> m_entries;
    Verdict m_verdict;
    std::int64_t m_open = 0;
    std::unordered_set<std::uint64_t> m_once; // calls by their key, reference or body
    std::unordered_set<std::uint64_t> m_bodies;
};

} // namespace aiflow
