// One job over a modelled flow, for real: engine, lane, libcurl, shared limits, durable journal. In a process of its
// own, so that several can share accounts and any can be killed.
#pragma once

#include "core/base/json_fwd.h"
#include "core/engine/job_runner.h"
#include "tests/support/modelled_flows/modelled_flows.h"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>

namespace aiflow::test {

struct FlowJob {
    std::string flow; // a name that the program's registry knows
    double speed = 20;
    int port = 0;                  // of the simulated services
    std::filesystem::path folder;  // journal, artifacts, spool: the job's own
    std::filesystem::path state;   // limits.db: shared
    std::string name = "job";      // goes into every request, so that no two jobs ask the same
    std::int64_t items = 0;        // 0: the flow's
    std::int64_t callingItems = 0; // as EngineSettings
    std::int64_t stepLag = 0;
    std::int32_t priority = 5;
};

struct FlowJobEnd {
    bool killed = false;
    std::int64_t startedNs = 0; // of the machine's monotonic clock: when the work began ...
    std::int64_t endedNs = 0;   // ... and ended
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t openAtStart = 0;             // calls that an earlier process left open, their outcome unknown
    std::map<std::string, std::int64_t> cost; // nanos of all the job's attempts, by currency
    double cpuSeconds = 0;
    std::string failure; // of the first item that failed
};

using FlowRegistry = std::function<NamedFlow(const std::string& name)>;

// What main() does first: runs the job when the program was started to be one, and gives its exit status.
std::optional<int> runAsFlowJob(int argc, char** argv, const FlowRegistry& registry);

// The same program started once more, as this job.
class FlowJobProcess {
public:
    static FlowJobProcess start(const FlowJob& job);
    FlowJobProcess(FlowJobProcess&& other) noexcept;
    ~FlowJobProcess(); // kills what still runs
    void kill();
    FlowJobEnd wait();

private:
    FlowJobProcess() = default;
    pid_t m_pid = -1;
    int m_output = -1;
};

} // namespace aiflow::test
