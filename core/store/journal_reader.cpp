#include "core/base/normalise_message.h"
#include "core/store/journal.h"
#include "core/store/journal_schema.h"
#include "core/store/record_codec.h"

#include <algorithm>
#include <fcntl.h>
#include <limits>
#include <map>
#include <tuple>
#include <unistd.h>

namespace aiflow {

namespace {

// Rows of one read: keeps each under a few milliseconds, so that a checkpoint finds a gap.
constexpr std::int64_t kPage = 20'000;

constexpr const char* kItemColumns = "SELECT item, id, line, byte_offset, byte_length, title, state, steps, worked, "
                                     "cost, ended_at, reason, failed_step, message, files FROM item ";
constexpr const char* kAttemptColumns =
    "SELECT attempt_id, item, step, element, state, at, provider, model, account, input_hash, body_hash, "
    "idempotency_key, remote_id, reserved_cost, actual_cost, currency, answer, detail, number, body, body_file "
    "FROM attempt ";
// Of the first journals, which did not keep these.
constexpr const char* kAttemptColumns1 =
    "SELECT attempt_id, item, step, element, state, at, provider, model, account, input_hash, body_hash, "
    "idempotency_key, remote_id, reserved_cost, actual_cost, currency, answer, detail, 1, NULL, '' FROM attempt ";

WallTime timeFrom(std::int64_t microseconds) { return WallTime(std::chrono::microseconds(microseconds)); }

std::optional<Reason> reasonAt(const SqliteStatement& row, int column)
{
    if (row.isNull(column)) return std::nullopt;
    // A code that this program does not know is still a failure.
    return reasonFromCode(row.view(column)).value_or(Reason::Internal);
}

ItemRow itemFrom(const SqliteStatement& row)
{
    ItemRow item;
    item.item = ItemIndex(row.integer(0));
    item.id = row.text(1);
    item.line = row.integer(2);
    item.byteOffset = row.integer(3);
    item.byteLength = row.integer(4);
    item.title = row.text(5);
    item.state = stateFrom(row.integer(6));
    item.steps = stepsFrom(row.blob(7));
    item.worked = std::chrono::microseconds(row.integer(8));
    item.cost = row.real(9);
    item.endedAt = timeFrom(row.integer(10));
    item.reason = reasonAt(row, 11);
    if (!row.isNull(12)) item.failedStep = StepIndex(static_cast<std::int32_t>(row.integer(12)));
    item.message = row.text(13);
    if (!row.isNull(14)) item.files = decodeOutputs(row.blob(14)).value_or(std::vector<TaskOutput>{});
    return item;
}

TaskKey keyFrom(const SqliteStatement& row, int column)
{
    return {ItemIndex(row.integer(column)), StepIndex(static_cast<std::int32_t>(row.integer(column + 1))),
            static_cast<std::int32_t>(row.integer(column + 2))};
}

TaskEnded taskFrom(const SqliteStatement& row)
{
    TaskEnded task;
    task.task = keyFrom(row, 0);
    task.state = stateFrom(row.integer(3));
    task.attempts = static_cast<int>(row.integer(4));
    task.startedAt = timeFrom(row.integer(5));
    task.waited = std::chrono::microseconds(row.integer(6));
    task.worked = std::chrono::microseconds(row.integer(7));
    task.reason = reasonAt(row, 8);
    task.message = row.text(9);
    task.cost = row.real(10);
    task.currency = row.text(11);
    task.outputs = decodeOutputs(row.blob(12)).value_or(std::vector<TaskOutput>{});
    task.provenance = row.text(13);
    return task;
}

AttemptRecord attemptFrom(const SqliteStatement& row)
{
    AttemptRecord attempt;
    attempt.attemptId = row.text(0);
    attempt.task = keyFrom(row, 1);
    attempt.state = static_cast<AttemptState>(row.integer(4));
    attempt.at = timeFrom(row.integer(5));
    attempt.provider = row.text(6);
    attempt.model = row.text(7);
    attempt.account = row.text(8);
    attempt.inputHash = row.text(9);
    attempt.bodyHash = row.text(10);
    attempt.idempotencyKey = row.text(11);
    attempt.remoteId = row.text(12);
    attempt.reservedCost = row.real(13);
    attempt.actualCost = row.real(14);
    attempt.currency = row.text(15);
    if (const auto answer = row.blob(16); answer.size() == 32) {
        attempt.answer.emplace();
        std::ranges::transform(answer, attempt.answer->bytes.begin(),
                               [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    }
    attempt.detail = row.text(17);
    attempt.number = static_cast<int>(row.integer(18));
    attempt.body = row.text(19);
    attempt.bodyFile = row.text(20);
    return attempt;
}

// Every row that the statement gives, each made into a value.
template <typename Make, typename Row = std::invoke_result_t<Make, const SqliteStatement&>>
Result<std::vector<Row>> allRows(SqliteStatement& statement, Make make)
{
    std::vector<Row> rows;
    while (true) {
        auto row = statement.step();
        if (!row) return tl::unexpected(std::move(row.error()));
        if (!*row) return rows;
        rows.push_back(make(statement));
    }
}

class SqliteJournalReader final : public JournalReader {
public:
    SqliteJournalReader(SqliteDatabase database, std::int64_t version)
        : m_database(std::move(database)), m_attemptColumns(version < 2 ? kAttemptColumns1 : kAttemptColumns)
    {
    }

    Result<std::optional<std::string>> field(std::string_view name) override
    {
        auto statement = m_database.prepare("SELECT value FROM job WHERE name = ?");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        auto row = statement->bind(1, name).step();
        if (!row) return tl::unexpected(std::move(row.error()));
        return *row ? std::optional(statement->text(0)) : std::nullopt;
    }

    Result<std::vector<ItemRow>> items(const ItemQuery& query) override
    {
        std::string sql = std::string(kItemColumns) + "WHERE item >= ?1";
        if (query.state) sql += " AND state = ?3";
        // Says to SQLite that the index of troubled items is enough.
        if (query.state && *query.state >= TaskState::Failed) sql += " AND state > 5";
        if (query.reason) sql += " AND reason = ?4";
        auto statement = m_database.prepare(sql + " ORDER BY item LIMIT ?2");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        statement->bind(1, query.from.value()).bind(2, query.limit);
        if (query.state) statement->bind(3, static_cast<std::int64_t>(*query.state));
        if (query.reason) statement->bind(4, info(*query.reason).code);
        return allRows(*statement, itemFrom);
    }

    Result<std::optional<ItemRow>> item(ItemIndex item) override
    {
        auto statement = m_database.prepare(std::string(kItemColumns) + "WHERE item = ?");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        auto row = statement->bind(1, item.value()).step();
        if (!row) return tl::unexpected(std::move(row.error()));
        return *row ? std::optional(itemFrom(*statement)) : std::nullopt;
    }

    Result<std::vector<TaskEnded>> tasksOf(ItemIndex item) override
    {
        auto statement = m_database.prepare(
            "SELECT item, step, element, state, attempts, started_at, waited, worked, reason, message, cost, currency, "
            "outputs, provenance FROM task WHERE id IN (SELECT max(id) FROM task WHERE item = ? GROUP BY step, "
            "element) "
            "ORDER BY step, element");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        statement->bind(1, item.value());
        return allRows(*statement, taskFrom);
    }

    Result<StateCounts> itemCounts() override
    {
        StateCounts counts;
        auto last = m_database.value("SELECT max(item) FROM item");
        if (!last) return tl::unexpected(std::move(last.error()));
        if (last->empty()) return counts;
        auto statement =
            m_database.prepare("SELECT state, count(*) FROM item WHERE item >= ?1 AND item < ?2 GROUP BY state");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        const std::int64_t end = std::stoll(*last);
        for (std::int64_t from = 0; from <= end; from += kPage) {
            statement->bind(1, from).bind(2, from + kPage);
            auto rows = allRows(*statement, [](const SqliteStatement& row) {
                return std::pair(stateFrom(row.integer(0)), row.integer(1));
            });
            if (!rows) return tl::unexpected(std::move(rows.error()));
            for (const auto& [state, count] : *rows) counts[state] += count;
        }
        return counts;
    }

    Result<std::vector<FailureGroup>> failureGroups() override
    {
        std::map<std::tuple<Reason, std::string, std::string>, FailureGroup> groups;
        ItemQuery query;
        query.limit = kPage;
        query.state = TaskState::Failed;
        while (true) {
            auto failed = items(query);
            if (!failed) return tl::unexpected(std::move(failed.error()));
            for (const ItemRow& item : *failed) addTo(groups, item);
            if (static_cast<std::int64_t>(failed->size()) < kPage) break;
            query.from = ItemIndex(failed->back().item.value() + 1);
        }
        std::vector<FailureGroup> sorted;
        for (auto& [key, group] : groups) sorted.push_back(std::move(group));
        std::ranges::stable_sort(sorted, std::greater{}, &FailureGroup::count);
        return sorted;
    }

    Result<std::vector<EventRecord>> events(std::int64_t fromSeq, std::int64_t limit) override
    {
        auto statement = m_database.prepare("SELECT seq, json FROM event WHERE seq >= ? ORDER BY seq LIMIT ?");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        statement->bind(1, fromSeq).bind(2, limit);
        return allRows(*statement, [](const SqliteStatement& row) { return EventRecord{row.integer(0), row.text(1)}; });
    }

    Result<std::int64_t> lastEventSeq() override
    {
        auto last = m_database.value("SELECT max(seq) FROM event");
        if (!last) return tl::unexpected(std::move(last.error()));
        return last->empty() ? 0 : std::stoll(*last);
    }

    Result<std::vector<AttemptRecord>> attemptsOf(const TaskKey& task) override
    {
        auto statement =
            m_database.prepare(m_attemptColumns + "WHERE item = ? AND step = ? AND element = ? ORDER BY rowid");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        statement->bind(1, task.item.value())
            .bind(2, std::int64_t{task.step.value()})
            .bind(3, std::int64_t{task.element});
        return allRows(*statement, attemptFrom);
    }

    Result<std::vector<AttemptRecord>> openAttempts() override
    {
        // An Unknown one was given up by a process that then did not come to decide what becomes of its task.
        auto statement = m_database.prepare(
            m_attemptColumns +
            "AS a WHERE state < 3 OR (state = 7 AND NOT EXISTS (SELECT 1 FROM attempt AS b WHERE b.item = a.item AND "
            "b.step = a.step AND b.element = a.element AND b.rowid > a.rowid) AND NOT EXISTS (SELECT 1 FROM task AS t "
            "WHERE t.item = a.item AND t.step = a.step AND t.element = a.element)) ORDER BY rowid");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        return allRows(*statement, attemptFrom);
    }

    Result<std::map<std::string, std::int64_t>> spentNanos() override
    {
        auto statement = m_database.prepare(
            "SELECT currency, sum(CAST(round(iif(state < 2, reserved_cost, actual_cost) * 1e9) AS INTEGER)) "
            "FROM attempt GROUP BY currency");
        if (!statement) return tl::unexpected(std::move(statement.error()));
        auto rows =
            allRows(*statement, [](const SqliteStatement& row) { return std::pair(row.text(0), row.integer(1)); });
        if (!rows) return tl::unexpected(std::move(rows.error()));
        return std::map<std::string, std::int64_t>(rows->begin(), rows->end());
    }

private:
    using Groups = std::map<std::tuple<Reason, std::string, std::string>, FailureGroup>;

    static void addTo(Groups& groups, const ItemRow& item)
    {
        const Reason reason = item.reason.value_or(Reason::Internal);
        const std::string step = item.failedStep ? std::to_string(item.failedStep->value()) : std::string();
        std::string message = normaliseMessage(item.message);
        FailureGroup& group = groups[{reason, step, message}];
        if (group.count++ == 0) {
            group.reason = reason;
            group.step = step;
            group.message = std::move(message);
            group.sampleMessage = item.message;
        }
        if (group.sampleItems.size() < 5) group.sampleItems.push_back(item.item);
    }

    SqliteDatabase m_database;
    const std::string m_attemptColumns;
};

Result<SqliteDatabase> openForReading(const std::filesystem::path& file, SqliteDatabase::Mode mode)
{
    auto database = SqliteDatabase::open(file, mode, std::chrono::milliseconds{2000});
    if (!database) return database;
    constexpr SqlitePragma kPragmas[] = {
        {"trusted_schema", "OFF", "0"}, {"cell_size_check", "ON", "1"}, {"mmap_size", "0", "0"}};
    if (auto set = database->setPragmas(kPragmas); !set) return tl::unexpected(std::move(set.error()));
    // The first read finds out whether the log can be followed.
    if (auto version = readableJournalVersion(*database); !version) return tl::unexpected(std::move(version.error()));
    return database;
}

bool mayWriteInto(const std::filesystem::path& folder)
{
    return ::faccessat(AT_FDCWD, folder.empty() ? "." : folder.c_str(), W_OK, AT_EACCESS) == 0;
}

} // namespace

Result<std::unique_ptr<JournalReader>> JournalReader::open(const std::filesystem::path& file)
{
    std::error_code none;
    if (!std::filesystem::exists(file, none)) return fail(Reason::JobNotFound, "there is no journal " + file.string());
    auto database = openForReading(file, SqliteDatabase::Mode::ReadOnly);
    if (!database && database.error().reason == Reason::OutputDenied && !mayWriteInto(file.parent_path())) {
        // Without the right to make the log's index only a file without a log can be read.
        const auto logSize = std::filesystem::file_size(file.string() + "-wal", none);
        if (none || logSize == 0)
            database = openForReading(file, SqliteDatabase::Mode::Immutable);
        else
            return fail(Reason::OutputDenied,
                        "cannot read the last changes of " + file.string() + ": its folder is read-only",
                        "read it as its owner, or copy the job's folder and read the copy");
    }
    if (!database) return tl::unexpected(std::move(database.error()));
    const auto version = readableJournalVersion(*database);
    if (!version) return tl::unexpected(version.error());
    return std::make_unique<SqliteJournalReader>(std::move(*database), *version);
}

} // namespace aiflow
