// Whether a model's text is the answer that was asked for, however much chatter stands around it.
#include "core/api/protocols/answer_check.h"
#include "core/base/json.h"

#include <QtTest>

using namespace aiflow;

namespace {

const Json kSchema = Json::parse("{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":"
                                 "\"string\"},\"size\":{\"type\":\"number\",\"minimum\":1}}}");
const Json kList = Json::parse("{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}");

std::string checked(const std::string& text, const Json& schema = kSchema)
{
    const CheckedAnswer answer = checkAnswer(text, schema);
    if (answer.value) return dumpJson(*answer.value);
    return answer.mistakes.empty() ? "no mistake told" : "misfit: " + answer.mistakes.front();
}

const std::string kGood = "{\"name\":\"chair\"}";

} // namespace

class AnswerCheckTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theAnswerIsFoundWhereverItStands_data()
    {
        QTest::addColumn<QString>("text");
        const auto add = [](const char* name, const std::string& text) {
            QTest::newRow(name) << QString::fromStdString(text);
        };
        add("bare", kGood);
        add("spaces", "\n  " + kGood + " \r\n");
        add("mark", "\xEF\xBB\xBF" + kGood);
        add("fence", "```json\n" + kGood + "\n```");
        add("fence without a word", "```\n" + kGood + "\n```");
        add("fence and chatter", "Here it is:\n\n```json\n" + kGood + "\n```\nAnything else?");
        add("second fence", "```python\nprint({})\n```\nand\n```json\n" + kGood + "\n```");
        add("text before", "The answer is " + kGood);
        add("text after", kGood + " I hope this helps {really}.");
        add("braces before", "I use {curly} braces: " + kGood);
        add("list before", "As in [1] and [2]: " + kGood);
        add("other object before", "{\"note\":1} " + kGood);
        add("quotes around", "He said \"well\": " + kGood);
        add("unclosed fence", "```json\n" + kGood);
    }
    void theAnswerIsFoundWhereverItStands()
    {
        QFETCH(QString, text);
        QCOMPARE(checked(text.toStdString()), kGood);
    }

    void bracketsWithinTextsAreNoBrackets()
    {
        const std::string tricky = "{\"name\":\"a } ] \\\" { [\"}";
        QCOMPARE(checked("so: " + tricky + " }"), tricky);
    }

    void otherTypesAreFoundToo()
    {
        QCOMPARE(checked("[1,2]", kList), std::string("[1,2]"));
        QCOMPARE(checked("Sure: [1, 2]", kList), std::string("[1,2]"));
        QCOMPARE(checked("\"word\"", Json{{"type", "string"}}), std::string("\"word\""));
        QCOMPARE(checked("5", Json{{"type", "number"}}), std::string("5"));
    }

    void mistakesAreSaidInSentences()
    {
        QVERIFY(checked("{}").find("name") != std::string::npos);
        QVERIFY(checked("{\"name\":5}").starts_with("misfit: "));
        QVERIFY(checked("{\"name\":\"a\",\"size\":0}").find("size") != std::string::npos);
        QVERIFY(checked("no idea").starts_with("misfit: there is no JSON value in it"));
        QCOMPARE(checked(""), std::string("misfit: the answer is empty"));
        QVERIFY(checked("{\"name\":\"a").starts_with("misfit: "));
        QVERIFY(checked("{\"name\":NaN}").starts_with("misfit: "));
        QVERIFY(checked("{\"name\":\"a\",\"size\":1e999}").starts_with("misfit: "));
        QVERIFY(checked("{\"name\":\"\xC3\x28\"}").starts_with("misfit: "));
    }

    void atMostTenMistakesAreTold()
    {
        Json required = Json::array();
        for (int i = 0; i < 30; ++i) required.push_back("field" + std::to_string(i));
        const CheckedAnswer answer = checkAnswer("{}", Json{{"type", "object"}, {"required", required}});
        QVERIFY(!answer.value && !answer.mistakes.empty() && answer.mistakes.size() <= 10);
    }

    void depthIsBounded()
    {
        const std::string deep = std::string(70, '[') + std::string(70, ']');
        QVERIFY(checked(deep, Json{{"type", "array"}}).starts_with("misfit: ") ||
                checked(deep, kList).starts_with("misfit: "));
        QVERIFY(checked(std::string(100'000, '[') + std::string(100'000, ']'), kList).starts_with("misfit: "));
        QVERIFY(checked(std::string(1'000'000, '{'), kList).starts_with("misfit: "));
    }

    void aSchemaThatIsNoneIsSaid() { QVERIFY(checked(kGood, Json{{"type", 5}}).find("schema") != std::string::npos); }

    void textsThatAreNoTextsAreKnown()
    {
        QVERIFY(!whyNoText("a chair"));
        QVERIFY(!whyNoText("An error is a mistake."));
        QVERIFY(!whyNoText("{\"name\":\"chair\",\"error\":null}"));
        QVERIFY(!whyNoText("{ not JSON \"error\""));
        QVERIFY(whyNoText(""));
        QVERIFY(whyNoText(" \n"));
        QVERIFY(whyNoText("<!DOCTYPE html><html>"));
        QVERIFY(whyNoText("  <HTML><body>"));
        QVERIFY(whyNoText("{\"error\":{\"message\":\"upstream failed\"}}")->find("upstream failed") !=
                std::string::npos);
        QVERIFY(whyNoText("{\"error\":\"busy\"}"));
    }
};

QTEST_GUILESS_MAIN(AnswerCheckTest)
#include "answer_check_test.moc"
