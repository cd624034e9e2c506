// The tables of limits.db: uses one by one, their sums, demands, notices, processes; rows in and out.
#pragma once

#include "core/base/limit_store.h"
#include "core/store/sqlite_database.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace aiflow {

// The one row that says how the file stands.
struct LimitFileState {
    std::int64_t change = 0; // number of the last change of uses, notices, demands or processes
    BootTime at{};           // of the last write ...
    WallTime wall{};         // ... by both clocks
    std::string boot;        // id; empty: a fresh file
};

struct StoredUse {
    std::int64_t change = 0; // 0: of the sums
    std::int64_t process = 0;
    LimitUse use;
};

// One connection with its statements. Everything but open() happens within a transaction of the caller.
// Threads: one.
class LimitFile {
public:
    static constexpr std::int64_t kTidiedAtOnce = 512;

    // Makes the tables when the file is new.
    static Result<LimitFile> open(const std::filesystem::path& file);
    // False once somebody has set the file aside.
    bool isStillThere() const;

    Result<void> begin() { return m_begin.run(); } // others cannot begin until commit() or rollback()
    Result<void> beginToRead()
    {
        return m_beginToRead.run();
    } // others can write until the first read, and after the last
    Result<void> commit() { return m_commit.run(); }
    void rollback();
    Result<std::int64_t> dataVersion(); // another number when somebody else has written

    Result<LimitFileState> state();
    Result<void> setState(const LimitFileState& state);

    Result<void> addProcess(std::int64_t number);
    Result<std::vector<std::int64_t>> processes();
    Result<void> removeProcess(std::int64_t number); // and its demands

    // With change > `after`, in order of their changes, at most `limit`.
    Result<std::vector<StoredUse>> uses(std::int64_t after, std::int64_t limit);
    Result<std::vector<StoredUse>> reservedBy(std::int64_t process);
    Result<void> addUse(const StoredUse& stored);
    Result<void> removeUse(std::int64_t change);
    // The sums as uses, placed at their last use; Done.
    Result<std::vector<LimitUse>> sums();
    Result<void> addSum(const LimitUse& use, bool ofDay);
    // Finished uses with change <= `upTo` become sums, kTidiedAtOnce at a time; slots older than `day` become sums of
    // days, days older than `month` go. Gives how many uses were finished.
    Result<std::int64_t> tidy(std::int64_t upTo, BootTime now, BootTime day, BootTime month);
    Result<void> clear();

    Result<std::vector<LimitDemand>> demands(std::int64_t ofOthersThan);
    Result<void> setDemands(std::int64_t process, const std::vector<LimitDemand>& demands);
    Result<std::vector<LimitNotice>> notices(std::int64_t after, std::int64_t ofOthersThan);
    Result<void> setNotice(const LimitNotice& notice, std::int64_t process, std::int64_t change);

private:
    // What a use is counted under; stored once, known by its number.
    using Names = std::tuple<std::string, std::string, std::string, std::string, std::string>;

    Result<void> prepare();
    Result<std::int64_t> numberOf(const LimitUse& use);
    Result<const Names*> namesOf(std::int64_t number);
    Result<StoredUse> useFrom(const SqliteStatement& row);

    SqliteDatabase m_database;
    std::uint64_t m_inode = 0;
    SqliteStatement m_begin, m_beginToRead, m_commit, m_rollback, m_dataVersion, m_state, m_setState, m_addProcess,
        m_processes, m_removeProcess, m_uses, m_reserved, m_addUse, m_removeUse, m_finished, m_sums, m_addSum,
        m_demands, m_dropDemands, m_addDemand, m_notices, m_setNotice, m_names, m_addNames;
    std::map<Names, std::int64_t> m_numbers;
    std::pair<const Names*, std::int64_t> m_lastNames{}; // the next use is of the same account more often than not
    std::unordered_map<std::int64_t, const Names*> m_byNumber; // into m_numbers
};

} // namespace aiflow
