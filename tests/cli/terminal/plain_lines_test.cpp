#include "cli/terminal/plain_lines.h"

#include "tests/cli/terminal/sample_job.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::terminal;
using namespace std::chrono_literals;

namespace {

constexpr auto kTime = "2025-11-22T02:00:00.012+08:00";
const PlainLines::Time kStart{};

JobEvent failure(std::int64_t line)
{
    JobEvent event;
    event.type = "item_finished";
    event.time = kTime;
    event.state = TaskState::Failed;
    event.reason = Reason::InputImageMissing;
    event.line = line;
    event.item = "SKU-88410";
    event.step = "load";
    event.message = "images/88410_3.jpg not found";
    return event;
}

struct Log {
    std::string text;
    PlainLines lines{[this](std::string_view line) { text += line; }, 60s};
};

} // namespace

class PlainLinesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theLinesReadAsPromised()
    {
        Log log;
        JobSnapshot job = sampleJob();
        job.items = {};
        job.items[TaskState::Cached] = 1'204;
        job.items[TaskState::Queued] = 3'796;
        job.reusedFrom = "6b10aa";
        log.lines.started(job, kTime, kStart);
        log.lines.event(failure(343), kStart + 2s);
        log.lines.heartbeat(sampleJob(), kTime, kStart + 59s); // not due
        log.lines.heartbeat(sampleJob(), "2025-11-22T02:01:00+08:00", kStart + 60s);
        JobEvent paused;
        paused.type = "provider_paused";
        paused.time = kTime;
        paused.provider = "imagehub";
        paused.reason = Reason::ProviderOutage;
        paused.detail = "503 x20 in 30s";
        paused.probeAt = "2025-11-22T02:12:47.500+08:00";
        paused.waiting = 97;
        log.lines.event(paused, kStart + 61s);
        JobEvent resumed;
        resumed.type = "provider_resumed";
        resumed.time = kTime;
        resumed.provider = "imagehub";
        resumed.after = 91s;
        log.lines.event(resumed, kStart + 62s);
        log.lines.finished(finishedJob(), "2025-11-22T02:30:24+08:00");
        QCOMPARE(
            QString::fromStdString(log.text),
            QString::fromUtf8(
                "2025-11-22T02:00:00+08:00 job 7f3a9c start: 5000 items, 5 steps, products.csv (GB18030), 1204 reused "
                "from 6b10aa\n"
                "2025-11-22T02:00:00+08:00 failed line=343 id=SKU-88410 step=load reason=input.image_missing: "
                "images/88410_3.jpg not found\n"
                "2025-11-22T02:01:00+08:00 progress 2871/5000 57% failed=32 waiting=97 rate=28/s eta=16-18m "
                "cost=16.83CNY\n"
                "2025-11-22T02:00:00+08:00 provider imagehub paused reason=provider.outage: 503 x20 in 30s; "
                "probe at 2025-11-22T02:12:47+08:00; waiting=97\n"
                "2025-11-22T02:00:00+08:00 provider imagehub resumed after 1m31s\n"
                "2025-11-22T02:30:24+08:00 job 7f3a9c end: partial, 4968 ok, 32 failed, 30m24s, 37.90CNY, exit 3\n"));
    }

    void anHourOfWorkIsAtMostAHundredLines()
    {
        Log log;
        JobSnapshot job = sampleJob();
        job.items = {};
        job.items[TaskState::Queued] = 5'000;
        log.lines.started(job, kTime, kStart);
        for (int second = 1; second <= 3'600; ++second) {
            const auto now = kStart + std::chrono::seconds(second);
            if (second % 3 == 0) { // a third of everything fails, for two reasons in turn
                JobEvent event = failure(second);
                if (second % 2 == 0) event.reason = Reason::ProviderContentPolicy;
                event.message = "bad\r\n\x1b[31m name";
                log.lines.event(event, now);
                --job.items[TaskState::Queued];
                ++job.items[TaskState::Failed];
            }
            log.lines.heartbeat(job, kTime, now);
        }
        log.lines.finished(job, kTime);
        const auto count = std::ranges::count(log.text, '\n');
        QVERIFY2(count <= 100 && count >= 70, qPrintable(QString::number(count)));
        QVERIFY(log.text.find('\x1b') == std::string::npos);
        QVERIFY(log.text.find('\r') == std::string::npos);
        QVERIFY(log.text.find("...and 595 more like this") !=
                std::string::npos); // 600 of each kind, five were written out
    }

    void valuesWithSpacesAreQuoted()
    {
        Log log;
        JobEvent event = failure(1);
        event.item = "SKU \"9\"\n";
        log.lines.event(event, kStart);
        const std::string expected = "id=\"SKU \\\"9\\\"\\n\"";
        QVERIFY(log.text.find(expected) != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(PlainLinesTest)
#include "plain_lines_test.moc"
