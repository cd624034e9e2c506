// The file of the result cache: its tables, one connection with prepared statements, and what happens to a damaged
// file.
#pragma once

#include "core/store/damaged_file.h"
#include "core/store/sqlite_database.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace aiflow {

// Rows are appended, so that a group of random keys costs little: only the index of 8-byte prefixes is written here and
// there, and it stays in memory for look-ups that find nothing.
inline constexpr const char* kResultTables = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS result(
  id INTEGER PRIMARY KEY,
  prefix INTEGER NOT NULL,
  key BLOB NOT NULL,
  used INTEGER NOT NULL,
  outputs BLOB NOT NULL,
  steps BLOB NOT NULL,
  provenance TEXT NOT NULL,
  job TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS result_prefix ON result(prefix);
CREATE TABLE IF NOT EXISTS file(
  path TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  hash BLOB NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
)sql";

// One connection with its statements, for reading or for writing.
struct ResultCacheFile {
    SqliteDatabase database;
    SqliteStatement begin, commit, rollback, find, remove, add, touch, findFile, addFile;
    std::uint64_t inode = 0;

    static Result<ResultCacheFile> open(const std::filesystem::path& file);
    // False once somebody has set the file aside.
    bool isOf(const std::filesystem::path& file) const
    {
        struct stat s {};
        return ::stat(file.c_str(), &s) == 0 && s.st_ino == inode;
    }
};

inline Result<ResultCacheFile> ResultCacheFile::open(const std::filesystem::path& file)
{
    auto database = SqliteDatabase::open(file, SqliteDatabase::Mode::ReadWrite);
    if (!database) return tl::unexpected(std::move(database.error()));
    constexpr SqlitePragma kPragmas[] = {{"auto_vacuum", "NONE", "0"},    {"journal_mode", "TRUNCATE", "truncate"},
                                         {"synchronous", "FULL", "2"},    {"trusted_schema", "OFF", "0"},
                                         {"cell_size_check", "ON", "1"},  {"mmap_size", "0", "0"},
                                         {"secure_delete", "OFF", "0"},   {"temp_store", "MEMORY", "2"},
                                         {"cache_size", "-4096", "-4096"}};
    if (auto set = database->setPragmas(kPragmas); !set) return tl::unexpected(std::move(set.error()));
    auto version = database->value("PRAGMA user_version");
    if (!version) return tl::unexpected(std::move(version.error()));
    if (*version != "0" && *version != "1")
        return fail(Reason::ConfigInvalid, file.string() + " was written by a newer AIFlow; results are not reused",
                    "update AIFlow");
    if (*version == "0") {
        if (auto made = database->execute(kResultTables); !made) return tl::unexpected(std::move(made.error()));
    }
    ResultCacheFile opened;
    opened.database = std::move(*database);
    const std::pair<SqliteStatement*, const char*> statements[] = {
        {&opened.begin, "BEGIN"},
        {&opened.commit, "COMMIT"},
        {&opened.rollback, "ROLLBACK"},
        {&opened.find, "SELECT id, used, outputs, steps, provenance, job FROM result WHERE prefix = ?1 AND key = ?2"},
        {&opened.remove, "DELETE FROM result WHERE prefix = ?1 AND key = ?2"},
        {&opened.add, "INSERT INTO result(prefix, key, used, outputs, steps, provenance, job) "
                      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
        {&opened.touch, "UPDATE result SET used = ?2 WHERE id = ?1"},
        {&opened.findFile, "SELECT size, modified, inode, hash FROM file WHERE path = ?1"},
        {&opened.addFile, "INSERT OR REPLACE INTO file(path, size, modified, inode, hash) VALUES(?1, ?2, ?3, ?4, ?5)"}};
    for (const auto& [statement, sql] : statements) {
        auto prepared = opened.database.prepare(sql);
        if (!prepared) return tl::unexpected(std::move(prepared.error()));
        *statement = std::move(*prepared);
    }
    struct stat s {};
    if (::stat(file.c_str(), &s) == 0) opened.inode = s.st_ino;
    return opened;
}

// Nothing, and why, when even a fresh one does not work.
inline Result<ResultCacheFile> openOrBeginAfresh(const std::filesystem::path& file)
{
    auto opened = ResultCacheFile::open(file);
    if (opened || !isDamage(opened.error())) return opened;
    setAsideDamaged(file, 0);
    return ResultCacheFile::open(file);
}

} // namespace aiflow
