// Leads attempts through their exchanges: intent, send, answer, next exchange, until each has ended.
#pragma once

#include "core/api/lane/lane_attempt.h"
#include "core/api/lane/lane_inbox.h"
#include "core/base/clock.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace aiflow {

// Threads: the lane's decision thread. Callbacks of transport and journal come through the inbox.
class AttemptRunner {
public:
    struct Parts {
        const ApiSettings& settings;
        HttpTransport& transport;
        const Clock& clock;
        std::shared_ptr<LaneInbox> inbox;
    };
    struct Listener {
        std::function<void(const LaneAttempt&, BootTime)> onWire; // of the first paid exchange
        // The attempt is gone afterwards. Never called from within begin().
        std::function<void(LaneAttempt&, AttemptEnding)> ended;
    };

    AttemptRunner(Parts parts, Listener listener);
    ~AttemptRunner();

    // Before the first attempt. `recorder` may be null.
    void record(std::shared_ptr<CallRecorder> recorder, std::filesystem::path spoolFolder);

    // Intent durable, then the first exchange. UsageInvalid: this protocol cannot make the request; nothing happened.
    Result<void> begin(std::unique_ptr<LaneAttempt> attempt, std::unique_ptr<Conversation> conversation,
                       const ContentHash& requestHash);
    // Goes on with one that the journal knows already.
    Result<void> goOn(std::unique_ptr<LaneAttempt> attempt, std::unique_ptr<Conversation> conversation);
    // Its answer is there already, from an earlier process.
    void adopt(std::unique_ptr<LaneAttempt> attempt, std::unique_ptr<Conversation> conversation, SpooledAnswer answer);
    // An offline model's.
    LaneAttempt& standIn(std::unique_ptr<LaneAttempt> attempt);

    void handle(WireReached& event);
    void handle(ExchangeEnded& event);
    void handle(JournalAnswered& event); // intents and remote ids
    void handle(StandInAnswered& event);
    void calledBack(const std::string& remoteId);
    // Sends what is due; the return is when to come back.
    std::optional<BootTime> sendDue(BootTime now);
    // Those of calls that have not left yet, or all of them, end as Cancelled.
    void cutUnsent();
    void cutAll();
    bool empty() const noexcept { return m_attempts.empty(); }

private:
    using Attempts = std::unordered_map<std::uint64_t, std::unique_ptr<LaneAttempt>>;
    LaneAttempt* find(AttemptId id);
    LaneAttempt& keep(std::unique_ptr<LaneAttempt> attempt);
    void plan(LaneAttempt& attempt, Exchange exchange);
    void send(LaneAttempt& attempt, Exchange exchange);
    void move(LaneAttempt& attempt, NextMove move, AttemptEnding ending);
    void fail(LaneAttempt& attempt, Failure failure, AttemptEnding ending);
    static void keepPaid(LaneAttempt& attempt, AttemptEnding& ending);
    void keepRemoteId(LaneAttempt& attempt, KeepRemoteId kept);
    void cut(LaneAttempt& attempt);
    void end(LaneAttempt& attempt, AttemptEnding ending);
    AttemptEnding given(const LaneAttempt& attempt, FailureClass failure, std::string message) const;
    CallRecorder::WhenDurable whenDurable(AttemptId attempt, JournalAnswered::What what);

    Parts m_parts;
    Listener m_listener;
    std::shared_ptr<CallRecorder> m_recorder;
    std::filesystem::path m_spoolFolder;
    Attempts m_attempts;
    std::multimap<BootTime, AttemptId> m_due;
};

} // namespace aiflow
