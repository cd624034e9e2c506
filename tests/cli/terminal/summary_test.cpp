#include "cli/terminal/summary.h"

#include "tests/cli/terminal/sample_job.h"

#include <QRegularExpression>
#include <QTest>
#include <random>

using namespace aiflow;
using namespace aiflow::terminal;

namespace {

SummaryExtras extras()
{
    SummaryExtras some;
    some.results = {"out/results.csv", "out/images/"};
    some.resultFiles = 4'968;
    some.failures = "out/failures.csv";
    some.next = {"aiflow-cli retry 7f3a9c --group provider.content_policy", "aiflow-cli batch out/failures.csv"};
    return some;
}

QString summaryOf(const JobSnapshot& job, Language language, const SummaryExtras& more)
{
    Look look;
    look.language = language;
    look.columns = 100;
    return QString::fromStdString(renderSummary(job, more, look));
}

} // namespace

class SummaryTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void englishReadsAsPromised()
    {
        QCOMPARE(summaryOf(finishedJob(), Language::English, extras()),
                 QString::fromUtf8(
                     "Job 7f3a9c finished with failures in 30m24s\n"
                     "\n"
                     "  Items     5,000    done 3,764  reused 1,204  failed 32\n"
                     "  Cost      37.90 CNY\n"
                     "  Slowest   image 4.9 s, tag 1.1 s (median per task)\n"
                     "\n"
                     "  Failures in 2 groups\n"
                     "     24  provider.content_policy  copy  refused field <name>  yours: edit the prompt or the row\n"
                     "      8  input.image_missing      load  <path> not found      yours: fix the file or its name\n"
                     "\n"
                     "  Results   out/results.csv, out/images/  (4,968 files)\n"
                     "  Failures  out/failures.csv  (opens in Excel; feed it back to batch after fixing)\n"
                     "\n"
                     "Next:  aiflow-cli retry 7f3a9c --group provider.content_policy\n"
                     "       aiflow-cli batch out/failures.csv\n"));
    }

    void chineseReadsAsPromised()
    {
        QCOMPARE(
            summaryOf(finishedJob(), Language::Chinese, extras()),
            QString::fromUtf8("任务 7f3a9c 已完成但有失败，用时 30 分 24 秒\n"
                              "\n"
                              "  条目      5,000    已完成 3,764  已复用 1,204  失败 32\n"
                              "  费用      37.90 元\n"
                              "  最慢      生成主图 4.9 秒，识图 1.1 秒（每次中位数）\n"
                              "\n"
                              "  失败共 2 组\n"
                              "     24  provider.content_policy  copy  refused field <name>  您处理：修改提示词或该行\n"
                              "      8  input.image_missing      load  <path> not found      您处理：修正文件或文件名\n"
                              "\n"
                              "  结果      out/results.csv, out/images/  (4,968 个文件)\n"
                              "  失败清单  out/failures.csv  （可用 Excel 打开；改好后再交给 batch）\n"
                              "\n"
                              "下一步：aiflow-cli retry 7f3a9c --group provider.content_policy\n"
                              "        aiflow-cli batch out/failures.csv\n"));
    }

    void theCountsAddUpWhateverTheyAre()
    {
        std::mt19937 random(5);
        for (int round = 0; round < 300; ++round) {
            JobSnapshot job = finishedJob();
            for (auto& count : job.items.count)
                count = random() % 3 == 0 ? 0 : static_cast<std::int64_t>(random() % 9'999'999);
            job.total = job.items.total();
            for (const Language language : {Language::English, Language::Chinese}) {
                const QString line = summaryOf(job, language, {}).split('\n').at(2);
                std::vector<std::int64_t> numbers;
                const QRegularExpression digits("[0-9,]+");
                for (auto found = digits.globalMatch(line); found.hasNext();)
                    numbers.push_back(found.next().captured().remove(',').toLongLong());
                QVERIFY(numbers.size() >= 3);
                std::int64_t sum = 0;
                for (std::size_t i = 1; i < numbers.size(); ++i) sum += numbers[i];
                QCOMPARE(sum, numbers[0]);
                QCOMPARE(sum, job.total);
            }
        }
    }

    void aJobThatStoppedSaysWhy()
    {
        JobSnapshot job = finishedJob();
        job.state = JobState::Interrupted;
        SummaryExtras more;
        more.cause = "No space left on device";
        more.next = {"aiflow-cli resume 7f3a9c"};
        const QString text = summaryOf(job, Language::English, more);
        QVERIFY(text.startsWith("Job 7f3a9c stopped after 30m24s\n  No space left on device\n"));
        QVERIFY(text.endsWith("\nNext:  aiflow-cli resume 7f3a9c\n"));
    }

    void aCleanJobHasNoGroups()
    {
        JobSnapshot job = finishedJob();
        job.state = JobState::Succeeded;
        job.failures.clear();
        job.items[TaskState::Failed] = 0;
        job.items[TaskState::Succeeded] += 32;
        QVERIFY(!summaryOf(job, Language::English, {}).contains("Failures"));
        QVERIFY(!summaryOf(job, Language::Chinese, {}).contains("下一步"));
    }
};

QTEST_GUILESS_MAIN(SummaryTest)
#include "summary_test.moc"
