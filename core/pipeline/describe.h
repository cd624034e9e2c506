// A pipeline for people: as text, as a graph for Mermaid and Graphviz, and drawn with characters.
#pragma once

#include "core/pipeline/pipeline.h"

#include <string>

namespace aiflow {

enum class Language : std::uint8_t { English, Chinese };

// What `pipelines show` prints: columns, parameters, steps with where their inputs come from, outputs.
std::string describePipeline(const Pipeline& pipeline, Language language);
// "$detect.boxes", "$item.image", "2000": a source as an author writes it.
std::string sourceText(const Source& source, const Pipeline& pipeline);
// A `flowchart LR` for Markdown.
std::string toMermaid(const Pipeline& pipeline, Language language);
std::string toDot(const Pipeline& pipeline, Language language);
// One step a line, below the steps it needs, with their names after it.
std::string drawGraph(const Pipeline& pipeline, Language language);

} // namespace aiflow
