#include "core/store/artifact_store.h"

#include <csignal>
#include <fstream>
#include <QtTest>
#include <sys/wait.h>
#include <unistd.h>

using namespace aiflow;

class ArtifactStoreTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_base;

    std::filesystem::path folder(const char* name) const
    {
        return std::filesystem::path(m_base.path().toStdString()) / name;
    }

    static std::unique_ptr<ArtifactStore> open(const std::filesystem::path& folder)
    {
        auto store = ArtifactStore::open(folder, systemFiles());
        if (!store) qFatal("%s", store.error().text().c_str());
        return std::move(*store);
    }

    static std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

    static std::vector<std::byte> large(char fill) { return std::vector<std::byte>(100'000, std::byte(fill)); }

    static std::vector<std::filesystem::path> filesIn(const std::filesystem::path& folder, const std::string& extension)
    {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
            if (entry.is_regular_file() && entry.path().extension() == extension) files.push_back(entry.path());
        return files;
    }

    static void writeFile(const std::filesystem::path& file, std::span<const std::byte> content)
    {
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    }

private Q_SLOTS:
    void bytesComeBackByTheirHash()
    {
        auto store = open(folder("a"));
        const auto artifact = store->put("text/plain", bytes("hello"));
        QVERIFY(artifact);
        QVERIFY(artifact->hash == sha256("hello"));
        QCOMPARE(artifact->size, std::int64_t{5});
        QCOMPARE(artifact->mediaType, std::string("text/plain"));
        QVERIFY(store->contains(artifact->hash));
        const auto back = store->get(artifact->hash);
        QVERIFY(back);
        QVERIFY(std::ranges::equal(*back, bytes("hello")));
        QVERIFY(!store->fileOf(artifact->hash));
    }

    void largeOnesAreFilesNamedByTheirHash()
    {
        auto store = open(folder("l"));
        const auto artifact = store->put("image/png", large('x'));
        QVERIFY(artifact);
        const std::string digits = artifact->hash.hex();
        QVERIFY(store->fileOf(artifact->hash) == folder("l") / digits.substr(0, 2) / digits.substr(2));
        QVERIFY(*store->get(artifact->hash) == large('x'));
        QVERIFY(store->contains(artifact->hash));
    }

    void sameBytesAreWrittenOnce()
    {
        auto store = open(folder("b"));
        const auto first = store->put("text/plain", large('x'));
        const auto written = systemFiles().status(*store->fileOf(first->hash))->inode;
        QVERIFY(store->put("text/plain", large('x')));
        QCOMPARE(systemFiles().status(*store->fileOf(first->hash))->inode, written);
        for (int i = 0; i < 5; ++i) QVERIFY(store->put("text/plain", bytes("x")));
        QCOMPARE(std::filesystem::file_size(filesIn(folder("b"), ".pack").at(0)), 41U);
    }

    void emptyArtifactIsAnArtifact()
    {
        auto store = open(folder("e"));
        const auto artifact = store->put("", {});
        QVERIFY(artifact);
        QVERIFY(store->get(artifact->hash)->empty());
    }

    void absentArtifactIsAnError()
    {
        const auto back = open(folder("c"))->get(sha256("nothing"));
        QVERIFY(!back);
        QCOMPARE(back.error().reason, Reason::InputFileBad);
    }

    void flippedBitIsNoticed()
    {
        auto store = open(folder("d"));
        const auto small = store->put("text/plain", bytes("truth"));
        const auto big = store->put("text/plain", large('t'));
        const auto pack = filesIn(folder("d"), ".pack").at(0);
        std::fstream(pack, std::ios::in | std::ios::out | std::ios::binary).seekp(-2, std::ios::end) << "!";
        writeFile(*store->fileOf(big->hash), large('f'));
        for (const auto& hash : {small->hash, big->hash}) {
            const auto back = store->get(hash);
            QVERIFY(!back);
            QCOMPARE(back.error().reason, Reason::Internal);
        }
    }

    void spooledFileIsTakenOverWithoutCopying()
    {
        auto store = open(folder("s"));
        const auto spooled = folder("spooled.bin");
        writeFile(spooled, large('s'));
        const auto inode = systemFiles().status(spooled)->inode;
        const auto artifact = store->adopt(spooled, sha256(large('s')), "image/png");
        QVERIFY(artifact);
        QCOMPARE(artifact->size, std::int64_t{100'000});
        QVERIFY(!std::filesystem::exists(spooled));
        QCOMPARE(systemFiles().status(*store->fileOf(artifact->hash))->inode, inode);
        writeFile(spooled, large('s'));
        QVERIFY(store->adopt(spooled, artifact->hash, "image/png"));
        QVERIFY(!std::filesystem::exists(spooled));
        QCOMPARE(systemFiles().status(*store->fileOf(artifact->hash))->inode, inode);
    }

    void copiesComeFromPacksAndFilesAlike()
    {
        auto store = open(folder("k"));
        const auto small = store->put("", bytes("small"));
        const auto big = store->put("", large('b'));
        QVERIFY(store->copyTo(small->hash, folder("small.txt")));
        QVERIFY(store->copyTo(big->hash, folder("big.bin")));
        QVERIFY(*sha256File(folder("small.txt")) == small->hash);
        QVERIFY(*sha256File(folder("big.bin")) == big->hash);
    }

    void otherProcessesFindWhatOneHasJustPut()
    {
        auto one = open(folder("o"));
        auto other = open(folder("o")); // its own packs, as in another process
        QVERIFY(!other->contains(sha256("first")));
        for (const char* text : {"first", "second", "third"}) {
            QVERIFY(one->put("", bytes(text)));
            QVERIFY(other->contains(sha256(text)));
            QVERIFY(std::ranges::equal(*other->get(sha256(text)), bytes(text)));
        }
        QVERIFY(other->put("", bytes("fourth")));
        QVERIFY(one->get(sha256("fourth")));
        QCOMPARE(filesIn(folder("o"), ".pack").size(), std::size_t{2});
    }

    void nextProcessGoesOnWithThePackAfterItsTornEnd()
    {
        for (int i = 0; i < 3; ++i) {
            auto store = open(folder("t"));
            QVERIFY(store->put("", bytes("number " + std::to_string(i))));
            QVERIFY(store->sync());
            store.reset();
            const auto packs = filesIn(folder("t"), ".pack");
            QCOMPARE(packs.size(), std::size_t{1});
            // The beginning of a record, as a process leaves it that dies while it writes.
            const std::uint32_t torn[] = {0x50414641, 1000, 1, 2, 3};
            std::ofstream(packs[0], std::ios::app | std::ios::binary)
                .write(reinterpret_cast<const char*>(torn), i == 1 ? 3 : sizeof torn);
        }
        auto store = open(folder("t"));
        for (int i = 0; i < 3; ++i) QVERIFY(store->get(sha256("number " + std::to_string(i))));
    }

    void fullPackGetsAnIndexAndStaysReadable()
    {
        const auto text = [](int i) { return std::string(60'000, 'a') + std::to_string(i); };
        auto store = open(folder("f"));
        auto reader = open(folder("f"));
        for (int i = 0; i < 1200; ++i) {
            QVERIFY(store->put("", bytes(text(i))));
            if (i == 10) QVERIFY(reader->get(sha256(text(3))));
        }
        QCOMPARE(filesIn(folder("f"), ".index").size(), std::size_t{1});
        QCOMPARE(filesIn(folder("f"), ".pack").size(), std::size_t{2});
        const auto fresh = open(folder("f"));
        for (ArtifactStore* each : {store.get(), reader.get(), fresh.get()})
            for (const int i : {0, 3, 500, 1199}) QVERIFY(each->get(sha256(text(i))));
    }

    void manyProcessesMayPutTheSame()
    {
        const auto place = folder("p");
        std::vector<pid_t> children;
        for (int process = 0; process < 4; ++process) {
            const pid_t pid = ::fork();
            if (pid == 0) {
                auto store = open(place);
                bool good = true;
                for (int i = 0; i < 50; ++i) good = good && store->put("", bytes(std::to_string(i)));
                ::_exit(good ? 0 : 1);
            }
            children.push_back(pid);
        }
        for (const pid_t pid : children) {
            int status = 0;
            QCOMPARE(::waitpid(pid, &status, 0), pid);
            QCOMPARE(status, 0);
        }
        auto store = open(place);
        for (int i = 0; i < 50; ++i) QVERIFY(store->get(sha256(std::to_string(i))));
    }

    void killedAtAnyMomentWhatWasPutIsThere()
    {
        const auto place = folder("kill");
        std::filesystem::create_directories(place);
        for (int round = 0; round < 20; ++round) {
            int told[2] = {};
            QCOMPARE(::pipe(told), 0);
            const pid_t pid = ::fork();
            if (pid == 0) {
                auto store = open(place);
                for (int i = 0;; ++i) {
                    if (!store->put("", bytes(std::to_string(round) + "/" + std::to_string(i)))) ::_exit(1);
                    std::ignore = ::write(told[1], &i, sizeof i);
                }
            }
            int last = 0;
            for (int i = 0; i < 20 + round; ++i) QCOMPARE(::read(told[0], &last, sizeof last), ssize_t{sizeof last});
            ::kill(pid, SIGKILL);
            int status = 0;
            QCOMPARE(::waitpid(pid, &status, 0), pid);
            QVERIFY(WIFSIGNALED(status));
            ::close(told[0]);
            ::close(told[1]);
            auto store = open(place);
            for (int i = 0; i <= last; ++i)
                QVERIFY(store->get(sha256(std::to_string(round) + "/" + std::to_string(i))));
        }
        QCOMPARE(filesIn(place, ".pack").size(), std::size_t{1});
    }
};

QTEST_GUILESS_MAIN(ArtifactStoreTest)
#include "artifact_store_test.moc"
