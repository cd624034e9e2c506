#include "core/api/lane/answers/answer_judge.h"
#include "core/api/lane/answers/attempt_records.h"
#include "core/api/lane/call_desk.h"
#include "core/base/json.h"

#include <algorithm>
#include <utility>

namespace aiflow {

namespace {

constexpr std::size_t kAttemptDigits = 20;

bool isFirstChoice(const std::string& why) { return why == "first choice"; }

void removeFiles(ProtocolAnswer& answer)
{
    std::error_code gone;
    for (const SpooledFile& file : answer.files)
        if (!file.path.empty()) std::filesystem::remove(file.path, gone);
    answer.files.clear();
}

std::vector<ApiFile> filesOf(ProtocolAnswer& answer)
{
    std::vector<ApiFile> files;
    for (SpooledFile& file : answer.files)
        files.push_back({std::move(file.mediaType), std::move(file.bytes), std::move(file.path), file.size,
                         file.hash.isZero() ? std::string() : file.hash.hex()});
    return files;
}

} // namespace

std::unique_ptr<LaneAttempt> CallDesk::attemptOf(LaneCall& call, std::size_t model, std::size_t account) const
{
    auto attempt = std::make_unique<LaneAttempt>();
    attempt->call = call.id();
    attempt->task = call.call.task;
    attempt->model = model;
    attempt->account = account;
    attempt->timeout = call.call.timeout;
    attempt->room = call.maxOutputTokens > 0 ? call.maxOutputTokens : m_parts.settings.models[model].maxOutputTokens;
    return attempt;
}

AttemptPlan CallDesk::planOf(const LaneCall& call, const LaneAttempt& attempt) const
{
    OpenFile openFile = [recorder = m_job.recorder](const RequestFile& file) -> Result<std::unique_ptr<BodySource>> {
        if (recorder) return recorder->openFile(file);
        return fail(Reason::InputFileBad, "the request names the artifact " + file.hash + ", and there is no store");
    };
    return {m_parts.settings, attempt.model,          attempt.account, call.kind,    call.request,
            attempt.name,     attempt.idempotencyKey, call.complaints, attempt.room, std::move(openFile)};
}

// True: an attempt of an earlier process goes on, which the journal knows.
bool CallDesk::nameAttempt(LaneCall& call, LaneAttempt& attempt)
{
    auto repeats = std::exchange(call.repeats, std::nullopt);
    if (repeats && (repeats->model != attempt.model || repeats->account != attempt.account)) repeats.reset();
    attempt.adopted = repeats && !repeats->attempt.empty();
    attempt.name = attempt.adopted ? repeats->attempt : m_parts.random.hex(kAttemptDigits);
    attempt.idempotencyKey = repeats ? repeats->idempotencyKey : "aiflow-" + attempt.name;
    attempt.number = attempt.adopted ? repeats->number : ++call.attempts;
    return attempt.adopted;
}

void CallDesk::begin(const SendOrder& order)
{
    LaneCall* call = find(order.call);
    if (call == nullptr) return notBegun(order, {});
    auto attempt = attemptOf(*call, order.model, order.account);
    attempt->id = order.attempt;
    attempt->reserved = order.reserved;
    if (!isFirstChoice(order.why)) attempt->why = order.why;
    const ProviderSettings& provider = m_parts.settings.providers[order.provider];
    const bool goesOn = nameAttempt(*call, *attempt);
    if (call->toldWaiting) tell(*call, false, Reason::ProviderRateLimited, {}, {});
    call->open = true;
    call->tellSent();
    if (provider.protocol == ProtocolKind::Offline) return askStandIn(*call, std::move(attempt));
    const Protocol& protocol = protocolOf(provider.protocol);
    if (protocol.capability(provider) == CapabilityClass::B)
        attempt->lookUp = [&protocol, plan = planOf(*call, *attempt)] { return protocol.lookUp(plan); };
    auto conversation = protocol.begin(planOf(*call, *attempt));
    Result<void> begun;
    if (!conversation)
        begun = tl::unexpected(std::move(conversation.error()));
    else if (goesOn)
        begun = m_runner.goOn(std::move(attempt), std::move(*conversation));
    else
        begun = m_runner.begin(std::move(attempt), std::move(*conversation), call->requestHash);
    if (!begun) notBegun(order, begun.error());
}

// The request itself cannot be made, or may not be sent: the reservation goes back.
void CallDesk::notBegun(const SendOrder& order, const Error& error)
{
    AttemptEnd end;
    end.attempt = order.attempt;
    const bool diskTrouble = error.reason == Reason::OutputDiskFull || error.reason == Reason::OutputDenied;
    LaneCall* call = find(order.call);
    if (call != nullptr) call->open = false;
    end.failure =
        failureOf(call == nullptr || diskTrouble ? FailureClass::NotSent : FailureClass::BadRequest, error.message);
    m_dispatcher->ended(end, m_parts.clock.boot());
    m_changed = true;
}

void CallDesk::askStandIn(const LaneCall& call, std::unique_ptr<LaneAttempt> attempt)
{
    ApiCall asked;
    asked.task = call.call.task;
    asked.itemId = call.call.itemId;
    asked.route = call.call.route;
    asked.request = dumpJson(*call.request);
    asked.priority = call.call.priority;
    asked.stepFromEnd = call.call.stepFromEnd;
    LaneAttempt& kept = m_runner.standIn(std::move(attempt));
    m_dispatcher->onWire(kept.id, m_parts.clock.boot());
    m_parts.offline.submit(std::move(asked), [inbox = m_parts.inbox, id = kept.id](Result<ApiAnswer> answer) {
        inbox->put(StandInAnswered{id, std::move(answer)});
    });
}

void CallDesk::ended(LaneAttempt& attempt, AttemptEnding ending)
{
    LaneCall* call = find(attempt.call);
    if (call == nullptr) return;
    call->open = false;
    if (ending.diskTrouble) stopJob(*ending.diskTrouble);
    if (ending.standIn) return standInEnded(*call, attempt, ending);
    const ApiModel& model = m_parts.settings.models[attempt.model];
    auto* answer = std::get_if<ProtocolAnswer>(&ending.result);
    Judgement judged;
    if (answer != nullptr)
        judged = judgeAnswer(*call, *answer, model, attempt.room);
    else
        judged.failure = std::get<Failure>(ending.result);
    const Nanos cost = costOfEnding(attempt, ending, model);
    call->cost += cost;
    call->currency = attempt.reserved.currency;
    if (answer != nullptr && answer->usageKnown) {
        call->tokensIn += answer->usage.inputTokens;
        call->tokensOut += answer->usage.outputTokens;
    }
    const bool again =
        judged.worthAsking() && call->asked < m_parts.settings.retry.reasks && !call->lastAttempt && !m_stopTold;
    if (again) {
        ++call->asked;
        if (judged.complaint) call->complaints.push_back(std::move(*judged.complaint));
        if (judged.maxOutputTokens) call->maxOutputTokens = *judged.maxOutputTokens;
    }
    const Failure* failure = judged.failure ? &*judged.failure : nullptr;
    conclude(attempt, ending, failure, *call, again);
    if (failure == nullptr) return land(*call, attempt, ending, std::move(judged.body));
    if (answer != nullptr) removeFiles(*answer);
    if (m_job.recorder && ending.recorded && !attempt.answered)
        m_job.recorder->ended(reportOf(attempt, ending, failure, cost, m_parts.settings),
                              [inbox = m_parts.inbox, id = attempt.id](const Result<void>& durable) {
                                  if (!durable) inbox->put(JournalAnswered{id, JournalAnswered::What::End, durable});
                              });
    if (!call->lastAttempt && failure->failure != FailureClass::Cancelled) return repeatKey(*call, attempt, *failure);
    (void)m_dispatcher->withdraw(call->id());
    finish(call->id(), tl::unexpected(Error{Reason::Cancelled, "stopped while it was open", {}, {}}));
}

// Class A: nobody knows how it ended, and the same key gets the same answer without paying again; the dispatcher stays
// with the account.
void CallDesk::repeatKey(LaneCall& call, const LaneAttempt& attempt, const Failure& failure)
{
    const ProviderSettings& provider = m_parts.settings.providerOf(attempt.model);
    const bool unclear = failure.failure == FailureClass::Unknown || failure.failure == FailureClass::TimedOut ||
                         failure.failure == FailureClass::ServerError;
    if (!unclear || protocolOf(provider.protocol).capability(provider) != CapabilityClass::A) return;
    call.repeats = RepeatedKey{attempt.idempotencyKey, attempt.model, attempt.account, {}, 0};
}

void CallDesk::conclude(const LaneAttempt& attempt, const AttemptEnding& ending, const Failure* failure,
                        const LaneCall& call, bool asksAgain)
{
    AttemptEnd end;
    end.attempt = attempt.id;
    if (failure != nullptr) end.failure = *failure;
    if (const auto* answer = std::get_if<ProtocolAnswer>(&ending.result)) {
        end.usage = answer->usage;
        end.usageKnown = answer->usageKnown;
        if (attempt.answered) end.usage = {}; // paid and counted by the process that got it
    }
    end.latency = ending.latency;
    end.learnt = attempt.learnt;
    end.asksAgain = asksAgain;
    if (asksAgain) {
        if (call.maxOutputTokens > 0) end.maxOutputTokens = call.maxOutputTokens;
        end.inputTokens = estimateInputTokens(*call.request, call.complaints);
    }
    m_dispatcher->ended(end, m_parts.clock.boot());
    // A place is free: it matters at once when somebody waits for it, or when the call's fate is to be heard.
    m_changed = m_changed || failure != nullptr || m_dispatcher->waiting() > 0;
    m_unpublished = true;
}

void CallDesk::standInEnded(LaneCall& call, LaneAttempt& attempt, AttemptEnding& ending)
{
    AttemptEnd end;
    end.attempt = attempt.id;
    end.usageKnown = true;
    end.latency = ending.latency;
    m_dispatcher->ended(end, m_parts.clock.boot());
    m_changed = true;
    ending.standIn->provenance.attempts = call.attempts;
    if (!attempt.why.empty()) ending.standIn->provenance.note += "; " + attempt.why;
    finish(call.id(), std::move(*ending.standIn));
}

// The answer is good. It leaves the lane when nothing can lose it any more.
void CallDesk::land(LaneCall& call, LaneAttempt& attempt, AttemptEnding& ending, std::string body)
{
    auto& answer = std::get<ProtocolAnswer>(ending.result);
    ApiAnswer made{std::move(body), filesOf(answer),
                   provenanceOf(call, attempt, answer, ending.latency, m_parts.settings)};
    if (!m_job.recorder || attempt.answered) {
        std::error_code gone;
        if (!ending.rawFile.empty()) std::filesystem::remove(ending.rawFile, gone);
        return finish(call.id(), std::move(made));
    }
    call.landing = true;
    const Nanos cost = costOfEnding(attempt, ending, m_parts.settings.models[attempt.model]);
    m_landing.emplace(attempt.id.value(), Landing{call.id(), std::move(made)});
    m_job.recorder->ended(reportOf(attempt, ending, nullptr, cost, m_parts.settings),
                          [inbox = m_parts.inbox, id = attempt.id](const Result<void>& durable) {
                              inbox->put(JournalAnswered{id, JournalAnswered::What::End, durable});
                          });
}

void CallDesk::landed(JournalAnswered& event)
{
    const auto found = m_landing.extract(event.attempt.value());
    if (!event.durable) stopJob(event.durable.error());
    if (found.empty()) return;
    if (event.durable)
        finish(found.mapped().call, std::move(found.mapped().answer));
    else
        finish(found.mapped().call, tl::unexpected(event.durable.error()));
}

} // namespace aiflow
