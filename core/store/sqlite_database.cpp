#include "core/store/sqlite_database.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

namespace aiflow {

namespace {

constexpr const char* kAskForSpace = "free some space, then resume";
constexpr const char* kAskForAccess = "check the folder's permissions and the disk, then resume";

bool isFull(int problem) { return problem == ENOSPC || problem == EDQUOT || problem == EFBIG; }

// SQLite keeps the system's error number for some calls only; `left` is what errno held right after the call.
Error errorOf(sqlite3* database, int code, const std::string& file, int left)
{
    const std::string words = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    const int kept = database != nullptr ? sqlite3_system_errno(database) : 0;
    const int problem = kept != 0 ? kept : left;
    switch (code & 0xFF) {
    case SQLITE_FULL:
        return {Reason::OutputDiskFull, "the disk is full: " + file, kAskForSpace, {}};
    case SQLITE_IOERR:
        if (isFull(problem)) return {Reason::OutputDiskFull, "the disk is full: " + file, kAskForSpace, {}};
        [[fallthrough]];
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: {
        const std::string cause = problem != 0 ? ": " + std::string(std::strerror(problem)) : "";
        return {Reason::OutputDenied, "cannot use " + file + ": " + words + cause, kAskForAccess, {}};
    }
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return {Reason::Internal,
                file + " is damaged: " + words,
                "move it away and run the same batch again: results of earlier jobs are reused",
                {}};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {Reason::JobLocked, "another process holds " + file, "wait until it has finished, then try again", {}};
    default:
        return {Reason::Internal, file + ": " + words, {}, {}};
    }
}

// The empty file goes first, so that nobody else may ever read it: SQLite would make it for everyone.
Result<void> makePrivateFile(const std::filesystem::path& file)
{
    const auto denied = [&file](int problem) {
        const auto reason = isFull(problem) ? Reason::OutputDiskFull : Reason::OutputDenied;
        return fail(reason, "cannot make " + file.string() + ": " + std::strerror(problem),
                    isFull(problem) ? kAskForSpace : kAskForAccess);
    };
    const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (made < 0) return errno == EEXIST ? Result<void>{} : denied(errno);
    ::close(made);
    const std::filesystem::path parent = file.parent_path().empty() ? "." : file.parent_path();
    const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return denied(errno);
    const int synced = ::fsync(folder);
    const int problem = errno;
    ::close(folder);
    return synced == 0 ? Result<void>{} : denied(problem);
}

std::string addressOf(const std::filesystem::path& file, SqliteDatabase::Mode mode)
{
    std::string address = "file:";
    for (const char c : std::filesystem::absolute(file).string()) {
        if (c == '?')
            address += "%3f";
        else if (c == '#')
            address += "%23";
        else if (c == '%')
            address += "%25";
        else
            address += c;
    }
    switch (mode) {
    case SqliteDatabase::Mode::ReadWrite:
        return address + "?mode=rw";
    case SqliteDatabase::Mode::ReadOnly:
        return address + "?mode=ro";
    case SqliteDatabase::Mode::Immutable:
        return address + "?mode=ro&immutable=1";
    }
    return address;
}

int rememberWalPages(void* pages, sqlite3*, const char*, int count)
{
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
}

} // namespace

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : m_statement(std::exchange(other.m_statement, nullptr)), m_file(std::move(other.m_file))
{
}

SqliteStatement& SqliteStatement::operator=(SqliteStatement&& other) noexcept
{
    std::swap(m_statement, other.m_statement);
    std::swap(m_file, other.m_file);
    return *this;
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(m_statement); }

SqliteStatement& SqliteStatement::bind(int parameter, std::int64_t value)
{
    sqlite3_bind_int64(m_statement, parameter, value);
    return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, double value)
{
    sqlite3_bind_double(m_statement, parameter, value);
    return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, std::string_view text)
{
    // A null address would bind NULL instead of an empty text.
    sqlite3_bind_text(m_statement, parameter, text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
    return *this;
}

SqliteStatement& SqliteStatement::bindBlob(int parameter, std::span<const std::byte> bytes)
{
    if (bytes.empty())
        sqlite3_bind_zeroblob(m_statement, parameter, 0);
    else
        sqlite3_bind_blob(m_statement, parameter, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    return *this;
}

SqliteStatement& SqliteStatement::bindBlob(int parameter, std::span<const std::uint8_t> bytes)
{
    return bindBlob(parameter, std::as_bytes(bytes));
}

SqliteStatement& SqliteStatement::bindNull(int parameter)
{
    sqlite3_bind_null(m_statement, parameter);
    return *this;
}

Result<bool> SqliteStatement::step()
{
    errno = 0;
    const int code = sqlite3_step(m_statement);
    const int left = errno;
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        sqlite3_reset(m_statement);
        return false;
    }
    Error error = errorOf(sqlite3_db_handle(m_statement), code, m_file, left);
    sqlite3_reset(m_statement);
    return tl::unexpected(std::move(error));
}

Result<void> SqliteStatement::run()
{
    auto stepped = step();
    if (!stepped) return tl::unexpected(std::move(stepped.error()));
    if (*stepped) sqlite3_reset(m_statement);
    return {};
}

void SqliteStatement::reset() { sqlite3_reset(m_statement); }
std::int64_t SqliteStatement::changes() const { return sqlite3_changes64(sqlite3_db_handle(m_statement)); }
std::int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(m_statement, column); }
double SqliteStatement::real(int column) const { return sqlite3_column_double(m_statement, column); }

std::string_view SqliteStatement::view(int column) const
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(m_statement, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column))};
}

std::span<const std::byte> SqliteStatement::blob(int column) const
{
    const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(m_statement, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column))};
}

bool SqliteStatement::isNull(int column) const { return sqlite3_column_type(m_statement, column) == SQLITE_NULL; }

Result<SqliteDatabase> SqliteDatabase::open(const std::filesystem::path& file, Mode mode,
                                            std::chrono::milliseconds busyTimeout)
{
    if (mode == Mode::ReadWrite) {
        if (auto made = makePrivateFile(file); !made) return tl::unexpected(std::move(made.error()));
    }
    SqliteDatabase opened;
    opened.m_file = file;
    opened.m_walPages = std::make_unique<int>(0);
    const int rights = mode == Mode::ReadWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(addressOf(file, mode).c_str(), &opened.m_database,
                                     rights | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) return tl::unexpected(errorOf(opened.m_database, code, file.string(), 0));
    sqlite3_extended_result_codes(opened.m_database, 1);
    sqlite3_busy_timeout(opened.m_database, static_cast<int>(busyTimeout.count()));
    sqlite3_db_config(opened.m_database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // No connection checkpoints unasked: SQLite before 3.51.3 can lose commits when another one does.
    sqlite3_db_config(opened.m_database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_hook(opened.m_database, rememberWalPages, opened.m_walPages.get());
    return opened;
}

SqliteDatabase::SqliteDatabase(SqliteDatabase&& other) noexcept
    : m_database(std::exchange(other.m_database, nullptr)), m_file(std::move(other.m_file)),
      m_walPages(std::move(other.m_walPages))
{
}

SqliteDatabase& SqliteDatabase::operator=(SqliteDatabase&& other) noexcept
{
    std::swap(m_database, other.m_database);
    std::swap(m_file, other.m_file);
    std::swap(m_walPages, other.m_walPages);
    return *this;
}

// The "zombie" close: statements that are destroyed later still find their connection.
SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(m_database); }

Error SqliteDatabase::lastError() const
{
    return errorOf(m_database, sqlite3_extended_errcode(m_database), m_file.string(), errno);
}

Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql)
{
    sqlite3_stmt* statement = nullptr;
    errno = 0;
    const int code = sqlite3_prepare_v3(m_database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
    if (code != SQLITE_OK) return tl::unexpected(lastError());
    return SqliteStatement(statement, m_file.string());
}

Result<void> SqliteDatabase::execute(const std::string& sql)
{
    if (sqlite3_exec(m_database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return tl::unexpected(lastError());
    return {};
}

Result<std::string> SqliteDatabase::value(std::string_view sql)
{
    auto statement = prepare(sql);
    if (!statement) return tl::unexpected(std::move(statement.error()));
    auto row = statement->step();
    if (!row) return tl::unexpected(std::move(row.error()));
    return *row ? statement->text(0) : std::string();
}

Result<void> SqliteDatabase::setPragmas(std::span<const SqlitePragma> pragmas)
{
    for (const SqlitePragma& pragma : pragmas) {
        if (auto set = setPragma(pragma); !set) return set;
    }
    return {};
}

Result<void> SqliteDatabase::setPragma(const SqlitePragma& pragma)
{
    const std::string command = "PRAGMA " + std::string(pragma.name);
    // Some pragmas answer with a row when they are set.
    if (auto set = value(command + "=" + std::string(pragma.wished)); !set)
        return tl::unexpected(std::move(set.error()));
    auto got = value(command);
    if (!got) return tl::unexpected(std::move(got.error()));
    if (*got == pragma.readBack) return {};
    return fail(Reason::Internal,
                m_file.string() + ": " + command + " is " + *got + " instead of " + std::string(pragma.readBack),
                "the file system may not support what a journal needs: use a local disk (--state-dir)");
}

void SqliteDatabase::setBusyTimeout(std::chrono::milliseconds timeout)
{
    sqlite3_busy_timeout(m_database, static_cast<int>(timeout.count()));
}

Result<bool> SqliteDatabase::checkpoint()
{
    errno = 0;
    const int code = sqlite3_wal_checkpoint_v2(m_database, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED) return false;
    if (code != SQLITE_OK) return tl::unexpected(lastError());
    *m_walPages = 0;
    return true;
}

std::string sqliteVersion() { return ::sqlite3_libversion(); }

} // namespace aiflow
