#include "core/api/transport/address_check.h"

#include "core/api/transport/ascii.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace aiflow {

namespace {

struct Range4 {
    std::uint32_t network;
    int bits;
};

constexpr std::uint32_t ip4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d)
{
    return (a << 24U) | (b << 16U) | (c << 8U) | d;
}

constexpr std::array kClosed4 = {
    Range4{ip4(0, 0, 0, 0), 8},        Range4{ip4(10, 0, 0, 0), 8},     Range4{ip4(100, 64, 0, 0), 10},
    Range4{ip4(127, 0, 0, 0), 8},      Range4{ip4(169, 254, 0, 0), 16}, Range4{ip4(172, 16, 0, 0), 12},
    Range4{ip4(192, 0, 0, 0), 24},     Range4{ip4(192, 0, 2, 0), 24},   Range4{ip4(192, 88, 99, 0), 24},
    Range4{ip4(192, 168, 0, 0), 16},   Range4{ip4(198, 18, 0, 0), 15},  Range4{ip4(198, 51, 100, 0), 24},
    Range4{ip4(203, 0, 113, 0), 24},   Range4{ip4(224, 0, 0, 0), 3}, // multicast, reserved, broadcast
    Range4{ip4(168, 63, 129, 16), 32},                               // a cloud's own service on a public address
};

bool isPublic4(std::uint32_t address) noexcept
{
    return std::none_of(kClosed4.begin(), kClosed4.end(),
                        [&](const Range4& range) { return ((address ^ range.network) >> (32 - range.bits)) == 0; });
}

using Bytes16 = std::array<std::uint8_t, 16>;

std::uint32_t word(const Bytes16& bytes, std::size_t at)
{
    return ip4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

// The IPv6 addresses that stand for an IPv4 address are as public as that one.
bool isPublic6(const Bytes16& bytes) noexcept
{
    const std::uint32_t first = word(bytes, 0), second = word(bytes, 4), third = word(bytes, 8), last = word(bytes, 12);
    if (first == 0 && second == 0 && third == 0x0000FFFFU) return isPublic4(last);     // mapped
    if (first == 0x0064FF9BU && second == 0 && third == 0) return isPublic4(last);     // NAT64
    if ((first >> 29U) != 1) return false;                                             // not 2000::/3
    if ((first >> 16U) == 0x2002U) return isPublic4((first << 16U) | (second >> 16U)); // 6to4
    if ((first >> 9U) == (0x20010000U >> 9U)) return false;               // 2001::/23: Teredo, ORCHID, benchmarks
    if (first == 0x20010DB8U || (first >> 12U) == 0x3FFF0U) return false; // documentation
    if ((third & 0xFDFFFFFFU) == 0x00005EFEU) return isPublic4(last);     // ISATAP
    return true;
}

Bytes16 bytesOf(const in6_addr& address)
{
    Bytes16 bytes{};
    std::memcpy(bytes.data(), &address, bytes.size());
    return bytes;
}

template <typename Address> Address as(const sockaddr& address)
{
    Address copy{};
    std::memcpy(&copy, &address, sizeof copy);
    return copy;
}

} // namespace

bool isPublicAddress(const sockaddr& address) noexcept
{
    if (address.sa_family == AF_INET) return isPublic4(ntohl(as<sockaddr_in>(address).sin_addr.s_addr));
    if (address.sa_family == AF_INET6) return isPublic6(bytesOf(as<sockaddr_in6>(address).sin6_addr));
    return false;
}

bool isPublicAddress(std::string_view numeric) noexcept
{
    const std::string text(numeric.substr(0, numeric.find('%')));
    in_addr four{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return isPublic4(ntohl(four.s_addr));
    in6_addr six{};
    return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && isPublic6(bytesOf(six));
}

std::string addressText(const sockaddr& address)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    const char* done = nullptr;
    if (address.sa_family == AF_INET) {
        const auto four = as<sockaddr_in>(address);
        done = ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    } else if (address.sa_family == AF_INET6) {
        const auto six = as<sockaddr_in6>(address);
        done = ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    }
    return done == nullptr ? "?" : done;
}

bool isTrustedHost(std::span<const std::string> trusted, std::string_view host, int port)
{
    const std::string bare(host);
    const std::string brackets = bare.find(':') == std::string::npos ? bare : "[" + bare + "]";
    const std::string full = brackets + ":" + std::to_string(port);
    return std::any_of(trusted.begin(), trusted.end(), [&](const std::string& wished) {
        const std::string name = lowerAscii(wished);
        return name == bare || name == brackets || name == full;
    });
}

} // namespace aiflow
