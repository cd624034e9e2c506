#include "core/store/job_directory.h"

#include "core/base/failpoint.h"
#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/store/owner_lock.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aiflow {

namespace {

constexpr const char* kDescriptionFile = "job.json";
constexpr const char* kLockFile = "lock";
constexpr int kDescriptionVersion = 1;
constexpr Bytes kLargestDescription = mebibytes(16);
// Ids count half minutes from here, so that six digits last until 2039 and sort by time.
constexpr WallTime kFirstId{std::chrono::seconds{1'704'067'200}};
constexpr std::chrono::seconds kIdStep{30};

// Paths are bytes; those that are not UTF-8 would be changed by JSON.
Json jsonFromPath(const std::filesystem::path& path)
{
    const std::string& text = path.native();
    if (isValidUtf8(text)) return text;
    std::string digits;
    for (const char c : text) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return Json{{"hex", digits}};
}

std::filesystem::path pathFromJson(const Json& json)
{
    if (json.is_string()) return json.get<std::string>();
    const auto digits = json.at("hex").get<std::string>();
    std::string text;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        text += static_cast<char>(std::strtol(digits.substr(i, 2).c_str(), nullptr, 16));
    return text;
}

std::string textOf(const JobDescription& job)
{
    const Json json{{"v", kDescriptionVersion},
                    {"id", job.id.text()},
                    {"command", job.command},
                    {"source", job.source},
                    {"started_at", job.startedAt.time_since_epoch().count()},
                    {"version", job.version},
                    {"pipeline", job.pipelineName},
                    {"pipeline_file", jsonFromPath(job.pipelineFile)},
                    {"pipeline_hash", job.pipelineHash.hex()},
                    {"input", jsonFromPath(job.input)},
                    {"input_root", jsonFromPath(job.inputRoot)},
                    {"input_hash", job.inputHash.hex()},
                    {"input_format", job.inputFormat},
                    {"input_encoding", job.inputEncoding},
                    {"output", jsonFromPath(job.output)},
                    {"steps", job.stepNames},
                    {"settings", job.settings}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

ContentHash hashFromJson(const Json& json)
{
    return ContentHash::fromHex(json.get<std::string>()).value_or(ContentHash{});
}

// Throws what the JSON library throws.
JobDescription descriptionFrom(const Json& json)
{
    JobDescription job;
    job.id = JobId(json.at("id").get<std::string>());
    job.command = json.at("command").get<std::string>();
    job.source = json.at("source").get<std::string>();
    job.startedAt = WallTime(std::chrono::microseconds(json.at("started_at").get<std::int64_t>()));
    job.version = json.at("version").get<std::string>();
    job.pipelineName = json.at("pipeline").get<std::string>();
    job.pipelineFile = pathFromJson(json.at("pipeline_file"));
    job.pipelineHash = hashFromJson(json.at("pipeline_hash"));
    job.input = pathFromJson(json.at("input"));
    job.inputRoot = pathFromJson(json.at("input_root"));
    job.inputHash = hashFromJson(json.at("input_hash"));
    job.inputFormat = json.at("input_format").get<std::string>();
    job.inputEncoding = json.at("input_encoding").get<std::string>();
    job.output = pathFromJson(json.at("output"));
    job.stepNames = json.at("steps").get<std::vector<std::string>>();
    job.settings = json.at("settings").get<std::string>();
    return job;
}

Result<JobDescription> readDescription(const std::filesystem::path& folder)
{
    const std::filesystem::path file = folder / kDescriptionFile;
    auto bytes = systemFiles().readFile(file, kLargestDescription);
    if (!bytes) return tl::unexpected(std::move(bytes.error()));
    const auto json = parseJson({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, file.string());
    if (!json) return tl::unexpected(json.error());
    try {
        if (const int version = json->at("v").get<int>(); version > kDescriptionVersion)
            return fail(Reason::Internal, file.string() + " was written by a newer AIFlow", "update AIFlow");
        return descriptionFrom(*json);
    } catch (const std::exception& error) {
        return fail(Reason::InputFileBad, file.string() + " is no job description: " + error.what());
    }
}

bool isId(std::string_view text)
{
    const auto isDigit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return text.size() >= 6 && text.size() <= 16 && std::ranges::all_of(text, isDigit);
}

std::string whatIsRun(const JobId& id) { return "job " + id.text() + " is run"; }

class OwnedJobDirectory final : public JobDirectory {
public:
    OwnedJobDirectory(std::filesystem::path path, JobDescription description, OwnerLock lock)
        : m_path(std::move(path)), m_description(std::move(description)), m_lock(std::move(lock))
    {
    }
    const JobDescription& description() const override { return m_description; }
    const std::filesystem::path& path() const override { return m_path; }

private:
    const std::filesystem::path m_path;
    const JobDescription m_description;
    const OwnerLock m_lock;
};

// Several jobs of one half minute take the next free ones, so that the order stays.
Result<std::filesystem::path> makeJobFolder(const std::filesystem::path& jobs, WallTime start)
{
    const std::int64_t wished = std::max<std::int64_t>((start - kFirstId) / kIdStep, 0);
    for (std::int64_t number = wished; number < wished + 100'000; ++number) {
        const std::filesystem::path folder = jobs / fmt::format("{:06x}", number);
        if (::mkdir(folder.c_str(), 0700) == 0) return folder;
        if (errno != EEXIST)
            return fail(errno == ENOSPC ? Reason::OutputDiskFull : Reason::OutputDenied,
                        "cannot make " + folder.string() + ": " + std::strerror(errno),
                        "check the disk and the permissions, or choose another place with --state-dir");
    }
    return fail(Reason::Internal, "no free job id in " + jobs.string(), "delete old jobs");
}

Result<JobEntry> entryOf(const std::filesystem::path& folder)
{
    auto description = readDescription(folder);
    if (!description) return tl::unexpected(std::move(description.error()));
    return JobEntry{std::move(*description), folder, OwnerLock::owner(folder / kLockFile)};
}

tl::unexpected<Error> notFound(std::string_view asked, const std::filesystem::path& jobs, std::vector<std::string> ids)
{
    std::string hint = "no job has been run yet in " + jobs.parent_path().string();
    if (!ids.empty()) {
        std::vector<std::string> near;
        if (const auto best = nearestWord(asked, ids)) near.push_back(*best);
        std::ranges::sort(ids, std::greater{});
        for (const std::string& id : ids) {
            if (near.size() < 3 && std::ranges::find(near, id) == near.end()) near.push_back(id);
        }
        hint = "near ones: " + join(near, ", ") + "; all: aiflow-cli list";
    }
    return fail(Reason::JobNotFound, "there is no job " + std::string(asked), std::move(hint));
}

std::vector<std::string> idsIn(const std::filesystem::path& jobs)
{
    std::vector<std::string> ids;
    std::error_code problem;
    for (std::filesystem::directory_iterator entry(jobs, problem), end; !problem && entry != end;
         entry.increment(problem)) {
        if (isId(entry->path().filename().string())) ids.push_back(entry->path().filename().string());
    }
    return ids;
}

Result<std::filesystem::path> homeDirectory()
{
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return home;
    std::array<char, 16'384> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr &&
        entry.pw_dir != nullptr && *entry.pw_dir == '/')
        return entry.pw_dir;
    return fail(Reason::ConfigInvalid, "no home directory is known for this user", "give the place with --state-dir");
}

} // namespace

Result<std::filesystem::path> stateDirectory(const std::optional<std::filesystem::path>& override)
{
    std::error_code problem;
    if (override && !override->empty()) return std::filesystem::absolute(*override, problem);
    if (const char* given = std::getenv("AIFLOW_STATE_DIR"); given != nullptr && *given != '\0')
        return std::filesystem::absolute(given, problem);
    // A relative value has no meaning there.
    if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/')
        return std::filesystem::path(xdg) / "aiflow";
    return homeDirectory().map([](const std::filesystem::path& home) { return home / ".local" / "state" / "aiflow"; });
}

// Ids come from the time alone: the folder that is made first decides who has one.
Result<std::unique_ptr<JobDirectory>> JobDirectory::create(const std::filesystem::path& state,
                                                           JobDescription description, const Clock& clock, Random&)
{
    if (auto local = requireLocalDisk(state); !local) return tl::unexpected(std::move(local.error()));
    FileSystem& files = systemFiles();
    const std::filesystem::path jobs = state / "jobs";
    if (auto made = files.makeDirectories(jobs); !made) return tl::unexpected(std::move(made.error()));
    description.startedAt = clock.wall();
    auto folder = makeJobFolder(jobs, description.startedAt);
    if (!folder) return tl::unexpected(std::move(folder.error()));
    description.id = JobId(folder->filename().string());
    auto lock = OwnerLock::take(*folder / kLockFile, whatIsRun(description.id));
    if (!lock) return tl::unexpected(std::move(lock.error()));
    const std::string text = textOf(description);
    auto written = files.makeDirectories(*folder / "spool");
    if (written) written = files.writeDurably(*folder / kDescriptionFile, std::as_bytes(std::span(text)));
    if (written) written = files.syncDirectory(jobs);
    if (!written) return tl::unexpected(std::move(written.error()));
    AIFLOW_FAILPOINT("after_job_json");
    return std::make_unique<OwnedJobDirectory>(std::move(*folder), std::move(description), std::move(*lock));
}

Result<std::unique_ptr<JobDirectory>> JobDirectory::own(const std::filesystem::path& state, const JobId& id)
{
    const std::filesystem::path jobs = state / "jobs";
    const std::filesystem::path folder = jobs / id.text();
    if (!isId(id.text()) || !systemFiles().exists(folder)) return notFound(id.text(), jobs, idsIn(jobs));
    auto lock = OwnerLock::take(folder / kLockFile, whatIsRun(id));
    if (!lock) return tl::unexpected(std::move(lock.error()));
    auto description = readDescription(folder);
    if (!description) return tl::unexpected(std::move(description.error()));
    return std::make_unique<OwnedJobDirectory>(folder, std::move(*description), std::move(*lock));
}

Result<std::vector<JobEntry>> listJobs(const std::filesystem::path& state, std::vector<std::string>* warnings)
{
    std::vector<JobEntry> entries;
    const std::filesystem::path jobs = state / "jobs";
    for (const std::string& id : idsIn(jobs)) {
        auto entry = entryOf(jobs / id);
        if (entry)
            entries.push_back(std::move(*entry));
        else if (warnings != nullptr)
            warnings->push_back("job " + id + " is passed over: " + entry.error().text());
    }
    std::ranges::sort(entries, [](const JobEntry& a, const JobEntry& b) {
        return std::tie(b.description.startedAt, b.description.id) <
               std::tie(a.description.startedAt, a.description.id);
    });
    return entries;
}

Result<JobEntry> findJob(const std::filesystem::path& state, std::string_view idOrPrefix)
{
    const std::filesystem::path jobs = state / "jobs";
    if (idOrPrefix == "last") {
        auto entries = listJobs(state);
        if (!entries) return tl::unexpected(std::move(entries.error()));
        if (entries->empty()) return notFound(idOrPrefix, jobs, {});
        return std::move(entries->front());
    }
    const std::vector<std::string> ids = idsIn(jobs);
    std::vector<std::string> fitting;
    for (const std::string& id : ids) {
        if (id == idOrPrefix) return entryOf(jobs / id);
        if (!idOrPrefix.empty() && id.starts_with(idOrPrefix)) fitting.push_back(id);
    }
    if (fitting.size() == 1) return entryOf(jobs / fitting.front());
    if (fitting.empty()) return notFound(idOrPrefix, jobs, ids);
    std::ranges::sort(fitting, std::greater{});
    const std::size_t shown = std::min<std::size_t>(fitting.size(), 5);
    return fail(Reason::JobNotFound,
                std::to_string(fitting.size()) + " jobs begin with " + std::string(idOrPrefix) + ": " +
                    join(std::span(fitting).first(shown), ", ") + (shown < fitting.size() ? ", ..." : ""),
                "give more digits of the id");
}

} // namespace aiflow
