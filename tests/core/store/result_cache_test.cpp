#include "core/store/result_cache.h"

#include <array>
#include <atomic>
#include <fstream>
#include <future>
#include <QtTest>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace aiflow;

class ResultCacheTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_base;
    int m_folders = 0;

    std::filesystem::path newFolder()
    {
        return std::filesystem::path(m_base.path().toStdString()) / std::to_string(++m_folders);
    }

    static std::unique_ptr<ResultCache> open(const std::filesystem::path& folder)
    {
        auto cache = ResultCache::open(folder);
        if (!cache) qFatal("%s", cache.error().text().c_str());
        return std::move(*cache);
    }

    static ContentHash key(int number) { return sha256(std::to_string(number)); }

    static CachedResult result(int number)
    {
        CachedResult r;
        r.outputs = {{"image", {sha256("bytes" + std::to_string(number)), "image/png", number}}};
        r.steps = {TaskState::Succeeded, TaskState::Skipped};
        r.provenance = "{\"n\":" + std::to_string(number) + "}";
        r.job = "7f3a9c";
        return r;
    }

    // Runs in a child process that shares nothing with this one; true: it exited with 0.
    template <typename Work> [[maybe_unused]] static pid_t child(Work work)
    {
        const pid_t pid = ::fork();
        if (pid == 0) ::_exit(work() ? 0 : 1);
        return pid;
    }

    [[maybe_unused]] static bool succeeded(pid_t pid)
    {
        int status = 0;
        return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

private Q_SLOTS:
    void whatWasAddedIsFoundAtOnceAndLater()
    {
        const auto folder = newFolder();
        {
            auto cache = open(folder);
            QVERIFY(!cache->find(key(1)));
            cache->add(key(1), result(1));
            QVERIFY(cache->find(key(1)));
            QVERIFY(cache->flush());
            QVERIFY(cache->find(key(1)));
        }
        auto cache = open(folder);
        const auto found = cache->find(key(1));
        QVERIFY(found);
        QCOMPARE(found->outputs.size(), std::size_t{1});
        QVERIFY(found->outputs[0].artifact.hash == sha256("bytes1"));
        QCOMPARE(found->outputs[0].port, std::string("image"));
        QCOMPARE(found->steps, (std::vector{TaskState::Succeeded, TaskState::Skipped}));
        QCOMPARE(found->provenance, std::string("{\"n\":1}"));
        QCOMPARE(found->job, std::string("7f3a9c"));
        QVERIFY(!cache->find(key(2)));
        QVERIFY(!cache->trouble());
    }

    void laterResultReplacesTheEarlier()
    {
        const auto folder = newFolder();
        auto cache = open(folder);
        for (const int number : {1, 2}) {
            cache->add(key(7), result(number));
            QVERIFY(cache->flush());
        }
        QCOMPARE(cache->find(key(7))->provenance, result(2).provenance);
    }

    void destructorWritesWhatWaits()
    {
        const auto folder = newFolder();
        {
            auto cache = open(folder);
            for (int i = 0; i < 10'000; ++i) cache->add(key(i), result(i));
        }
        auto cache = open(folder);
        for (int i = 0; i < 10'000; ++i) QVERIFY(cache->find(key(i)));
    }

    void fileHashIsKnownWhileTheFileIsTheSame()
    {
        const auto folder = newFolder();
        const FileStatus status{100, 5, 42, false, true};
        const std::filesystem::path file = "/in/\xFF picture.jpg";
        auto cache = open(folder);
        cache->addFileHash(file, status, key(1));
        QVERIFY(cache->fileHash(file, status) == key(1));
        QVERIFY(cache->flush());
        QVERIFY(cache->fileHash(file, status) == key(1));
        for (const FileStatus& other : {FileStatus{101, 5, 42, false, true}, FileStatus{100, 6, 42, false, true},
                                        FileStatus{100, 5, 43, false, true}})
            QVERIFY(!cache->fileHash(file, other));
        QVERIFY(!cache->fileHash("/in/other.jpg", status));
    }

    void twoProcessesAndTheirThreadsShareOneCache()
    {
        const auto folder = newFolder();
        const auto fill = [&folder](int half) {
            auto cache = open(folder);
            for (int i = 0; i < 3000; ++i) {
                cache->add(key(half * 3000 + i), result(i));
                cache->find(key((1 - half) * 3000 + i));
            }
            return cache->flush().has_value();
        };
#ifdef __SANITIZE_THREAD__
        // The thread sanitizer cannot follow a fork of a process with threads: two caches in two threads instead.
        auto other = std::async(std::launch::async, fill, 1);
        QVERIFY(fill(0));
        QVERIFY(other.get());
#else
        const std::array children{child([&] { return fill(0); }), child([&] { return fill(1); })};
        for (const pid_t pid : children) QVERIFY(succeeded(pid));
#endif
        auto cache = open(folder);
        std::atomic<int> missing{0};
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 3; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < 6000; ++i) {
                    if (!cache->find(key(i))) ++missing;
                    if (i % 100 == 0) cache->add(key(100'000 + i), result(i));
                }
            });
        }
        for (auto& thread : threads) thread.join();
        QCOMPARE(missing.load(), 0);
    }

    void damagedFileIsSetAside()
    {
        const auto folder = newFolder();
        std::filesystem::create_directories(folder);
        std::ofstream(folder / "results.db") << std::string(100'000, 'x');
        auto cache = open(folder);
        QVERIFY(!cache->find(key(1)));
        cache->add(key(1), result(1));
        QVERIFY(cache->flush());
        QVERIFY(cache->find(key(1)));
        QVERIFY(std::filesystem::exists(folder / "results.db.damaged-1"));
    }

    void fileThatBreaksInUseIsSetAside()
    {
        const auto folder = newFolder();
        {
            auto cache = open(folder);
            for (int i = 0; i < 5000; ++i) cache->add(key(i), result(i));
        }
        auto cache = open(folder);
        std::fstream file(folder / "results.db", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096);
        file << std::string(400'000, '\x55');
        file.close();
        for (int i = 0; i < 5000; ++i) cache->find(key(i));
        cache->add(key(9999), result(1));
        std::ignore = cache->flush();
        cache->add(key(9999), result(1));
        QVERIFY(cache->flush());
        QVERIFY(cache->find(key(9999)));
        QVERIFY(cache->trouble());
        QVERIFY(std::filesystem::exists(folder / "results.db.damaged-1"));
    }

    void cacheThatCannotBeUsedHelpsNobodyAndHindersNobody()
    {
        const auto folder = newFolder();
        // A folder in the file's place can neither be opened nor read.
        std::filesystem::create_directories(folder / "results.db");
        auto cache = open(folder);
        cache->add(key(1), result(1));
        QVERIFY(!cache->flush());
        QVERIFY(!cache->find(key(1)));
        QVERIFY(cache->trouble());
    }
};

QTEST_GUILESS_MAIN(ResultCacheTest)
#include "result_cache_test.moc"
