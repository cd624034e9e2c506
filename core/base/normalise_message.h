// One text for all failures of a kind: what differs from item to item is taken out of a message.
#pragma once

#include <string>
#include <string_view>

namespace aiflow {

// Numbers become <n>, quoted names <name>, paths and file names <path>, addresses <url> or <address>, generated ids
// <id>; runs of spaces become one. Doing it twice changes nothing. At most 400 bytes remain. English and Chinese alike.
std::string normaliseMessage(std::string_view message);

} // namespace aiflow
