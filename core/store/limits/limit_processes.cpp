#include "core/store/limits/limit_processes.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>

namespace aiflow {

namespace {

// Beside the processes' numbers. Whoever wants the turn waits at the gate first and holds it until the turn is his.
constexpr std::int64_t kGate = 0, kTurn = 1;
constexpr std::chrono::seconds kLongestWait{5};

struct flock byteOf(std::int64_t number, short type = F_WRLCK)
{
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = number;
    range.l_len = 1;
    return range;
}

} // namespace

Result<LimitProcesses> LimitProcesses::open(const std::filesystem::path& file)
{
    LimitProcesses processes(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (processes.m_file >= 0) return processes;
    return fail(Reason::OutputDenied, "cannot open " + file.string() + ": " + std::strerror(errno),
                "check the permissions of the state directory");
}

LimitProcesses::LimitProcesses(LimitProcesses&& other) noexcept : m_file(std::exchange(other.m_file, -1)) {}

LimitProcesses& LimitProcesses::operator=(LimitProcesses&& other) noexcept
{
    std::swap(m_file, other.m_file);
    return *this;
}

LimitProcesses::~LimitProcesses()
{
    if (m_file >= 0) ::close(m_file);
}

Result<void> LimitProcesses::live(std::int64_t number)
{
    if (lock(number, F_WRLCK)) return {};
    return fail(Reason::OutputDenied, std::string("cannot lock limits.alive: ") + std::strerror(errno),
                "use a state directory on a local disk");
}

bool LimitProcesses::lives(std::int64_t number) const noexcept
{
    struct flock range = byteOf(number);
    return ::fcntl(m_file, F_OFD_GETLK, &range) != 0 || range.l_type != F_UNLCK;
}

Result<void> LimitProcesses::takeTurn()
{
    if (auto gate = waitFor(kGate); !gate) return gate;
    auto turn = waitFor(kTurn);
    lock(kGate, F_UNLCK);
    return turn;
}

void LimitProcesses::endTurn() noexcept { lock(kTurn, F_UNLCK); }

// The lock belongs to the open file, so two stores of one process are two.
bool LimitProcesses::lock(std::int64_t byte, short type) const noexcept
{
    struct flock range = byteOf(byte, type);
    return ::fcntl(m_file, F_OFD_SETLK, &range) == 0;
}

Result<void> LimitProcesses::waitFor(std::int64_t byte)
{
    if (lock(byte, F_WRLCK)) return {};
    const auto until = std::chrono::steady_clock::now() + kLongestWait;
    for (auto pause = std::chrono::microseconds{20}; std::chrono::steady_clock::now() < until;
         pause = std::min(pause * 2, std::chrono::microseconds{500})) {
        std::this_thread::sleep_for(pause);
        if (lock(byte, F_WRLCK)) return {};
    }
    return fail(Reason::JobLocked, "another process has held the shared limits for five seconds",
                "see whether a job is stopped (SIGSTOP); continue or kill it");
}

} // namespace aiflow
