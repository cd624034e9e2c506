// A job against simulated services, and what is learnt from it.
#pragma once

#include "aiflow/rehearsal.h"
#include "core/base/clock.h"
#include "core/facade/rehearsal/rehearsal_folder.h"
#include "core/facade/rehearsal/rehearsal_lane.h"
#include "core/rehearsal/simulated_provider.h"

#include <memory>
#include <mutex>
#include <vector>

namespace aiflow {

// Threads: as JobSession.
class RehearsalSession final : public JobSession {
public:
    struct Parts {
        std::unique_ptr<RehearsalFolder> folder;
        std::unique_ptr<SimulatedProvider> services;
        std::shared_ptr<TroubleCount> troubles;
        ApiSettings settings; // at life speed, as configured
        double speed = 1;
        bool ownOutput = false; // the caller named a folder for the results
    };
    RehearsalSession(Parts parts, std::unique_ptr<JobSession> job);

    const Preparation& preparation() const override { return m_preparation; }
    Result<JobReport> run(std::function<void(const EventLine&)> onEvent) override;
    JobSnapshot snapshot() const override { return m_job->snapshot(); }
    EventLine progressLine() const override { return m_job->progressLine(); }
    void stop(bool now) override { m_job->stop(now); }
    void pause() override { m_job->pause(); }
    void resume() override { m_job->resume(); }

private:
    void note(const EventLine& line);

    Parts m_parts;
    Preparation m_preparation;
    std::mutex m_mutex;
    std::vector<RehearsalFailure> m_failures; // guarded by m_mutex
    SystemClock m_clock;
    std::unique_ptr<JobSession> m_job; // last: it ends before the services and the folder go
};

} // namespace aiflow
