#include "aiflow/providers.h"
#include "aiflow/workspace.h"

#include <QFile>
#include <QRegularExpression>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>

using namespace aiflow;

namespace {

// The file with every example in force; of two examples of one setting, the first.
QString withExamplesInForce(const QString& starter)
{
    static const QRegularExpression example("^# ( *)([a-z_0-9.-]+):(?: |$)");
    QString text;
    QSet<QString> seen;
    for (const QString& line : starter.split('\n')) {
        const auto match = example.match(line);
        if (!match.hasMatch()) {
            if (!line.startsWith('#')) text += line + '\n';
            continue;
        }
        if (match.captured(1).isEmpty() && seen.contains(match.captured(2))) continue;
        if (match.captured(1).isEmpty()) seen.insert(match.captured(2));
        text += line.mid(2) + '\n';
    }
    return text;
}

} // namespace

class StarterTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatInitWritesIsGoodAndSoIsEveryExampleInIt()
    {
        QTemporaryDir folder;
        Surroundings where;
        where.stateDirectory = folder.filePath("state").toStdString();
        auto workspace = Workspace::open(where);
        QVERIFY(workspace.has_value());
        const auto written = (*workspace)->init(folder.filePath("shop").toStdString());
        QVERIFY(written.has_value());
        for (const auto& file : written->written) {
            if (file.filename() != "pipeline.yaml") continue;
            const auto errors = (*workspace)->checkPipeline(file.string(), {});
            QVERIFY2(errors.has_value() && errors->empty(), file.c_str());
        }

        QFile starter(folder.filePath("shop/aiflow.yaml"));
        QVERIFY(starter.open(QIODevice::ReadOnly));
        QFile all(folder.filePath("all.yaml"));
        QVERIFY(all.open(QIODevice::WriteOnly));
        all.write(withExamplesInForce(QString::fromUtf8(starter.readAll())).toUtf8());
        all.close();
        where.configFile = all.fileName().toStdString();
        const auto list = listProviders(where);
        QVERIFY2(list.has_value(), list ? "" : list.error().text().c_str());
        QCOMPARE(list->providers.size(), std::size_t{3});
        QCOMPARE(list->routes.size(), std::size_t{4});
        QVERIFY(list->offline);
        for (const ApiModelLine& model : list->models)
            QVERIFY2(model.price != "unknown" || model.provider == "ollama", model.name.c_str());
    }

    void theServicesOfTheSampleAreConfiguredCompletely()
    {
        QTemporaryDir folder;
        Surroundings where;
        where.stateDirectory = folder.filePath("state").toStdString();
        auto workspace = Workspace::open(where);
        QVERIFY(workspace.has_value());
        QVERIFY((*workspace)->init(folder.filePath("shop").toStdString()).has_value());
        where.configFile = folder.filePath("shop/rehearsal.yaml").toStdString();
        const auto list = listProviders(where);
        QVERIFY2(list.has_value(), list ? "" : list.error().text().c_str());
        for (const ApiModelLine& model : list->models) QVERIFY2(model.price != "unknown", model.name.c_str());
        for (const ProviderLine& provider : list->providers)
            for (const ProviderAccountLine& account : provider.accounts) QVERIFY(!account.limits.empty());
    }
};

QTEST_GUILESS_MAIN(StarterTest)
#include "starter_test.moc"
