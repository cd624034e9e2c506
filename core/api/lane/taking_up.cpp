#include "core/api/lane/call_desk.h"
#include "core/api/lane/earlier_attempts.h"

#include <algorithm>

namespace aiflow {

// True: the call goes on with an attempt of an earlier process, or is over; false: it waits for a place like any other.
bool CallDesk::takeUp(LaneCall& call)
{
    std::ranges::sort(call.call.open, std::greater<>{}, [](const OpenAttempt& open) { return open.intent.number; });
    std::optional<Error> refused;
    bool settledOne = false;
    for (const OpenAttempt& open : call.call.open) {
        Settlement settled = settlementOf(open, m_parts.settings, m_spoolFolder);
        if (!settledOne && settled.way == SettleWay::Repeat) {
            call.repeats = RepeatedKey{open.intent.idempotencyKey, settled.model, settled.account, open.intent.attempt,
                                       open.intent.number};
            call.demand.onlyModel = settled.model;
            call.demand.onlyAccount = settled.account;
            settledOne = true;
            continue;
        }
        if (!settledOne && settled.way != SettleWay::Unknown && carryOn(call, settled)) {
            settledOne = true;
            continue;
        }
        recordUnknown(call, open);
        if (!refused) refused = refusalOf(open, m_parts.settings.unknown);
    }
    if (settledOne) return !call.repeats;
    if (!refused) return false;
    finish(call.id(), tl::unexpected(std::move(*refused)));
    return true;
}

bool CallDesk::carryOn(LaneCall& call, Settlement& settled)
{
    const OpenAttempt& open = *settled.attempt;
    const ProviderSettings& provider = m_parts.settings.providerOf(settled.model);
    const Protocol& protocol = protocolOf(provider.protocol);
    auto attempt = attemptOf(call, settled.model, settled.account);
    attempt->name = open.intent.attempt;
    attempt->idempotencyKey = open.intent.idempotencyKey;
    attempt->number = open.intent.number;
    attempt->reserved = open.intent.reserved;
    attempt->remoteId = open.remoteId;
    attempt->adopted = true;
    attempt->answered = open.answered.has_value();
    attempt->why = "taken up from an earlier process";
    std::unique_ptr<Conversation> conversation;
    if (settled.way == SettleWay::Adopt) {
        auto begun = protocol.begin(planOf(call, *attempt));
        if (!begun || !(*begun)->first()) return false;
        conversation = std::move(*begun);
    } else {
        attempt->lookedUp = settled.way == SettleWay::LookUp;
        conversation = attempt->lookedUp ? protocol.lookUp(planOf(call, *attempt))
                                         : protocol.resume(planOf(call, *attempt), open.remoteId);
    }
    if (!conversation) return false;
    const BootTime now = m_parts.clock.boot();
    m_dispatcher->submit(call.demand, now);
    attempt->id = m_dispatcher->adopt(call.id(), settled.model, provider.accounts[settled.account].name, now);
    call.open = true;
    if (settled.way == SettleWay::Adopt) {
        m_runner.adopt(std::move(attempt), std::move(conversation), std::move(*settled.answer));
        return true;
    }
    const AttemptId id = attempt->id;
    if (auto gone = m_runner.goOn(std::move(attempt), std::move(conversation)); !gone) {
        AttemptEnd end;
        end.attempt = id;
        end.failure = failureOf(FailureClass::Unknown, gone.error().message);
        call.open = false;
        m_dispatcher->ended(end, now);
    }
    return true;
}

void CallDesk::recordUnknown(const LaneCall& call, const OpenAttempt& open)
{
    if (!m_job.recorder) return;
    AttemptReport report;
    report.attempt = open.intent.attempt;
    report.task = call.call.task;
    report.outcome = AttemptOutcome::Unknown;
    report.cost = open.intent.reserved;
    report.failure = nameOf(FailureClass::Unknown);
    report.message = "open when its process ended";
    m_job.recorder->ended(std::move(report), [inbox = m_parts.inbox](const Result<void>& durable) {
        if (!durable) inbox->put(JournalAnswered{AttemptId(), JournalAnswered::What::End, durable});
    });
}

} // namespace aiflow
