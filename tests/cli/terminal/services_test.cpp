#include "cli/terminal/block.h"
#include "cli/terminal/cells.h"
#include "cli/terminal/plain_lines.h"
#include "cli/terminal/services.h"
#include "cli/terminal/summary.h"
#include "tests/cli/terminal/sample_job.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::terminal;
using namespace std::chrono_literals;

namespace {

JobSnapshot jobWithServices()
{
    JobSnapshot job = sampleJob();
    for (StepSnapshot& step : job.steps) step.note.clear();
    job.steps[1].providers = {"qwen-vl"};
    job.steps[2].providers = {"qwen-vl", "openai"};
    job.steps[3].note = "local";
    job.steps[4].providers = {"imagehub", "openai"};
    job.accounts = {{"qwen-vl", "qwen-vl/a", "ok", 12, 91, 90},
                    {"qwen-vl", "qwen-vl/b", "ok", 4, 80, 90},
                    {"openai", "openai/main", "ok", 3, 0, 0},
                    {"imagehub", "imagehub/main", "paused", 0, 0, 60}};
    job.pauses = {{"imagehub", Reason::ProviderOutage, "503", 91s, 6s}};
    job.budget = {60, "CNY"};
    return job;
}

Look look(Language language, int columns, bool ascii = false) { return {language, ascii, false, columns, 24}; }

std::string textOf(const JobSnapshot& job, const Look& look)
{
    std::string text;
    for (const std::string& line : renderBlock(job, look)) text += line + '\n';
    return text;
}

} // namespace

class ServicesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aStepShowsHowFullItsServicesLimitsAre()
    {
        const JobSnapshot job = jobWithServices();
        const Look english = look(Language::English, 100);
        QCOMPARE(noteOf(job, job.steps[0], english), std::string());
        QCOMPARE(noteOf(job, job.steps[1], english), std::string("qwen-vl 171/180 rpm"));
        QCOMPARE(noteOf(job, job.steps[1], look(Language::Chinese, 100)), std::string("qwen-vl 171/180 次/分"));
        QCOMPARE(noteOf(job, job.steps[3], english), std::string("local"));
    }

    void aServiceWithoutALimitOfRequestsShowsItsOpenCalls()
    {
        JobSnapshot job = jobWithServices();
        job.steps[1].providers = {"openai"};
        QCOMPARE(noteOf(job, job.steps[1], look(Language::English, 100)), std::string("openai 3 open"));
        job.accounts[2].open = 0;
        QCOMPARE(noteOf(job, job.steps[1], look(Language::English, 100)), std::string());
    }

    void aPausedServiceCountsDownBesideItsStep()
    {
        JobSnapshot job = jobWithServices();
        QCOMPARE(noteOf(job, job.steps[4], look(Language::English, 100)),
                 std::string("imagehub paused, probe in 0:06"));
        QCOMPARE(noteOf(job, job.steps[4], look(Language::Chinese, 100)), std::string("imagehub 已暂停，0:06 后探测"));
        job.pauses[0].probe = 761s;
        QCOMPARE(noteOf(job, job.steps[4], look(Language::English, 100)),
                 std::string("imagehub paused, probe in 12:41"));
        job.pauses[0].probe.reset();
        QCOMPARE(noteOf(job, job.steps[4], look(Language::English, 100)), std::string("imagehub paused"));
    }

    void aServiceIsAwayWhenAllItsAccountsAre()
    {
        JobSnapshot job = jobWithServices();
        job.pauses = {{"qwen-vl/a", Reason::ProviderOutage, "503", 1s, 20s}};
        QCOMPARE(noteOf(job, job.steps[1], look(Language::English, 100)), std::string("qwen-vl 171/180 rpm"));
        job.pauses.push_back({"qwen-vl/b", Reason::ProviderOutage, "503", 1s, 6s});
        QCOMPARE(noteOf(job, job.steps[1], look(Language::English, 100)), std::string("qwen-vl paused, probe in 0:06"));
    }

    void aLimitThatIsFullForAMomentIsNoNews()
    {
        JobSnapshot job = jobWithServices();
        job.accounts[0].state = job.accounts[1].state = "paused";
        job.pauses = {{"qwen-vl/a", Reason::ProviderRateLimited, "429", 1s, 2s},
                      {"qwen-vl/b", Reason::ProviderRateLimited, "429", 1s, 2s}};
        QCOMPARE(noteOf(job, job.steps[1], look(Language::English, 100)), std::string("qwen-vl 171/180 rpm"));
        QCOMPARE(benchedText(job, look(Language::English, 100)), std::string());
        job.pauses[1].reason = Reason::ProviderQuota;
        QCOMPARE(benchedText(job, look(Language::English, 100)), std::string("qwen-vl/b pauses"));
    }

    void thePauseOfASecondChoiceIsNoNewsBesideTheStep()
    {
        JobSnapshot job = jobWithServices();
        job.pauses = {{"openai", Reason::ProviderOutage, "503", 1s, 6s}};
        QCOMPARE(noteOf(job, job.steps[2], look(Language::English, 100)), std::string("qwen-vl 171/180 rpm"));
    }

    void theBlockShowsWhatIsSpentOfTheBudget()
    {
        JobSnapshot job = jobWithServices();
        QVERIFY(textOf(job, look(Language::English, 100)).ends_with("16-18 min left   16.83/60.00 CNY\n"));
        QVERIFY(textOf(job, look(Language::Chinese, 100)).ends_with("16.83/60.00 元\n"));
        job.cost = {};
        QVERIFY(textOf(job, look(Language::English, 100)).ends_with("0.00/60.00 CNY\n"));
        job.cost = {3, "USD"};
        QVERIFY(textOf(job, look(Language::English, 100)).ends_with("   3.00 USD\n"));
    }

    void accountsWithoutWorkAreNamedBelowTheBlock()
    {
        JobSnapshot job = jobWithServices();
        job.accounts[1].state = "benched";
        const std::string text = textOf(job, look(Language::English, 100));
        QVERIFY2(text.ends_with("\n ⧗ qwen-vl/b benched\n"), text.c_str());
        QVERIFY(textOf(job, look(Language::Chinese, 100, true)).ends_with("\n ~ qwen-vl/b ???\n"));
        // The service's own pause says it already.
        QVERIFY(text.find("imagehub/main") == std::string::npos);
    }

    void linesStayWithinTheTerminal()
    {
        JobSnapshot job = jobWithServices();
        job.accounts[1].state = "benched";
        for (const Language language : {Language::English, Language::Chinese})
            for (int columns = 20; columns <= 140; ++columns)
                for (const std::string& line : renderBlock(job, look(language, columns)))
                    QVERIFY2(cellsOf(line) <= columns, line.c_str());
    }

    void plainLinesCarryRatesPausesAndTheBudget()
    {
        std::string written;
        PlainLines lines([&](std::string_view line) { written += line; }, 60s);
        const PlainLines::Time start{};
        lines.heartbeat(jobWithServices(), "2025-11-22T02:01:00+08:00", start + 60s);
        QVERIFY2(
            written.ends_with(" cost=16.83CNY budget=60.00CNY rpm=imagehub:0/60,qwen-vl:171/180 paused=imagehub\n"),
            written.c_str());
    }

    void theSummaryNamesTheBudget()
    {
        JobSnapshot job = finishedJob();
        job.budget = {60, "CNY"};
        QVERIFY(renderSummary(job, {}, look(Language::English, 100)).find("37.90 CNY  (budget 60.00 CNY)") !=
                std::string::npos);
    }
};

QTEST_GUILESS_MAIN(ServicesTest)
#include "services_test.moc"
