#include "core/base/random.h"

namespace aiflow {

double Random::uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

std::string Random::hex(std::size_t digits)
{
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(digits);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (i % 16 == 0) bits = next();
        text.push_back(kDigits[bits & 15U]);
        bits >>= 4U;
    }
    return text;
}

SystemRandom::SystemRandom()
{
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    m_engine.seed(seed);
}

std::uint64_t SystemRandom::next()
{
    const std::lock_guard lock(m_mutex);
    return m_engine();
}

std::uint64_t SeededRandom::next()
{
    const std::lock_guard lock(m_mutex);
    return m_engine();
}

} // namespace aiflow
