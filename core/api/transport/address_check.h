// Which addresses a fetch of somebody else's URL may reach: the public internet's, nothing of ours.
#pragma once

#include <span>
#include <string>
#include <string_view>

struct sockaddr;

namespace aiflow {

// False for loopback, private, link-local, shared (CGNAT), metadata, multicast, documentation and reserved addresses,
// in IPv4 and in every IPv6 form that carries such an IPv4 address (mapped, NAT64, 6to4, ISATAP); false for other
// families.
bool isPublicAddress(const sockaddr& address) noexcept;
bool isPublicAddress(std::string_view numeric) noexcept; // "169.254.169.254", "fe80::1"; false for anything else
std::string addressText(const sockaddr& address);        // "127.0.0.1"; "?" for other families
// `trusted` names "host" (any port) or "host:port".
bool isTrustedHost(std::span<const std::string> trusted, std::string_view host, int port);

} // namespace aiflow
