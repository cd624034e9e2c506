#include "core/api/lane/call_desk.h"

#include "core/api/lane/answers/attempt_records.h"
#include "core/base/secret.h"

#include <cstdlib>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

Error cancelled(std::string message) { return Error{Reason::Cancelled, std::move(message), {}, {}}; }

// A folder that only this process needs. Without one the answers that do not fit memory cannot be kept, and say so.
fs::path privateFolder()
{
    std::error_code problem;
    std::string name = (fs::temp_directory_path(problem) / "aiflow-answers-XXXXXX").string();
    return ::mkdtemp(name.data()) == nullptr ? fs::path() : fs::path(name);
}

// A picture that several calls share: each gets a name of its own for it.
ApiFile shared(const ApiFile& file, std::size_t number)
{
    ApiFile copy = file;
    if (file.spooled.empty()) return copy;
    copy.spooled = file.spooled.string() + "." + std::to_string(number);
    std::error_code problem;
    fs::create_hard_link(file.spooled, copy.spooled, problem);
    if (problem) fs::copy_file(file.spooled, copy.spooled, problem);
    return copy;
}

Result<ApiAnswer> sharedAnswer(const Result<ApiAnswer>& leaders, const std::string& leadersItem, std::size_t number)
{
    if (!leaders) return leaders;
    ApiAnswer answer{leaders->body, {}, sharedProvenance(leaders->provenance, leadersItem)};
    for (const ApiFile& file : leaders->files) answer.files.push_back(shared(file, number));
    return answer;
}

} // namespace

CallDesk::CallDesk(Parts parts)
    : m_parts(std::move(parts)),
      m_runner({m_parts.settings, m_parts.transport, m_parts.clock, m_parts.inbox},
               {[this](const LaneAttempt& attempt, BootTime at) {
                    m_dispatcher->onWire(attempt.id, at);
                    m_unpublished = true;
                },
                [this](LaneAttempt& attempt, AttemptEnding ending) { ended(attempt, std::move(ending)); }})
{
}

CallDesk::~CallDesk()
{
    std::error_code gone;
    if (m_ownSpool) fs::remove_all(m_spoolFolder, gone);
}

void CallDesk::handle(LaneEvent& event)
{
    if (auto* submitted = std::get_if<CallSubmitted>(&event)) return submit(std::move(submitted->call));
    if (auto* wire = std::get_if<WireReached>(&event)) return m_runner.handle(*wire);
    if (auto* exchanged = std::get_if<ExchangeEnded>(&event)) return m_runner.handle(*exchanged);
    if (auto* journal = std::get_if<JournalAnswered>(&event)) {
        if (journal->what == JournalAnswered::What::End) return landed(*journal);
        if (!journal->durable) stopJob(journal->durable.error());
        return m_runner.handle(*journal);
    }
    if (auto* answered = std::get_if<StandInAnswered>(&event)) return m_runner.handle(*answered);
    if (auto* back = std::get_if<CalledBack>(&event)) return m_runner.calledBack(back->remoteId);
    if (auto* served = std::get_if<JobServed>(&event)) return serve(std::move(served->job));
    const auto command = std::get<LaneCommand>(event);
    cancelWaiting();
    if (command != LaneCommand::CancelWaiting) m_runner.cutAll();
}

void CallDesk::serve(ApiJob job)
{
    m_job = std::move(job);
    if (m_job.budget) m_parts.settings.budgets.perJob = m_job.budget;
    open();
}

void CallDesk::open()
{
    m_dispatcher = Dispatcher::create({m_parts.settings, m_parts.random, [this] { return m_parts.limits.newId(); }});
    if (m_job.spent.amount.count() > 0) m_dispatcher->setSpent(m_job.spent.amount, m_job.spent.currency);
    m_spoolFolder = m_job.recorder ? m_job.recorder->spoolFolder() : privateFolder();
    m_ownSpool = !m_job.recorder && !m_spoolFolder.empty();
    m_runner.record(m_job.recorder, m_spoolFolder);
    m_changed = true;
}

LaneCall* CallDesk::find(CallId id)
{
    const auto found = m_calls.find(id.value());
    return found == m_calls.end() ? nullptr : found->second.get();
}

void CallDesk::submit(std::unique_ptr<LaneCall> call)
{
    if (!m_dispatcher) open();
    if (call->problem) {
        const Error problem = *call->problem;
        call->done(tl::unexpected(problem));
        m_parts.inFlight.fetch_sub(1);
        return;
    }
    if (!follow(call)) enter(std::move(call));
}

bool CallDesk::follow(std::unique_ptr<LaneCall>& call)
{
    // What an earlier process left open is this call's own matter.
    if (!call->call.open.empty()) return false;
    const auto leader = m_leaders.find(Question{call->demand.route, call->requestHash});
    LaneCall* first = leader == m_leaders.end() ? nullptr : find(leader->second);
    if (first == nullptr) return false;
    call->request = first->request;
    if (first->open || first->landing) call->tellSent();
    first->followers.push_back(std::move(call));
    return true;
}

void CallDesk::enter(std::unique_ptr<LaneCall> call)
{
    LaneCall& kept = *call;
    kept.demand.id = CallId(++m_lastCall);
    kept.leads = m_leaders.try_emplace(Question{kept.demand.route, kept.requestHash}, kept.id()).second;
    m_calls.emplace(kept.id().value(), std::move(call));
    m_changed = true;
    if (!kept.call.open.empty() && takeUp(kept)) return;
    m_dispatcher->submit(kept.demand, m_parts.clock.boot());
}

void CallDesk::cancelWaiting()
{
    m_runner.cutUnsent();
    std::vector<CallId> waiting;
    for (const auto& [id, call] : m_calls) {
        call->lastAttempt = true;
        if (!call->open && !call->landing) waiting.push_back(call->id());
    }
    for (const CallId id : waiting) {
        if (find(id) == nullptr) continue;
        (void)m_dispatcher->withdraw(id);
        finish(id, tl::unexpected(cancelled("cancelled before it was sent")));
    }
    m_changed = true;
}

void CallDesk::finish(CallId id, Result<ApiAnswer> answer)
{
    const auto taken = m_calls.extract(id.value());
    if (taken.empty()) return;
    LaneCall& call = *taken.mapped();
    if (call.leads) m_leaders.erase(Question{call.demand.route, call.requestHash});
    const bool ownMoney = !answer && answer.error().reason == Reason::BudgetReached && call.attempts == 0;
    if (ownMoney) {
        // Its item's money ended, nothing was sent: the next one asks on its own account.
        promote(std::move(call.followers));
    } else {
        std::size_t number = 0;
        for (const auto& follower : call.followers) {
            follower->done(sharedAnswer(answer, call.call.itemId, ++number));
            m_parts.inFlight.fetch_sub(1);
        }
    }
    call.done(std::move(answer));
    m_parts.inFlight.fetch_sub(1);
}

void CallDesk::promote(std::vector<std::unique_ptr<LaneCall>> followers)
{
    for (auto& follower : followers)
        if (!follow(follower)) enter(std::move(follower));
}

void CallDesk::abandon()
{
    while (!m_calls.empty())
        finish(CallId(m_calls.begin()->first), tl::unexpected(cancelled("the journal does not answer any more")));
}

void CallDesk::tell(LaneCall& call, bool waiting, Reason reason, const std::string& detail,
                    std::chrono::milliseconds expected)
{
    call.toldWaiting = waiting;
    if (!m_job.onWaiting) return;
    ApiWaiting told{call.call.task, waiting, reason, redact(detail), expected};
    m_job.onWaiting(told);
    for (const auto& follower : call.followers) {
        told.task = follower->call.task;
        m_job.onWaiting(told);
    }
}

void CallDesk::stopJob(const Error& error)
{
    if (std::exchange(m_stopTold, true)) return;
    Error told = error;
    told.message = redact(told.message);
    m_parts.log.error("the job cannot go on", {{"why", told.text()}});
    if (m_job.onStop) m_job.onStop(told);
}

std::vector<ApiAccountView> CallDesk::accounts() const
{
    std::vector<ApiAccountView> views;
    if (!m_dispatcher) return views;
    for (const AccountView& account : m_dispatcher->accounts(m_parts.clock.boot())) {
        if (!account.model.empty()) continue;
        views.push_back({account.provider, account.account, account.open, account.sentInMinute,
                         account.perMinute.value_or(0), account.state});
    }
    return views;
}

} // namespace aiflow
