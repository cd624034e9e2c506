// The tables of a job's journal and how an older file becomes a newer one.
#pragma once

#include "core/store/sqlite_database.h"

#include <cstdint>
#include <span>

namespace aiflow {

// Takes a file from version N to N + 1, N being its place in the list.
struct JournalMigration {
    const char* sql;
};

// All that there are; the newest version is their number. Append only: files of every release must open for ever.
std::span<const JournalMigration> journalMigrations() noexcept;

// The settings that every writing connection needs, each read back (R-S1, R-S2).
Result<void> configureJournal(SqliteDatabase& database);

// Brings the file to the newest version in one transaction; an existing older file is copied to "<file>.v<N>.bak"
// first. Internal with the way out when a newer program wrote it.
Result<void> migrateJournal(SqliteDatabase& database, std::span<const JournalMigration> migrations);

// For readers, which change nothing: the file's version. JobNotFound when nothing was written yet, Internal when a
// newer program wrote it. Older files are read as they are.
Result<std::int64_t> readableJournalVersion(SqliteDatabase& database);

} // namespace aiflow
