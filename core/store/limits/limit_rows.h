// Small pieces that the rows of limits.db are read and written with.
#pragma once

#include "core/base/clock.h"
#include "core/store/sqlite_database.h"

namespace aiflow {

inline std::int64_t nanosecondsOf(BootTime time) { return std::int64_t{time.time_since_epoch().count()}; }
inline BootTime timeOf(std::int64_t nanoseconds) { return BootTime(std::chrono::nanoseconds(nanoseconds)); }

template <typename T> tl::unexpected<Error> pass(const Result<T>& failed) { return tl::unexpected(failed.error()); }

// Every row that the statement gives.
template <typename Take> Result<void> eachRow(SqliteStatement& statement, Take take)
{
    while (true) {
        auto row = statement.step();
        if (!row) return pass(row);
        if (!*row) return {};
        if (Result<void> taken = take(statement); !taken) {
            statement.reset();
            return taken;
        }
    }
}

} // namespace aiflow
