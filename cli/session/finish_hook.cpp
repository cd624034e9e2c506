#include "cli/session/finish_hook.h"

#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/session/signals.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace aiflow {

namespace {

[[noreturn]] void becomeShell(const std::string& command, int input)
{
    releaseSignalsInChild();
    ::dup2(input, STDIN_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
}

void feed(int descriptor, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        // A command that does not read its input is no mistake.
        if (written < 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace

void runFinishHook(Console& console, const std::string& command, const JobReport& report, int exitCode)
{
    const std::string json = reportJson(report) + "\n";
    ::setenv("AIFLOW_JOB", report.snapshot.job.c_str(), 1);
    ::setenv("AIFLOW_EXIT_CODE", std::to_string(exitCode).c_str(), 1);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return console.warn("--on-finish could not be started");
    const pid_t child = ::fork();
    if (child == 0) becomeShell(command, ends[0]);
    ::close(ends[0]);
    if (child > 0) feed(ends[1], json);
    ::close(ends[1]);

    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return console.warn("--on-finish could not be started");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    const std::string how = WIFEXITED(status) ? " " + std::to_string(WEXITSTATUS(status)) : " by a signal";
    console.warn(std::string(console.say({"the --on-finish command ended with", "--on-finish 命令的退出码："})) + how);
}

} // namespace aiflow
