#include "core/pipeline/yaml_tree.h"

#include "core/base/json.h"
#include "core/base/text.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace aiflow {

namespace {

constexpr std::size_t kMaxBytes = 1024 * 1024;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100'000;

struct Refused {
    YamlPlace place;
    std::string message;
};

YamlPlace placeOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

class TreeBuilder final : public YAML::EventHandler {
public:
    YamlPtr root() const { return m_root; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        auto node = open(mark, YamlNode::Kind::Null);
        // Nothing stands nowhere: its key is the place to look at.
        if (!m_stack.empty() && m_stack.back().entry) node->place = m_stack.back().entry->place;
        finish({std::move(node), anchor, 1, {}});
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        const auto known = m_anchors.find(anchor);
        if (known == m_anchors.end()) throw Refused{placeOf(mark), "an alias stands inside the value that it names"};
        count(known->second.size, placeOf(mark));
        put(known->second.node, known->second.size, placeOf(mark));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override
    {
        auto node = open(mark, YamlNode::Kind::Scalar);
        node->text = text;
        node->quoted = tag != "?" && !tag.empty();
        finish({std::move(node), anchor, 1, {}});
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        push(mark, YamlNode::Kind::List, anchor);
    }
    void OnSequenceEnd() override { pop(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override
    {
        push(mark, YamlNode::Kind::Map, anchor);
    }
    void OnMapEnd() override { pop(); }

private:
    struct Frame {
        std::shared_ptr<YamlNode> node;
        YAML::anchor_t anchor = 0;
        std::size_t size = 1;
        std::optional<YamlEntry> entry; // a key whose value has not come yet
    };
    struct Anchored {
        YamlPtr node;
        std::size_t size = 0;
    };

    std::shared_ptr<YamlNode> open(const YAML::Mark& mark, YamlNode::Kind kind)
    {
        count(1, placeOf(mark));
        auto node = std::make_shared<YamlNode>();
        node->kind = kind;
        node->place = placeOf(mark);
        return node;
    }
    void count(std::size_t nodes, YamlPlace place)
    {
        m_nodes += nodes;
        if (m_nodes > kMaxNodes)
            throw Refused{place, "more than 100,000 values (aliases counted with what they stand for)"};
    }
    void push(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor)
    {
        if (m_stack.size() >= kMaxDepth) throw Refused{placeOf(mark), "nested deeper than 64 levels"};
        m_stack.push_back({open(mark, kind), anchor, 1, {}});
    }
    void pop()
    {
        Frame frame = std::move(m_stack.back());
        m_stack.pop_back();
        finish(std::move(frame));
    }
    void finish(Frame frame)
    {
        const YamlPlace place = frame.node->place;
        if (frame.anchor != 0) m_anchors[frame.anchor] = {frame.node, frame.size};
        put(std::move(frame.node), frame.size, place);
    }
    void put(YamlPtr node, std::size_t size, YamlPlace place)
    {
        if (m_stack.empty()) {
            m_root = std::move(node);
            return;
        }
        Frame& parent = m_stack.back();
        parent.size += size;
        if (parent.node->kind == YamlNode::Kind::List) {
            parent.node->elements.push_back(std::move(node));
        } else if (parent.entry) {
            parent.entry->value = std::move(node);
            parent.node->entries.push_back(*std::exchange(parent.entry, std::nullopt));
        } else {
            if (node->kind != YamlNode::Kind::Scalar) throw Refused{place, "a key must be a word"};
            parent.entry = YamlEntry{node->text, place, nullptr};
        }
    }

    YamlPtr m_root;
    std::vector<Frame> m_stack;
    std::unordered_map<YAML::anchor_t, Anchored> m_anchors;
    std::size_t m_nodes = 0;
};

tl::unexpected<Error> refuse(const std::string& file, YamlPlace place, Reason reason, std::string message)
{
    return failAt({file, place.line, place.column, -1}, reason, std::move(message));
}

bool isIndentedByTab(std::string_view text, std::int64_t line)
{
    while (--line > 0 && !text.empty()) text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
    return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

std::optional<Json> plainNumber(const std::string& text)
{
    const char* first = text.data();
    const char* last = first + text.size();
    if (text.find_first_not_of("+-.0123456789eE") != std::string::npos) return std::nullopt;
    if (*first == '+') ++first;
    std::int64_t whole = 0;
    if (const auto [end, error] = std::from_chars(first, last, whole); error == std::errc{} && end == last)
        return Json(whole);
    double number = 0;
    const auto [end, error] = std::from_chars(first, last, number);
    if (error == std::errc{} && end == last && std::isfinite(number)) return Json(number);
    return std::nullopt;
}

Json scalarToJson(const YamlNode& node)
{
    const std::string& text = node.text;
    if (node.quoted || text.empty()) return text;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    return plainNumber(text).value_or(Json(text));
}

} // namespace

Result<YamlPtr> parseYaml(std::string_view text, const std::string& fileName, Reason reason)
{
    if (text.size() > kMaxBytes) return refuse(fileName, {}, reason, "the file is larger than 1 MiB");
    if (!isValidUtf8(text)) return refuse(fileName, {}, reason, "the file is not UTF-8 text");
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        TreeBuilder builder;
        parser.HandleNextDocument(builder);
        TreeBuilder rest;
        if (parser.HandleNextDocument(rest) && rest.root() != nullptr)
            return refuse(fileName, rest.root()->place, reason, "a second document; one file holds one");
        if (builder.root()) return builder.root();
        auto nothing = std::make_shared<YamlNode>();
        nothing->place = {1, 1};
        return nothing;
    } catch (const Refused& refused) {
        return refuse(fileName, refused.place, reason, refused.message);
    } catch (const YAML::Exception& error) {
        const YamlPlace place = placeOf(error.mark);
        const bool tab = isIndentedByTab(text, place.line);
        return refuse(fileName, place, reason,
                      tab ? "a tab indents this line; YAML takes spaces only" : "not valid YAML: " + error.msg);
    } catch (const std::exception& error) {
        return refuse(fileName, {}, reason, std::string("not valid YAML: ") + error.what());
    }
}

Json yamlToJson(const YamlNode& node)
{
    switch (node.kind) {
    case YamlNode::Kind::Null:
        return nullptr;
    case YamlNode::Kind::Scalar:
        return scalarToJson(node);
    case YamlNode::Kind::List: {
        Json list = Json::array();
        for (const YamlPtr& element : node.elements) list.push_back(yamlToJson(*element));
        return list;
    }
    case YamlNode::Kind::Map:
        break;
    }
    Json map = Json::object();
    for (const YamlEntry& entry : node.entries) map[entry.key] = yamlToJson(*entry.value);
    return map;
}

std::string yamlToText(const YamlNode& node)
{
    std::vector<std::string> parts;
    switch (node.kind) {
    case YamlNode::Kind::Null:
        return "null";
    case YamlNode::Kind::Scalar:
        return node.text;
    case YamlNode::Kind::List:
        for (const YamlPtr& element : node.elements) parts.push_back(yamlToText(*element));
        return "[" + join(parts, ", ") + "]";
    case YamlNode::Kind::Map:
        break;
    }
    for (const YamlEntry& entry : node.entries) parts.push_back(entry.key + ": " + yamlToText(*entry.value));
    return parts.empty() ? "{}" : "{ " + join(parts, ", ") + " }";
}

std::string describeYaml(const YamlNode& node)
{
    switch (node.kind) {
    case YamlNode::Kind::Null:
        return "nothing";
    case YamlNode::Kind::List:
        return "a list";
    case YamlNode::Kind::Map:
        return "a map";
    case YamlNode::Kind::Scalar:
        break;
    }
    return '"' + cutToWidth(node.text, 40) + '"';
}

} // namespace aiflow
