// Which of the processes that share the limits live: each holds a lock on its own byte, which the kernel frees.
#pragma once

#include "aiflow/result.h"

#include <cstdint>
#include <filesystem>

namespace aiflow {

// Threads: one.
class LimitProcesses {
public:
    // Makes the file (mode 0600) when it is absent.
    static Result<LimitProcesses> open(const std::filesystem::path& file);
    LimitProcesses(LimitProcesses&& other) noexcept;
    LimitProcesses& operator=(LimitProcesses&& other) noexcept;
    ~LimitProcesses();

    // From now until this object or the process ends. Take it before anybody can hear of the number.
    Result<void> live(std::int64_t number);
    // Of another's number. When the kernel cannot say, it lives.
    bool lives(std::int64_t number) const noexcept;

    // One process at a time, and nobody twice while another waits. JobLocked when the turn does not come within five
    // seconds: whoever has it was stopped.
    Result<void> takeTurn();
    void endTurn() noexcept;

private:
    bool lock(std::int64_t byte, short type) const noexcept;
    Result<void> waitFor(std::int64_t byte);
    explicit LimitProcesses(int file) noexcept : m_file(file) {}
    int m_file = -1;
};

} // namespace aiflow
