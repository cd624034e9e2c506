// The cli's half of the front door: start, resume or retry a job and run it in this process.
#pragma once

#include "aiflow/messages.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

enum class LogDetail : std::uint8_t { Quiet, Normal, Verbose, Everything };

// Where the program finds and leaves things; every field has a sensible default.
struct Surroundings {
    std::optional<std::filesystem::path> stateDirectory; // --state-dir
    std::optional<std::filesystem::path> configFile;     // --config; default: ./aiflow.yaml if there is one
    std::optional<std::filesystem::path> resources;      // shipped pipelines, models, samples; default: found by itself
    std::optional<std::filesystem::path> logFile;        // also to this file
    bool logAsJson = false;
    LogDetail detail = LogDetail::Normal;
};

struct BatchRequest {
    std::filesystem::path input;                    // CSV, JSONL, a folder of pictures, or "-" for standard input
    std::optional<std::string> pipeline;            // name of a shipped one, or a file
    std::optional<std::filesystem::path> output;    // folder; default: aiflow.yaml's, else ./out
    std::optional<std::filesystem::path> inputRoot; // where relative paths of rows begin; default: the input's folder
    std::optional<std::string> encoding;            // "GB18030"; default: detected
    std::optional<char> delimiter;                  // default: detected
    std::vector<std::pair<std::string, std::string>> columnMap; // --map title=商品标题
    std::vector<std::pair<std::string, std::string>> set;       // --set canvas=1600
    bool offline = false; // no remote call: api steps are answered by the offline stand-ins
    bool fresh = false;   // use no earlier results
    bool strict = false;  // refuse a file with bad rows
    bool failFast = false;
    std::optional<std::int64_t> maxFailures;
    std::optional<double> maxFailurePercent;
    std::optional<int> cores;
    std::optional<std::int64_t> memoryBytes; // for decoded values
    std::optional<std::int32_t> priority;    // smaller is more urgent; 5 is usual
    std::optional<std::string> budget;       // "60CNY": what the whole job may cost; default: the configuration's
    // A remote service that stops answering makes work wait. The job ends early (exit code 5, resumable) at once, or
    // when a service was away for so long; default: it waits.
    bool stopOnOutage = false;
    std::optional<std::chrono::milliseconds> maxWait;
    std::string commandLine;    // as typed, for the record
    std::string source = "cli"; // "cli", "cron", "gui"
};

struct RetrySelection {
    std::vector<std::string>
        reasons; // codes such as "input.image_missing"; "input.*" fits the class; empty: every failure
    std::vector<std::string> items; // ids; empty: all
    std::optional<std::int64_t> limit;
};

// What is known before the first task starts.
struct Preparation {
    std::string job;
    bool resumed = false;       // an unfinished job goes on
    std::string leftBehind;     // an unfinished job of this output folder that was not resumed, with the reason
    std::string pipeline;       // name
    std::string pipelineChoice; // why this one, one sentence; empty when it was asked for
    std::vector<std::string> steps;
    std::string input;       // as given
    std::string inputFormat; // "csv", "jsonl", "folder"
    std::string encoding;
    std::int64_t columns = 0;
    std::int64_t total = 0; // items
    std::int64_t badRows = 0;
    std::vector<Error> badRowSamples;
    std::vector<std::pair<std::string, std::string>> columnMap; // pipeline's column, file's header
    std::filesystem::path output;
    std::filesystem::path log;
    std::vector<std::string> notes; // warnings worth a line
    double rehearsalSpeed = 0;      // of a rehearsal: how many times life speed; else 0
};

// Told while a large input is checked: rows so far.
using CheckProgress = std::function<void(std::int64_t rows)>;

struct RehearsalReport; // aiflow/rehearsal.h

struct JobReport {
    JobSnapshot snapshot;                     // the last one
    int exitCode = 0;                         // ux.md 1.3
    std::vector<std::filesystem::path> files; // results.csv, failures.csv as far as they were written
    std::int64_t resultFiles = 0;
    std::optional<Error> cause; // why it stopped by itself
    std::int64_t tasksRun = 0;
    std::int64_t tasksReused = 0;
    std::int64_t recomputed = 0;
    std::shared_ptr<const RehearsalReport> rehearsal; // of a rehearsal; null otherwise
};

// A job that this process owns.
// Threads: run() on one thread; the others from any, also from a signal-watching thread.
class JobSession {
public:
    // Checks everything (pipeline, configuration, the whole input), then makes or takes over the job's folder. Nothing
    // ran yet. Errors: UsageInvalid, PipelineInvalid, ConfigInvalid, InputFileBad, InputFieldMissing (columns),
    // ProviderAuth, JobLocked, OutputDenied.
    static Result<std::unique_ptr<JobSession>> batch(const Surroundings& surroundings, const BatchRequest& request,
                                                     const CheckProgress& progress = {});
    // Goes on with an interrupted job. JobChanged when its input or pipeline is not the same any more.
    static Result<std::unique_ptr<JobSession>> resume(const Surroundings& surroundings, const std::string& job,
                                                      const BatchRequest& options);
    // Failed items again, in the same job. UsageInvalid when the selection is empty.
    static Result<std::unique_ptr<JobSession>> retry(const Surroundings& surroundings, const std::string& job,
                                                     const RetrySelection& selection, const BatchRequest& options);
    virtual ~JobSession() = default;

    virtual const Preparation& preparation() const = 0;
    // Blocks until the job ended or was stopped. `onEvent` gets every numbered event, on threads of the engine.
    virtual Result<JobReport> run(std::function<void(const EventLine&)> onEvent) = 0;
    virtual JobSnapshot snapshot() const = 0;
    virtual EventLine progressLine() const = 0;
    // First call: no new work, what runs finishes. With `now`: open calls are dropped.
    virtual void stop(bool now) = 0;
    virtual void pause() = 0;
    virtual void resume() = 0;
};

// Exit code of an error that kept a job from starting (ux.md 1.3).
int exitCodeOf(const Error& error) noexcept;

} // namespace aiflow
