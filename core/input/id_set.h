// Finds ids that come twice, with 12 bytes for each: a million of them in 16 MB.
#pragma once

#include "core/base/hash.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace aiflow {

// Keeps 64-bit hashes, not the ids: of ten million ids two different ones look alike with a chance of 3 in a million.
class IdSet {
public:
    // Room for so many without growing again.
    void expect(std::int64_t count)
    {
        const auto slots = static_cast<std::size_t>(static_cast<double>(count) / kFull) + 16;
        if (slots > m_hashes.size()) rebuild(slots);
    }

    // The line on which the id came before, if it did; else remembers it.
    std::optional<std::uint32_t> insert(std::string_view id, std::int64_t line)
    {
        if (static_cast<double>(m_count + 1) > kFull * static_cast<double>(m_hashes.size()))
            rebuild(grown(m_hashes.size()));
        const std::size_t slot = find(hashOf(id));
        if (m_hashes[slot] != 0) return m_lines[slot];
        m_hashes[slot] = hashOf(id);
        m_lines[slot] = static_cast<std::uint32_t>(line);
        ++m_count;
        return std::nullopt;
    }

    std::size_t memory() const noexcept
    {
        return m_hashes.capacity() * sizeof(std::uint64_t) + m_lines.capacity() * sizeof(std::uint32_t);
    }

private:
    static constexpr double kFull = 0.85;

    // A large table grows slowly: memory counts more than the time to move it.
    static std::size_t grown(std::size_t slots) { return slots < (1U << 17U) ? slots * 2 + 1024 : slots + slots / 8; }

    // Zero means an empty slot.
    static std::uint64_t hashOf(std::string_view id) { return xxh3(id) | 1U; }

    std::size_t find(std::uint64_t hash) const
    {
        __extension__ using Wide = unsigned __int128;
        auto slot = static_cast<std::size_t>((static_cast<Wide>(hash) * m_hashes.size()) >> 64U);
        while (m_hashes[slot] != 0 && m_hashes[slot] != hash) slot = slot + 1 == m_hashes.size() ? 0 : slot + 1;
        return slot;
    }

    void rebuild(std::size_t slots)
    {
        std::vector<std::uint64_t> hashes(slots);
        std::vector<std::uint32_t> lines(slots);
        m_hashes.swap(hashes);
        m_lines.swap(lines);
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            if (hashes[i] == 0) continue;
            const std::size_t slot = find(hashes[i]);
            m_hashes[slot] = hashes[i];
            m_lines[slot] = lines[i];
        }
    }

    std::vector<std::uint64_t> m_hashes;
    std::vector<std::uint32_t> m_lines;
    std::size_t m_count = 0;
};

} // namespace aiflow
