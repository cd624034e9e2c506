#include "core/store/artifact_store.h"

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
        const std::string digits = artifact->hash.hex();
        QVERIFY(store->pathOf(artifact->hash) == folder("a") / digits.substr(0, 2) / digits.substr(2));
    }

    void sameBytesAreWrittenOnce()
    {
        auto store = open(folder("b"));
        const auto first = store->put("text/plain", bytes("x"));
        const auto written = systemFiles().status(store->pathOf(first->hash))->inode;
        QVERIFY(store->put("text/plain", bytes("x")));
        QCOMPARE(systemFiles().status(store->pathOf(first->hash))->inode, written);
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
        const auto artifact = store->put("text/plain", bytes("truth"));
        std::ofstream(store->pathOf(artifact->hash)) << "trust";
        const auto back = store->get(artifact->hash);
        QVERIFY(!back);
        QCOMPARE(back.error().reason, Reason::Internal);
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
        int files = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) files += entry.is_regular_file();
        QCOMPARE(files, 50);
        for (int i = 0; i < 50; ++i) QVERIFY(store->get(sha256(std::to_string(i))));
    }
};

QTEST_GUILESS_MAIN(ArtifactStoreTest)
#include "artifact_store_test.moc"
