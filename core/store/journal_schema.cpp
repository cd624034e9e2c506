#include "core/store/journal_schema.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace aiflow {

namespace {

// States are the numbers of TaskState and AttemptState; reasons are their codes; times are microseconds; hashes and
// outputs are blobs (record_codec.h). Of a task the row with the highest id is the latest; older ones are its history.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE job(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE item(
  item INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  line INTEGER NOT NULL,
  byte_offset INTEGER NOT NULL,
  byte_length INTEGER NOT NULL,
  title TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  steps BLOB,
  worked INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0,
  ended_at INTEGER NOT NULL DEFAULT 0,
  reason TEXT,
  failed_step INTEGER,
  message TEXT,
  files BLOB
);
CREATE INDEX item_trouble ON item(state) WHERE state > 5;

CREATE TABLE task(
  id INTEGER PRIMARY KEY,
  item INTEGER NOT NULL,
  step INTEGER NOT NULL,
  element INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  waited INTEGER NOT NULL,
  worked INTEGER NOT NULL,
  reason TEXT,
  message TEXT NOT NULL,
  cost REAL NOT NULL,
  currency TEXT NOT NULL,
  outputs BLOB,
  provenance TEXT NOT NULL
);
CREATE INDEX task_key ON task(item, step, element);

CREATE TABLE attempt(
  attempt_id TEXT PRIMARY KEY,
  item INTEGER NOT NULL,
  step INTEGER NOT NULL,
  element INTEGER NOT NULL,
  state INTEGER NOT NULL,
  at INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  account TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  reserved_cost REAL NOT NULL,
  actual_cost REAL NOT NULL,
  currency TEXT NOT NULL,
  answer BLOB,
  detail TEXT NOT NULL
);
CREATE INDEX attempt_task ON attempt(item, step, element);
CREATE INDEX attempt_open ON attempt(state) WHERE state < 3;

CREATE TABLE event(
  seq INTEGER PRIMARY KEY,
  json TEXT NOT NULL
);
)sql";

// Answers are kept with their attempt until the task is committed.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE attempt ADD COLUMN number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE attempt ADD COLUMN body BLOB;
ALTER TABLE attempt ADD COLUMN body_file TEXT NOT NULL DEFAULT '';
)sql";

constexpr std::array<JournalMigration, 2> kMigrations{{{kVersion1}, {kVersion2}}};

// auto_vacuum and page_size only count for a file without tables; cache_size is in KiB when negative.
constexpr std::array<SqlitePragma, 13> kPragmas{{{"auto_vacuum", "NONE", "0"},
                                                 {"journal_mode", "WAL", "wal"},
                                                 {"synchronous", "FULL", "2"},
                                                 {"foreign_keys", "ON", "1"},
                                                 {"trusted_schema", "OFF", "0"},
                                                 {"cell_size_check", "ON", "1"},
                                                 {"mmap_size", "0", "0"},
                                                 {"busy_timeout", "5000", "5000"},
                                                 {"journal_size_limit", "67108864", "67108864"},
                                                 {"wal_autocheckpoint", "0", "0"},
                                                 {"secure_delete", "OFF", "0"},
                                                 {"temp_store", "MEMORY", "2"},
                                                 {"cache_size", "-4096", "-4096"}}};

Result<std::int64_t> versionOf(SqliteDatabase& database)
{
    auto text = database.value("PRAGMA user_version");
    if (!text) return tl::unexpected(std::move(text.error()));
    return std::strtoll(text->c_str(), nullptr, 10);
}

tl::unexpected<Error> newerError(const SqliteDatabase& database, std::int64_t version, std::size_t known)
{
    return fail(Reason::Internal,
                database.file().string() + " was written by a newer AIFlow (journal format " + std::to_string(version) +
                    ", this program knows up to " + std::to_string(known) + ")",
                "update AIFlow, or use the version that started the job");
}

Result<void> backUp(SqliteDatabase& database, std::int64_t version)
{
    const std::string copy = database.file().string() + ".v" + std::to_string(version) + ".bak";
    // A copy from an upgrade that did not come to its end is older than the file: it is made again.
    ::unlink(copy.c_str());
    const int made = ::open(copy.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made < 0) return fail(Reason::OutputDenied, "cannot make " + copy + ": " + std::strerror(errno));
    auto statement = database.prepare("VACUUM INTO ?");
    auto copied = statement ? statement->bind(1, std::string_view(copy)).run() : tl::unexpected(statement.error());
    if (copied && ::fsync(made) != 0)
        copied = fail(Reason::OutputDenied, "cannot sync " + copy + ": " + std::strerror(errno));
    ::close(made);
    return copied;
}

} // namespace

std::span<const JournalMigration> journalMigrations() noexcept { return kMigrations; }

Result<void> configureJournal(SqliteDatabase& database) { return database.setPragmas(kPragmas); }

Result<void> migrateJournal(SqliteDatabase& database, std::span<const JournalMigration> migrations)
{
    const auto version = versionOf(database);
    if (!version) return tl::unexpected(version.error());
    const auto newest = static_cast<std::int64_t>(migrations.size());
    if (*version > newest) return newerError(database, *version, migrations.size());
    if (*version == newest) return {};
    if (*version > 0) {
        if (auto saved = backUp(database, *version); !saved) return saved;
    }
    std::string sql = "BEGIN IMMEDIATE;";
    for (std::int64_t step = *version; step < newest; ++step) sql += migrations[static_cast<std::size_t>(step)].sql;
    sql += "PRAGMA application_id = 1095320147; PRAGMA user_version = " + std::to_string(newest) + "; COMMIT;";
    auto done = database.execute(sql);
    if (!done) std::ignore = database.execute("ROLLBACK");
    return done;
}

Result<std::int64_t> readableJournalVersion(SqliteDatabase& database)
{
    const auto version = versionOf(database);
    if (!version) return version;
    if (*version > static_cast<std::int64_t>(kMigrations.size()))
        return newerError(database, *version, kMigrations.size());
    if (*version == 0)
        return fail(Reason::JobNotFound, "nothing has been written to " + database.file().string() + " yet");
    return version;
}

} // namespace aiflow
