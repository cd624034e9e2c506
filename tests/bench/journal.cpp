// What durability costs: the item workload, api attempts in groups, and look-ups in the result cache.
// bench_journal [items] [folder]; the last line is one JSON object.
#include "core/store/journal.h"
#include "core/base/json.h"
#include "core/store/result_cache.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <semaphore>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using namespace aiflow;

namespace {

constexpr std::int64_t kOpSteps = 6;

double secondsOf(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; }

struct Usage {
    std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now();
    double user = 0, system = 0;

    static Usage now()
    {
        rusage use{};
        ::getrusage(RUSAGE_SELF, &use);
        Usage usage;
        usage.user = secondsOf(use.ru_utime);
        usage.system = secondsOf(use.ru_stime);
        return usage;
    }
    double wallSince(const Usage& start) const { return std::chrono::duration<double>(wall - start.wall).count(); }
    double cpuSince(const Usage& start) const { return user - start.user + system - start.system; }
};

template <typename Value> Value must(Result<Value> result)
{
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
}

void must(const Result<void>& result)
{
    if (result) return;
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
}

ItemProgress progressOf(std::int64_t item)
{
    ItemProgress progress;
    progress.item = ItemIndex(item);
    progress.state = TaskState::Succeeded;
    progress.steps.assign(kOpSteps, TaskState::Succeeded);
    progress.worked = std::chrono::microseconds(900);
    progress.endedAt = WallTime(std::chrono::microseconds(1'700'000'000'000'000 + item));
    return progress;
}

std::string eventOf(std::int64_t item)
{
    return R"({"v":1,"seq":)" + std::to_string(item + 1) +
           R"(,"ts":"2026-11-22T02:00:00.012+08:00","type":"item_finished","id":"SKU-)" + std::to_string(item) +
           R"(","line":)" + std::to_string(item + 2) + R"(,"state":"succeeded","worked_ms":1,"attempts":1})";
}

// A batch of op steps: every item is admitted, ends, and tells so.
Json items(const std::filesystem::path& folder, std::int64_t count)
{
    const Usage start = Usage::now();
    {
        auto journal = must(Journal::open(folder / "items.db", {}));
        constexpr std::int64_t kWindow = 500;
        for (std::int64_t item = 0; item < count + kWindow; ++item) {
            while (journal->congested()) std::this_thread::yield();
            if (item < count)
                journal->write(ItemAdmitted{ItemIndex(item), "SKU-" + std::to_string(item), item + 2, item * 120, 120,
                                            "A product with a title, number " + std::to_string(item)});
            if (item < kWindow) continue;
            journal->write({progressOf(item - kWindow), EventRecord{item - kWindow + 1, eventOf(item - kWindow)}});
        }
        must(journal->flush());
    }
    const Usage end = Usage::now();
    const double cpu = end.cpuSince(start);
    const auto number = static_cast<double>(count);
    return {{"items", count},
            {"cpu_s", cpu},
            {"user_s", end.user - start.user},
            {"system_s", end.system - start.system},
            {"wall_s", end.wallSince(start)},
            {"cpu_us_per_record", cpu / (3 * number) * 1e6},
            {"cpu_us_per_op_task", cpu / (kOpSteps * number) * 1e6},
            {"file_mb", static_cast<double>(std::filesystem::file_size(folder / "items.db")) / 1e6}};
}

// Calls that wait for their intent, then for their answer, as the api lane does; `open` of them at a time.
Json attempts(const std::filesystem::path& folder, std::int64_t count, std::ptrdiff_t open)
{
    const Usage start = Usage::now();
    {
        auto journal = must(Journal::open(folder / ("attempts" + std::to_string(open) + ".db"), {}));
        std::counting_semaphore<> places(open);
        for (std::int64_t i = 0; i < count; ++i) {
            places.acquire();
            AttemptRecord attempt;
            attempt.attemptId = "a" + std::to_string(i);
            attempt.task = {ItemIndex(i), StepIndex(0), -1};
            attempt.provider = "imagehub";
            attempt.model = "picture-1";
            attempt.account = "main";
            attempt.inputHash = attempt.bodyHash = std::string(64, 'a');
            attempt.idempotencyKey = "key" + std::to_string(i);
            attempt.reservedCost = 0.04;
            attempt.currency = "USD";
            AttemptRecord responded = attempt;
            responded.state = AttemptState::Responded;
            responded.answer = ContentHash{};
            AttemptRecord committed;
            committed.attemptId = attempt.attemptId;
            committed.task = attempt.task;
            committed.state = AttemptState::Committed;
            journal->write(std::move(attempt), [&, responded = std::move(responded),
                                                committed = std::move(committed)](const Result<void>& intent) {
                must(intent);
                journal->write(responded, [&, committed](const Result<void>& answer) {
                    must(answer);
                    TaskEnded task;
                    task.task = committed.task;
                    task.outputs = {{"image", {ContentHash{}, "image/png", 1'000'000}}};
                    journal->write({committed, std::move(task)});
                    places.release();
                });
            });
        }
        must(journal->flush());
        // Answers that the last group began.
        must(journal->flush());
        must(journal->flush());
    }
    const Usage end = Usage::now();
    return {{"attempts", count},
            {"open", open},
            {"wall_s", end.wallSince(start)},
            {"per_s", static_cast<double>(count) / end.wallSince(start)},
            {"cpu_us_each", end.cpuSince(start) / static_cast<double>(count) * 1e6}};
}

CachedResult resultOf(std::int64_t i)
{
    CachedResult result;
    result.outputs = {{"image", {sha256(std::to_string(i)), "image/png", 1'000'000}}};
    result.provenance = R"({"provider":"imagehub","model":"picture-1","request_id":"req-)" + std::to_string(i) + "\"}";
    result.job = "7f3a9c";
    return result;
}

Json cache(const std::filesystem::path& folder, std::int64_t entries, std::int64_t lookups)
{
    const Usage start = Usage::now();
    {
        auto results = must(ResultCache::open(folder / "results"));
        for (std::int64_t i = 0; i < entries; ++i) {
            if (i % 20'000 == 19'999) must(results->flush());
            results->add(sha256(std::to_string(i)), resultOf(i));
        }
        must(results->flush());
    }
    const Usage filled = Usage::now();
    auto results = must(ResultCache::open(folder / "results"));
    std::int64_t hits = 0;
    for (std::int64_t i = 0; i < lookups; ++i) hits += results->find(sha256(std::to_string(i % entries))).has_value();
    const Usage found = Usage::now();
    for (std::int64_t i = 0; i < lookups; ++i) hits += results->find(sha256("absent" + std::to_string(i))).has_value();
    const Usage missed = Usage::now();
    if (hits != lookups)
        std::fprintf(stderr, "hits: %lld of %lld\n", static_cast<long long>(hits), static_cast<long long>(lookups));
    return {{"entries", entries},
            {"lookups", lookups},
            {"all_right", hits == lookups},
            {"add_wall_s", filled.wallSince(start)},
            {"add_cpu_us", filled.cpuSince(start) / static_cast<double>(entries) * 1e6},
            {"hits_wall_s", found.wallSince(filled)},
            {"misses_wall_s", missed.wallSince(found)},
            {"hits_per_s", static_cast<double>(lookups) / found.wallSince(filled)}};
}

} // namespace

int main(int argc, char** argv)
{
    const std::int64_t count = argc > 1 ? std::atoll(argv[1]) : 100'000;
    const std::filesystem::path base = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
    const std::filesystem::path folder = base / ("bench-journal-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    Json report{{"bench", "journal"}};
    report["items"] = items(folder, count);
    report["attempts"] = attempts(folder, count / 5, 1000);
    report["attempts_few_open"] = attempts(folder, count / 50, 16);
    report["cache"] = cache(folder, count * 3, count * 6);
    std::filesystem::remove_all(folder);
    report["bars"] = {{"cpu_us_per_op_task", 5.0}, {"attempts_per_s", 4000}, {"lookups_wall_s_per_600k", 5.0}};
    const double perLookup = static_cast<double>(count) * 6 / 600'000;
    const Json& found = report["cache"];
    report["ok"] = report["items"]["cpu_us_per_op_task"].get<double>() <= 5.0 &&
                   report["attempts"]["per_s"].get<double>() >= 4000 && found["all_right"].get<bool>() &&
                   found["hits_wall_s"].get<double>() <= 5.0 * perLookup &&
                   found["misses_wall_s"].get<double>() <= 5.0 * perLookup;
    std::printf("%s\n", dumpJson(report).c_str());
    return report["ok"].get<bool>() ? 0 : 1;
}
