#include "cli/terminal/plain_lines.h"

#include "cli/terminal/cells.h"
#include "cli/terminal/look.h"
#include "cli/terminal/services.h"

namespace aiflow::terminal {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kWrittenOut = 5;
constexpr auto kMoreEvery = 60s;
const Look kPlain{};

// Without the fraction of the second.
std::string clean(std::string_view time)
{
    std::string text = harmless(time);
    if (const auto dot = text.find('.'); dot != std::string::npos) {
        const auto end = text.find_first_not_of("0123456789", dot + 1);
        text.erase(dot, end == std::string::npos ? end : end - dot);
    }
    return text;
}

// One word for key=value: quoted when it holds spaces, quotes or nothing.
std::string value(std::string_view raw)
{
    const std::string text = harmless(raw);
    if (!text.empty() && text.find_first_of(" \"=") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

std::string money(const MoneyAmount& cost)
{
    std::string text = moneyText(kPlain, cost);
    std::erase(text, ' ');
    return text;
}

std::string number(std::int64_t count) { return std::to_string(count); }

} // namespace

void PlainLines::write(std::string_view time, const std::string& text) { m_sink(clean(time) + ' ' + text + '\n'); }

void PlainLines::started(const JobSnapshot& job, std::string_view time, Time now)
{
    m_lastHeartbeat = now;
    m_lastDone = job.items.terminal() - job.items[TaskState::Cached];
    std::string text = "job " + job.job + " start: " + number(job.total) + " items, " +
                       number(static_cast<std::int64_t>(job.steps.size())) + " steps, " + harmless(job.input);
    if (!job.inputEncoding.empty()) text += " (" + harmless(job.inputEncoding) + ')';
    if (const std::int64_t reused = job.items[TaskState::Cached]; reused > 0) {
        text += ", " + number(reused) + " reused";
        if (!job.reusedFrom.empty()) text += " from " + harmless(job.reusedFrom);
    }
    write(time, text);
}

void PlainLines::event(const JobEvent& event, Time now)
{
    if (event.type == "item_finished" && event.state == TaskState::Failed) {
        failed(event, now);
    } else if (event.type == "provider_paused") {
        std::string text = "provider " + value(event.provider) + " paused";
        if (event.reason) text.append(" reason=").append(info(*event.reason).code);
        if (!event.detail.empty()) text += ": " + harmless(event.detail);
        if (!event.probeAt.empty()) text += "; probe at " + clean(event.probeAt);
        write(event.time, text + "; waiting=" + number(event.waiting));
    } else if (event.type == "provider_resumed") {
        write(event.time, "provider " + value(event.provider) + " resumed after " + durationText(kPlain, event.after));
    } else if (event.type == "job_paused") {
        std::string text = "job " + harmless(event.job) + " paused by=" + value(event.by);
        write(event.time, event.why.empty() ? text : text + ": " + harmless(event.why));
    } else if (event.type == "job_resumed") {
        write(event.time, "job " + harmless(event.job) + " resumed by=" + value(event.by));
    }
}

void PlainLines::failed(const JobEvent& event, Time now)
{
    const Kind kind{std::string(info(event.reason.value_or(Reason::Internal)).code), event.step};
    Repeats& repeats = m_failures[kind];
    if (++repeats.count <= kWrittenOut) {
        repeats.told = repeats.count;
        repeats.toldAt = now;
        write(event.time, "failed line=" + number(event.line) + " id=" + value(event.item) +
                              " step=" + value(event.step) + " reason=" + kind.first + ": " + harmless(event.message));
    } else if (repeats.count >= 2 * repeats.told && now - repeats.toldAt >= kMoreEvery) {
        repeats.toldAt = now;
        tellMore(kind, repeats, event.time);
    }
}

void PlainLines::tellMore(const Kind& kind, Repeats& repeats, std::string_view time)
{
    repeats.told = repeats.count;
    write(time, "failed step=" + value(kind.second) + " reason=" + kind.first + ": ...and " +
                    number(repeats.count - kWrittenOut) + " more like this");
}

void PlainLines::heartbeat(const JobSnapshot& job, std::string_view time, Time now)
{
    if (now < nextHeartbeat()) return;
    const std::int64_t done = job.items.terminal();
    const std::int64_t worked = done - job.items[TaskState::Cached];
    const double seconds = std::chrono::duration<double>(now - m_lastHeartbeat).count();
    const double rate = seconds > 0 ? static_cast<double>(worked - m_lastDone) / seconds : 0;
    m_lastHeartbeat = now;
    m_lastDone = worked;
    std::string text = "progress " + number(done) + '/' + number(job.total);
    if (job.total > 0) text += ' ' + number(done * 100 / job.total) + '%';
    text += " failed=" + number(job.items[TaskState::Failed]) + " waiting=" + number(job.items[TaskState::Waiting]);
    text += " rate=" + rateDigits(rate > 0 ? rate : 0) + "/s";
    if (job.eta) text += " eta=" + shortRange(*job.eta);
    if (const std::string cost = money(job.cost); !cost.empty()) text += " cost=" + cost;
    if (const std::string budget = money(job.budget); !budget.empty()) text += " budget=" + budget;
    if (const std::string rates = ratesText(job); !rates.empty()) text += " rpm=" + rates;
    for (const PauseSnapshot& pause : job.pauses)
        if (isOutage(pause)) text += " paused=" + value(pause.provider);
    if (job.state == JobState::Paused || job.state == JobState::Pausing)
        text.append(" state=").append(info(job.state).key);
    write(time, text);
}

void PlainLines::finished(const JobSnapshot& job, std::string_view time)
{
    for (auto& [kind, repeats] : m_failures)
        if (repeats.count > kWrittenOut && repeats.told < repeats.count) tellMore(kind, repeats, time);
    const std::int64_t good = job.items[TaskState::Succeeded] + job.items[TaskState::Cached];
    std::string text = "job " + job.job + " end: " + std::string(info(job.state).key) + ", " + number(good) + " ok, " +
                       number(job.items[TaskState::Failed]) + " failed, ";
    if (const std::int64_t skipped = job.items[TaskState::Skipped]; skipped > 0) text += number(skipped) + " skipped, ";
    if (const std::int64_t rest = job.total - job.items.terminal(); rest > 0) text += number(rest) + " not done, ";
    text += durationText(kPlain, job.elapsed);
    if (const std::string cost = money(job.cost); !cost.empty()) text += ", " + cost;
    if (job.exitCode) text += ", exit " + std::to_string(*job.exitCode);
    write(time, text);
}

} // namespace aiflow::terminal
