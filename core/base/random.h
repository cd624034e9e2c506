// Randomness as an interface: the same seed gives the same run.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace aiflow {

// Threads: every method, from any thread.
class Random {
public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;
    // In [0, 1).
    double uniform();
    // Lower-case hexadecimal digits.
    std::string hex(std::size_t digits);
};

// Seeded from the operating system.
class SystemRandom final : public Random {
public:
    SystemRandom();
    std::uint64_t next() override;

private:
    std::mutex m_mutex;
    std::mt19937_64 m_engine;
};

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : m_engine(seed) {}
    std::uint64_t next() override;

private:
    std::mutex m_mutex;
    std::mt19937_64 m_engine;
};

} // namespace aiflow
