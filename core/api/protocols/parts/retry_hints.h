// When a provider says that a call may be made again, in all the forms that they use.
#pragma once

#include "core/api/protocols/protocol.h"

#include <optional>
#include <string_view>

namespace aiflow {

// "1s", "6m0s", "20ms", "1h2m", "1.5s", or bare seconds ("0.5"); nothing for anything else.
std::optional<std::chrono::milliseconds> spanFrom(std::string_view text);
// "Sun, 22 Nov 2026 14:00:05 GMT" or "2026-11-22T14:00:05Z" (a fraction and an offset are understood).
std::optional<WallTime> momentFrom(std::string_view text);
// What the headers tell: retry-after-ms, retry-after (whole or decimal seconds, or a date against the answer's own),
// x-ratelimit-reset-*, anthropic-ratelimit-*-reset. Nonsense, nothing, and more than 31 days are no hints.
std::optional<std::chrono::milliseconds> hintOf(const HttpEnd& end);
// What the words of an error tell: "Please try again in 1.5s".
std::optional<std::chrono::milliseconds> hintInWords(std::string_view message);

} // namespace aiflow
