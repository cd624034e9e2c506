#include "cli/program/near_word.h"

#include <algorithm>
#include <vector>

namespace aiflow {

namespace {

using Row = std::vector<std::size_t>;

// Optimal string alignment: three rows are enough, since a swap looks back by two.
std::size_t slips(std::string_view a, std::string_view b)
{
    Row before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = std::min({change, previous[j] + 1, current[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
        }
        before.swap(previous);
        previous.swap(current);
    }
    return previous[b.size()];
}

} // namespace

std::optional<std::string> wordMeant(std::string_view typed, std::span<const std::string> candidates)
{
    const std::string* best = nullptr;
    std::size_t bestSlips = std::max<std::size_t>(1, typed.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t count = slips(typed, candidate);
        if (count >= bestSlips) continue;
        bestSlips = count;
        best = &candidate;
    }
    return best ? std::optional(*best) : std::nullopt;
}

} // namespace aiflow
