// How many calls may be open on an account of which nobody told the limits.
#pragma once

#include <algorithm>
#include <cstdint>

namespace aiflow {

// Begins with some dozens and grows with every answer; a refusal for a limit takes it back to 0.7, and from then on it
// grows by one for as many answers as are allowed to be open. So a hidden limit costs a few refused calls and not all
// that wait.
class Ramp {
public:
    bool mayOpen(std::int64_t open) const noexcept { return open < m_most; }
    void answered() noexcept
    {
        if (m_refused && ++m_answers < m_most) return;
        m_answers = 0;
        ++m_most;
    }
    void refused(std::int64_t open) noexcept
    {
        m_most = std::max<std::int64_t>(1, std::min(m_most, open + 1) * 7 / 10);
        m_refused = true;
        m_answers = 0;
    }

private:
    static constexpr std::int64_t kFirst = 64;
    std::int64_t m_most = kFirst;
    std::int64_t m_answers = 0;
    bool m_refused = false;
};

} // namespace aiflow
