#include "cli/terminal/cells.h"
#include "cli/terminal/rehearsal_text.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::terminal;
using namespace std::chrono_literals;

namespace {

RehearsalReport sampleReport()
{
    RehearsalReport report;
    report.speed = 20;
    report.took = 41s;
    report.serviceTime = 778s;
    report.localTime = 31s;
    report.cost = {{0.84, "USD"}, {2.1, "CNY"}};
    report.calls = 42;
    report.highestConcurrency = 8;
    report.accounts = {{"openai/main", 28, 0, 6, {0.84, "USD"}}};
    return report;
}

JobSnapshot sampleJob(std::int64_t failed = 0)
{
    JobSnapshot job;
    job.total = 14;
    job.items[TaskState::Succeeded] = 14 - failed;
    job.items[TaskState::Failed] = failed;
    return job;
}

std::string textOf(const RehearsalReport& report, const JobSnapshot& job, Language language = Language::English)
{
    return renderRehearsal(report, job, {language, false, false, 80, 24});
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

class RehearsalTextTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bothTimesAreToldApartAndWhatTheyMean()
    {
        const std::string text = textOf(sampleReport(), sampleJob());
        QVERIFY(holds(text, "  Time        13-14 min in life: waiting for services 12m58s, own steps 31s\n"));
        QVERIFY(holds(text, "between\n              the longer one and their sum)\n"));
        QVERIFY(
            holds(textOf(sampleReport(), sampleJob(), Language::Chinese), "实际约 13-14 分钟：等待服务 12 分 58 秒"));
    }

    void withoutOwnStepsThereIsOneTime()
    {
        RehearsalReport report = sampleReport();
        report.localTime = 0s;
        const std::string text = textOf(report, sampleJob());
        QVERIFY(holds(text, "  Time        13 min in life, waiting for services\n"));
        QVERIFY(!holds(text, "their sum"));
    }

    void brokenLimitsAndLostAnswersStandOut()
    {
        RehearsalReport report = sampleReport();
        QVERIFY(holds(textOf(report, sampleJob()), "Limits      kept: 0 calls over a limit, 0 refused for one\n"));
        QVERIFY(!holds(textOf(report, sampleJob()), "Paid twice"));
        report.violations = 1;
        report.refusals = 2;
        report.paidTwice = 3;
        const std::string text = textOf(report, sampleJob());
        QVERIFY(holds(text, "Limits      NOT kept: 1 calls over a limit, 2 refused for one\n"));
        QVERIFY(holds(text, "Paid twice  3: their first answers were lost"));
    }

    void unpricedCallsAreNotSilentlyFree()
    {
        RehearsalReport report = sampleReport();
        report.unpriced = true;
        QVERIFY(
            holds(textOf(report, sampleJob()), "0.84 USD + 2.10 CNY at the configured prices, and calls to models"));
        report.cost.clear();
        QVERIFY(holds(textOf(report, sampleJob()), "Cost        nothing at the configured prices, and calls"));
    }

    void troubleSaysWhatBecameOfIt()
    {
        RehearsalReport report = sampleReport();
        report.troubles = {{"throttled", 1'012}, {"timed_out", 3}, {"of a later version", 1}};
        JobSnapshot job = sampleJob();
        const std::string text = textOf(report, job);
        QVERIFY(holds(text, "    1,012  too many requests (429)\n        3  no answer in time\n"));
        QVERIFY(holds(text, "        1  of a later version\n"));
        QVERIFY(holds(text, "no item failed because of it"));
        FailureGroupSnapshot group;
        group.reason = Reason::ProviderContentPolicy;
        job.failures = {group};
        QVERIFY(!holds(textOf(report, job), "no item failed because of it"));
    }

    void failedItemsAreNamedAndCannotMoveTheCursor()
    {
        RehearsalReport report = sampleReport();
        for (std::int64_t line = 2; line < 20; ++line)
            report.failures.push_back(
                {"SKU\x1b[2J", line, "draw", Reason::ProviderContentPolicy, std::string(200, 'x')});
        const std::string text = textOf(report, sampleJob(14));
        QVERIFY(holds(text, "    line 2  SKU\\x1b[2J  draw  provider.content_policy: xxx"));
        QVERIFY(holds(text, "line 11  "));
        QVERIFY(!holds(text, "line 12  "));
        QVERIFY(holds(text, "... all of them: --output json"));
        QVERIFY(text.find('\x1b') == std::string::npos);
    }

    void theFolderIsNamedWhenItStays()
    {
        RehearsalReport report = sampleReport();
        QVERIFY(!holds(textOf(report, sampleJob()), "Folder"));
        report.folder = "/home/me/rehearsals/1-1";
        QVERIFY(holds(textOf(report, sampleJob()), "Folder      /home/me/rehearsals/1-1\n"));
    }
};

QTEST_GUILESS_MAIN(RehearsalTextTest)
#include "rehearsal_text_test.moc"
