#include "core/rehearsal/fault_book.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace aiflow {

namespace {

constexpr std::array<const char*, 10> kNonsense = {"soon",  "0", "-5",   "99999999999999999999", "NaN",
                                                   "1e309", "",  "0x10", "Fri, 99 Foo 2026",     "12 34"};

std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string decimalSeconds(std::int64_t ms)
{
    return std::to_string(ms / 1000) + '.' + std::to_string(1000 + ms % 1000).substr(1);
}

} // namespace

FaultBook::FaultBook(std::vector<SimulatedFault> faults, std::uint64_t seed) : m_random(seed)
{
    for (SimulatedFault& fault : faults) add(std::move(fault));
}

bool FaultBook::inTime(const SimulatedFault& fault, std::int64_t lifeMs)
{
    return lifeMs >= fault.from.count() && (!fault.until || lifeMs < fault.until->count());
}

std::optional<SimulatedFault> FaultBook::meet(const Meeting& call)
{
    for (Rule& rule : m_rules) {
        const SimulatedFault& fault = rule.fault;
        if (!inTime(fault, call.lifeMs)) continue;
        if (!fault.account.empty() && fault.account != call.account) continue;
        if (!fault.model.empty() && fault.model != call.model) continue;
        if (!fault.contains.empty() && call.body.find(fault.contains) == std::string::npos) continue;
        if (fault.firstCalls && rule.met >= *fault.firstCalls) continue;
        if (fault.probability < 1 && std::uniform_real_distribution<>()(m_random) >= fault.probability) continue;
        ++rule.met;
        return fault;
    }
    return std::nullopt;
}

bool FaultBook::down(const std::string& account, std::int64_t lifeMs) const
{
    for (const Rule& rule : m_rules) {
        const SimulatedFault& fault = rule.fault;
        const bool kind = fault.kind == FaultKind::Unavailable || fault.kind == FaultKind::Hang ||
                          fault.kind == FaultKind::ResetBeforeByte;
        const bool certain = fault.probability >= 1 && !fault.firstCalls && fault.contains.empty();
        const bool here = fault.account.empty() || fault.account == account;
        if (kind && certain && here && inTime(fault, lifeMs)) return true;
    }
    return false;
}

bool throttles(FaultKind kind) noexcept { return kind <= FaultKind::ThrottleGarbage; }

bool executes(FaultKind kind) noexcept
{
    return !throttles(kind) && kind != FaultKind::Unavailable && kind != FaultKind::QuotaEmpty &&
           kind != FaultKind::KeyRevoked;
}

std::optional<std::int64_t> addHint(Reply& reply, FaultKind kind, int tellMs)
{
    const std::int64_t ms = tellMs > 0 ? tellMs : 1000;
    switch (kind) {
    case FaultKind::ThrottleSeconds: {
        const std::int64_t seconds = (ms + 999) / 1000;
        reply.headers.emplace_back("Retry-After", std::to_string(seconds));
        return seconds * 1000;
    }
    case FaultKind::ThrottleDecimal:
        reply.headers.emplace_back("Retry-After", decimalSeconds(ms));
        return ms;
    case FaultKind::ThrottleDate: {
        // The answer's own Date is the whole second that this time begins in.
        const std::int64_t seconds = (ms + 999) / 1000;
        const std::int64_t today = now() / 1000;
        reply.headers.emplace_back("Date", httpDate(today));
        reply.headers.emplace_back("Retry-After", httpDate(today + seconds));
        return seconds * 1000;
    }
    case FaultKind::ThrottleMillis:
        reply.headers.emplace_back("retry-after-ms", std::to_string(ms));
        return ms;
    case FaultKind::ThrottleReset:
        reply.headers.emplace_back("x-ratelimit-reset-requests", resetText(ms * 1'000'000));
        reply.headers.emplace_back("x-ratelimit-remaining-requests", "0");
        return ms;
    case FaultKind::ThrottleGarbage: {
        const std::size_t choice = static_cast<std::size_t>(tellMs < 0 ? 0 : tellMs) % kNonsense.size();
        reply.headers.emplace_back("Retry-After", kNonsense[choice]);
        reply.headers.emplace_back("retry-after-ms", kNonsense[(choice + 3) % kNonsense.size()]);
        reply.headers.emplace_back("x-ratelimit-reset-requests", kNonsense[(choice + 6) % kNonsense.size()]);
        return std::nullopt;
    }
    default:
        return std::nullopt;
    }
}

std::string httpDate(std::int64_t secondsSinceEpoch)
{
    static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto time = static_cast<std::time_t>(secondsSinceEpoch);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                  kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                  kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                  parts.tm_sec);
    return text.data();
}

} // namespace aiflow
