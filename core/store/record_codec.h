// Small records as bytes: outputs and step states, in the journal and in the result cache.
#pragma once

#include "aiflow/state.h"
#include "core/store/journal.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aiflow {

using ByteBuffer = std::vector<std::uint8_t>;

// One version byte, then per output: port, media type (each with its length), hash, size. Empty list: no bytes.
void encodeOutputs(const std::vector<TaskOutput>& outputs, ByteBuffer& into);
// Nothing when the bytes are no such list.
std::optional<std::vector<TaskOutput>> decodeOutputs(std::span<const std::byte> bytes);

// One byte a step.
std::span<const std::uint8_t> bytesOf(const std::vector<TaskState>& steps) noexcept;
std::vector<TaskState> stepsFrom(std::span<const std::byte> bytes);
// Unknown numbers (of a damaged file) are Queued.
TaskState stateFrom(std::int64_t number) noexcept;

} // namespace aiflow
