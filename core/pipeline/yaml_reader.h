// Reads checked values out of a YAML tree and collects every mistake with its place.
#pragma once

#include "core/pipeline/yaml_tree.h"

#include <chrono>
#include <initializer_list>
#include <optional>
#include <span>

namespace aiflow {

// The mistakes of one file, in the order found.
class Problems {
public:
    Problems(std::string file, Reason reason) : m_file(std::move(file)), m_reason(reason) {}

    void add(YamlPlace place, std::string message, std::string hint = {});
    void add(Error error) { m_errors.push_back(std::move(error)); }
    // `unknown op "hero.compos"; did you mean "hero.compose"?`, or the list of what there is.
    void unknown(YamlPlace place, const std::string& what, const std::string& word,
                 std::span<const std::string> candidates);
    std::size_t count() const noexcept { return m_errors.size(); }
    // The mistakes from number `first` on stand in another file, e.g. a prompt.
    void moveTo(std::size_t first, const SourcePosition& where);
    // From now on messages name no values: a file with keys in it may hold one in the wrong place.
    void hideValues() noexcept { m_hidesValues = true; }
    std::string describe(const YamlNode& node) const;
    bool none() const noexcept { return m_errors.empty(); }
    const std::string& file() const noexcept { return m_file; }
    // By line, then column. Leaves nothing behind.
    std::vector<Error> take();

private:
    std::string m_file;
    Reason m_reason;
    std::vector<Error> m_errors;
    bool m_hidesValues = false;
};

// `; did you mean "x"?` or `; there are: a, b`, or `; there are none`.
std::string suggestion(const std::string& word, std::span<const std::string> candidates);

// One map of a file. Unknown and repeated keys are reported when it is made; wrong types when a key is read.
class MapReader {
public:
    // `what` names the map in messages: `step "detect"`. No `keys`: any key may stand there.
    MapReader(const YamlNode& node, std::string what, std::span<const std::string_view> keys, Problems& problems);

    bool isMap() const noexcept { return m_node.kind == YamlNode::Kind::Map; }
    YamlPlace place() const noexcept { return m_node.place; }
    // Null when absent.
    const YamlEntry* find(std::string_view key) const noexcept;
    // First of each key, in file order.
    std::vector<const YamlEntry*> entries() const;

    // Absent or wrong: the fallback; what is wrong is reported.
    std::string text(std::string_view key, std::string fallback = {}) const;
    bool flag(std::string_view key, bool fallback) const; // true/false, yes/no, on/off
    std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t lowest, std::int64_t highest) const;
    std::optional<double> number(std::string_view key) const;
    std::optional<std::chrono::milliseconds> duration(std::string_view key) const; // 500ms, 30s, 2m, 1h
    std::vector<std::string> texts(std::string_view key) const;                    // a list of texts, or one text
    void wrongType(const YamlEntry& entry, const std::string& expected) const;

private:
    const YamlNode& m_node;
    std::string m_what;
    Problems& m_problems;
};

} // namespace aiflow
