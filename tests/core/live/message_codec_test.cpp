#include "aiflow/job_event.h"
#include "aiflow/messages.h"

#include <QTest>

using namespace aiflow;
using namespace std::chrono_literals;

namespace {

JobSnapshot fullSnapshot()
{
    JobSnapshot snapshot;
    snapshot.job = "7f3a9c";
    snapshot.state = JobState::Partial;
    snapshot.pipeline = "hero_image";
    snapshot.input = "商品 \"表\".csv";
    snapshot.inputEncoding = "GB18030";
    snapshot.output = "out";
    snapshot.total = 5'000;
    for (std::size_t i = 0; i < kTaskStateCount; ++i) snapshot.items.count[i] = static_cast<std::int64_t>(i * 100);
    StepSnapshot step;
    step.name = "cut";
    step.titleEn = "Cut out";
    step.titleZh = "抠图";
    step.kind = "model";
    step.target = "u2net";
    step.counts = snapshot.items;
    step.ratePerSecond = 2.25;
    step.inFlight = 4;
    step.retries = 7;
    step.medianSeconds = 0.875;
    step.note = "local";
    step.providers = {"openai", "qwen"};
    snapshot.steps = {step, StepSnapshot{}};
    FailureGroupSnapshot group;
    group.reason = Reason::ProviderContentPolicy;
    group.step = "copy";
    group.message = "refused field <name>";
    group.sampleMessage = "refused field \"title\"";
    group.count = 24;
    group.sampleItems = {"SKU-1", "SKU-2"};
    snapshot.failures = {group};
    snapshot.elapsed = 761'250ms;
    snapshot.eta = EtaRange{960s, 1080s};
    snapshot.cost = {16.83, "CNY"};
    snapshot.budget = {60, "CNY"};
    snapshot.accounts = {{"qwen", "qwen/main", "ok", 12, 171, 180}, {"openai", "openai/b", "benched", 0, 3, 0}};
    snapshot.pauses = {{"imagehub", Reason::ProviderQuota, "503 x20", 91'250ms, 6s},
                       {"openai", Reason::ProviderOutage, "", 1ms, std::nullopt}};
    snapshot.banner = "imagehub paused";
    snapshot.startedAt = "2026-11-22T02:00:00.012+08:00";
    snapshot.endedAt = "2026-11-22T02:30:24.000+08:00";
    snapshot.lastSeq = 20'411;
    snapshot.exitCode = 3;
    snapshot.ownerPid = 4711;
    snapshot.reusedFrom = "6b10aa";
    snapshot.reusedTasks = 6'020;
    return snapshot;
}

} // namespace

class MessageCodecTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everythingComesBack()
    {
        const JobSnapshot before = fullSnapshot();
        const std::string text = toJson(before);
        QVERIFY(text.find('\n') == std::string::npos);
        const auto after = snapshotFromJson(text);
        QVERIFY(after.has_value());
        QCOMPARE(after->job, before.job);
        QCOMPARE(after->state, before.state);
        QCOMPARE(after->input, before.input);
        QVERIFY(after->items == before.items);
        QCOMPARE(after->steps.size(), before.steps.size());
        QCOMPARE(after->steps[0].titleZh, before.steps[0].titleZh);
        QVERIFY(after->steps[0].counts == before.steps[0].counts);
        QCOMPARE(after->steps[0].medianSeconds, before.steps[0].medianSeconds);
        QCOMPARE(after->failures[0].reason, before.failures[0].reason);
        QCOMPARE(after->failures[0].sampleItems, before.failures[0].sampleItems);
        QCOMPARE(after->steps[0].providers, before.steps[0].providers);
        QCOMPARE(after->budget.amount, 60.0);
        QCOMPARE(after->accounts.size(), std::size_t{2});
        QCOMPARE(after->accounts[0].sentInMinute, 171);
        QCOMPARE(after->accounts[1].state, std::string("benched"));
        QCOMPARE(after->pauses.size(), std::size_t{2});
        QCOMPARE(after->pauses[0].reason, Reason::ProviderQuota);
        QCOMPARE(after->pauses[0].probe, before.pauses[0].probe);
        QVERIFY(!after->pauses[1].probe);
        QVERIFY(after->eta && after->eta->high == before.eta->high);
        QCOMPARE(after->exitCode, before.exitCode);
        QCOMPARE(toJson(*after), text); // and so does every other field
    }

    void anEmptySnapshotComesBack()
    {
        const auto after = snapshotFromJson(toJson(JobSnapshot{}));
        QVERIFY(after && !after->eta && !after->exitCode && after->steps.empty());
    }

    void readersTakeWhatTheyUnderstand()
    {
        const auto odd = snapshotFromJson(
            R"({"job":"a","total":"many","items":{"failed":2,"molten":9},"steps":[{"rate":"x"},7],"new":{"field":1}})");
        QVERIFY(odd.has_value());
        QCOMPARE(odd->job, std::string("a"));
        QCOMPARE(odd->total, 0);
        QCOMPARE(odd->items[TaskState::Failed], 2);
        QCOMPARE(odd->steps.size(), std::size_t{2});
    }

    void whatIsNoObjectIsAnError()
    {
        for (const char* text : {"", "{", "[]", "7", "null", "\xFF"}) {
            QVERIFY(!snapshotFromJson(text));
            QVERIFY(!eventFromJson(text));
        }
    }

    void aForeignEventIsNoError()
    {
        const auto event = eventFromJson(R"({"v":1,"seq":9,"ts":"t","type":"weather","eta_s":[1],"exit_code":"x"})");
        QVERIFY(event.has_value());
        QCOMPARE(event->type, std::string("weather"));
        QVERIFY(!event->eta && !event->exitCode && !event->reason && !event->outcome);
    }
};

QTEST_GUILESS_MAIN(MessageCodecTest)
#include "message_codec_test.moc"
