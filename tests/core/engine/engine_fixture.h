// A job in a temporary folder: the real journal, artifacts, cache and live counts; rows and lanes made by the test.
#pragma once

#include "core/base/json.h"
#include "core/engine/job_runner.h"
#include "core/pipeline/loader.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <QTemporaryDir>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace aiflow::test {

// Rows r0, r1, ...: {"sku":"r7","n":7}. Rows in `bad` are refused, as a reader would.
class NumberedItems final : public ItemSource {
public:
    explicit NumberedItems(std::int64_t count) : m_count(count) {}
    std::int64_t total() const override { return m_count; }
    Result<std::optional<ItemRecord>> next() override;
    Result<ItemFields> fields(const ItemHandle& item) override;
    Result<Blob> open(const ItemHandle&, const std::string& path) override;
    Result<ContentHash> fileHash(const ItemHandle&, const std::string& path) override { return sha256(path); }

    std::vector<std::int64_t> bad;
    std::function<void(std::int64_t given)> beforeNext;
    std::atomic<std::int64_t> readAgain{0};

private:
    std::int64_t m_count;
    std::int64_t m_next = 0;
};

// Answers {"text":"..."} at once on a thread of its own, or keeps calls until release().
class TestApiLane final : public ApiLane {
public:
    TestApiLane() = default;
    ~TestApiLane() override;
    bool hasRoute(std::string_view route) const override { return route == "text"; }
    std::vector<std::string> routes() const override { return {"text"}; }
    std::string routeIdentity(std::string_view) const override { return "text/1"; }
    void submit(ApiCall call, ApiDone done) override;
    void cancelWaiting() override;
    std::int64_t inFlight() const override;

    void hold();                                             // calls wait
    void waitForCalls(std::int64_t count);                   // since the beginning
    void release();                                          // those that wait are answered, and later ones at once
    std::function<void(const ApiCall&)> seen;                // with every call, before it waits; may be empty
    std::function<Result<ApiAnswer>(const TaskKey&)> answer; // default: {"text":"answer <item>"}
    std::atomic<std::int64_t> calls{0};

private:
    void work();
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::pair<TaskKey, ApiDone>> m_waiting; // guarded
    bool m_held = false;
    bool m_closing = false;
    std::thread m_thread;
};

// Doubles a number; fails as the test says.
class TestModelLane final : public ModelLane {
public:
    TestModelLane();
    ~TestModelLane() override;
    const Signature* find(std::string_view model) const override { return model == "double" ? &m_signature : nullptr; }
    std::vector<const Signature*> all() const override { return {&m_signature}; }
    Result<std::unique_ptr<PreparedInput>> prepare(std::string_view, const Values& inputs, const Json&) override;
    void submit(std::string_view, std::unique_ptr<PreparedInput> input, LaneOrder, ModelDone done) override;
    void cancelWaiting() override {}
    std::int64_t inFlight() const override { return 0; }

    std::function<std::optional<Error>(std::int64_t call)> failure;
    std::atomic<std::int64_t> calls{0};

private:
    Signature m_signature;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::function<void()>> m_jobs;
    bool m_closing = false;
    std::thread m_thread;
};

// What the ops of the tests share with the test. One test at a time.
struct OpProbe {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::pair<std::string, std::int64_t>> ran; // name of the step, item
    bool gateOpen = true;
    std::int64_t atGate = 0;
    std::atomic<std::int64_t> count{0};

    void reset();
    void openGate();
    void waitForGate(std::int64_t waiting); // until so many ops stand before it
};
OpProbe& probe();

// Ops: test.step {a,b,c,n optional; params name, throw_every, fail_every, log} -> value; test.list {n} -> list of
// three; test.gate as test.step, but waits for the probe's gate; test.size {values} -> length of a list.
class JobBench : public StepCatalog {
public:
    JobBench();
    ~JobBench() override;

    // Steps and outputs in YAML, after the head that declares the columns sku and n.
    void load(const std::string& steps);
    // Runs a job over the rows; a later call is another process on the same journal when `sameJob`.
    Result<JobEnd> run(std::int64_t items);
    JobRunner& start(std::int64_t items); // create without running
    Result<JobEnd> finish();              // runs what start() made
    void newJob();                        // a fresh journal; artifacts and cache stay
    Restore restore();                    // from the journal, as the facade does
    std::unique_ptr<JournalReader> reader() { return std::move(journal->reader().value()); }

    const Signature* findOp(std::string_view name) const override { return ops->find(name); }
    const Signature* findModel(std::string_view name) const override { return models.find(name); }
    bool hasRoute(std::string_view name) const override { return api.hasRoute(name); }
    std::string routeIdentity(std::string_view name) const override { return api.routeIdentity(name); }
    std::string routeKind(std::string_view) const override { return "text"; }
    std::vector<std::string> opNames() const override { return {}; }
    std::vector<std::string> modelNames() const override { return {}; }
    std::vector<std::string> routeNames() const override { return {"text"}; }

    QTemporaryDir folder;
    std::filesystem::path root;
    SystemClock clock;
    std::shared_ptr<Log> log = Log::nowhere();
    std::unique_ptr<OpRegistry> ops;
    TestModelLane models;
    TestApiLane api;
    Pipeline pipeline;
    EngineSettings settings;
    bool withCache = false;
    bool withOutput = false;
    bool resuming = false;
    bool retrying = false; // failed items of the earlier process begin again
    std::unique_ptr<ArtifactStore> artifacts;
    std::unique_ptr<ResultCache> cache;
    std::unique_ptr<OutputFolder> output;
    std::unique_ptr<Journal> journal;
    std::unique_ptr<NumberedItems> items;
    std::unique_ptr<LiveJob> live;
    std::unique_ptr<JobRunner> runner;
    std::function<void()> beforeRun; // e.g. to plant bad rows

private:
    int m_jobs = 0;
    std::unique_ptr<JournalReader> m_restoreFrom;
};

} // namespace aiflow::test
