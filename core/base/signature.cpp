#include "core/base/signature.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

constexpr std::array<std::string_view, 11> kNames{"any",  "text",  "number", "boolean", "json", "image",
                                                  "mask", "boxes", "vector", "file",    "list"};

template <typename Entries> auto findNamed(const Entries& entries, std::string_view wanted) noexcept
{
    const auto it = std::ranges::find_if(entries, [&](const auto& entry) { return entry.name == wanted; });
    return it == entries.end() ? nullptr : &*it;
}

bool isJson(PortType type) noexcept
{
    return type == PortType::Text || type == PortType::Number || type == PortType::Boolean || type == PortType::Json ||
           type == PortType::Boxes || type == PortType::Vector;
}

} // namespace

std::string_view name(PortType type) noexcept { return kNames[static_cast<std::size_t>(type)]; }

std::optional<PortType> portTypeFromName(std::string_view wanted) noexcept
{
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i] == wanted) return static_cast<PortType>(i);
    return std::nullopt;
}

bool accepts(PortType to, PortType from) noexcept
{
    if (to == from || to == PortType::Any || from == PortType::Any) return true;
    if (to == PortType::Json) return isJson(from);
    // A field of an answer is JSON of a shape that only the run can tell: the op checks the value.
    return from == PortType::Json && isJson(to);
}

const Port* Signature::input(std::string_view portName) const noexcept { return findNamed(inputs, portName); }

const Port* Signature::output(std::string_view portName) const noexcept { return findNamed(outputs, portName); }

const Parameter* Signature::param(std::string_view paramName) const noexcept { return findNamed(params, paramName); }

} // namespace aiflow
