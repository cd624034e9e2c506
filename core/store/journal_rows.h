// Journal records as rows: prepared statements and groups of records in one transaction each.
#pragma once

#include "core/store/journal.h"
#include "core/store/record_codec.h"
#include "core/store/sqlite_database.h"

#include <span>
#include <utility>
#include <vector>

namespace aiflow {

// Threads: one.
class JournalRows {
public:
    // The database's tables must be there.
    static Result<JournalRows> prepare(SqliteDatabase& database);

    // All records in one durable transaction, or none. Of several ItemProgress of an item only the last is written.
    Result<void> commit(std::span<JournalRecord* const> records);

private:
    Result<void> writeAll(std::span<JournalRecord* const> records);
    Result<void> write(const ItemAdmitted& item);
    Result<void> write(const TaskEnded& task);
    Result<void> write(const ItemProgress& progress);
    Result<void> write(const EventRecord& event);
    Result<void> write(const JobField& field);
    Result<void> write(const AttemptRecord& attempt);
    Result<void> settleAttempts(const TaskEnded& task);
    void markOverwritten(std::span<JournalRecord* const> records);

    SqliteStatement m_begin, m_commit, m_rollback;
    SqliteStatement m_admit, m_progress, m_progressFirst, m_task, m_event, m_field, m_attempt, m_settle;
    std::vector<std::pair<std::int64_t, std::size_t>> m_progressPlaces; // item and place in the group
    std::vector<char> m_overwritten;                                    // per place of the group
    ByteBuffer m_outputs;
};

} // namespace aiflow
