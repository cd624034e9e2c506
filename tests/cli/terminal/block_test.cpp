#include "cli/terminal/block.h"

#include "cli/terminal/cells.h"
#include "cli/terminal/event_sentence.h"
#include "tests/cli/terminal/sample_job.h"

#include <QTest>
#include <random>

using namespace aiflow;
using namespace aiflow::terminal;

namespace {

Look lookOf(Language language, int columns)
{
    Look look;
    look.language = language;
    look.columns = columns;
    return look;
}

QString textOf(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return QString::fromStdString(text);
}

std::string withoutColour(std::string text)
{
    for (auto at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b'))
        text.erase(at, text.find('m', at) - at + 1);
    return text;
}

JobSnapshot randomJob(std::mt19937& random)
{
    static const std::string kNames[]{"load", "识别商品图片中的主体", "a very long English title of a step", "抠图",
                                      ""};
    JobSnapshot job = sampleJob();
    job.steps.clear();
    job.total = static_cast<std::int64_t>(random() % 2'000'000'000);
    for (std::size_t n = random() % 14; n > 0; --n) {
        StepSnapshot step = sampleStep(kNames[random() % 5], kNames[random() % 5], 0, 0, 0);
        for (auto& count : step.counts.count) count = static_cast<std::int64_t>(random() % 900'000'000);
        step.inFlight = static_cast<std::int64_t>(random() % 100'000);
        step.ratePerSecond = static_cast<double>(random() % 100'000) / 7;
        step.note = kNames[random() % 5];
        job.steps.push_back(step);
    }
    for (auto& count : job.items.count) count = static_cast<std::int64_t>(random() % 900'000'000);
    if (random() % 2 == 0) job.eta.reset();
    if (random() % 3 == 0)
        job.banner = "商品图片服务 imagehub 已暂停，等待恢复后继续处理剩余条目 and more words to be cut";
    return job;
}

} // namespace

class BlockTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void blockReadsAsPromised_data()
    {
        QTest::addColumn<bool>("chinese");
        QTest::addColumn<int>("columns");
        QTest::addColumn<QString>("expected");
        QTest::newRow("english 40") << false << 40 << QString::fromUtf8(" 57% 2871/5000 x32 ~97 16-18m 16.83CNY\n");
        QTest::newRow("english 60") << false << 60
                                    << QString::fromUtf8(
                                           " load  ▰▰▰▰▰▰▰▰▰ 5000/5000  ✗ 8\n"
                                           " tag   ▰▰▰▰▰▱▱▱▱ 3214/4992              ▸ 12  2.8/s   qwen..\n"
                                           " copy  ▰▰▰▰▰▱▱▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/s\n"
                                           " cut   ▰▰▰▰▰▱▱▱▱ 2968/4968                    2.3/s   local\n"
                                           " image ▰▰▰▰▰▱▱▱▱ 2839/4968        ⧗ 97                imag..\n"
                                           " total  57%  2871/5000  ✗ 32  ⧗ 97   12m41s, 16-18 min left\n");
        QTest::newRow("english 80")
            << false << 80
            << QString::fromUtf8(" load  ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 5000/5000  ✗ 8\n"
                                 " tag   ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3214/4992              ▸ 12  2.8/s   qwen-vl 171/1..\n"
                                 " copy  ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/s\n"
                                 " cut   ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2968/4968                    2.3/s   local\n"
                                 " image ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2839/4968        ⧗ 97                imagehub paus..\n"
                                 " total  57%  2871/5000  ✗ 32  ⧗ 97   12m41s, 16-18 min left   16.83 CNY\n");
        QTest::newRow("english 100")
            << false << 100
            << QString::fromUtf8(
                   " load  ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 5000/5000  ✗ 8\n"
                   " tag   ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3214/4992              ▸ 12  2.8/s   qwen-vl 171/180 rpm\n"
                   " copy  ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/s\n"
                   " cut   ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2968/4968                    2.3/s   local\n"
                   " image ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2839/4968        ⧗ 97                imagehub paused, probe in 0:06\n"
                   " total  57%  2871/5000  ✗ 32  ⧗ 97   12m41s, 16-18 min left   16.83 CNY\n");
        QTest::newRow("english 200")
            << false << 200
            << QString::fromUtf8(
                   " load  ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 5000/5000  ✗ 8\n"
                   " tag   ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3214/4992              ▸ 12  2.8/s   qwen-vl 171/180 rpm\n"
                   " copy  ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/s\n"
                   " cut   ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2968/4968                    2.3/s   local\n"
                   " image ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2839/4968        ⧗ 97                imagehub paused, probe in 0:06\n"
                   " total  57%  2871/5000  ✗ 32  ⧗ 97   12m41s, 16-18 min left   16.83 CNY\n");
        QTest::newRow("chinese 40") << true << 40 << QString::fromUtf8(" 57% 2871/5000 x32 ~97 16-18m 16.83元\n");
        QTest::newRow("chinese 60") << true << 60
                                    << QString::fromUtf8(
                                           " 读取     ▰▰▰▰▰ 5000/5000  ✗ 8\n"
                                           " 识图     ▰▰▰▱▱ 3214/4992              ▸ 12  2.8/秒   qwen..\n"
                                           " 文案     ▰▰▰▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/秒\n"
                                           " 抠图     ▰▰▱▱▱ 2968/4968                    2.3/秒   local\n"
                                           " 生成主图 ▰▰▱▱▱ 2839/4968        ⧗ 97                 imag..\n"
                                           " 合计      57%  2871/5000  ✗ 32  ⧗ 97   16-18 分钟\n");
        QTest::newRow("chinese 80")
            << true << 80
            << QString::fromUtf8(" 读取     ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 5000/5000  ✗ 8\n"
                                 " 识图     ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3214/4992              ▸ 12  2.8/秒   qwen-vl 1..\n"
                                 " 文案     ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/秒\n"
                                 " 抠图     ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2968/4968                    2.3/秒   local\n"
                                 " 生成主图 ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2839/4968        ⧗ 97                 imagehub ..\n"
                                 " 合计      57%  2871/5000  ✗ 32  ⧗ 97   已用 12 分 41 秒，约剩 16-18 分钟\n");
        QTest::newRow("chinese 100")
            << true << 100
            << QString::fromUtf8(
                   " 读取     ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 5000/5000  ✗ 8\n"
                   " 识图     ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3214/4992              ▸ 12  2.8/秒   qwen-vl 171/180 rpm\n"
                   " 文案     ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/秒\n"
                   " 抠图     ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2968/4968                    2.3/秒   local\n"
                   " 生成主图 ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2839/4968        ⧗ 97                 imagehub paused, probe in "
                   "0:06\n"
                   " 合计      57%  2871/5000  ✗ 32  ⧗ 97   已用 12 分 41 秒，约剩 16-18 分钟   16.83 元\n");
        QTest::newRow("chinese 200")
            << true << 200
            << QString::fromUtf8(
                   " 读取     ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰ 5000/5000  ✗ 8\n"
                   " 识图     ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3214/4992              ▸ 12  2.8/秒   qwen-vl 171/180 rpm\n"
                   " 文案     ▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 3001/4992  ✗ 24        ▸ 4   2.4/秒\n"
                   " 抠图     ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2968/4968                    2.3/秒   local\n"
                   " 生成主图 ▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱ 2839/4968        ⧗ 97                 imagehub paused, probe in "
                   "0:06\n"
                   " 合计      57%  2871/5000  ✗ 32  ⧗ 97   已用 12 分 41 秒，约剩 16-18 分钟   16.83 元\n");
    }
    void blockReadsAsPromised()
    {
        QFETCH(bool, chinese);
        QFETCH(int, columns);
        QFETCH(QString, expected);
        const Look look = lookOf(chinese ? Language::Chinese : Language::English, columns);
        QCOMPARE(textOf(renderBlock(sampleJob(), look)), expected);
    }

    void noLineIsWiderThanTheTerminalNorTheBlockHigher()
    {
        std::mt19937 random(11);
        for (int round = 0; round < 300; ++round) {
            const JobSnapshot job = randomJob(random);
            for (const int columns : {10, 20, 40, 59, 60, 61, 70, 80, 100, 200}) {
                Look look = lookOf(round % 2 == 0 ? Language::English : Language::Chinese, columns);
                look.rows = 3 + static_cast<int>(random() % 30);
                look.ascii = round % 5 == 0;
                look.color = round % 3 == 0;
                const auto lines = renderBlock(job, look);
                QVERIFY(!lines.empty() && static_cast<int>(lines.size()) <= std::max(look.rows - 2, 1));
                for (const std::string& line : lines) {
                    QVERIFY2(cellsOf(withoutColour(line)) <= columns, line.c_str());
                    QVERIFY(line.find('\n') == std::string::npos);
                    if (look.ascii && !look.color)
                        QVERIFY2(look.language == Language::Chinese || asciiOnly(line) == line, line.c_str());
                }
            }
        }
    }

    void numbersStayWhenNamesGo()
    {
        JobSnapshot job = sampleJob();
        for (StepSnapshot& step : job.steps) step.titleEn = "an exceedingly long title of a step";
        for (const std::string& line : renderBlock(job, lookOf(Language::English, 60)))
            QVERIFY2(line.find("/5000") != std::string::npos || line.find("/49") != std::string::npos, line.c_str());
    }

    void asciiTerminalsGetAsciiOnly()
    {
        Look look = lookOf(Language::English, 100);
        look.ascii = true;
        const QString text = textOf(renderBlock(sampleJob(), look));
        QVERIFY(text.contains("####"));
        QVERIFY(text.contains("x 24"));
        for (const QChar c : text) QVERIFY(c.unicode() < 0x80);
    }

    void coloursAddNothingButColours()
    {
        Look look = lookOf(Language::Chinese, 80);
        const QString plain = textOf(renderBlock(sampleJob(), look));
        look.color = true;
        const QString colored = textOf(renderBlock(sampleJob(), look));
        QVERIFY(colored.contains("\x1b[31m"));
        QCOMPARE(QString::fromStdString(withoutColour(colored.toStdString())), plain);
    }

    void aLowTerminalKeepsTheBusySteps()
    {
        Look look = lookOf(Language::English, 100);
        look.rows = 6; // three steps and the total
        const QString text = textOf(renderBlock(sampleJob(), look));
        QCOMPARE(text.count('\n'), 4);
        for (const char* name : {" tag", " copy", " image", " total"}) QVERIFY(text.contains(name));
        look.rows = 3;
        QCOMPARE(renderBlock(sampleJob(), look).size(), std::size_t{1});
    }

    void aPausedJobSaysSoInsteadOfATime()
    {
        JobSnapshot job = sampleJob();
        job.state = JobState::Paused;
        job.eta.reset();
        QVERIFY(textOf(renderBlock(job, lookOf(Language::English, 100))).contains("12m41s, Paused"));
        QVERIFY(textOf(renderBlock(job, lookOf(Language::Chinese, 100))).contains("已用 12 分 41 秒，已暂停"));
    }

    void eventsBecomeSentences()
    {
        JobEvent event;
        event.type = "item_finished";
        event.state = TaskState::Failed;
        event.reason = Reason::InputImageMissing;
        event.line = 343;
        event.item = "SKU-88410";
        event.step = "load";
        event.message = "images/88410_3.jpg not found\n\x1b[2J";
        const auto english = eventSentence(event, lookOf(Language::English, 100));
        QCOMPARE(*english,
                 std::string("✗ line 343  SKU-88410  load   image_missing   images/88410_3.jpg not found\\n\\x1b[2J"));
        QCOMPARE(cellsOf(*eventSentence(event, lookOf(Language::Chinese, 40))), 40);
        event.state = TaskState::Succeeded;
        QVERIFY(!eventSentence(event, lookOf(Language::English, 100)));
        event = {};
        event.type = "provider_paused";
        event.provider = "imagehub";
        event.detail = "503 x20 in 30 s";
        event.probeAt = "02:12:47";
        event.waiting = 97;
        QCOMPARE(*eventSentence(event, lookOf(Language::English, 100)),
                 std::string("⧗ imagehub paused: 503 x20 in 30 s. 97 waiting. Next probe 02:12:47"));
        // The service's own words are cut, not the numbers behind them.
        event.detail = std::string(200, 'x');
        event.probeAt = "2025-11-22T02:12:47.500+08:00";
        const std::string narrow = *eventSentence(event, lookOf(Language::English, 80));
        QCOMPARE(cellsOf(narrow), 80);
        QVERIFY(narrow.ends_with("xx... 97 waiting. Next probe 02:12:47"));
    }
};

QTEST_GUILESS_MAIN(BlockTest)
#include "block_test.moc"
