#include "core/base/json.h"

#include <QtTest/QtTest>

using namespace aiflow;

class JsonTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aMistakeNamesLineAndColumn()
    {
        const auto value = parseJson("{\n  \"a\": 1,\n  oops\n}", "f.json");
        QVERIFY(!value);
        QCOMPARE(value.error().where->file, std::string("f.json"));
        QCOMPARE(value.error().where->line, std::int64_t{3});
        QVERIFY(value.error().text().starts_with("f.json:3:"));
    }
    void nestingIsLimited()
    {
        QVERIFY(parseJson(std::string(60, '[') + std::string(60, ']')));
        const auto deep = parseJson(std::string(100'000, '[') + std::string(100'000, ']'));
        QVERIFY(!deep);
    }
    void equalValuesGiveEqualText()
    {
        QCOMPARE(dumpJson(parseJson(R"({"b":1,"a":[1,2]})").value()),
                 dumpJson(parseJson(R"({ "a":[1,2], "b":1 })").value()));
    }
    void invalidUtf8DoesNotThrow() { QVERIFY(!dumpJson(Json(std::string("a\xff"))).empty()); }
};

QTEST_GUILESS_MAIN(JsonTest)
#include "json_test.moc"
