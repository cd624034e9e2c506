// The lane's state on its decision thread: calls that wait or are open, who shares whose answer, and what the
// dispatcher's decisions turn into.
#pragma once

#include "core/api/lane/attempt_runner.h"
#include "core/api/lane/earlier_attempts.h"
#include "core/api/lane/lane_call.h"
#include "core/base/limit_store.h"
#include "core/base/log.h"
#include "core/base/random.h"

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

namespace aiflow {

// Threads: the lane's decision thread.
class CallDesk {
public:
    struct Parts {
        ApiSettings& settings;
        HttpTransport& transport;
        LimitStore& limits;
        ApiLane& offline;
        const Clock& clock;
        Random& random;
        Log& log;
        std::shared_ptr<LaneInbox> inbox;
        std::atomic<std::int64_t>& inFlight;
    };
    explicit CallDesk(Parts parts);
    ~CallDesk();

    void handle(LaneEvent& event);
    // Everything that can be done now. How long nothing needs to be done, unless something comes.
    std::chrono::nanoseconds work();
    bool empty() const noexcept { return m_calls.empty() && m_runner.empty(); }
    // The journal does not answer any more: every call ends as Cancelled.
    void abandon();
    std::vector<ApiAccountView> accounts() const;

private:
    struct Landing {
        CallId call;
        ApiAnswer answer;
    };
    struct Question { // what makes two requests one
        std::size_t route;
        ContentHash request;
        friend bool operator==(const Question&, const Question&) = default;
    };
    struct QuestionHash {
        std::size_t operator()(const Question& asked) const noexcept
        {
            return std::hash<ContentHash>{}(asked.request) ^ asked.route;
        }
    };

    // call_desk.cpp: calls come and go
    void serve(ApiJob job);
    void open();
    void submit(std::unique_ptr<LaneCall> call);
    bool follow(std::unique_ptr<LaneCall>& call);
    void enter(std::unique_ptr<LaneCall> call);
    void cancelWaiting();
    void finish(CallId id, Result<ApiAnswer> answer);
    void promote(std::vector<std::unique_ptr<LaneCall>> followers);
    void tell(LaneCall& call, bool waiting, Reason reason, const std::string& detail,
              std::chrono::milliseconds expected);
    void stopJob(const Error& error);
    LaneCall* find(CallId id);

    // decisions.cpp: what the dispatcher decides
    bool exchangeDue(BootTime now);
    void exchange();
    void act(Decisions& decisions);
    void giveUp(GiveUp& given);
    std::chrono::nanoseconds untilNext(std::optional<BootTime> due);

    // attempts.cpp: attempts begin and end
    void begin(const SendOrder& order);
    bool nameAttempt(LaneCall& call, LaneAttempt& attempt);
    void repeatKey(LaneCall& call, const LaneAttempt& attempt, const Failure& failure);
    void notBegun(const SendOrder& order, const Error& error);
    AttemptPlan planOf(const LaneCall& call, const LaneAttempt& attempt) const;
    std::unique_ptr<LaneAttempt> attemptOf(LaneCall& call, std::size_t model, std::size_t account) const;
    void askStandIn(const LaneCall& call, std::unique_ptr<LaneAttempt> attempt);
    void ended(LaneAttempt& attempt, AttemptEnding ending);
    void standInEnded(LaneCall& call, LaneAttempt& attempt, AttemptEnding& ending);
    void conclude(const LaneAttempt& attempt, const AttemptEnding& ending, const Failure* failure, const LaneCall& call,
                  bool asksAgain);
    void land(LaneCall& call, LaneAttempt& attempt, AttemptEnding& ending, std::string body);
    void landed(JournalAnswered& event);

    // taking_up.cpp: attempts of earlier processes
    bool takeUp(LaneCall& call);
    bool carryOn(LaneCall& call, Settlement& settled);
    void recordUnknown(const LaneCall& call, const OpenAttempt& open);

    Parts m_parts;
    ApiJob m_job;
    AttemptRunner m_runner;
    std::unique_ptr<Dispatcher> m_dispatcher; // made when the job is known
    std::filesystem::path m_spoolFolder;
    bool m_ownSpool = false;

    std::unordered_map<std::uint64_t, std::unique_ptr<LaneCall>> m_calls;
    std::unordered_map<Question, CallId, QuestionHash> m_leaders;
    std::unordered_map<std::uint64_t, Landing> m_landing; // by attempt
    std::uint64_t m_lastCall = 0;
    bool m_stopTold = false;

    bool m_changed = false;     // decide as soon as the pace allows
    bool m_unpublished = false; // the others of the host may hear of it a little later
    BootTime m_lastExchange{};
    BootTime m_nextExchange{}; // not before
    BootTime m_lastLook{};     // at what the others did
};

} // namespace aiflow
