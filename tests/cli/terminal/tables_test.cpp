#include "cli/terminal/tables.h"

#include "cli/terminal/cells.h"
#include "tests/cli/terminal/sample_job.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::terminal;

namespace {

std::vector<JobSnapshot> someJobs()
{
    JobSnapshot partial = finishedJob();
    partial.job = "51d2aa";
    JobSnapshot broken = finishedJob();
    broken.job = "4c07bb";
    broken.state = JobState::Interrupted;
    broken.input = "很长的商品表格文件名称用来测试截断.csv";
    return {sampleJob(), partial, broken};
}

Look lookOf(Language language, int columns)
{
    Look look;
    look.language = language;
    look.columns = columns;
    return look;
}

} // namespace

class TablesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void listReadsAsPromised()
    {
        QCOMPARE(QString::fromStdString(renderList(someJobs(), lookOf(Language::English, 100))),
                 QString::fromUtf8(
                     " job     state               done  failed  waiting  started                cost  input\n"
                     " 7f3a9c  ▸ Running      2871/5000      32       97  2025-11-22 02:00  16.83 CNY  products.csv\n"
                     " 51d2aa  ✗ Partial      5000/5000      32        0  2025-11-22 02:00  37.90 CNY  products.csv\n"
                     " 4c07bb  ! Interrupted  5000/5000      32        0  2025-11-22 02:00  37.90 CNY  "
                     "很长的商品表格文..\n"));
    }

    void noLineIsWiderThanTheTerminal()
    {
        for (const Language language : {Language::English, Language::Chinese}) {
            for (const int columns : {40, 60, 80, 100, 200}) {
                const std::string list = renderList(someJobs(), lookOf(language, columns));
                const auto lines = QString::fromStdString(list).split('\n');
                QCOMPARE(lines.size(), 5);
                for (const QString& line : lines) QVERIFY(cellsOf(line.toStdString()) <= columns);
                for (int i = 1; i < 4; ++i) QVERIFY(lines.at(i).contains("/5000")); // numbers before names
            }
        }
    }

    void noJobsIsASentence()
    {
        QCOMPARE(renderList({}, lookOf(Language::English, 80)), std::string("No jobs yet.\n"));
        QCOMPARE(renderList({}, lookOf(Language::Chinese, 80)), std::string("还没有任务。\n"));
    }

    void statusShowsTheWholeJob()
    {
        const auto text = QString::fromStdString(renderStatus(sampleJob(), lookOf(Language::English, 100)));
        for (const char* part : {"Job 7f3a9c  ▸ Running", "products.csv (GB18030)", "2025-11-22 02:00", " image ",
                                 "2871/5000", "24  provider.content_policy  copy  refused field <name>"})
            QVERIFY2(text.contains(part), part);
        QVERIFY(!text.contains("ended"));
    }
};

QTEST_GUILESS_MAIN(TablesTest)
#include "tables_test.moc"
