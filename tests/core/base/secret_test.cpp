#include "core/base/secret.h"

#include <fstream>
#include <QtTest/QtTest>
#include <sys/stat.h>
#include <type_traits>

using namespace aiflow;

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);

class SecretTest : public QObject {
    Q_OBJECT
    static constexpr const char* kKey = "sk-Canary/42+\"quoted\"";

private Q_SLOTS:
    void everyWrittenFormOfAKeyIsRedacted()
    {
        const Secret secret("openai/main", kKey);
        QVERIFY(secret.label().starts_with("openai/main#"));
        for (const std::string& form :
             {std::string(kKey), std::string("sk-Canary%2F42%2B%22quoted%22"),
              QByteArray(kKey).toBase64().toStdString(), std::string("sk-Canary/42+\\\"quoted\\\"")}) {
            const std::string clean = redact("key=" + form + "&x=1 " + form);
            QVERIFY2(clean.find("Canary") == std::string::npos, clean.c_str());
            QVERIFY(clean.find("openai/main#") != std::string::npos);
        }
    }
    void aDeadKeyIsForgotten()
    {
        {
            const Secret secret("a/b", "0123456789abcdef");
            QVERIFY(redact("0123456789abcdef") != "0123456789abcdef");
        }
        QCOMPARE(redact("0123456789abcdef"), std::string("0123456789abcdef"));
    }
    void aMovedKeyIsStillKnown()
    {
        Secret first("a/b", "0123456789abcdef");
        const Secret second = std::move(first);
        QCOMPARE(second.reveal(), std::string_view("0123456789abcdef"));
        QVERIFY(redact("0123456789abcdef") != "0123456789abcdef");
    }
    void theEnvironmentGivesAKeyOrAWayOut()
    {
        qputenv("AIFLOW_TEST_KEY", "from-the-environment");
        QCOMPARE(Secret::load("p/a", "env:AIFLOW_TEST_KEY").value().reveal(), std::string_view("from-the-environment"));
        qunsetenv("AIFLOW_TEST_KEY");
        const auto missing = Secret::load("p/a", "env:AIFLOW_TEST_KEY");
        QVERIFY(!missing);
        QCOMPARE(missing.error().reason, Reason::ProviderAuth);
        QVERIFY(missing.error().hint.find("AIFLOW_TEST_KEY") != std::string::npos);
    }
    void aKeyWrittenIntoTheConfigurationIsRefusedWithoutEcho()
    {
        const auto refused = Secret::load("p/a", "sk-very-secret");
        QVERIFY(!refused);
        QVERIFY(refused.error().text().find("sk-very-secret") == std::string::npos);
    }
    void aKeyFileMustBePrivateAndPlain()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath("key").toStdString();
        std::ofstream(path) << "file-key-123\n";
        ::chmod(path.c_str(), 0644);
        const auto open = Secret::load("p/a", "file:" + path);
        QVERIFY(!open);
        QVERIFY(open.error().hint.find("chmod 600") != std::string::npos);
        ::chmod(path.c_str(), 0600);
        QCOMPARE(Secret::load("p/a", "file:" + path).value().reveal(), std::string_view("file-key-123"));
        const std::string link = folder.filePath("link").toStdString();
        QVERIFY(::symlink(path.c_str(), link.c_str()) == 0);
        QVERIFY(!Secret::load("p/a", "file:" + link));
        QVERIFY(!Secret::load("p/a", "file:" + folder.path().toStdString()));
    }
};

QTEST_GUILESS_MAIN(SecretTest)
#include "secret_test.moc"
