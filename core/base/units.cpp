#include "core/base/units.h"

#include <array>
#include <cstdio>

namespace aiflow {

std::string toText(Bytes size)
{
    static constexpr std::array<const char*, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
    if (size.count() < 1024) return std::to_string(size.count()) + " B";
    auto value = static_cast<double>(size.count()) / 1024.0;
    std::size_t unit = 0;
    while (value >= 1024.0 && unit + 1 < kUnits.size()) {
        value /= 1024.0;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, value < 10 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
    return text;
}

} // namespace aiflow
