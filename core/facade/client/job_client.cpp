#include "aiflow/job_client.h"

#include "core/base/json.h"
#include "core/facade/client/job_export.h"
#include "core/facade/client/job_files.h"
#include "core/live/feed_client.h"
#include "core/store/job_directory.h"

#include <deque>

namespace aiflow {

namespace {

using namespace std::chrono_literals;

constexpr auto kAnswerPatience = 5s;
constexpr auto kHelloPatience = 2s;

Error notRunning(const JobEntry& entry)
{
    const std::string id = entry.description.id.text();
    return Error{Reason::JobNotFound, "job " + id + " is not running", "see: aiflow-cli status " + id, std::nullopt};
}

Result<std::unique_ptr<FeedClient>> feedOf(const JobEntry& entry)
{
    auto feed = FeedClient::connect(entry.path / "feed.sock");
    if (!feed && feed.error().reason == Reason::JobNotFound) return tl::unexpected(notRunning(entry));
    return feed;
}

std::string textOf(const Json& object, const char* name)
{
    const auto it = object.find(name);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// The snapshot of a line {"type":"hello"|"snapshot","snapshot":{...}}.
Result<JobSnapshot> snapshotOf(const Json& line)
{
    const auto it = line.find("snapshot");
    if (it == line.end()) return fail(Reason::Internal, "the job's feed sent a line without a snapshot");
    return snapshotFromJson(dumpJson(*it));
}

class Follower final : public JobFollower {
public:
    Follower(std::unique_ptr<FeedClient> feed, Error gone) : m_feed(std::move(feed)), m_gone(std::move(gone)) {}

    Result<std::optional<std::variant<JobSnapshot, EventLine>>> next(std::chrono::milliseconds patience) override
    {
        for (;;) {
            auto text = m_feed->readLine(patience);
            if (!text) return tl::unexpected(m_gone);
            if (!*text) return std::nullopt;
            const auto line = parseJson(**text);
            if (!line || !line->is_object()) continue;
            const std::string type = textOf(*line, "type");
            if (type == "answer") continue;
            if (type == "hello" || type == "snapshot") {
                auto snapshot = snapshotOf(*line);
                if (!snapshot) return tl::unexpected(snapshot.error());
                return std::variant<JobSnapshot, EventLine>(std::move(*snapshot));
            }
            return std::variant<JobSnapshot, EventLine>(
                EventLine{line->value("seq", std::int64_t{0}), type, std::move(**text)});
        }
    }

    int descriptor() const override { return m_feed->descriptor(); }

private:
    std::unique_ptr<FeedClient> m_feed;
    Error m_gone;
};

class Client final : public JobClient {
public:
    explicit Client(std::filesystem::path state) : m_state(std::move(state)) {}

    const std::filesystem::path& stateDirectory() const override { return m_state; }

    Result<std::vector<JobSnapshot>> list() override
    {
        const auto entries = listJobs(m_state);
        if (!entries) return tl::unexpected(entries.error());
        std::vector<JobSnapshot> jobs;
        for (const JobEntry& entry : *entries)
            if (auto snapshot = snapshotOfEntry(entry); snapshot) jobs.push_back(std::move(*snapshot));
        return jobs;
    }

    Result<JobSnapshot> status(std::string_view job) override
    {
        const auto entry = findJob(m_state, job);
        if (!entry) return tl::unexpected(entry.error());
        return snapshotOfEntry(*entry);
    }

    Result<std::vector<ItemLine>> items(std::string_view job, const ItemFilter& filter) override
    {
        const auto entry = findJob(m_state, job);
        if (!entry) return tl::unexpected(entry.error());
        const auto reader = JournalReader::open(entry->path / "journal.db");
        if (!reader) return tl::unexpected(reader.error());
        const auto rows = (*reader)->items({ItemIndex(filter.from), filter.limit, filter.state, filter.reason});
        if (!rows) return tl::unexpected(rows.error());
        std::vector<ItemLine> lines;
        for (const ItemRow& row : *rows) lines.push_back(toItemLine(row, entry->description.stepNames));
        return lines;
    }

    Result<std::vector<EventLine>> events(std::string_view job, std::int64_t fromSeq, std::int64_t limit) override
    {
        const auto entry = findJob(m_state, job);
        if (!entry) return tl::unexpected(entry.error());
        const auto reader = JournalReader::open(entry->path / "journal.db");
        if (!reader) return tl::unexpected(reader.error());
        const auto records = (*reader)->events(fromSeq, limit);
        if (!records) return tl::unexpected(records.error());
        std::vector<EventLine> lines;
        for (const EventRecord& record : *records) {
            const auto parsed = parseJson(record.json);
            lines.push_back({record.seq, parsed && parsed->is_object() ? textOf(*parsed, "type") : "", record.json});
        }
        return lines;
    }

    Result<std::unique_ptr<JobFollower>> follow(std::string_view job, std::optional<std::int64_t> fromSeq) override
    {
        const auto entry = findJob(m_state, job);
        if (!entry) return tl::unexpected(entry.error());
        auto feed = feedOf(*entry);
        if (!feed) return tl::unexpected(feed.error());
        if (fromSeq)
            if (auto asked = (*feed)->followFrom(*fromSeq); !asked) return tl::unexpected(asked.error());
        return std::make_unique<Follower>(std::move(*feed), notRunning(*entry));
    }

    Result<std::string> pause(std::string_view job) override { return command(job, Json{{"command", "pause"}}); }
    Result<std::string> resume(std::string_view job) override { return command(job, Json{{"command", "resume"}}); }
    Result<std::string> cancel(std::string_view job, bool now) override
    {
        return command(job, Json{{"command", "cancel"}, {"now", now}});
    }

    Result<ExportSummary> exportJob(std::string_view job, const ExportRequest& request) override
    {
        const auto entry = findJob(m_state, job);
        if (!entry) return tl::unexpected(entry.error());
        return exportJobFiles(*entry, m_state, request);
    }

private:
    Result<JobSnapshot> snapshotOfEntry(const JobEntry& entry)
    {
        if (entry.owner) {
            if (auto feed = FeedClient::connect(entry.path / "feed.sock"); feed) {
                const auto text = (*feed)->readLine(kHelloPatience);
                if (text && *text)
                    if (const auto line = parseJson(**text); line) return snapshotOf(*line);
            }
        }
        auto snapshot = snapshotAtRest(entry);
        if (snapshot && entry.owner) {
            // It runs but does not answer (it is starting or ending): its journal is the best there is.
            snapshot->ownerPid = entry.owner->pid;
            if (snapshot->state == JobState::Interrupted) snapshot->state = JobState::Running;
        }
        return snapshot;
    }

    Result<std::string> command(std::string_view job, Json wish)
    {
        const auto entry = findJob(m_state, job);
        if (!entry) return tl::unexpected(entry.error());
        auto feed = feedOf(*entry);
        if (!feed) return tl::unexpected(feed.error());
        wish["id"] = "1";
        if (auto sent = (*feed)->send(wish); !sent) return tl::unexpected(sent.error());
        const SystemClock clock;
        for (const auto until = clock.monotonic() + kAnswerPatience; clock.monotonic() < until;) {
            const auto text = (*feed)->readLine(200ms);
            if (!text) return tl::unexpected(notRunning(*entry));
            if (!*text) continue;
            const auto line = parseJson(**text);
            if (!line || textOf(*line, "type") != "answer") continue;
            if (line->value("ok", false)) {
                const auto result = line->find("result");
                return result != line->end() && result->is_object() ? textOf(*result, "message") : std::string();
            }
            return fail(reasonFromCode(textOf(*line, "reason")).value_or(Reason::UsageInvalid), textOf(*line, "error"),
                        textOf(*line, "hint"));
        }
        return fail(Reason::ProviderTimeout, "job " + entry->description.id.text() + " did not answer in time",
                    "its process may be stopped; look with: ps");
    }

    std::filesystem::path m_state;
};

} // namespace

Result<std::unique_ptr<JobClient>> JobClient::open(const std::optional<std::filesystem::path>& stateDirectoryOverride)
{
    auto state = aiflow::stateDirectory(stateDirectoryOverride);
    if (!state) return tl::unexpected(state.error());
    return std::make_unique<Client>(std::move(*state));
}

} // namespace aiflow
