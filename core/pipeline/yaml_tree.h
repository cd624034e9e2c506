// A YAML text as a tree of plain values that knows where everything stands. yaml-cpp stays behind it.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

struct YamlNode;
using YamlPtr = std::shared_ptr<const YamlNode>;

// Lines and columns count from 1.
struct YamlPlace {
    std::int64_t line = 0;
    std::int64_t column = 0;
};

struct YamlEntry {
    std::string key;
    YamlPlace place; // of the key
    YamlPtr value;   // never null
};

struct YamlNode {
    enum class Kind : std::uint8_t { Null, Scalar, List, Map };
    Kind kind = Kind::Null;
    bool quoted = false; // a scalar that can be nothing but text
    std::string text;    // of a scalar
    YamlPlace place;
    std::vector<YamlPtr> elements;  // of a list
    std::vector<YamlEntry> entries; // of a map, in file order, duplicates kept
};

// At most 1 MiB, 64 levels and 100,000 values after aliases are put in. An empty text is a Null node.
// Error: `reason` with file, line and column.
Result<YamlPtr> parseYaml(std::string_view text, const std::string& fileName, Reason reason);

// Plain null, true, false and numbers become JSON's; everything else is text. The last of two equal keys wins.
Json yamlToJson(const YamlNode& node);
// One line, as an author would write it: "{ equals: [$item.kind, shoe] }".
std::string yamlToText(const YamlNode& node);
// "a list", "a map", "the text \"abc\"": for messages.
std::string describeYaml(const YamlNode& node);

} // namespace aiflow
