#include "core/facade/doctor.h"

#include "aiflow/version.h"
#include "core/base/file_system.h"
#include "core/inference/model_manifest.h"
#include "core/store/sqlite_database.h"

#include <clocale>
#include <cstring>
#include <langinfo.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

using Verdict = DoctorCheck::Verdict;

constexpr Bytes kLittleSpace = gibibytes(2);
constexpr rlim_t kManyFiles = 4096;

DoctorCheck good(std::string name, std::string detail)
{
    return {std::move(name), Verdict::Good, std::move(detail), {}};
}

DoctorCheck from(std::string name, const Error& error, Verdict verdict = Verdict::Bad)
{
    return {std::move(name), verdict, error.text(), error.hint};
}

DoctorCheck stateFolder(const fs::path& state)
{
    const fs::path probe = state / (".doctor-" + std::to_string(::getpid()));
    FileSystem& files = systemFiles();
    if (auto made = files.makeDirectories(state); !made) return from("state directory", made.error());
    if (auto written = files.writeDurably(probe, {}); !written) return from("state directory", written.error());
    (void)files.remove(probe);
    return good("state directory", state.string() + " can be written");
}

DoctorCheck freeSpace(const fs::path& state)
{
    const auto space = systemFiles().freeSpace(state);
    if (!space) return from("free space", space.error());
    if (*space < kLittleSpace)
        return {"free space", Verdict::Warning, toText(*space) + " left in " + state.string(),
                "free some space, or choose another place with --state-dir"};
    return good("free space", toText(*space));
}

DoctorCheck sqlite()
{
    return good("SQLite", sqliteVersion() + ", opened with one writer and no automatic checkpoints");
}

DoctorCheck module(const InstalledFiles& files, const char* file, const char* purpose, const char* package)
{
    std::error_code problem;
    const fs::path path = files.modules / file;
    if (fs::is_regular_file(path, problem)) return good(std::string("module ") + file, purpose);
    return {std::string("module ") + file, Verdict::Bad, path.string() + " is missing: no " + purpose,
            std::string("build or install it (needs ") + package + ")"};
}

void addModels(const InstalledFiles& files, std::vector<DoctorCheck>& checks)
{
    const auto manifest = ModelManifest::open({files.models()});
    if (!manifest) {
        checks.push_back(from("models", manifest.error()));
        return;
    }
    for (const ModelEntry& model : (*manifest)->all()) {
        const auto verified = (*manifest)->verify(model);
        checks.push_back(verified ? good("model " + model.name, model.file + ", sum verified")
                                  : from("model " + model.name, verified.error()));
    }
}

DoctorCheck locale()
{
    const char* set = std::setlocale(LC_CTYPE, "");
    const std::string coding = ::nl_langinfo(CODESET);
    if (set != nullptr && coding == "UTF-8") return good("locale", std::string(set));
    return {"locale", Verdict::Warning, "the locale is not UTF-8 (" + coding + "): the terminal gets plain characters",
            "export LC_ALL=C.UTF-8"};
}

DoctorCheck openFiles()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= kManyFiles) return good("open files", "up to " + std::to_string(limit.rlim_max));
    return {"open files", Verdict::Warning, "at most " + std::to_string(limit.rlim_max), "ulimit -n 16384"};
}

} // namespace

std::vector<DoctorCheck> checkEnvironment(const InstalledFiles& files, const fs::path& state)
{
    std::vector<DoctorCheck> checks;
    checks.push_back(good("AIFlow", std::string(kVersion) + ", resources in " + files.share.string()));
    checks.push_back(good("processor", std::to_string(std::thread::hardware_concurrency()) + " cores"));
    checks.push_back(stateFolder(state));
    checks.push_back(freeSpace(state));
    checks.push_back(sqlite());
    checks.push_back(module(files, "aiflow_vision.so", "pictures can be read and written", "OpenCV"));
    checks.push_back(module(files, "aiflow_hero.so", "hero pictures", "OpenCV"));
    checks.push_back(module(files, "aiflow_torch.so", "neural networks", "LibTorch"));
    addModels(files, checks);
    checks.push_back(locale());
    checks.push_back(openFiles());
    return checks;
}

} // namespace aiflow
