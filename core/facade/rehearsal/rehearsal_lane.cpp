#include "core/facade/rehearsal/rehearsal_lane.h"

#include "core/api/transport/http_transport.h"

namespace aiflow {

namespace {

class CountingRecorder final : public CallRecorder {
public:
    CountingRecorder(std::shared_ptr<CallRecorder> recorder, std::shared_ptr<TroubleCount> troubles)
        : m_recorder(std::move(recorder)), m_troubles(std::move(troubles))
    {
    }

    void intend(AttemptIntent intent, WhenDurable durable) override
    {
        m_recorder->intend(std::move(intent), std::move(durable));
    }
    void remoteId(const std::string& attempt, const TaskKey& task, std::string id, WhenDurable durable) override
    {
        m_recorder->remoteId(attempt, task, std::move(id), std::move(durable));
    }
    void ended(AttemptReport report, WhenDurable durable) override
    {
        if (!report.failure.empty()) m_troubles->add(report.failure);
        m_recorder->ended(std::move(report), std::move(durable));
    }
    Result<std::unique_ptr<BodySource>> openFile(const RequestFile& file) override
    {
        return m_recorder->openFile(file);
    }
    std::filesystem::path spoolFolder() const override { return m_recorder->spoolFolder(); }

private:
    std::shared_ptr<CallRecorder> m_recorder;
    std::shared_ptr<TroubleCount> m_troubles;
};

class RehearsalLane final : public ApiLane {
public:
    RehearsalLane(std::unique_ptr<ApiLane> lane, double speed, std::shared_ptr<TroubleCount> troubles)
        : m_lane(std::move(lane)), m_speed(speed), m_troubles(std::move(troubles))
    {
    }

    bool hasRoute(std::string_view route) const override { return m_lane->hasRoute(route); }
    std::vector<std::string> routes() const override { return m_lane->routes(); }
    std::string routeIdentity(std::string_view route) const override { return m_lane->routeIdentity(route); }
    void serve(ApiJob job) override
    {
        if (job.recorder) job.recorder = std::make_shared<CountingRecorder>(std::move(job.recorder), m_troubles);
        m_lane->serve(std::move(job));
    }
    void submit(ApiCall call, ApiDone done) override
    {
        call.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(call.timeout / m_speed);
        m_lane->submit(std::move(call), std::move(done));
    }
    void cancelWaiting() override { m_lane->cancelWaiting(); }
    void abortOpen() override { m_lane->abortOpen(); }
    void calledBack(const std::string& remoteId) override { m_lane->calledBack(remoteId); }
    std::int64_t inFlight() const override { return m_lane->inFlight(); }
    std::vector<ApiAccountView> accounts() const override { return m_lane->accounts(); }

private:
    std::unique_ptr<ApiLane> m_lane;
    const double m_speed;
    std::shared_ptr<TroubleCount> m_troubles;
};

} // namespace

std::unique_ptr<ApiLane> makeRehearsalLane(std::unique_ptr<ApiLane> lane, double speed,
                                           std::shared_ptr<TroubleCount> troubles)
{
    return std::make_unique<RehearsalLane>(std::move(lane), speed, std::move(troubles));
}

} // namespace aiflow
