#include "core/store/limits/limit_file.h"

#include "core/store/limits/limit_rows.h"

#include <sys/stat.h>
#include <utility>

namespace aiflow {

namespace {

// Times are boot times in nanoseconds, `wall` microseconds since the epoch. A use is moved to a new row with every
// change, so that what changed last stands last and no index is needed.
constexpr const char* kTables = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS state(
  id INTEGER PRIMARY KEY,
  change INTEGER NOT NULL,
  at INTEGER NOT NULL,
  wall INTEGER NOT NULL,
  boot TEXT NOT NULL
);
INSERT OR IGNORE INTO state VALUES(1, 0, 0, 0, '');
CREATE TABLE IF NOT EXISTS process(
  number INTEGER PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS names(
  number INTEGER PRIMARY KEY,
  scope TEXT NOT NULL,
  organisation TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  currency TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS use(
  change INTEGER PRIMARY KEY,
  id INTEGER NOT NULL,
  process INTEGER NOT NULL,
  state INTEGER NOT NULL,
  names INTEGER NOT NULL,
  at INTEGER NOT NULL,
  open_until INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  input INTEGER NOT NULL,
  output INTEGER NOT NULL,
  images INTEGER NOT NULL,
  nanos INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS sum(
  of_day INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  names INTEGER NOT NULL,
  at INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  input INTEGER NOT NULL,
  output INTEGER NOT NULL,
  images INTEGER NOT NULL,
  nanos INTEGER NOT NULL,
  PRIMARY KEY(of_day, slot, names)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS demand(
  process INTEGER NOT NULL,
  scope TEXT NOT NULL,
  priority INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  oldest INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS notice(
  scope TEXT NOT NULL,
  model TEXT NOT NULL,
  kind TEXT NOT NULL,
  value INTEGER NOT NULL,
  until INTEGER NOT NULL,
  process INTEGER NOT NULL,
  change INTEGER NOT NULL,
  PRIMARY KEY(scope, model, kind)
) WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
)sql";

constexpr const char* kUseColumns =
    "SELECT change, id, process, state, names, at, open_until, requests, input, output, images, nanos FROM use ";
constexpr const char* kAddSum =
    "INSERT INTO sum(of_day, slot, names, at, requests, input, output, images, nanos) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
    "ON CONFLICT DO UPDATE SET at = max(at, excluded.at), requests = requests + excluded.requests, "
    "input = input + excluded.input, output = output + excluded.output, images = images + excluded.images, "
    "nanos = nanos + excluded.nanos";

} // namespace

Result<LimitFile> LimitFile::open(const std::filesystem::path& file)
{
    auto database = SqliteDatabase::open(file, SqliteDatabase::Mode::ReadWrite);
    if (!database) return pass(database);
    // Synced by nobody: after a power cut the machine was down for longer than what was lost had taken, or the file is
    // damaged and begun afresh.
    constexpr SqlitePragma kPragmas[] = {
        {"auto_vacuum", "NONE", "0"},   {"journal_mode", "PERSIST", "persist"}, {"synchronous", "OFF", "0"},
        {"trusted_schema", "OFF", "0"}, {"cell_size_check", "ON", "1"},         {"mmap_size", "0", "0"},
        {"secure_delete", "OFF", "0"},  {"temp_store", "MEMORY", "2"},          {"cache_size", "-2048", "-2048"}};
    if (auto set = database->setPragmas(kPragmas); !set) return pass(set);
    const auto version = database->value("PRAGMA user_version");
    if (!version) return pass(version);
    if (*version != "0" && *version != "1")
        return fail(Reason::ConfigInvalid, file.string() + " was written by a newer AIFlow", "update AIFlow");
    if (*version == "0")
        if (auto made = database->execute(kTables); !made) return pass(made);
    LimitFile opened;
    opened.m_database = std::move(*database);
    struct stat found {};
    if (::stat(file.c_str(), &found) == 0) opened.m_inode = found.st_ino;
    if (auto prepared = opened.prepare(); !prepared) return pass(prepared);
    return opened;
}

Result<void> LimitFile::prepare()
{
    const std::string uses = kUseColumns;
    const std::pair<SqliteStatement*, std::string> statements[] = {
        {&m_begin, "BEGIN IMMEDIATE"},
        {&m_beginToRead, "BEGIN"},
        {&m_commit, "COMMIT"},
        {&m_rollback, "ROLLBACK"},
        {&m_dataVersion, "PRAGMA data_version"},
        {&m_state, "SELECT change, at, wall, boot FROM state"},
        {&m_setState, "UPDATE state SET change = ?1, at = ?2, wall = ?3, boot = ?4"},
        {&m_addProcess, "INSERT INTO process(number) VALUES(?1)"},
        {&m_processes, "SELECT number FROM process"},
        {&m_removeProcess, "DELETE FROM process WHERE number = ?1"},
        {&m_uses, uses + "WHERE change > ?1 ORDER BY change LIMIT ?2"},
        {&m_reserved, uses + "WHERE process = ?1 AND state = 0"},
        {&m_addUse,
         "INSERT INTO use(change, id, process, state, names, at, open_until, requests, input, output, images, "
         "nanos) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
        {&m_removeUse, "DELETE FROM use WHERE change = ?1"},
        {&m_finished, uses + "WHERE change <= ?1 AND (state >= 2 OR open_until < ?2) LIMIT " +
                          std::to_string(LimitFile::kTidiedAtOnce)},
        {&m_sums, "SELECT names, at, requests, input, output, images, nanos FROM sum"},
        {&m_addSum, kAddSum},
        {&m_demands, "SELECT process, scope, priority, waiting, oldest FROM demand WHERE process <> ?1"},
        {&m_dropDemands, "DELETE FROM demand WHERE process = ?1"},
        {&m_addDemand, "INSERT INTO demand(process, scope, priority, waiting, oldest) VALUES(?1, ?2, ?3, ?4, ?5)"},
        {&m_notices, "SELECT scope, model, kind, value, until FROM notice WHERE change > ?1 AND process <> ?2"},
        {&m_setNotice, "INSERT OR REPLACE INTO notice(scope, model, kind, value, until, process, change) "
                       "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
        {&m_names, "SELECT scope, organisation, provider, model, currency FROM names WHERE number = ?1"},
        {&m_addNames, "INSERT INTO names(scope, organisation, provider, model, currency) VALUES(?1, ?2, ?3, ?4, ?5) "
                      "RETURNING number"},
    };
    for (const auto& [statement, sql] : statements) {
        auto prepared = m_database.prepare(sql);
        if (!prepared) return pass(prepared);
        *statement = std::move(*prepared);
    }
    return {};
}

bool LimitFile::isStillThere() const
{
    struct stat found {};
    return ::stat(m_database.file().c_str(), &found) == 0 && found.st_ino == m_inode;
}

void LimitFile::rollback()
{
    std::ignore = m_rollback.run();
    // Numbers that were given within it are free again.
    m_byNumber.clear();
    m_lastNames = {};
    m_numbers.clear();
}

Result<std::int64_t> LimitFile::dataVersion()
{
    auto row = m_dataVersion.step();
    if (!row) return pass(row);
    const std::int64_t version = m_dataVersion.integer(0);
    m_dataVersion.reset();
    return version;
}

Result<LimitFileState> LimitFile::state()
{
    LimitFileState state;
    auto read = eachRow(m_state, [&](const SqliteStatement& row) -> Result<void> {
        state = {row.integer(0), timeOf(row.integer(1)), WallTime(std::chrono::microseconds(row.integer(2))),
                 row.text(3)};
        return {};
    });
    if (!read) return pass(read);
    return state;
}

Result<void> LimitFile::setState(const LimitFileState& state)
{
    return m_setState.bind(1, state.change)
        .bind(2, nanosecondsOf(state.at))
        .bind(3, std::int64_t{state.wall.time_since_epoch().count()})
        .bind(4, std::string_view(state.boot))
        .run();
}

Result<void> LimitFile::addProcess(std::int64_t number) { return m_addProcess.bind(1, number).run(); }

Result<std::vector<std::int64_t>> LimitFile::processes()
{
    std::vector<std::int64_t> numbers;
    auto read = eachRow(m_processes, [&](const SqliteStatement& row) -> Result<void> {
        numbers.push_back(row.integer(0));
        return {};
    });
    if (!read) return pass(read);
    return numbers;
}

Result<void> LimitFile::removeProcess(std::int64_t number)
{
    auto removed = m_dropDemands.bind(1, number).run();
    return removed ? m_removeProcess.bind(1, number).run() : removed;
}

Result<void> LimitFile::clear()
{
    return m_database.execute("DELETE FROM use; DELETE FROM sum; DELETE FROM demand; DELETE FROM notice; "
                              "DELETE FROM process");
}

Result<std::vector<LimitDemand>> LimitFile::demands(std::int64_t ofOthersThan)
{
    std::vector<LimitDemand> found;
    auto read = eachRow(m_demands.bind(1, ofOthersThan), [&](const SqliteStatement& row) -> Result<void> {
        found.push_back({row.text(1), static_cast<std::int32_t>(row.integer(2)), row.integer(3), timeOf(row.integer(4)),
                         static_cast<std::uint64_t>(row.integer(0))});
        return {};
    });
    if (!read) return pass(read);
    return found;
}

Result<void> LimitFile::setDemands(std::int64_t process, const std::vector<LimitDemand>& demands)
{
    auto done = m_dropDemands.bind(1, process).run();
    for (const LimitDemand& demand : demands) {
        if (!done) return done;
        done = m_addDemand.bind(1, process)
                   .bind(2, std::string_view(demand.scope))
                   .bind(3, std::int64_t{demand.priority})
                   .bind(4, demand.waiting)
                   .bind(5, nanosecondsOf(demand.oldest))
                   .run();
    }
    return done;
}

Result<std::vector<LimitNotice>> LimitFile::notices(std::int64_t after, std::int64_t ofOthersThan)
{
    std::vector<LimitNotice> found;
    auto read =
        eachRow(m_notices.bind(1, after).bind(2, ofOthersThan), [&](const SqliteStatement& row) -> Result<void> {
            found.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), timeOf(row.integer(4))});
            return {};
        });
    if (!read) return pass(read);
    return found;
}

Result<void> LimitFile::setNotice(const LimitNotice& notice, std::int64_t process, std::int64_t change)
{
    return m_setNotice.bind(1, std::string_view(notice.scope))
        .bind(2, std::string_view(notice.model))
        .bind(3, std::string_view(notice.kind))
        .bind(4, notice.value)
        .bind(5, nanosecondsOf(notice.until))
        .bind(6, process)
        .bind(7, change)
        .run();
}

} // namespace aiflow
