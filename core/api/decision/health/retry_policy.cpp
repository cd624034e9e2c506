#include "core/api/decision/health/retry_policy.h"

#include <algorithm>

namespace aiflow {
namespace {

// A call that is refused as by an outage, again and again, while the endpoint answers all others: this many times the
// usual allowance, for chance alone must not fail an item.
constexpr int kOutageAllowance = 4;
// The same of a call that is over a limit whenever it comes: one that is larger than the limit itself.
constexpr int kRefusalAllowance = 25;

} // namespace

std::chrono::nanoseconds RetryRules::ceilingOf(int n) const noexcept
{
    std::chrono::nanoseconds wait = m_retry->base;
    for (int i = 1; i < n && wait < m_retry->cap; ++i) wait *= 2;
    return std::min<std::chrono::nanoseconds>(wait, m_retry->cap);
}

std::chrono::nanoseconds RetryRules::backoff(int n, Random& random) const
{
    const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(1, ceilingOf(n).count()));
    return std::chrono::nanoseconds(static_cast<std::int64_t>(random.next() % span));
}

RetryVerdict RetryRules::judge(const Failure& failure, const EndFacts& facts, CallPast& past) const
{
    using Step = RetryVerdict::Step;
    switch (failure.failure) {
    case FailureClass::NotSent:
    case FailureClass::Outage:
        return afterOutage(facts, past);
    case FailureClass::Throttled:
        if (facts.othersAnswered) ++past.refusals;
        if (past.refusals >= m_retry->attempts * kRefusalAllowance) return {};
        return {Step::Again, failure.retryAfter && failure.retryAfter->count() > 0, false, false};
    case FailureClass::QuotaExhausted:
    case FailureClass::KeyRefused:
        return {Step::Again, false, false, false};
    case FailureClass::ServerError:
    case FailureClass::TimedOut:
    case FailureClass::Unknown:
        return afterUnknown(facts, past);
    case FailureClass::LyingSuccess:
    case FailureClass::JobFailed: {
        RetryVerdict verdict = afterUnknown(facts, past);
        if (verdict.step == Step::GiveUp && facts.otherModel) verdict = {Step::OtherModel, false, false, false};
        return verdict;
    }
    case FailureClass::CutOff:
    case FailureClass::Misfit:
        return afterBadAnswer(facts, past);
    case FailureClass::TooLarge:
        return {facts.otherModel ? Step::OtherModel : Step::GiveUp, false, false, false};
    case FailureClass::ContentRefused:
    case FailureClass::BadRequest:
    case FailureClass::Cancelled:
        break;
    }
    return {};
}

RetryVerdict RetryRules::afterOutage(const EndFacts& facts, CallPast& past) const
{
    if (facts.othersAnswered) ++past.outages;
    if (past.outages >= m_retry->attempts * kOutageAllowance) return {};
    return {RetryVerdict::Step::Again, false, true, false};
}

RetryVerdict RetryRules::afterUnknown(const EndFacts& facts, CallPast& past) const
{
    ++past.unknown;
    ++past.burnt;
    if (past.burnt >= m_retry->attempts) return {};
    if (facts.repeatable) return {RetryVerdict::Step::Again, false, true, false};
    if (m_unknown->policy == UnknownPolicy::Fail) return {};
    const bool again = m_unknown->policy == UnknownPolicy::RetryOnce && facts.cheap;
    if (again && past.unknown <= 1) return {RetryVerdict::Step::Again, false, true, false};
    return {RetryVerdict::Step::GiveUp, false, false, true};
}

RetryVerdict RetryRules::afterBadAnswer(const EndFacts& facts, CallPast& past) const
{
    if (facts.asksAgain && past.reasks < m_retry->reasks) {
        ++past.reasks;
        return {RetryVerdict::Step::Reask, false, false, false};
    }
    if (!facts.otherModel) return {};
    past.reasks = 0;
    return {RetryVerdict::Step::OtherModel, false, false, false};
}

} // namespace aiflow
