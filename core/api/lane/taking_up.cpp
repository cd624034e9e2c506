#include "core/api/lane/call_desk.h"
#include "core/api/lane/earlier_attempts.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace aiflow {

// True: the call goes on with an attempt of an earlier process, or is over (and gone); false: it waits for a place like
// any other.
bool CallDesk::takeUp(LaneCall& call)
{
    std::vector<OpenAttempt> open = std::exchange(call.call.open, {});
    std::ranges::sort(open, std::greater<>{}, [](const OpenAttempt& one) { return one.intent.number; });
    std::optional<Settlement> best;
    std::vector<const OpenAttempt*> lost;
    for (const OpenAttempt& one : open) {
        Settlement settled = settlementOf(one, m_parts.settings, m_spoolFolder);
        if (!best && settled.way != SettleWay::Unknown)
            best = std::move(settled);
        else
            lost.push_back(&one);
    }
    for (const OpenAttempt* one : lost) recordUnknown(call, *one);
    if (best && best->way == SettleWay::Repeat) {
        const AttemptIntent& intent = best->attempt->intent;
        call.repeats = RepeatedKey{intent.idempotencyKey, best->model, best->account, intent.attempt, intent.number};
        call.demand.onlyModel = best->model;
        call.demand.onlyAccount = best->account;
        return false;
    }
    if (best && carryOn(call, *best)) return true; // it may have ended already
    if (best) {
        recordUnknown(call, *best->attempt);
        lost.push_back(best->attempt);
    }
    for (const OpenAttempt* one : lost)
        if (auto refused = refusalOf(*one, m_parts.settings.unknown)) {
            finish(call.id(), tl::unexpected(std::move(*refused)));
            return true;
        }
    return false;
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
