#include "core/api/decision/limits/learnt_limits.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace aiflow {
namespace {

constexpr std::chrono::minutes kBelieved{10};
constexpr std::chrono::hours kLongestReset{24};
constexpr std::chrono::milliseconds kMinute{60'000};
constexpr std::string_view kUsedUp = "used-up";
constexpr std::string_view kSlow = "slow";

constexpr std::array kUnits = {
    std::pair{LimitUnit::Requests, std::string_view("requests")},
    std::pair{LimitUnit::InputTokens, std::string_view("input_tokens")},
    std::pair{LimitUnit::OutputTokens, std::string_view("output_tokens")},
    std::pair{LimitUnit::TotalTokens, std::string_view("total_tokens")},
    std::pair{LimitUnit::Images, std::string_view("images")},
    std::pair{LimitUnit::Money, std::string_view("money")},
};

std::string kindOf(LimitUnit unit, std::string_view what)
{
    const auto row = std::ranges::find(kUnits, unit, &std::pair<LimitUnit, std::string_view>::first);
    return std::string(row->second) + '/' + std::string(what);
}

// "requests/60000" as its two parts.
std::optional<std::pair<LimitUnit, std::string_view>> parsed(std::string_view kind)
{
    const std::size_t slash = kind.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto row = std::ranges::find(kUnits, kind.substr(0, slash), &std::pair<LimitUnit, std::string_view>::second);
    if (row == kUnits.end()) return std::nullopt;
    return std::pair{row->first, kind.substr(slash + 1)};
}

const WindowLimit* configured(const Target& target, LimitUnit unit)
{
    for (const LimitPool* pool : {target.modelPool, target.accountPool})
        if (const WindowLimit* limit = pool->configured(unit)) return limit;
    return nullptr;
}

} // namespace

void LearntLimits::note(const Target& target, std::string model, std::string kind, std::int64_t value, BootTime until)
{
    m_notices.push_back({m_pools->scopeOf(target.key), std::move(model), std::move(kind), value, until});
}

void LearntLimits::answered(const Target& target, const std::vector<AttemptEnd::Learnt>& learnt, BootTime sentAt,
                            BootTime now)
{
    const std::string& model = m_pools->settings().models[target.model].name;
    for (const AttemptEnd::Learnt& word : learnt) {
        const WindowLimit* ours = configured(target, word.unit);
        const WindowLimit told{word.unit, word.limit.value_or(0), ours ? ours->window : kMinute};
        if (told.count > 0 && (!ours || told.count < ours->count)) {
            target.modelPool->learn(told, target.accountPool, now + kBelieved, now);
            note(target, model, kindOf(word.unit, std::to_string(told.window.count())), told.count, now + kBelieved);
        }
        // Counted from the sending: the provider may have taken its look when the call came.
        if (word.remaining && *word.remaining <= 0 && word.resetAfter) {
            const BootTime until = sentAt + std::min<std::chrono::milliseconds>(*word.resetAfter, kLongestReset);
            if (until <= now) continue;
            target.modelPool->exhausted(word.unit, until);
            note(target, model, kindOf(word.unit, kUsedUp), 0, until);
        }
    }
}

void LearntLimits::refused(const Target& target, bool modelOnly, BootTime now, std::chrono::nanoseconds minute)
{
    LimitPool& pool = modelOnly ? *target.modelPool : *target.accountPool;
    pool.slowDown(now, minute);
    note(target, modelOnly ? m_pools->settings().models[target.model].name : std::string(), std::string(kSlow),
         std::chrono::duration_cast<std::chrono::milliseconds>(minute).count(), now + minute);
}

void LearntLimits::learn(const LimitNotice& notice, BootTime now)
{
    LimitPool* pool =
        notice.model.empty() ? m_pools->accountPool(notice.scope) : m_pools->modelPool(notice.scope, notice.model);
    if (!pool || notice.until <= now) return;
    if (notice.kind == kSlow) {
        pool->slowDown(now, std::chrono::milliseconds(std::max<std::int64_t>(1, notice.value)));
        return;
    }
    const auto kind = parsed(notice.kind);
    if (!kind) return;
    if (kind->second == kUsedUp) {
        pool->exhausted(kind->first, notice.until);
        return;
    }
    std::int64_t window = 0;
    const auto end = std::from_chars(kind->second.data(), kind->second.data() + kind->second.size(), window);
    if (end.ec == std::errc() && window > 0 && notice.value > 0)
        pool->learn({kind->first, notice.value, std::chrono::milliseconds(window)}, m_pools->accountPool(notice.scope),
                    notice.until, now);
}

std::vector<LimitNotice> LearntLimits::takeNotices() { return std::exchange(m_notices, {}); }

} // namespace aiflow
