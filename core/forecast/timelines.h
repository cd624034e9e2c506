// When a resource is free, for schedules that are laid out task by task, gaps before earlier work included.
#pragma once

#include "core/forecast/call_shape.h"
#include "core/forecast/flow_shape.h"

#include <optional>
#include <utility>
#include <vector>

namespace aiflow {

// A number of equal places, each taken for a while.
class PlaceTimeline {
public:
    explicit PlaceTimeline(std::int64_t places) : m_places(places) {}
    // The first moment from `from` on at which a place is free for so long.
    Nanoseconds earliest(Nanoseconds from, Nanoseconds duration) const;
    void take(Nanoseconds start, Nanoseconds duration);

private:
    struct Level {
        Nanoseconds from = 0;
        std::int64_t taken = 0; // from then on, until the next level
    };
    std::size_t levelAt(Nanoseconds time) const;
    std::size_t splitAt(Nanoseconds time);

    std::int64_t m_places;
    std::vector<Level> m_levels{{0, 0}}; // sorted
};

// At most so much in any span of the window; what starts at its very end belongs to the next.
class WindowTimeline {
public:
    explicit WindowTimeline(const WindowLimit& limit)
        : m_unit(static_cast<std::size_t>(limit.unit)), m_count(limit.count),
          m_window(std::chrono::duration_cast<std::chrono::nanoseconds>(limit.window).count())
    {
    }
    Nanoseconds earliest(Nanoseconds from, const CallUse& use) const;
    void take(Nanoseconds start, const CallUse& use);

private:
    std::optional<Nanoseconds> retryAt(Nanoseconds start, std::int64_t amount) const;

    std::size_t m_unit;
    std::int64_t m_count;
    Nanoseconds m_window;
    std::vector<std::pair<Nanoseconds, std::int64_t>> m_log; // sorted by time; with the amount
};

// All limits of one account, model, provider or organisation.
class LimitTimeline {
public:
    explicit LimitTimeline(const LimitSet& limits);
    Nanoseconds earliest(Nanoseconds from, Nanoseconds duration, const CallUse& use) const;
    void take(Nanoseconds start, Nanoseconds duration, const CallUse& use);

private:
    std::vector<WindowTimeline> m_windows;
    std::optional<PlaceTimeline> m_places;
};

} // namespace aiflow
