// What the offline lane answers: pure functions of the request.
#pragma once

#include "core/api/api_lane.h"

namespace aiflow {

// {"text": ...} made from the prompt, or an object that fits `request["schema"]`.
Json offlineText(const Json& request, std::uint64_t seed);
// A value that fits the schema as far as type, properties, enum, const, items, limits, formats and local $ref go.
Json offlineValue(const Json& schema, const std::string& words, std::uint64_t seed);
// An SVG of "WIDTHxHEIGHT" pixels: a calm backdrop, the label "offline" and the prompt's first words.
std::string offlinePicture(const std::string& prompt, const std::string& size, std::uint64_t seed);
// The first words of a prompt, at most `cells` wide, on one line.
std::string firstWords(const std::string& prompt, int cells);

} // namespace aiflow
