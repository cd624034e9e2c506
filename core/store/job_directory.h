// A job's folder: jobs/<id>/{journal.db, spool/, job.json, input.*, pipeline/, feed.sock, log}, and who owns it.
#pragma once

#include "aiflow/result.h"
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/random.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// What job.json says: written once at the start (durably), never changed.
struct JobDescription {
    JobId id;
    std::string command;        // as typed
    std::string source = "cli"; // "cli", "cron", "gui"
    WallTime startedAt{};
    std::string version; // of the program
    std::string pipelineName;
    std::filesystem::path pipelineFile;
    ContentHash pipelineHash;
    std::filesystem::path input;     // as given, absolute
    std::filesystem::path inputRoot; // where relative paths of the rows begin
    ContentHash inputHash;           // of the input's bytes (of a folder: of its listing)
    std::string inputFormat;         // "csv", "jsonl", "folder"
    std::string inputEncoding;       // "UTF-8", "GB18030", ...
    std::filesystem::path output;    // folder for the results, absolute
    std::vector<std::string> stepNames;
    std::string settings; // JSON text: the options that shape the job (--set, --offline, column map, ...)
};

struct OwnerInfo {
    std::int64_t pid = 0;
    std::string host;
    WallTime since{};
};

// $AIFLOW_STATE_DIR, else $XDG_STATE_HOME/aiflow, else ~/.local/state/aiflow; works without HOME (then from the user
// database). `override` (--state-dir) goes first.
Result<std::filesystem::path> stateDirectory(const std::optional<std::filesystem::path>& override);

// The owner's handle: holds an OS lock that the kernel frees when the process dies.
// Threads: one.
class JobDirectory {
public:
    // A new job with a fresh id; startedAt is the clock's now. Refuses network file systems (R-S3). Everything in it is
    // for this user alone.
    static Result<std::unique_ptr<JobDirectory>> create(const std::filesystem::path& state, JobDescription description,
                                                        const Clock& clock, Random& random);
    // Takes over an existing job. JobLocked with pid, host and since when somebody else owns it; JobNotFound.
    static Result<std::unique_ptr<JobDirectory>> own(const std::filesystem::path& state, const JobId& id);
    virtual ~JobDirectory() = default;

    virtual const JobDescription& description() const = 0;
    virtual const std::filesystem::path& path() const = 0;
    std::filesystem::path journalFile() const { return path() / "journal.db"; }
    std::filesystem::path spool() const { return path() / "spool"; }
    std::filesystem::path socket() const { return path() / "feed.sock"; }
    std::filesystem::path logFile() const { return path() / "log"; }
    // Where the input's snapshot and the pipeline's copy live.
    std::filesystem::path inputSnapshot() const { return path() / "input.snapshot"; }
    std::filesystem::path pipelineCopy() const { return path() / "pipeline"; }
};

// Locks an output folder for one job at a time (a hidden lock file; the folder is made when it is absent); JobLocked
// with pid, host, since.
class OutputLock {
public:
    static Result<std::unique_ptr<OutputLock>> take(const std::filesystem::path& output, const JobId& job);
    virtual ~OutputLock() = default;
};

struct JobEntry {
    JobDescription description;
    std::filesystem::path path;
    std::optional<OwnerInfo> owner; // somebody runs it now
};

// Jobs of the state directory, newest first; broken ones are passed over and named in `warnings`.
Result<std::vector<JobEntry>> listJobs(const std::filesystem::path& state,
                                       std::vector<std::string>* warnings = nullptr);
// By id or unambiguous prefix of one; "last" is the newest. JobNotFound names near ones.
Result<JobEntry> findJob(const std::filesystem::path& state, std::string_view idOrPrefix);

} // namespace aiflow
