#include "core/base/json.h"
#include "core/rehearsal/lies.h"
#include "core/rehearsal/station.h"

#include <algorithm>

namespace aiflow {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMsNs = 1'000'000;
constexpr auto kGateway = 60s; // a gateway in front of the service gives up then, the service does not
constexpr auto kPollEvery = 2s;

const char* statusWord(const SimulatedJob& job, std::int64_t nowNs)
{
    const std::int64_t whole = job.readyNs - job.submittedNs;
    if (!job.done) return nowNs - job.submittedNs < whole / 10 ? "queued" : "running";
    const bool failed = job.call.fault && job.call.fault->kind == FaultKind::ContentRefused;
    return failed ? "failed" : "succeeded";
}

} // namespace

void ServiceDesk::submitJob(ServedCall& call, std::int64_t nowNs)
{
    Station& station = *call.station;
    call.jobId = "job-" + hexOf(m_random() | 1U) + '-' + std::to_string(m_nextId++);
    call.ask.jobId = call.jobId;
    auto job = std::make_unique<SimulatedJob>();
    job->submittedNs = call.entry.arrivedNs;
    job->readyNs = job->submittedNs + latencyNs(station.service.models[*call.model]);
    job->call = call;
    call.gates = nullptr; // the job's place now
    const FaultKind fault = call.fault ? call.fault->kind : FaultKind::Lie;
    job->endless = call.fault && fault == FaultKind::Hang && call.fault->variant == 1;
    if (station.service.capability == CapabilityClass::B && !call.ask.reference.empty())
        station.jobOfReference[call.entry.account + '\n' + call.ask.reference] = call.jobId;

    Reply reply = jobReply(*job, nowNs);
    if (call.fault && fault == FaultKind::ServerError) {
        call.dueNs = job->submittedNs + scaledNs(kGateway);
        reply = station.wire.trouble(Trouble::GatewayTimeout, "the gateway waited 60 s for the service");
    } else if (call.fault && fault == FaultKind::Hang && !job->endless) {
        reply.delivery = Delivery::Nothing;
    } else if (call.fault) {
        if (fault == FaultKind::ResetBeforeByte) reply.delivery = Delivery::ResetBeforeByte;
        if (fault == FaultKind::ResetAfterHeaders) reply.delivery = Delivery::ResetAfterHeaders;
        if (fault == FaultKind::ResetMidBody) reply.delivery = Delivery::ResetMidBody;
        if (fault == FaultKind::ResetAfterBody) reply.delivery = Delivery::ResetAfterBody;
    }
    call.ready = std::move(reply);
    m_jobs[call.jobId] = std::move(job);
}

// What a job is known by to its submitter and to those who look it up.
Reply ServiceDesk::jobReply(const SimulatedJob& job, std::int64_t nowNs)
{
    const ServedCall& call = job.call;
    const Wire& wire = call.station->wire;
    const std::string word = statusWord(job, nowNs);
    if (word == "succeeded") {
        const Product product = work(call);
        Reply reply = wire.answer(call.ask, product);
        if (call.fault && call.fault->kind == FaultKind::Lie)
            reply = lieOf(call.fault->variant, std::move(reply), call.ask, wire.places(call.ask), origin());
        return reply;
    }
    Json body = {{"id", call.jobId}, {"status", word}};
    if (!call.ask.reference.empty()) body["reference"] = call.ask.reference;
    if (word == "failed")
        body["error"] = {{"code", "content_policy_violation"}, {"message", "the request was refused by the policy"}};
    Reply reply = jsonReply(body);
    if (job.done) return reply;
    const std::int64_t ms = std::max<std::int64_t>(1, scaledNs(kPollEvery) / kMsNs);
    if (ms % 1000 == 0)
        reply.headers.emplace_back("Retry-After", std::to_string(ms / 1000));
    else
        reply.headers.emplace_back("retry-after-ms", std::to_string(ms));
    return reply;
}

void ServiceDesk::answerJob(ServedCall& call, std::int64_t nowNs)
{
    Station& station = *call.station;
    const bool byReference = call.ask.kind == AskKind::JobByReference;
    std::string id = call.ask.jobId;
    if (byReference) {
        const auto known = station.jobOfReference.find(call.entry.account + '\n' + call.ask.reference);
        if (known != station.jobOfReference.end()) id = known->second;
        call.entry.itemReference = call.ask.reference;
    }
    const auto found = m_jobs.find(id);
    if (found == m_jobs.end() || found->second->call.entry.account != call.entry.account) {
        call.ready = byReference ? jsonReply({{"jobs", Json::array()}})
                                 : station.wire.trouble(Trouble::NotFound, "there is no job " + id);
        return;
    }
    SimulatedJob& job = *found->second;
    settleJob(job, nowNs);
    call.entry.model = job.call.entry.model;
    call.ready = byReference ? jsonReply({{"jobs", Json::array({{{"id", id}, {"status", statusWord(job, nowNs)}}})}})
                             : jobReply(job, nowNs);
}

// Ends the work of a job whose time has come.
void ServiceDesk::settleJob(SimulatedJob& job, std::int64_t nowNs)
{
    if (job.done || job.endless || nowNs < job.readyNs) return;
    job.done = true;
    leave(job.call);
    const bool refused = job.call.fault && job.call.fault->kind == FaultKind::ContentRefused;
    if (!refused) charge(job.call);
    if (!job.answered) return;
    m_ledger->add(job.call.entry);
    m_open.fetch_sub(1);
}

bool ServiceDesk::keepForJob(ServedCall& call)
{
    if (call.jobId.empty()) return false;
    SimulatedJob& job = *m_jobs.at(call.jobId);
    job.answered = true;
    job.call.entry.ending = call.entry.ending;
    job.call.entry.status = call.entry.status;
    job.call.entry.endedNs = std::max(call.entry.endedNs, job.readyNs);
    if (!job.done) return true;
    call.entry = job.call.entry;
    return false;
}

std::optional<std::int64_t> ServiceDesk::jobDueNs(const std::string& jobId) const
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_jobs.find(jobId);
    if (found == m_jobs.end() || found->second->endless) return std::nullopt;
    return found->second->readyNs;
}

std::optional<Callback> ServiceDesk::jobDone(const std::string& jobId, std::int64_t nowNs)
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_jobs.find(jobId);
    if (found == m_jobs.end()) return std::nullopt;
    SimulatedJob& job = *found->second;
    settleJob(job, nowNs);
    if (job.call.ask.callback.empty()) return std::nullopt;
    return Callback{job.call.ask.callback, dumpJson({{"id", jobId}, {"status", statusWord(job, nowNs)}})};
}

} // namespace aiflow
