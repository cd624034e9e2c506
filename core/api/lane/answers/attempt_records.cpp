#include "core/api/lane/answers/attempt_records.h"

#include "core/base/secret.h"

namespace aiflow {

namespace {

constexpr std::size_t kInlineBody = 64UL * 1024;
constexpr std::size_t kLongestMessage = 2048;

const AccountSettings& accountOf(const LaneAttempt& attempt, const ApiSettings& settings)
{
    return settings.providerOf(attempt.model).accounts[attempt.account];
}

// An answer repeats a key only when a service misbehaves, and then it is the key that it was sent: one look, and the
// whole list only when it is there.
std::string cleaned(std::string text, const AccountSettings& account)
{
    const bool dirty = account.key && text.find(account.key->reveal()) != std::string::npos;
    return dirty ? redact(text) : text;
}

AttemptOutcome outcomeOf(const LaneAttempt& attempt, const Failure& failure)
{
    switch (failure.failure) {
    case FailureClass::NotSent:
        return attempt.adopted && !attempt.lookedUp ? AttemptOutcome::Unknown : AttemptOutcome::NotSent;
    case FailureClass::Cancelled:
        return attempt.wireAt || attempt.adopted ? AttemptOutcome::Unknown : AttemptOutcome::NotSent;
    case FailureClass::ServerError:
    case FailureClass::TimedOut:
    case FailureClass::Unknown:
        return AttemptOutcome::Unknown;
    default:
        return definitelyNotExecuted(failure.failure) ? AttemptOutcome::Rejected : AttemptOutcome::Failed;
    }
}

} // namespace

Nanos costOfEnding(const LaneAttempt& attempt, const AttemptEnding& ending, const ApiModel& model)
{
    if (const auto* answer = std::get_if<ProtocolAnswer>(&ending.result))
        return answer->usageKnown ? costOf(model.price, answer->usage) : attempt.reserved.amount;
    const auto& failure = std::get<Failure>(ending.result);
    const AttemptOutcome outcome = outcomeOf(attempt, failure);
    const bool free = !failure.charged && (outcome == AttemptOutcome::NotSent || outcome == AttemptOutcome::Rejected);
    return free ? Nanos() : attempt.reserved.amount;
}

AttemptReport reportOf(const LaneAttempt& attempt, AttemptEnding& ending, const Failure* failure, Nanos cost,
                       const ApiSettings& settings)
{
    const AccountSettings& account = accountOf(attempt, settings);
    AttemptReport report;
    report.attempt = attempt.name;
    report.task = attempt.task;
    report.cost = {cost, attempt.reserved.currency};
    report.status = ending.status;
    if (const auto* answer = std::get_if<ProtocolAnswer>(&ending.result)) {
        report.outcome = failure == nullptr ? AttemptOutcome::Responded : AttemptOutcome::Failed;
        report.usage = answer->usage;
        report.requestId = cleaned(answer->requestId, account);
    } else {
        failure = &std::get<Failure>(ending.result);
        report.outcome = outcomeOf(attempt, *failure);
    }
    if (failure != nullptr) {
        report.failure = nameOf(failure->failure);
        report.message = redact(failure->message).substr(0, kLongestMessage);
    }
    report.bodyFile = std::move(ending.rawFile);
    if (report.bodyFile.empty() && ending.body.size() <= kInlineBody)
        report.body = cleaned(std::move(ending.body), account);
    return report;
}

Provenance provenanceOf(const LaneCall& call, const LaneAttempt& attempt, const ProtocolAnswer& answer,
                        std::chrono::nanoseconds latency, const ApiSettings& settings)
{
    const ApiModel& model = settings.models[attempt.model];
    const AccountSettings& account = accountOf(attempt, settings);
    Provenance from;
    from.provider = settings.providers[model.provider].name;
    from.model = cleaned(answer.model.empty() ? model.remoteName : answer.model, account);
    from.account = account.name;
    from.requestId = cleaned(answer.requestId, account);
    from.note = attempt.why;
    from.attempts = call.attempts;
    from.tokensIn = call.tokensIn;
    from.tokensOut = call.tokensOut;
    from.cost = call.cost.units();
    from.currency = call.currency;
    from.latency = std::chrono::duration_cast<std::chrono::milliseconds>(latency);
    return from;
}

Provenance sharedProvenance(const Provenance& leaders, const std::string& leadersItem)
{
    Provenance from = leaders;
    from.note = "shared: item " + leadersItem + " asked the same" + (from.note.empty() ? "" : "; " + from.note);
    from.attempts = 0;
    from.tokensIn = 0;
    from.tokensOut = 0;
    from.cost = 0;
    return from;
}

} // namespace aiflow
