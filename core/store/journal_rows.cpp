#include "core/store/journal_rows.h"

#include "core/base/failpoint.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr const char* kAdmit =
    "INSERT INTO item(item, id, line, byte_offset, byte_length, title) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
    "ON CONFLICT(item) DO UPDATE SET id = excluded.id, line = excluded.line, byte_offset = excluded.byte_offset, "
    "byte_length = excluded.byte_length, title = excluded.title";

constexpr const char* kProgress =
    "UPDATE item SET state = ?2, steps = ?3, worked = ?4, cost = ?5, ended_at = ?6, reason = ?7, failed_step = ?8, "
    "message = ?9, files = ?10 WHERE item = ?1";

constexpr const char* kProgressFirst =
    "INSERT INTO item(item, id, line, byte_offset, byte_length, title, state, steps, worked, cost, ended_at, reason, "
    "failed_step, message, files) VALUES(?1, '', 0, 0, 0, '', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

constexpr const char* kTask =
    "INSERT INTO task(item, step, element, state, attempts, started_at, waited, worked, reason, message, cost, "
    "currency, outputs, provenance) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

// What happened is never rewritten.
constexpr const char* kEvent = "INSERT OR IGNORE INTO event(seq, json) VALUES(?1, ?2)";

constexpr const char* kField =
    "INSERT INTO job(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value";

// An answer that arrived never becomes an open call again, and a settled attempt stays as it is: a recovery pass that
// knows less must not overwrite it. Empty fields keep what an earlier state of the attempt said.
constexpr const char* kAttempt =
    "INSERT INTO attempt(attempt_id, item, step, element, state, at, provider, model, account, input_hash, body_hash, "
    "idempotency_key, remote_id, reserved_cost, actual_cost, currency, answer, detail, number, body, body_file) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) "
    "ON CONFLICT(attempt_id) DO UPDATE SET state = excluded.state, at = excluded.at, "
    "provider = coalesce(nullif(excluded.provider, ''), provider), "
    "model = coalesce(nullif(excluded.model, ''), model), "
    "account = coalesce(nullif(excluded.account, ''), account), "
    "input_hash = coalesce(nullif(excluded.input_hash, ''), input_hash), "
    "body_hash = coalesce(nullif(excluded.body_hash, ''), body_hash), "
    "idempotency_key = coalesce(nullif(excluded.idempotency_key, ''), idempotency_key), "
    "remote_id = coalesce(nullif(excluded.remote_id, ''), remote_id), "
    "reserved_cost = coalesce(nullif(excluded.reserved_cost, 0), reserved_cost), "
    "actual_cost = coalesce(nullif(excluded.actual_cost, 0), actual_cost), "
    "currency = coalesce(nullif(excluded.currency, ''), currency), "
    "answer = coalesce(excluded.answer, answer), "
    "detail = coalesce(nullif(excluded.detail, ''), detail), number = max(number, excluded.number), "
    "body = CASE excluded.state WHEN 3 THEN NULL ELSE coalesce(excluded.body, body) END, "
    "body_file = CASE excluded.state WHEN 3 THEN '' ELSE coalesce(nullif(excluded.body_file, ''), body_file) END "
    "WHERE attempt.state IN (0, 1, 7) OR attempt.state = excluded.state "
    "OR (attempt.state IN (2, 6) AND excluded.state IN (2, 3, 6))";

// Of the answers that made a task's result nothing more is needed; those of a task that failed stay to be looked at.
constexpr const char* kSettle = "UPDATE attempt SET state = ?4, body = iif(?4 = 3, NULL, body), "
                                "body_file = iif(?4 = 3, '', body_file) "
                                "WHERE item = ?1 AND step = ?2 AND element = ?3 AND state = 2";

void bindReason(SqliteStatement& statement, int parameter, const std::optional<Reason>& reason)
{
    if (reason)
        statement.bind(parameter, info(*reason).code);
    else
        statement.bindNull(parameter);
}

void bindProgress(SqliteStatement& statement, const ItemProgress& progress, ByteBuffer& files)
{
    statement.bind(1, progress.item.value())
        .bind(2, static_cast<std::int64_t>(progress.state))
        .bindBlob(3, bytesOf(progress.steps))
        .bind(4, std::int64_t{progress.worked.count()})
        .bind(5, progress.cost)
        .bind(6, std::int64_t{progress.endedAt.time_since_epoch().count()});
    bindReason(statement, 7, progress.reason);
    if (progress.failedStep)
        statement.bind(8, std::int64_t{progress.failedStep->value()});
    else
        statement.bindNull(8);
    if (progress.message.empty())
        statement.bindNull(9);
    else
        statement.bind(9, std::string_view(progress.message));
    if (progress.files.empty()) {
        statement.bindNull(10);
    } else {
        encodeOutputs(progress.files, files);
        statement.bindBlob(10, std::span<const std::uint8_t>(files));
    }
}

} // namespace

Result<JournalRows> JournalRows::prepare(SqliteDatabase& database)
{
    JournalRows rows;
    const std::pair<SqliteStatement*, const char*> statements[] = {
        {&rows.m_begin, "BEGIN IMMEDIATE"},
        {&rows.m_commit, "COMMIT"},
        {&rows.m_rollback, "ROLLBACK"},
        {&rows.m_admit, kAdmit},
        {&rows.m_progress, kProgress},
        {&rows.m_progressFirst, kProgressFirst},
        {&rows.m_task, kTask},
        {&rows.m_event, kEvent},
        {&rows.m_field, kField},
        {&rows.m_attempt, kAttempt},
        {&rows.m_settle, kSettle},
    };
    for (const auto& [statement, sql] : statements) {
        auto prepared = database.prepare(sql);
        if (!prepared) return tl::unexpected(std::move(prepared.error()));
        *statement = std::move(*prepared);
    }
    return rows;
}

Result<void> JournalRows::commit(std::span<JournalRecord* const> records)
{
    AIFLOW_FAILPOINT("before_commit");
    if (auto begun = m_begin.run(); !begun) return begun;
    auto written = writeAll(records);
    if (written) written = m_commit.run();
    if (!written) {
        // SQLite may have rolled back already: then this has nothing to do.
        std::ignore = m_rollback.run();
        return written;
    }
    AIFLOW_FAILPOINT("after_commit");
    return {};
}

Result<void> JournalRows::writeAll(std::span<JournalRecord* const> records)
{
    AIFLOW_FAILPOINT_RESULT("commit");
    markOverwritten(records);
    for (std::size_t place = 0; place < records.size(); ++place) {
        if (m_overwritten[place] != 0) continue;
        auto written = std::visit([this](const auto& record) { return write(record); }, *records[place]);
        if (!written) return written;
    }
    return {};
}

void JournalRows::markOverwritten(std::span<JournalRecord* const> records)
{
    m_overwritten.assign(records.size(), 0);
    m_progressPlaces.clear();
    for (std::size_t place = 0; place < records.size(); ++place) {
        if (const auto* progress = std::get_if<ItemProgress>(records[place]))
            m_progressPlaces.emplace_back(progress->item.value(), place);
    }
    std::ranges::sort(m_progressPlaces);
    for (std::size_t i = 1; i < m_progressPlaces.size(); ++i) {
        if (m_progressPlaces[i - 1].first == m_progressPlaces[i].first)
            m_overwritten[m_progressPlaces[i - 1].second] = 1;
    }
}

Result<void> JournalRows::write(const ItemAdmitted& item)
{
    m_admit.bind(1, item.item.value())
        .bind(2, std::string_view(item.id))
        .bind(3, item.line)
        .bind(4, item.byteOffset)
        .bind(5, item.byteLength)
        .bind(6, std::string_view(item.title));
    return m_admit.run();
}

Result<void> JournalRows::write(const ItemProgress& progress)
{
    bindProgress(m_progress, progress, m_outputs);
    if (auto updated = m_progress.run(); !updated || m_progress.changes() > 0) return updated;
    bindProgress(m_progressFirst, progress, m_outputs);
    return m_progressFirst.run();
}

Result<void> JournalRows::write(const TaskEnded& task)
{
    m_task.bind(1, task.task.item.value())
        .bind(2, std::int64_t{task.task.step.value()})
        .bind(3, std::int64_t{task.task.element})
        .bind(4, static_cast<std::int64_t>(task.state))
        .bind(5, std::int64_t{task.attempts})
        .bind(6, std::int64_t{task.startedAt.time_since_epoch().count()})
        .bind(7, std::int64_t{task.waited.count()})
        .bind(8, std::int64_t{task.worked.count()});
    bindReason(m_task, 9, task.reason);
    encodeOutputs(task.outputs, m_outputs);
    m_task.bind(10, std::string_view(task.message))
        .bind(11, task.cost)
        .bind(12, std::string_view(task.currency))
        .bindBlob(13, std::span<const std::uint8_t>(m_outputs))
        .bind(14, std::string_view(task.provenance));
    auto written = m_task.run();
    return written && task.settlesAttempts ? settleAttempts(task) : written;
}

Result<void> JournalRows::settleAttempts(const TaskEnded& task)
{
    const AttemptState state = task.state == TaskState::Failed ? AttemptState::Failed : AttemptState::Committed;
    m_settle.bind(1, task.task.item.value())
        .bind(2, std::int64_t{task.task.step.value()})
        .bind(3, std::int64_t{task.task.element})
        .bind(4, static_cast<std::int64_t>(state));
    return m_settle.run();
}

Result<void> JournalRows::write(const EventRecord& event)
{
    return m_event.bind(1, event.seq).bind(2, std::string_view(event.json)).run();
}

Result<void> JournalRows::write(const JobField& field)
{
    return m_field.bind(1, std::string_view(field.name)).bind(2, std::string_view(field.value)).run();
}

Result<void> JournalRows::write(const AttemptRecord& attempt)
{
    m_attempt.bind(1, std::string_view(attempt.attemptId))
        .bind(2, attempt.task.item.value())
        .bind(3, std::int64_t{attempt.task.step.value()})
        .bind(4, std::int64_t{attempt.task.element})
        .bind(5, static_cast<std::int64_t>(attempt.state))
        .bind(6, std::int64_t{attempt.at.time_since_epoch().count()})
        .bind(7, std::string_view(attempt.provider))
        .bind(8, std::string_view(attempt.model))
        .bind(9, std::string_view(attempt.account))
        .bind(10, std::string_view(attempt.inputHash))
        .bind(11, std::string_view(attempt.bodyHash))
        .bind(12, std::string_view(attempt.idempotencyKey))
        .bind(13, std::string_view(attempt.remoteId))
        .bind(14, attempt.reservedCost)
        .bind(15, attempt.actualCost)
        .bind(16, std::string_view(attempt.currency))
        .bind(18, std::string_view(attempt.detail))
        .bind(19, std::int64_t{attempt.number})
        .bind(21, std::string_view(attempt.bodyFile));
    if (attempt.body.empty())
        m_attempt.bindNull(20);
    else
        m_attempt.bindBlob(20, std::as_bytes(std::span(attempt.body)));
    if (attempt.answer)
        m_attempt.bindBlob(17, std::span<const std::uint8_t>(attempt.answer->bytes));
    else
        m_attempt.bindNull(17);
    return m_attempt.run();
}

} // namespace aiflow
