#include "core/engine/calls/attempt_recorder.h"

#include "core/api/protocols/protocol.h"
#include "core/base/failpoint.h"
#include "core/base/json.h"
#include "core/live/json_text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

AttemptState stateOf(AttemptOutcome outcome) noexcept
{
    constexpr AttemptState kStates[] = {AttemptState::Responded, AttemptState::NotSent, AttemptState::Rejected,
                                        AttemptState::Failed, AttemptState::Unknown};
    return kStates[static_cast<std::size_t>(outcome)];
}

std::string detailOf(const AttemptReport& report)
{
    JsonText text;
    text.number("status", report.status).textIfAny("request_id", report.requestId);
    if (report.outcome == AttemptOutcome::Responded || report.usage.inputTokens > 0 || report.usage.images > 0) {
        text.number("tokens_in", report.usage.inputTokens).number("tokens_cached", report.usage.cachedInputTokens);
        text.number("tokens_out", report.usage.outputTokens).number("images", report.usage.images);
        text.flag("estimated", report.usage.estimated);
    }
    text.textIfAny("failure", report.failure).textIfAny("message", report.message);
    return text.object();
}

AttemptReport reportFrom(const AttemptRecord& record, const fs::path& spool)
{
    AttemptReport report;
    report.attempt = record.attemptId;
    report.task = record.task;
    report.outcome = AttemptOutcome::Responded;
    report.cost = {nanosOf(record.actualCost), record.currency};
    report.body = record.body;
    if (!record.bodyFile.empty()) report.bodyFile = spool / record.bodyFile;
    const auto detail = parseJson(record.detail.empty() ? std::string_view("{}") : std::string_view(record.detail));
    if (!detail || !detail->is_object()) return report;
    report.status = detail->value("status", 0);
    report.requestId = detail->value("request_id", "");
    report.usage.inputTokens = detail->value("tokens_in", std::int64_t{0});
    report.usage.cachedInputTokens = detail->value("tokens_cached", std::int64_t{0});
    report.usage.outputTokens = detail->value("tokens_out", std::int64_t{0});
    report.usage.images = detail->value("images", std::int64_t{0});
    report.usage.estimated = detail->value("estimated", false);
    return report;
}

Result<void> syncPath(const fs::path& path, int flags)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
    const int synced = file < 0 ? -1 : ::fsync(file);
    const int problem = errno;
    if (file >= 0) ::close(file);
    if (synced == 0) return {};
    const bool full = problem == ENOSPC || problem == EDQUOT || problem == EIO;
    return fail(full ? Reason::OutputDiskFull : Reason::OutputDenied,
                "cannot keep " + path.string() + ": " + std::strerror(problem), "check the disk, then resume");
}

class BytesBody final : public BodySource {
public:
    explicit BytesBody(std::vector<std::byte> bytes) : m_bytes(std::move(bytes)) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(m_bytes.size()); }
    Result<std::size_t> read(std::span<std::byte> into) override
    {
        const std::size_t count = std::min(into.size(), m_bytes.size() - m_at);
        std::copy_n(m_bytes.begin() + static_cast<std::ptrdiff_t>(m_at), count, into.begin());
        m_at += count;
        return count;
    }

private:
    const std::vector<std::byte> m_bytes;
    std::size_t m_at = 0;
};

class FileBody final : public BodySource {
public:
    FileBody(fs::path path, int file, std::int64_t size) : m_path(std::move(path)), m_file(file), m_size(size) {}
    ~FileBody() override { ::close(m_file); }
    FileBody(const FileBody&) = delete;
    FileBody& operator=(const FileBody&) = delete;
    std::int64_t size() const override { return m_size; }
    Result<std::size_t> read(std::span<std::byte> into) override
    {
        ssize_t count = 0;
        do count = ::read(m_file, into.data(), into.size());
        while (count < 0 && errno == EINTR);
        if (count >= 0) return static_cast<std::size_t>(count);
        return fail(Reason::InputFileBad, "cannot read " + m_path.string() + ": " + std::strerror(errno));
    }

private:
    const fs::path m_path;
    const int m_file;
    const std::int64_t m_size;
};

} // namespace

AttemptRecorder::AttemptRecorder(Journal& journal, ArtifactStore& artifacts, const Clock& clock, fs::path spoolFolder)
    : m_journal(journal), m_artifacts(artifacts), m_clock(clock), m_spool(std::move(spoolFolder))
{
}

Result<std::shared_ptr<AttemptRecorder>> AttemptRecorder::open(Journal& journal, JournalReader& reader,
                                                               ArtifactStore& artifacts, const Clock& clock,
                                                               fs::path spoolFolder)
{
    if (auto made = systemFiles().makeDirectories(spoolFolder); !made) return tl::unexpected(made.error());
    const auto attempts = reader.openAttempts();
    if (!attempts) return tl::unexpected(attempts.error());
    auto recorder = std::make_shared<AttemptRecorder>(journal, artifacts, clock, std::move(spoolFolder));
    recorder->load(*attempts);
    recorder->removeForgotten(*attempts);
    return recorder;
}

AttemptRecorder::~AttemptRecorder()
{
    {
        const std::lock_guard lock(m_mutex);
        m_closing = true;
    }
    m_changed.notify_all();
    if (m_keeper.joinable()) m_keeper.join();
}

void AttemptRecorder::load(const std::vector<AttemptRecord>& attempts)
{
    const WallTime now = m_clock.wall();
    for (const AttemptRecord& record : attempts) {
        OpenAttempt open;
        open.intent = {record.attemptId, record.task,           record.number,
                       record.provider,  record.model,          record.account,
                       record.inputHash, record.idempotencyKey, {nanosOf(record.reservedCost), record.currency}};
        open.remoteId = record.remoteId;
        open.ageMs =
            std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(now - record.at).count());
        if (record.state == AttemptState::Responded) {
            ++m_earlier.answered;
            open.answered = reportFrom(record, m_spool);
            if (!open.answered->bodyFile.empty()) m_kept[record.task].push_back(open.answered->bodyFile);
        } else if (!record.remoteId.empty()) {
            ++m_earlier.resumable;
        } else {
            ++m_earlier.unknown;
            if (open.intent.reserved.amount.count() > 0)
                m_earlier.atRisk[record.currency] += open.intent.reserved.amount;
        }
        m_open[record.task].push_back(std::move(open));
    }
}

// Of answers that were cut off, and of tasks that were committed just before the end. What failed attempts keep for
// people to look at ("<attempt>.kept") stays as long as the job.
void AttemptRecorder::removeForgotten(const std::vector<AttemptRecord>& attempts)
{
    std::set<std::string> open;
    for (const AttemptRecord& record : attempts) open.insert(record.attemptId);
    const auto isOpen = [&](const std::string& file) {
        const std::string name = file.substr(0, file.find('.'));
        return open.contains(name) ||
               open.contains(name.substr(0, name.rfind('-'))); // "<attempt>-2": its second answer
    };
    std::error_code none;
    std::vector<fs::path> forgotten;
    for (const auto& entry : fs::directory_iterator(m_spool, none)) {
        if (entry.path().extension() != ".kept" && !isOpen(entry.path().filename().string()))
            forgotten.push_back(entry.path());
    }
    for (const fs::path& file : forgotten) fs::remove(file, none);
}

void AttemptRecorder::intend(AttemptIntent intent, WhenDurable durable)
{
    AIFLOW_FAILPOINT("before_intent");
    AttemptRecord record;
    record.attemptId = std::move(intent.attempt);
    record.task = intent.task;
    record.number = intent.number;
    record.provider = std::move(intent.provider);
    record.model = std::move(intent.model);
    record.account = std::move(intent.account);
    record.inputHash = std::move(intent.requestHash);
    record.idempotencyKey = std::move(intent.idempotencyKey);
    record.reservedCost = intent.reserved.amount.units();
    record.currency = std::move(intent.reserved.currency);
    record.at = m_clock.wall();
    m_journal.write(std::move(record), [durable = std::move(durable)](const Result<void>& done) {
        AIFLOW_FAILPOINT("after_intent");
        durable(done);
    });
}

void AttemptRecorder::remoteId(const std::string& attempt, const TaskKey& task, std::string id, WhenDurable durable)
{
    AIFLOW_FAILPOINT("before_remote_id");
    AttemptRecord record;
    record.attemptId = attempt;
    record.task = task;
    record.state = AttemptState::RemoteId;
    record.remoteId = std::move(id);
    record.at = m_clock.wall();
    m_journal.write(std::move(record), [durable = std::move(durable)](const Result<void>& done) {
        AIFLOW_FAILPOINT("after_remote_id");
        durable(done);
    });
}

void AttemptRecorder::ended(AttemptReport report, WhenDurable durable)
{
    AIFLOW_FAILPOINT("before_response");
    AttemptRecord record;
    record.detail = detailOf(report);
    record.attemptId = std::move(report.attempt);
    record.task = report.task;
    record.state = stateOf(report.outcome);
    record.actualCost = report.cost.amount.units();
    record.currency = std::move(report.cost.currency);
    record.at = m_clock.wall();
    if (report.bodyFile.empty()) {
        record.body = std::move(report.body);
        write(std::move(record), std::move(durable));
        return;
    }
    const std::lock_guard lock(m_mutex);
    m_toKeep.push_back({std::move(record), std::move(report.bodyFile), std::move(durable)});
    if (!m_keeper.joinable()) m_keeper = std::thread([this] { keepFiles(); });
    m_changed.notify_one();
}

void AttemptRecorder::write(AttemptRecord record, WhenDurable durable)
{
    m_journal.write(std::move(record), [durable = std::move(durable)](const Result<void>& done) {
        AIFLOW_FAILPOINT("after_response");
        durable(done);
    });
}

// A spooled answer is on the disk before the journal says that it is there.
void AttemptRecorder::keepFiles()
{
    std::unique_lock lock(m_mutex);
    for (;;) {
        m_changed.wait(lock, [this] { return m_closing || !m_toKeep.empty(); });
        if (m_toKeep.empty()) return;
        Kept kept = std::move(m_toKeep.front());
        m_toKeep.pop_front();
        lock.unlock();
        Result<void> done;
        if (kept.record.state == AttemptState::Responded) {
            done = syncPath(kept.file, O_NOFOLLOW);
            if (done) done = syncPath(m_spool, O_DIRECTORY);
            AIFLOW_FAILPOINT("after_spool_sync");
        } else {
            // For people: what the service said when it did not do.
            const fs::path aside = fs::path(kept.file).replace_extension(".kept");
            std::error_code none;
            fs::rename(kept.file, aside, none);
            kept.file = none ? kept.file : aside;
        }
        kept.record.bodyFile = kept.file.filename().string();
        if (done) {
            if (kept.record.state == AttemptState::Responded) {
                const std::lock_guard again(m_mutex);
                m_kept[kept.record.task].push_back(kept.file);
            }
            write(std::move(kept.record), std::move(kept.durable));
        } else {
            kept.durable(done);
        }
        lock.lock();
    }
}

Result<std::unique_ptr<BodySource>> AttemptRecorder::openFile(const RequestFile& file)
{
    const auto hash = ContentHash::fromHex(file.hash);
    if (!hash) return fail(Reason::InputFileBad, "\"" + file.hash + "\" names no artifact");
    if (const auto path = m_artifacts.fileOf(*hash)) {
        const int opened = ::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (opened < 0)
            return fail(Reason::InputFileBad, "cannot read " + path->string() + ": " + std::strerror(errno));
        return std::make_unique<FileBody>(*path, opened, file.size);
    }
    auto bytes = m_artifacts.get(*hash);
    if (!bytes) return tl::unexpected(std::move(bytes.error()));
    return std::make_unique<BytesBody>(std::move(*bytes));
}

std::vector<OpenAttempt> AttemptRecorder::take(const TaskKey& task)
{
    const std::lock_guard lock(m_mutex);
    if (m_open.empty()) return {};
    const auto open = m_open.extract(task);
    return open ? std::move(open.mapped()) : std::vector<OpenAttempt>{};
}

void AttemptRecorder::committed(const TaskKey& task)
{
    std::vector<fs::path> files;
    {
        const std::lock_guard lock(m_mutex);
        if (m_kept.empty()) return;
        if (auto kept = m_kept.extract(task)) files = std::move(kept.mapped());
    }
    std::error_code none;
    for (const fs::path& file : files) fs::remove(file, none);
}

} // namespace aiflow
