#include "core/api/lane/attempt_runner.h"

#include "core/base/failpoint.h"

#include <algorithm>

namespace aiflow {

namespace {

void removeFile(const std::filesystem::path& file)
{
    std::error_code gone;
    if (!file.empty()) std::filesystem::remove(file, gone);
}

// What a conversation did not take.
void removeFiles(SpooledAnswer& answer)
{
    for (const SpooledFile& file : answer.files) removeFile(file.path);
    answer.files.clear();
}

// As it came, so that it can be read again.
std::string bodyOf(SpooledAnswer& answer) { return std::move(answer.raw.empty() ? answer.text : answer.raw); }

bool isDiskError(const Error& error)
{
    return error.reason == Reason::OutputDiskFull || error.reason == Reason::OutputDenied;
}

Failure failureOfEnding(const HttpEnd& end, bool executed)
{
    Failure failure = classifyEnding(end, executed);
    if (end.ending != HttpEnding::TooLarge) return failure;
    // A bomb, a flood: not the request's fault, and paid for.
    failure.failure = FailureClass::LyingSuccess;
    failure.charged = executed;
    return failure;
}

std::string spoolName(const LaneAttempt& attempt)
{
    // The first answer stands under the attempt's own name: that is where a later process looks for it.
    return attempt.exchanges == 1 ? attempt.name : attempt.name + "-" + std::to_string(attempt.exchanges);
}

} // namespace

AttemptRunner::AttemptRunner(Parts parts, Listener listener)
    : m_parts(std::move(parts)), m_listener(std::move(listener))
{
}

AttemptRunner::~AttemptRunner() = default;

void AttemptRunner::record(std::shared_ptr<CallRecorder> recorder, std::filesystem::path spoolFolder)
{
    m_recorder = std::move(recorder);
    m_spoolFolder = std::move(spoolFolder);
}

LaneAttempt* AttemptRunner::find(AttemptId id)
{
    const auto found = m_attempts.find(id.value());
    return found == m_attempts.end() ? nullptr : found->second.get();
}

LaneAttempt& AttemptRunner::keep(std::unique_ptr<LaneAttempt> attempt)
{
    attempt->began = m_parts.clock.boot();
    const std::uint64_t id = attempt->id.value();
    return *(m_attempts[id] = std::move(attempt));
}

CallRecorder::WhenDurable AttemptRunner::whenDurable(AttemptId attempt, JournalAnswered::What what)
{
    return [inbox = m_parts.inbox, attempt, what](const Result<void>& durable) {
        inbox->put(JournalAnswered{attempt, what, durable});
    };
}

Result<void> AttemptRunner::begin(std::unique_ptr<LaneAttempt> attempt, std::unique_ptr<Conversation> conversation,
                                  const ContentHash& requestHash)
{
    auto first = conversation->first();
    if (!first) return tl::unexpected(std::move(first.error()));
    LaneAttempt& kept = keep(std::move(attempt));
    kept.conversation = std::move(conversation);
    if (!m_recorder) {
        plan(kept, std::move(*first));
        return {};
    }
    kept.next = std::move(*first);
    const ApiModel& model = m_parts.settings.models[kept.model];
    const ProviderSettings& provider = m_parts.settings.providers[model.provider];
    m_recorder->intend(AttemptIntent{kept.name, kept.task, kept.number, provider.name, model.name,
                                     provider.accounts[kept.account].name, requestHash.hex(), kept.idempotencyKey,
                                     kept.reserved},
                       whenDurable(kept.id, JournalAnswered::What::Intent));
    return {};
}

Result<void> AttemptRunner::goOn(std::unique_ptr<LaneAttempt> attempt, std::unique_ptr<Conversation> conversation)
{
    auto first = conversation->first();
    if (!first) return tl::unexpected(std::move(first.error()));
    LaneAttempt& kept = keep(std::move(attempt));
    kept.conversation = std::move(conversation);
    plan(kept, std::move(*first));
    return {};
}

void AttemptRunner::adopt(std::unique_ptr<LaneAttempt> attempt, std::unique_ptr<Conversation> conversation,
                          SpooledAnswer answer)
{
    LaneAttempt& kept = keep(std::move(attempt));
    kept.conversation = std::move(conversation);
    kept.exchanges = 1;
    kept.wireAt = kept.began;
    HttpEnd end;
    end.ending = HttpEnding::Complete;
    end.status = answer.status;
    end.requestSent = true;
    end.bodyBytes = answer.bodyBytes;
    NextMove next = kept.conversation->next({end, answer});
    removeFiles(answer);
    AttemptEnding ending;
    ending.status = answer.status;
    ending.body = bodyOf(answer);
    ending.rawFile = std::move(answer.rawFile);
    move(kept, std::move(next), std::move(ending));
}

LaneAttempt& AttemptRunner::standIn(std::unique_ptr<LaneAttempt> attempt)
{
    LaneAttempt& kept = keep(std::move(attempt));
    kept.stage = LaneAttempt::Stage::StandIn;
    return kept;
}

void AttemptRunner::plan(LaneAttempt& attempt, Exchange exchange)
{
    if (attempt.cut) return end(attempt, given(attempt, FailureClass::Cancelled, "given up"));
    const BootTime now = m_parts.clock.boot();
    if (attempt.timeout.count() > 0 && now + exchange.after >= attempt.began + attempt.timeout)
        return end(attempt, given(attempt, FailureClass::TimedOut,
                                  "no answer within " + std::to_string(attempt.timeout.count()) + " ms"));
    if (exchange.after.count() <= 0) return send(attempt, std::move(exchange));
    attempt.stage = LaneAttempt::Stage::Pausing;
    attempt.due = now + exchange.after;
    attempt.next = std::move(exchange);
    m_due.emplace(attempt.due, attempt.id);
}

void AttemptRunner::send(LaneAttempt& attempt, Exchange exchange)
{
    ++attempt.exchanges;
    attempt.paid = exchange.paid;
    attempt.stage = LaneAttempt::Stage::Flying;
    attempt.spool = AnswerSpool::create(m_spoolFolder, spoolName(attempt));
    exchange.http.sink = attempt.spool;
    if (attempt.timeout.count() > 0) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(attempt.began + attempt.timeout -
                                                                                m_parts.clock.boot());
        const auto bounded = std::max(left, std::chrono::milliseconds{1});
        exchange.http.totalTimeout = exchange.paid ? bounded : std::min(bounded, exchange.http.totalTimeout);
    }
    // Two words each: the callbacks stand in std::function without an allocation. The inbox outlives the transport.
    struct Heard {
        LaneInbox* inbox;
        AttemptId attempt;
    };
    const Heard heard{m_parts.inbox.get(), attempt.id};
    AIFLOW_FAILPOINT("api_before_send");
    attempt.http = m_parts.transport.start(std::move(exchange.http),
                                           {[heard](HttpId, BootTime at) {
                                                heard.inbox->put(WireReached{heard.attempt, at});
                                            },
                                            [heard](HttpId, HttpEnd end) {
                                                heard.inbox->put(ExchangeEnded{heard.attempt, std::move(end)});
                                            }});
}

void AttemptRunner::handle(WireReached& event)
{
    LaneAttempt* attempt = find(event.attempt);
    if (attempt == nullptr || !attempt->paid || attempt->wireAt) return;
    attempt->wireAt = event.at;
    AIFLOW_FAILPOINT("api_on_wire");
    m_listener.onWire(*attempt, event.at);
}

void AttemptRunner::handle(ExchangeEnded& event)
{
    LaneAttempt* attempt = find(event.attempt);
    if (attempt == nullptr) return;
    attempt->http = 0;
    AIFLOW_FAILPOINT("api_answer_arrived");
    for (auto& learnt : learntLimits(event.end, m_parts.clock.wall())) attempt->learnt.push_back(std::move(learnt));
    AttemptEnding ending;
    ending.status = event.end.status;
    ending.latency = event.end.latency;
    const bool executed = attempt->paid || attempt->wireAt || attempt->adopted;
    if (event.end.ending != HttpEnding::Complete) {
        attempt->spool->discard();
        if (auto again = attempt->cut ? std::nullopt : attempt->conversation->again(event.end))
            return plan(*attempt, std::move(*again));
        if (event.end.sinkError && isDiskError(*event.end.sinkError)) ending.diskTrouble = event.end.sinkError;
        return fail(*attempt, failureOfEnding(event.end, executed), std::move(ending));
    }
    auto answer = attempt->spool->take();
    if (!answer) {
        attempt->spool->discard();
        ending.diskTrouble = answer.error();
        ending.result = failureOf(FailureClass::Unknown, "the answer could not be kept: " + answer.error().message);
        return end(*attempt, std::move(ending));
    }
    NextMove next = attempt->conversation->next({event.end, *answer});
    removeFiles(*answer);
    ending.body = bodyOf(*answer);
    ending.rawFile = std::move(answer->rawFile);
    move(*attempt, std::move(next), std::move(ending));
}

void AttemptRunner::move(LaneAttempt& attempt, NextMove move, AttemptEnding ending)
{
    attempt.spool.reset();
    if (auto* exchange = std::get_if<Exchange>(&move)) {
        keepPaid(attempt, ending);
        return plan(attempt, std::move(*exchange));
    }
    if (auto* kept = std::get_if<KeepRemoteId>(&move)) {
        removeFile(ending.rawFile);
        return keepRemoteId(attempt, std::move(*kept));
    }
    if (attempt.exchanges > 1 && attempt.wireAt) ending.latency = m_parts.clock.boot() - *attempt.wireAt;
    if (auto* failure = std::get_if<Failure>(&move)) return fail(attempt, std::move(*failure), std::move(ending));
    ending.result = std::move(std::get<ProtocolAnswer>(move));
    if (!attempt.paid && (!attempt.paidBody.empty() || !attempt.paidRecord.empty())) {
        removeFile(ending.rawFile);
        ending.body = std::move(attempt.paidBody);
        ending.rawFile = std::exchange(attempt.paidRecord, {});
    }
    end(attempt, std::move(ending));
}

// A paid answer that names where its result is: from it a later process finds the result without paying again.
void AttemptRunner::keepPaid(LaneAttempt& attempt, AttemptEnding& ending)
{
    if (!attempt.paid) return removeFile(ending.rawFile);
    removeFile(attempt.paidRecord);
    attempt.paidBody = std::move(ending.body);
    attempt.paidRecord = std::move(ending.rawFile);
}

void AttemptRunner::fail(LaneAttempt& attempt, Failure failure, AttemptEnding ending)
{
    const bool unclear = failure.failure == FailureClass::Unknown || failure.failure == FailureClass::TimedOut ||
                         failure.failure == FailureClass::ServerError;
    if (unclear && attempt.lookUp && attempt.remoteId.empty() && !attempt.cut && !std::exchange(attempt.lookedUp, true))
        if (auto conversation = attempt.lookUp()) {
            if (auto first = conversation->first()) {
                removeFile(ending.rawFile);
                attempt.conversation = std::move(conversation);
                return plan(attempt, std::move(*first));
            }
        }
    ending.result = std::move(failure);
    end(attempt, std::move(ending));
}

void AttemptRunner::keepRemoteId(LaneAttempt& attempt, KeepRemoteId kept)
{
    attempt.remoteId = kept.id;
    if (!m_recorder) return plan(attempt, std::move(kept.next));
    attempt.stage = LaneAttempt::Stage::Keeping;
    attempt.next = std::move(kept.next);
    m_recorder->remoteId(attempt.name, attempt.task, std::move(kept.id),
                         whenDurable(attempt.id, JournalAnswered::What::RemoteId));
}

void AttemptRunner::handle(JournalAnswered& event)
{
    LaneAttempt* attempt = find(event.attempt);
    if (attempt == nullptr || !attempt->next) return;
    if (event.what == JournalAnswered::What::Intent && !event.durable) {
        AttemptEnding ending = given(*attempt, FailureClass::NotSent, event.durable.error().message);
        ending.recorded = false;
        ending.diskTrouble = event.durable.error();
        return end(*attempt, std::move(ending));
    }
    // A remote id that could not be kept: the job is paid all the same, and polling it now is what saves its answer.
    AIFLOW_FAILPOINT("api_intent_durable");
    Exchange next = std::move(*attempt->next);
    attempt->next.reset();
    plan(*attempt, std::move(next));
}

void AttemptRunner::handle(StandInAnswered& event)
{
    LaneAttempt* attempt = find(event.attempt);
    if (attempt == nullptr) return;
    AttemptEnding ending;
    ending.recorded = false;
    ending.latency = m_parts.clock.boot() - attempt->began;
    if (event.answer)
        ending.standIn = std::move(*event.answer);
    else
        ending.result = failureOf(FailureClass::BadRequest, event.answer.error().message);
    end(*attempt, std::move(ending));
}

void AttemptRunner::calledBack(const std::string& remoteId)
{
    const auto found = std::ranges::find_if(
        m_attempts, [&](const auto& entry) { return !remoteId.empty() && entry.second->remoteId == remoteId; });
    if (found == m_attempts.end()) return;
    LaneAttempt& attempt = *found->second;
    attempt.conversation->calledBack();
    if (attempt.stage != LaneAttempt::Stage::Pausing) return;
    const auto [first, last] = m_due.equal_range(attempt.due);
    m_due.erase(std::find_if(first, last, [&](const auto& due) { return due.second == attempt.id; }));
    attempt.due = m_parts.clock.boot();
    m_due.emplace(attempt.due, attempt.id);
}

std::optional<BootTime> AttemptRunner::sendDue(BootTime now)
{
    while (!m_due.empty() && m_due.begin()->first <= now) {
        LaneAttempt* attempt = find(m_due.begin()->second);
        m_due.erase(m_due.begin());
        if (attempt == nullptr || attempt->stage != LaneAttempt::Stage::Pausing) continue;
        Exchange next = std::move(*attempt->next);
        attempt->next.reset();
        send(*attempt, std::move(next));
    }
    return m_due.empty() ? std::nullopt : std::optional(m_due.begin()->first);
}

void AttemptRunner::cutUnsent()
{
    std::vector<LaneAttempt*> unsent;
    for (const auto& [id, attempt] : m_attempts)
        if (attempt->stage == LaneAttempt::Stage::Intending) unsent.push_back(attempt.get());
    for (LaneAttempt* attempt : unsent) cut(*attempt);
}

void AttemptRunner::cutAll()
{
    std::vector<LaneAttempt*> all;
    for (const auto& [id, attempt] : m_attempts) all.push_back(attempt.get());
    for (LaneAttempt* attempt : all) cut(*attempt);
}

void AttemptRunner::cut(LaneAttempt& attempt)
{
    attempt.cut = true;
    // Whatever arrives until the transport has dropped it is still taken.
    if (attempt.stage == LaneAttempt::Stage::Flying) return m_parts.transport.cancel(attempt.http);
    end(attempt, given(attempt, FailureClass::Cancelled, "given up"));
}

AttemptEnding AttemptRunner::given(const LaneAttempt& attempt, FailureClass failure, std::string message) const
{
    AttemptEnding ending;
    ending.result = failureOf(failure, std::move(message));
    if (attempt.wireAt) ending.latency = m_parts.clock.boot() - *attempt.wireAt;
    return ending;
}

void AttemptRunner::end(LaneAttempt& attempt, AttemptEnding ending)
{
    const auto gone = m_attempts.extract(attempt.id.value());
    removeFile(attempt.paidRecord);
    m_listener.ended(*gone.mapped(), std::move(ending));
}

} // namespace aiflow
