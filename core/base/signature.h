// What an op or a model takes and gives: names and types of ports, known without loading any code.
#pragma once

#include "core/base/json_fwd.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// The type of a value that travels along an edge of the pipeline.
enum class PortType : std::uint8_t {
    Any,
    Text,
    Number,
    Boolean,
    Json,   // any JSON value; accepts Text, Number, Boolean, Boxes, Vector
    Image,  // decoded pixels (compute/image.h)
    Mask,   // decoded pixels, one channel, 0..255 = how much of the pixel is the product
    Boxes,  // JSON: {"boxes":[{"x1","y1","x2","y2","score","label"}...]}, in pixels of the input image
    Vector, // JSON array of numbers
    File,   // encoded bytes with a media type (an image column's file, an op's PNG)
    List,   // what a for_each step gives
};

std::string_view name(PortType type) noexcept; // "image"
std::optional<PortType> portTypeFromName(std::string_view name) noexcept;
// May a value of type `from` be put into a port of type `to`? (File into Image: no, the loader inserts image.load.)
bool accepts(PortType to, PortType from) noexcept;

struct Port {
    std::string name;
    PortType type = PortType::Any;
    bool required = true;    // inputs only
    bool persistent = false; // outputs only: worth keeping on disk (answers, model results)
};

struct Parameter {
    std::string name;
    PortType type = PortType::Any;            // Text, Number, Boolean or Json
    std::shared_ptr<const Json> defaultValue; // null: must be given
    std::string description;
};

// One op or model. `version` is raised whenever the same inputs can give another result: it is part of every cache key.
struct Signature {
    std::string name; // "hero.compose", "detector"
    std::string version;
    std::vector<Port> inputs;
    std::vector<Port> outputs;
    std::vector<Parameter> params;
    std::string description;

    const Port* input(std::string_view portName) const noexcept;
    const Port* output(std::string_view portName) const noexcept;
    const Parameter* param(std::string_view paramName) const noexcept;
};

} // namespace aiflow
