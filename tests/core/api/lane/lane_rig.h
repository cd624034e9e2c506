// A network lane against simulated services on loopback, and what came out of it.
#pragma once

#include "core/api/lane/network_lane.h"
#include "core/rehearsal/simulated_provider.h"
#include "tests/core/api/lane/fake_recorder.h"

#include <QTemporaryDir>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace aiflow::test {

inline constexpr const char* kCanaryKey = "sk-canary-5e1f0d7c42";

// A service "svc" with the model "m" and one account "main".
SimulatedWorld oneService(ProtocolKind protocol = ProtocolKind::OpenAi);
// The settings that call it, with short pauses: routes "text", "image", "embedding" over all models of all services.
ApiSettings settingsFor(const SimulatedWorld& world, const SimulatedProvider& provider);
RouteSettings& routeOf(ApiSettings& settings, const std::string& name);

struct Ended {
    ApiCall call;
    Result<ApiAnswer> answer;
};

class LaneRig {
public:
    using Adjust = std::function<void(ApiSettings&)>;
    explicit LaneRig(SimulatedWorld world, const Adjust& adjust = {});
    ~LaneRig();

    // A second lane over the same services, as another process of the job: the first is gone.
    void restart(const Adjust& adjust = {});
    void closeLane() { lane.reset(); }

    // Calls of item `item`; answers come with waitFor().
    void submit(ApiCall call);
    void ask(std::int64_t item, const std::string& request, const std::string& route = "text");
    // The answer of one call. Fails the test after 20 s.
    Result<ApiAnswer> answerOf(std::int64_t item, const std::string& request, const std::string& route = "text");
    // Until so many calls ended; false after 20 s.
    bool waitFor(std::size_t ended);
    bool waitUntil(const std::function<bool()>& holds);
    std::optional<Ended> find(std::int64_t item) const;

    // Everything that the lane told anyone, as one text.
    std::string everythingTold() const;

    QTemporaryDir folder;
    SimulatedWorld world;
    std::unique_ptr<SimulatedProvider> provider;
    std::shared_ptr<FakeRecorder> recorder;
    ApiJob job; // what restart() serves
    std::function<std::unique_ptr<LimitStore>()> makeLimits = [] { return std::make_unique<LoneLimitStore>(); };
    std::unique_ptr<ApiLane> lane;

    std::vector<Ended> ended() const;
    std::vector<ApiWaiting> waits() const;
    std::vector<ApiPause> pauses() const;
    std::vector<Error> stops() const;

private:
    SystemClock m_clock;
    SeededRandom m_random{7};
    std::shared_ptr<Log> m_log;
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::vector<Ended> m_ended; // guarded by m_mutex, as all below
    std::vector<ApiWaiting> m_waits;
    std::vector<ApiPause> m_pauses;
    std::vector<Error> m_stops;
};

// {"prompt": ..} and, with one, its schema.
std::string textRequest(const std::string& prompt, const std::string& schema = {});

} // namespace aiflow::test
