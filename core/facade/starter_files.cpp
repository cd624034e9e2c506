#include "core/facade/starter_files.h"

#include "core/base/file_system.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

constexpr Bytes kLargest = mebibytes(1);

struct Example {
    std::string_view kind;
    std::string_view file;
};

constexpr std::array<Example, 3> kExamples{{{"crontab", "aiflow.crontab"},
                                            {"systemd-service", "aiflow-batch.service"},
                                            {"systemd-timer", "aiflow-batch.timer"}}};

} // namespace

Result<InitSummary> writeStarterFiles(const InstalledFiles& files, const fs::path& folder)
{
    const fs::path starter = files.share / "starter";
    std::error_code problem;
    if (!fs::is_directory(starter, problem))
        return fail(Reason::ConfigInvalid, starter.string() + " is missing", "install AIFlow again");
    std::vector<fs::path> names;
    for (const auto& entry : fs::recursive_directory_iterator(starter, fs::directory_options::follow_directory_symlink))
        if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(starter));
    std::ranges::sort(names);
    InitSummary summary;
    for (const fs::path& name : names) {
        const fs::path target = folder / name;
        if (systemFiles().exists(target)) {
            summary.kept.push_back(target);
            continue;
        }
        fs::create_directories(target.parent_path(), problem);
        if (auto copied = systemFiles().copyAtomically(starter / name, target); !copied)
            return tl::unexpected(copied.error());
        summary.written.push_back(target);
    }
    return summary;
}

Result<std::string> exampleText(const InstalledFiles& files, std::string_view kind)
{
    std::vector<std::string> kinds;
    for (const Example& example : kExamples) {
        kinds.emplace_back(example.kind);
        if (example.kind != kind) continue;
        const auto bytes = systemFiles().readFile(files.examples() / example.file, kLargest);
        if (!bytes) return tl::unexpected(bytes.error());
        return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    }
    return fail(Reason::UsageInvalid, "no example \"" + std::string(kind) + "\"", "there are: " + join(kinds, ", "));
}

} // namespace aiflow
