#include "core/store/limits/limit_reboot.h"

#include <algorithm>
#include <utility>

namespace aiflow {

namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// A window and some room for clocks that went wrong over the reboot.
constexpr nanoseconds kWindows[] = {24h + 30min, 1h + 2min, 65s, 3s};

// How long before now, by the wall clock; nothing passed when that went back.
nanoseconds agoOf(const LimitFileState& then, BootTime at, WallTime wall)
{
    const auto passed = std::chrono::duration_cast<nanoseconds>(wall - then.wall);
    if (passed < 0ns) return 0ns;
    return std::max(passed + (then.at - at), 0ns);
}

} // namespace

nanoseconds agoAfterReboot(nanoseconds ago) noexcept
{
    if (ago >= kWindows[0]) return ago;
    for (const nanoseconds window : kWindows)
        if (ago >= window) return window;
    return 0ns;
}

Result<void> carryOverReboot(LimitFile& file, LimitFileState& state, BootTime now, WallTime wall)
{
    const auto uses = file.uses(0, -1);
    const auto sums = uses ? file.sums() : tl::unexpected(uses.error());
    const auto notices = sums ? file.notices(0, -1) : tl::unexpected(sums.error());
    auto done = notices ? file.clear() : tl::unexpected(notices.error());
    if (!done) return done;
    const auto placed = [&](LimitUse use) {
        const nanoseconds open = use.openUntil - use.at;
        use.at = now - agoAfterReboot(agoOf(state, use.at, wall));
        use.openUntil = use.at + open;
        return use;
    };
    const auto isOld = [&](const LimitUse& use) { return now - use.at >= kWindows[0]; };
    for (const LimitUse& sum : *sums) {
        const LimitUse use = placed(sum);
        if (done) done = file.addSum(use, isOld(use));
    }
    for (const StoredUse& stored : *uses) {
        if (!done) return done;
        LimitUse use = placed(stored.use);
        if (use.state == LimitUse::State::Released) continue;
        if (use.state == LimitUse::State::Done || use.openUntil <= now) {
            done = file.addSum(use, isOld(use));
            continue;
        }
        use.state = LimitUse::State::Sent;
        done = file.addUse({++state.change, 0, std::move(use)});
    }
    for (LimitNotice notice : *notices) {
        const nanoseconds left = (notice.until - state.at) - agoOf(state, state.at, wall);
        if (left <= 0ns || !done) continue;
        notice.until = now + left;
        done = file.setNotice(notice, 0, ++state.change);
    }
    return done;
}

} // namespace aiflow
