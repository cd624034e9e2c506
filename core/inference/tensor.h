// Numbers on their way to a device and back: plain memory with a shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace aiflow {

enum class ElementType : std::uint8_t { UInt8, Float32 };

using TensorShape = std::vector<std::int64_t>; // without the batch dimension

constexpr std::int64_t elementCount(std::span<const std::int64_t> shape) noexcept
{
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return count;
}

// One input of one model run, packed. Threads: a value; never written once it is handed over.
struct InputTensor {
    TensorShape shape;
    ElementType element = ElementType::UInt8;
    std::vector<std::byte> data;
};

// One output of one model run; shares the memory of its batch.
struct OutputTensor {
    TensorShape shape;
    const float* values = nullptr;
    std::shared_ptr<const void> owner;

    std::span<const float> span() const noexcept { return {values, static_cast<std::size_t>(elementCount(shape))}; }
};

} // namespace aiflow
