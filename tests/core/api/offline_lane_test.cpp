// The lane without a network: order, answers, cancelling and shutting down.
#include "core/api/offline_lane.h"
#include "core/base/json.h"
#include "core/base/schema/json_schema.h"

#include <condition_variable>
#include <mutex>
#include <QtTest>
#include <thread>

using namespace aiflow;

namespace {

ApiCall callOf(std::string route, const Json& request, std::int64_t item = 0)
{
    ApiCall call;
    call.task.item = ItemIndex(item);
    call.route = std::move(route);
    call.request = dumpJson(request);
    return call;
}

// Answers as they come in; await() waits for a number of them.
class Answers {
public:
    ApiDone note(std::string name = {})
    {
        return [this, name](Result<ApiAnswer> answer) {
            const std::lock_guard lock(m_mutex);
            m_names.push_back(name);
            m_answers.push_back(std::move(answer));
            m_changed.notify_all();
        };
    }
    bool await(std::size_t count)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, std::chrono::seconds(60), [&] { return m_answers.size() >= count; });
    }
    std::vector<std::string> names()
    {
        const std::lock_guard lock(m_mutex);
        return m_names;
    }
    std::vector<Result<ApiAnswer>> answers()
    {
        const std::lock_guard lock(m_mutex);
        return m_answers;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::string> m_names;
    std::vector<Result<ApiAnswer>> m_answers;
};

// Holds the lane's thread in a callback until it is opened.
class Gate {
public:
    ApiDone hold()
    {
        return [this](const Result<ApiAnswer>&) {
            std::unique_lock lock(m_mutex);
            m_reached = true;
            m_changed.notify_all();
            m_changed.wait(lock, [this] { return m_open; });
        };
    }
    void awaitReached()
    {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return m_reached; });
    }
    void open()
    {
        const std::lock_guard lock(m_mutex);
        m_open = true;
        m_changed.notify_all();
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_reached = false;
    bool m_open = false;
};

ApiAnswer answerTo(const ApiCall& call)
{
    const auto lane = makeOfflineLane();
    Answers answers;
    lane->submit(call, answers.note());
    if (!answers.await(1)) return {};
    return answers.answers().front().value_or(ApiAnswer{});
}

} // namespace

class OfflineLaneTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void routesAndTheirIdentitiesAreKnown()
    {
        const auto lane = makeOfflineLane();
        QVERIFY(lane->hasRoute("text"));
        QVERIFY(!lane->hasRoute("video"));
        QCOMPARE(lane->routes(), (std::vector<std::string>{"image", "text"}));
        QVERIFY(lane->routeIdentity("text") != lane->routeIdentity("image"));
        QVERIFY(lane->routeIdentity("video").empty());
    }

    void textAnswersAreLabelledAndTheSameEachTime()
    {
        const ApiCall call = callOf("text", {{"prompt", "Describe a red\n  mug <b>"}});
        const ApiAnswer first = answerTo(call);
        QCOMPARE(first.body, answerTo(call).body);
        const auto body = parseJson(first.body);
        QVERIFY(body);
        const auto text = QString::fromStdString((*body)["text"].get<std::string>());
        QVERIFY2(text.startsWith("[offline ") && text.endsWith("Describe a red mug <b>"), qPrintable(text));
        QCOMPARE(first.provenance.provider, std::string("offline"));
        QCOMPARE(first.provenance.note, std::string("offline stand-in"));
        QVERIFY(answerTo(callOf("text", {{"prompt", "Describe a blue mug"}})).body != first.body);
    }

    void structuredAnswersFitTheirSchema_data();
    void structuredAnswersFitTheirSchema()
    {
        QFETCH(QByteArray, schema);
        const auto parsed = parseJson(schema.toStdString());
        QVERIFY(parsed);
        const auto checker = JsonSchema::compile(*parsed);
        QVERIFY(checker);
        for (const char* prompt : {"a", "red mug", "绿色 茶杯 一只"}) {
            const auto body = parseJson(answerTo(callOf("text", {{"prompt", prompt}, {"schema", *parsed}})).body);
            QVERIFY(body);
            const auto misfits = (*checker)->misfits(*body);
            QVERIFY2(misfits.empty(), misfits.empty() ? "" : misfits.front().c_str());
        }
    }

    void schemaThatNamesItselfEnds();
    void picturesAreLabelledSvgOfTheAskedSize()
    {
        const ApiAnswer answer =
            answerTo(callOf("image", {{"prompt", "A <bright> kitchen & a table"}, {"size", "640x480"}}));
        QCOMPARE(answer.files.size(), std::size_t{1});
        QCOMPARE(answer.files[0].mediaType, std::string("image/svg+xml"));
        const QString svg = QString::fromUtf8(reinterpret_cast<const char*>(answer.files[0].bytes.data()),
                                              static_cast<int>(answer.files[0].bytes.size()));
        QVERIFY(svg.contains("width=\"640\" height=\"480\""));
        QVERIFY(svg.contains(">offline</text>"));
        QVERIFY(svg.contains("A &lt;bright&gt; kitchen &amp; a table"));
        QCOMPARE(answer.provenance.note, std::string("offline stand-in"));
        const ApiAnswer wild = answerTo(callOf("image", {{"prompt", "x"}, {"size", "99999x1"}}));
        QVERIFY(QByteArray(reinterpret_cast<const char*>(wild.files[0].bytes.data()), 120).contains("width=\"1024\""));
    }

    void wrongCallsAreErrorsAndNotExceptions()
    {
        const auto lane = makeOfflineLane();
        Answers answers;
        lane->submit(callOf("video", {{"prompt", "x"}}), answers.note());
        QVERIFY(answers.await(1));
        ApiCall broken = callOf("text", {});
        broken.request = "{";
        lane->submit(broken, answers.note());
        broken.request = "[1]";
        lane->submit(broken, answers.note());
        QVERIFY(answers.await(3));
        const auto found = answers.answers();
        QCOMPARE(found[0].error().reason, Reason::UsageInvalid);
        QCOMPARE(found[1].error().reason, Reason::Internal);
        QCOMPARE(found[2].error().reason, Reason::Internal);
    }

    void priorityGoesFirstThenTheOldestItemThenTheLaterStep()
    {
        const auto lane = makeOfflineLane();
        Gate gate;
        Answers answers;
        lane->submit(callOf("text", {{"prompt", "x"}}), gate.hold());
        gate.awaitReached();
        const auto add = [&](std::string name, std::int32_t priority, std::int64_t item, std::int32_t fromEnd) {
            ApiCall call = callOf("text", {{"prompt", "x"}}, item);
            call.priority = priority;
            call.stepFromEnd = fromEnd;
            lane->submit(call, answers.note(std::move(name)));
        };
        add("item 9", 5, 9, 0);
        add("item 2 early", 5, 2, 3);
        add("item 2 late", 5, 2, 1);
        add("urgent", 1, 99, 9);
        QCOMPARE(lane->inFlight(), std::int64_t{5});
        gate.open();
        QVERIFY(answers.await(4));
        QCOMPARE(answers.names(), (std::vector<std::string>{"urgent", "item 2 late", "item 2 early", "item 9"}));
    }

    void cancelWaitingEndsWhatHasNotBegun()
    {
        const auto lane = makeOfflineLane();
        Gate gate;
        Answers answers;
        lane->submit(callOf("text", {{"prompt", "x"}}), gate.hold());
        gate.awaitReached();
        for (int i = 0; i < 10; ++i) lane->submit(callOf("text", {{"prompt", "x"}}, i), answers.note());
        lane->cancelWaiting();
        QCOMPARE(answers.names().size(), std::size_t{0}); // never from within the call
        gate.open();
        QVERIFY(answers.await(10));
        for (const auto& answer : answers.answers()) QCOMPARE(answer.error().reason, Reason::Cancelled);
        lane->submit(callOf("text", {{"prompt", "x"}}), answers.note());
        QVERIFY(answers.await(11));
        QVERIFY(answers.answers().back().has_value());
    }

    void everyCallEndsOnceWhenTheLaneIsDestroyed()
    {
        Answers answers;
        {
            const auto lane = makeOfflineLane();
            for (int i = 0; i < 500; ++i) lane->submit(callOf("text", {{"prompt", "x"}}, i), answers.note());
        }
        QCOMPARE(answers.answers().size(), std::size_t{500});
    }

    void manyThreadsMaySubmitAtOnce()
    {
        Answers answers;
        const auto lane = makeOfflineLane();
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 100; ++i)
                    lane->submit(callOf("text", {{"prompt", "x"}}, t * 100 + i), answers.note());
            });
        for (auto& thread : threads) thread.join();
        QVERIFY(answers.await(400));
        for (const auto& answer : answers.answers()) QVERIFY(answer.has_value());
    }
};

// Raw strings hide the class from moc when they stand before its end.
void OfflineLaneTest::structuredAnswersFitTheirSchema_data()
{
    QTest::addColumn<QByteArray>("schema");
    QTest::newRow("fields") << QByteArray(
        R"({"type":"object","required":["a","z"],"properties":{"a":{"type":"string"},
            "n":{"type":"number","minimum":2,"maximum":3},"i":{"type":"integer","minimum":-5,"maximum":-5},"b":{"type":"boolean"},
            "e":{"enum":["x","y"]},"c":{"const":7}}})");
    QTest::newRow("lists") << QByteArray(
        R"({"type":"object","properties":{"l":{"type":"array","minItems":3,"maxItems":3,
            "items":{"type":"object","required":["k"],"properties":{"k":{"type":"string","maxLength":10}}}}},"required":["l"]})");
    QTest::newRow("references") << QByteArray(R"({"definitions":{"p":{"type":"object","required":["x"],"properties":
            {"x":{"type":"integer","exclusiveMinimum":4,"multipleOf":5}}}},"type":"object","properties":{"p":{"$ref":"#/definitions/p"}},
            "required":["p"]})");
    QTest::newRow("long text") << QByteArray(
        R"({"type":"object","properties":{"t":{"type":"string","minLength":300}}})");
    QTest::newRow("choice") << QByteArray(R"({"anyOf":[{"type":"object","required":["q"]},{"type":"null"}]})");
    QTest::newRow("no type") << QByteArray(R"({"properties":{"x":{"items":{"type":"number"}}},"required":["x"]})");
    QTest::newRow("limits apart") << QByteArray(
        R"({"type":"object","properties":{"n":{"type":"number","exclusiveMinimum":0,
            "exclusiveMaximum":1},"m":{"type":"integer","maximum":-3}}})");
}
void OfflineLaneTest::schemaThatNamesItselfEnds()
{
    const auto schema = parseJson(
        R"({"type":"object","properties":{"child":{"$ref":"#"},"name":{"type":"string"}},"required":["name"]})");
    QVERIFY(schema);
    const ApiAnswer answer = answerTo(callOf("text", {{"prompt", "x"}, {"schema", *schema}}));
    QVERIFY(!answer.body.empty());
    QVERIFY(answer.body.size() < 10'000);
    const auto endless = parseJson(R"({"type":"object","properties":{"child":{"$ref":"#"}},"required":["child"]})");
    QVERIFY(!answerTo(callOf("text", {{"prompt", "x"}, {"schema", *endless}})).body.empty());
}

QTEST_GUILESS_MAIN(OfflineLaneTest)
#include "offline_lane_test.moc"
