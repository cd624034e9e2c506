// Ops, models and routes for tests of the pipeline.
#pragma once

#include "core/base/json.h"
#include "core/pipeline/loader.h"

#include <algorithm>
#include <string>
#include <vector>

namespace aiflow::test {

class TestCatalog final : public StepCatalog {
public:
    TestCatalog()
    {
        const auto fixed = [](Json value) { return std::make_shared<const Json>(std::move(value)); };
        ops = {
            {"image.load", "1", {{"file", PortType::File}}, {{"image", PortType::Image}}, {}, ""},
            {"image.save", "1", {{"image", PortType::Image}}, {{"file", PortType::File}}, {}, ""},
            {"hero.compose",
             "3",
             {{"image", PortType::Image}, {"mask", PortType::Mask}, {"scene", PortType::Image, false}},
             {{"image", PortType::Image}, {"report", PortType::Json}},
             {{"canvas", PortType::Number, fixed(2000), ""}, {"background", PortType::Text, fixed("white"), ""}},
             ""},
            {"text.join",
             "1",
             {{"a", PortType::Text}, {"b", PortType::Text, false}},
             {{"text", PortType::Text}},
             {},
             ""},
            {"list.join", "1", {{"values", PortType::List}}, {{"value", PortType::Json}}, {}, ""},
            {"both", "1", {{"file", PortType::File}, {"image", PortType::Image}}, {{"value", PortType::Json}}, {}, ""},
            {"file.note", "1", {{"file", PortType::File}}, {{"value", PortType::Json}}, {}, ""},
            {"pass", "1", {{"value", PortType::Any, false}}, {{"value", PortType::Any}}, {}, ""},
            {"number.scale",
             "1",
             {{"value", PortType::Number}},
             {{"value", PortType::Number}},
             {{"by", PortType::Number, nullptr, ""}, {"round", PortType::Boolean, fixed(false), ""}},
             ""},
        };
        models = {
            {"detector", "7", {{"image", PortType::Image}}, {{"boxes", PortType::Boxes}}, {}, ""},
            {"segmenter",
             "2",
             {{"image", PortType::Image}, {"boxes", PortType::Boxes, false}},
             {{"mask", PortType::Mask}},
             {},
             ""},
        };
    }
    const Signature* findOp(std::string_view name) const override { return find(ops, name); }
    const Signature* findModel(std::string_view name) const override { return find(models, name); }
    bool hasRoute(std::string_view name) const override { return std::ranges::find(routes, name) != routes.end(); }
    std::string routeKind(std::string_view name) const override { return std::string(name); }
    std::string routeIdentity(std::string_view name) const override { return std::string(name) + identity; }
    std::vector<std::string> opNames() const override { return names(ops); }
    std::vector<std::string> modelNames() const override { return names(models); }
    std::vector<std::string> routeNames() const override { return routes; }

    std::vector<Signature> ops;
    std::vector<Signature> models;
    std::vector<std::string> routes{"text", "image"};
    std::string identity = "/1";

private:
    static const Signature* find(const std::vector<Signature>& all, std::string_view name)
    {
        const auto found = std::ranges::find(all, name, &Signature::name);
        return found == all.end() ? nullptr : &*found;
    }
    static std::vector<std::string> names(const std::vector<Signature>& all)
    {
        std::vector<std::string> found;
        for (const Signature& one : all) found.push_back(one.name);
        return found;
    }
};

inline constexpr const char* kHead =
    "aiflow: 1\n"
    "name: t\n"
    "input:\n"
    "  id: sku\n"
    "  columns:\n"
    "    title: { type: text, required: true }\n"
    "    image: { type: image, required: true }\n"
    "    width: { type: number, min: 0 }\n"
    "params: { canvas: 2000, style: { tone: warm } }\n"; // nine lines; steps begin on 10

inline Result<Pipeline> load(const TestCatalog& catalog, const std::string& text, LoadOptions options = {},
                             std::vector<Error>* all = nullptr,
                             const std::filesystem::path& folder = AIFLOW_SOURCE_DIR "/tests/core/pipeline/data")
{
    return parsePipeline(text, folder, "p.yaml", catalog, options, all);
}

} // namespace aiflow::test
