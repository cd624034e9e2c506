// A temporary folder of models for tests: files with any bytes and a models.json that fits them.
#pragma once

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/compute/value.h"

#include <filesystem>
#include <fstream>
#include <QTemporaryDir>
#include <string>

namespace aiflow {

class ModelsFolder {
public:
    std::filesystem::path path() const { return m_folder.path().toStdString(); }

    void writeFile(const std::string& name, const std::string& bytes) const
    {
        std::filesystem::create_directories((path() / name).parent_path());
        std::ofstream(path() / name, std::ios::binary) << bytes;
    }
    // An entry that may be run: `bytes` are written, the sum is theirs.
    Json& add(const std::string& name, const std::string& family, const std::string& bytes = "weights")
    {
        writeFile(name + ".pt", bytes);
        m_models.push_back({{"name", name},
                            {"family", family},
                            {"file", name + ".pt"},
                            {"sha256", sha256(std::string_view(bytes)).hex()},
                            {"licence", "CC0-1.0"},
                            {"version", "1"},
                            {"input", {{"width", 8}, {"height", 8}}}});
        return m_models.back();
    }
    void writeManifest() const { writeFile("models.json", Json{{"aiflow_models", 1}, {"models", m_models}}.dump(2)); }

private:
    QTemporaryDir m_folder;
    Json m_models = Json::array();
};

// One colour everywhere.
inline Image plainImage(int width, int height, int red, int green, int blue)
{
    NewImage made = makeImage(width, height, PixelFormat::Rgb8);
    for (int i = 0; i < width * height; ++i) {
        made.pixels[3 * i] = static_cast<std::uint8_t>(red);
        made.pixels[3 * i + 1] = static_cast<std::uint8_t>(green);
        made.pixels[3 * i + 2] = static_cast<std::uint8_t>(blue);
    }
    return made.image;
}

} // namespace aiflow
