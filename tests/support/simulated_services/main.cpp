// Simulated services in a process of their own: simulated_services WORLD.json
// Prints the port, then serves until SIGTERM or the end of its input, then prints the verdict as JSON.
#include "core/base/json.h"
#include "core/rehearsal/simulated_provider.h"
#include "core/rehearsal/world/world_file.h"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

using namespace aiflow;

namespace {

Result<SimulatedWorld> worldFrom(const char* path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Reason::InputFileBad, std::string("cannot read ") + path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto json = parseJson(text, path);
    if (!json) return tl::unexpected(json.error());
    return readWorld(*json);
}

// Thousands of connections are open at once.
void allowManyFiles()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void waitForTheEnd(int signals)
{
    pollfd sources[] = {{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        if (::poll(sources, 2, -1) < 0 && errno != EINTR) return;
        if (sources[0].revents != 0) return;
        char ignored[256];
        if (sources[1].revents != 0 && ::read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return;
    }
}

int complain(const Error& error)
{
    std::fprintf(stderr, "simulated_services: %s\n", error.text().c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: simulated_services WORLD.json\n");
        return 2;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    const int signals = ::signalfd(-1, &ends, SFD_CLOEXEC);
    allowManyFiles();

    auto world = worldFrom(argv[1]);
    if (!world) return complain(world.error());
    const auto provider = SimulatedProvider::start(std::move(*world));
    if (!provider) return complain(provider.error());
    std::printf("%d\n", (*provider)->port());
    std::fflush(stdout);
    waitForTheEnd(signals);
    std::printf("%s\n", dumpJson(verdictJson((*provider)->verdict())).c_str());
    return 0;
}
