#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/secret.h"

#include <fstream>
#include <QtTest/QtTest>
#include <sstream>

using namespace aiflow;

class LogTest : public QObject {
    Q_OBJECT
    static std::string read(const std::string& path)
    {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }

private Q_SLOTS:
    void textLinesCarryFieldsAndNoControlCharacters()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath("log").toStdString();
        const auto log = Log::open({LogLevel::Info, LogFormat::Text, path}).value();
        log->info("item failed", {{"id", "SKU-1"}, {"message", "bad\n\x1b[2Jline"}});
        log->debug("not shown");
        log->flush();
        const std::string text = read(path);
        QCOMPARE(std::count(text.begin(), text.end(), '\n'), 1);
        QVERIFY(text.find(" info item failed id=SKU-1 ") != std::string::npos);
        QVERIFY(text.find('\x1b') == std::string::npos);
    }
    void jsonLinesAreJsonAndHoldNoKey()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath("log").toStdString();
        const Secret key("openai/main", "sk-canary-9876543");
        const auto log = Log::open({LogLevel::Info, LogFormat::Json, path}).value();
        log->warning("answer: sk-canary-9876543", {{"body", "{\"key\":\"sk-canary-9876543\"}"}});
        log->flush();
        const std::string text = read(path);
        QVERIFY(text.find("canary") == std::string::npos);
        const auto record = parseJson(text);
        QVERIFY(record);
        QCOMPARE(record->at("level").get<std::string>(), std::string("warning"));
    }
    void recordsAreBounded()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath("log").toStdString();
        const auto log = Log::open({LogLevel::Info, LogFormat::Text, path}).value();
        log->info(std::string(1'000'000, 'x'));
        log->flush();
        QVERIFY(read(path).size() < 9000);
    }
    void aFolderThatCannotBeWrittenIsAnError()
    {
        QVERIFY(!Log::open({LogLevel::Info, LogFormat::Text, "/proc/no/such/log"}));
    }
};

QTEST_GUILESS_MAIN(LogTest)
#include "log_test.moc"
