#include "core/base/clock.h"

#include <cstdio>
#include <ctime>

namespace aiflow {

namespace {

std::chrono::nanoseconds read(clockid_t which)
{
    timespec now{};
    ::clock_gettime(which, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

struct LocalParts {
    std::tm tm{};
    int millis = 0;
};

LocalParts localParts(WallTime time)
{
    const auto micros = time.time_since_epoch().count();
    auto seconds = micros / 1'000'000;
    auto rest = micros % 1'000'000;
    if (rest < 0) {
        rest += 1'000'000;
        --seconds;
    }
    LocalParts parts;
    const auto epoch = static_cast<std::time_t>(seconds);
    ::localtime_r(&epoch, &parts.tm);
    parts.millis = static_cast<int>(rest / 1000);
    return parts;
}

} // namespace

WallTime SystemClock::wall() const
{
    return WallTime{std::chrono::duration_cast<std::chrono::microseconds>(read(CLOCK_REALTIME))};
}

MonotonicTime SystemClock::monotonic() const { return MonotonicTime{read(CLOCK_MONOTONIC)}; }

BootTime SystemClock::boot() const { return BootTime{read(CLOCK_BOOTTIME)}; }

WallTime ManualClock::wall() const
{
    const std::lock_guard lock(m_mutex);
    return m_wall;
}

MonotonicTime ManualClock::monotonic() const
{
    const std::lock_guard lock(m_mutex);
    return MonotonicTime{m_elapsed};
}

BootTime ManualClock::boot() const
{
    const std::lock_guard lock(m_mutex);
    return BootTime{m_elapsed};
}

void ManualClock::advance(std::chrono::nanoseconds by)
{
    const std::lock_guard lock(m_mutex);
    m_elapsed += by;
    m_wall += std::chrono::duration_cast<std::chrono::microseconds>(by);
}

void ManualClock::setWall(WallTime now)
{
    const std::lock_guard lock(m_mutex);
    m_wall = now;
}

std::string toIso8601(WallTime time)
{
    const LocalParts parts = localParts(time);
    char text[64];
    const long offset = parts.tm.tm_gmtoff / 60;
    const long size = offset < 0 ? -offset : offset;
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02ld:%02ld", parts.tm.tm_year + 1900,
                  parts.tm.tm_mon + 1, parts.tm.tm_mday, parts.tm.tm_hour, parts.tm.tm_min, parts.tm.tm_sec,
                  parts.millis, offset < 0 ? '-' : '+', size / 60, size % 60);
    return text;
}

std::optional<WallTime> fromIso8601(const std::string& text)
{
    using namespace std::chrono;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, seconds = 0, rest = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &seconds, &rest) !=
        6)
        return std::nullopt;
    const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || seconds > 60) return std::nullopt;
    const char* tail = text.c_str() + rest;
    int millis = 0, used = 0;
    if (std::sscanf(tail, ".%3d%n", &millis, &used) == 1) tail += used;
    char sign = '+';
    int zoneHours = 0, zoneMinutes = 0;
    const bool zoned = std::sscanf(tail, "%c%2d:%2d", &sign, &zoneHours, &zoneMinutes) == 3;
    if (!zoned && std::string_view(tail) != "Z") return std::nullopt;
    const auto offset = hours(zoneHours) + minutes(zoneMinutes);
    return WallTime(sys_days(date)) + hours(hour) + minutes(minute) + std::chrono::seconds(seconds) +
           milliseconds(millis) - (sign == '-' ? -offset : offset);
}

std::string toClockText(WallTime time)
{
    const LocalParts parts = localParts(time);
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d:%02d", parts.tm.tm_hour % 24, parts.tm.tm_min % 60,
                  parts.tm.tm_sec % 61);
    return text;
}

} // namespace aiflow
