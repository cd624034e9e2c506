// What the simulated services do with a request, without any socket: who calls, whether a limit or a fault stops it,
// when the work is done, what the answer is, and what the ledger says.
#pragma once

#include "core/rehearsal/call_ledger.h"
#include "core/rehearsal/fault_book.h"
#include "core/rehearsal/limit_judge.h"
#include "core/rehearsal/wire/wire.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_map>

namespace aiflow {

struct Station;
struct SimulatedJob;

// One request under way; whoever serves the connection keeps it until it is handed back by delivered().
struct ServedCall {
    Station* station = nullptr; // null: none was named, or a file is fetched
    std::optional<std::size_t> account, model;
    Ask ask;
    LedgerEntry entry;
    std::optional<SimulatedFault> fault;
    std::optional<Reply> ready;               // known at once: refusals, polls
    const LimitJudge::Gates* gates = nullptr; // entered; left when the work is done
    std::int64_t dueNs = 0;                   // when finish() is to be called
    std::string jobId;                        // made by this submit
    bool replay = false;
    bool leaving = false; // finished, and not yet handed back
};

// A remote job that is done wants this address to be called.
struct Callback {
    std::string url;
    std::string body;
};

// Times are the server's monotonic nanoseconds. Threads: every method, from any thread.
class ServiceDesk {
public:
    ServiceDesk(SimulatedWorld world, std::unique_ptr<CallLedger> ledger, std::int64_t startNs);
    ~ServiceDesk();
    void setPort(int port) { m_port = port; }
    int port() const { return m_port; }

    // Judges the arrival. The call's `dueNs` says when to go on; not later than now: at once.
    std::unique_ptr<ServedCall> arrive(WireRequest request, std::int64_t nowNs);
    // The work is done: what is to be sent.
    Reply finish(ServedCall& call, std::int64_t nowNs);
    // The end of the connection's part. `ending`: the ledger's word.
    void delivered(std::unique_ptr<ServedCall> call, std::string ending, std::int64_t nowNs);
    // When the job that this call made is done, jobDone() is to be called; nothing: it made none, or it never ends.
    std::optional<std::int64_t> jobDueNs(const std::string& jobId) const;
    std::optional<Callback> jobDone(const std::string& jobId, std::int64_t nowNs);

    std::string baseUrl(const std::string& service) const;
    // Whoever has seen an answer finds its entry here: answers on their way out are awaited, for a moment.
    std::vector<LedgerEntry> ledger() const;
    Verdict verdict() const;
    void addFault(const std::string& service, SimulatedFault fault);
    void clearFaults();
    std::int64_t open() const { return m_open.load(); }

private:
    Reply refuse(ServedCall& call, const Ruling& ruling, std::int64_t nowNs);
    Reply fetchFile(const std::string& name);
    void route(ServedCall& call, const WireRequest& request, std::int64_t nowNs);
    bool findAccount(ServedCall& call, const WireRequest& request, std::string_view instance);
    bool findModel(ServedCall& call);
    void admit(ServedCall& call, const WireRequest& request, std::int64_t nowNs);
    std::optional<Reply> scripted(ServedCall& call, const WireRequest& request, std::int64_t nowNs);
    bool replays(ServedCall& call, std::int64_t nowNs);
    void charge(ServedCall& call);
    void leave(ServedCall& call);
    Reply produce(const ServedCall& call);
    Product work(const ServedCall& call);
    void tellLimits(const ServedCall& call, Reply& reply, std::int64_t nowNs) const;
    std::int64_t latencyNs(const SimulatedModel& model);
    std::int64_t scaledNs(std::chrono::nanoseconds life) const;
    std::int64_t lifeMs(std::int64_t nowNs) const;
    Station* stationOf(std::string_view name) const;
    std::string origin() const { return "http://127.0.0.1:" + std::to_string(m_port.load()); }
    std::string pictureAddress(const ServedCall& call, std::uint64_t seed, std::size_t index);

    // Remote jobs.
    bool keepForJob(ServedCall& call); // its entry comes later, or came already
    void settleJob(SimulatedJob& job, std::int64_t nowNs);
    void submitJob(ServedCall& call, std::int64_t nowNs);
    void answerJob(ServedCall& call, std::int64_t nowNs);
    Reply jobReply(const SimulatedJob& job, std::int64_t nowNs);

    struct PictureFile {
        int width = 0, height = 0;
        std::uint64_t seed = 0;
        std::int64_t bytes = 0;
    };

    const SimulatedWorld m_world;
    const std::int64_t m_startNs;
    std::atomic<int> m_port{0};
    std::atomic<std::int64_t> m_open{0};

    mutable std::mutex m_mutex; // guards all below
    std::unique_ptr<CallLedger> m_ledger;
    std::vector<std::unique_ptr<Station>> m_stations;
    std::unordered_map<std::string, PictureFile> m_files;
    std::unordered_map<std::string, std::unique_ptr<SimulatedJob>> m_jobs;
    std::mt19937_64 m_random;
    std::uint64_t m_nextId = 1;
    std::int64_t m_leaving = 0; // answers on their way out: their entries come in a moment
    mutable std::int64_t m_readers = 0;
    mutable std::condition_variable m_noneLeaving;
};

} // namespace aiflow
