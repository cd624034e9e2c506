// The one wrapper of SQLite: connections, prepared statements with bound values, and its errors as ours.
#pragma once

#include "aiflow/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace aiflow {

// A prepared statement. Bound texts and blobs are not copied: they must live until the statement has run.
// Threads: those of its database.
class SqliteStatement {
public:
    SqliteStatement() = default;
    SqliteStatement(SqliteStatement&& other) noexcept;
    SqliteStatement& operator=(SqliteStatement&& other) noexcept;
    ~SqliteStatement();

    // Parameters count from 1.
    SqliteStatement& bind(int parameter, std::int64_t value);
    SqliteStatement& bind(int parameter, double value);
    SqliteStatement& bind(int parameter, std::string_view text);
    SqliteStatement& bindBlob(int parameter, std::span<const std::byte> bytes);
    SqliteStatement& bindBlob(int parameter, std::span<const std::uint8_t> bytes);
    SqliteStatement& bindNull(int parameter);

    // True: a row is there; false: the end, and the statement is ready for the next run.
    Result<bool> step();
    // Runs a statement that gives no rows.
    Result<void> run();
    void reset();
    // Rows that the last insert, update or delete of the connection touched.
    std::int64_t changes() const;

    // Columns count from 0. Views live until the next step or reset.
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string_view view(int column) const;
    std::string text(int column) const { return std::string(view(column)); }
    std::span<const std::byte> blob(int column) const;
    bool isNull(int column) const;

private:
    friend class SqliteDatabase;
    SqliteStatement(sqlite3_stmt* statement, std::string file) : m_statement(statement), m_file(std::move(file)) {}
    sqlite3_stmt* m_statement = nullptr;
    std::string m_file; // for messages
};

struct SqlitePragma {
    std::string_view name, wished, readBack;
};

// Of the library that is linked: "3.40.1".
std::string sqliteVersion();

// One connection. Errors: OutputDiskFull, OutputDenied, Internal with the way out when the file is damaged, JobLocked
// when another process holds the file for longer than the time-out. Threads: one at a time.
class SqliteDatabase {
public:
    enum class Mode {
        ReadWrite, // makes the file (mode 0600, folder synced) when it is absent
        ReadOnly,  // sees what other processes commit
        Immutable, // for a file that nobody writes, in a folder that we may not write
    };
    static Result<SqliteDatabase> open(const std::filesystem::path& file, Mode mode,
                                       std::chrono::milliseconds busyTimeout = std::chrono::milliseconds{5000});
    SqliteDatabase() = default;
    SqliteDatabase(SqliteDatabase&& other) noexcept;
    SqliteDatabase& operator=(SqliteDatabase&& other) noexcept;
    ~SqliteDatabase();

    Result<SqliteStatement> prepare(std::string_view sql);
    // One or more statements without parameters and without rows.
    Result<void> execute(const std::string& sql);
    // The first column of the first row as text; empty without a row.
    Result<std::string> value(std::string_view sql);
    // Sets pragmas and reads each back: Internal when one did not take.
    Result<void> setPragmas(std::span<const SqlitePragma> pragmas);

    void setBusyTimeout(std::chrono::milliseconds timeout);
    // Pages in the write-ahead log after the last commit of this connection.
    std::int64_t walPages() const noexcept { return m_walPages ? *m_walPages : 0; }
    // Empties the log into the database (TRUNCATE, holding the write lock). False: a reader was in the way.
    Result<bool> checkpoint();
    const std::filesystem::path& file() const noexcept { return m_file; }

private:
    Result<void> setPragma(const SqlitePragma& pragma);
    Error lastError() const;
    sqlite3* m_database = nullptr;
    std::filesystem::path m_file;
    std::unique_ptr<int> m_walPages; // an address that stays when the object moves
};

} // namespace aiflow
