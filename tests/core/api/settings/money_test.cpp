// Amounts of money: reading, showing, and what a call costs.
#include "core/api/settings/money.h"

#include <QtTest>

using namespace aiflow;

class MoneyTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void amountsAreReadExactly()
    {
        const auto read = [](const char* text) { return parseMoney(text).value(); };
        QCOMPARE(read("60CNY").amount.count(), 60'000'000'000);
        QCOMPARE(read("60CNY").currency, std::string("CNY"));
        QCOMPARE(read(" 0.05 USD ").amount.count(), 50'000'000);
        QCOMPARE(read("0.000000001EUR").amount.count(), 1);
        QCOMPARE(read("1000000000USD").amount.count(), 1'000'000'000'000'000'000);
    }

    void everythingElseIsRefused_data()
    {
        QTest::addColumn<QString>("text");
        for (const char* text :
             {"", "USD", "-1USD", "+1USD", "1", "1 usd", "1 US", "1 USDT", "1,5USD", "1.USD", ".5USD",
              "1.0000000001USD", "1000000000.01USD", "10000000000USD", "1e3USD", "1 2USD", "1USD x"})
            QTest::newRow(*text == '\0' ? "empty" : text) << QString::fromUtf8(text);
    }
    void everythingElseIsRefused()
    {
        QFETCH(QString, text);
        const auto money = parseMoney(text.toStdString());
        QVERIFY(!money);
        QCOMPARE(money.error().reason, Reason::ConfigInvalid);
        QVERIFY(!money.error().hint.empty());
    }

    void amountsAreShownWithAsManyDigitsAsTheyNeed()
    {
        const auto shown = [](std::int64_t nanos) { return toText(Money{Nanos(nanos), "USD"}); };
        QCOMPARE(shown(310'000'000), std::string("0.31 USD"));
        QCOMPARE(shown(2'000'000'000), std::string("2.00 USD"));
        QCOMPARE(shown(1'500), std::string("0.0000015 USD"));
        QCOMPARE(shown(-2'500'000'000), std::string("-2.50 USD"));
        QCOMPARE(toText(Money{Nanos(0), ""}), std::string("0.00"));
    }

    void unitsBecomeNanosRoundedHalfUp()
    {
        QCOMPARE(nanosOf(0.15).count(), 150'000'000);
        QCOMPARE(nanosOf(0.0000000005).count(), 1);
        QCOMPARE(nanosOf(0.0000000004).count(), 0);
        QCOMPARE(nanosOf(1e300).count(), 9'000'000'000'000'000'000);
        QCOMPARE(nanosOf(std::numeric_limits<double>::quiet_NaN()).count(), 0);
    }

    void aCallCostsWhatItsTokensPicturesAndItselfCost()
    {
        Price price{nanosOf(2), nanosOf(0.5), nanosOf(10), nanosOf(0.04), nanosOf(0.01), "USD"};
        Usage usage;
        usage.inputTokens = 1'000'000;
        usage.cachedInputTokens = 400'000;
        usage.outputTokens = 1'000;
        usage.images = 2;
        // 0.6 * 2 + 0.4 * 0.5 + 0.01 + 0.08 + 0.01
        QCOMPARE(costOf(price, usage).count(), 1'500'000'000);
        price.cachedInputPerMillion = Nanos(0);
        QCOMPARE(costOf(price, usage).count(), 2'100'000'000);
    }

    void aPartOfANanoIsRoundedUpSoThatSumsOfReservationsAreNeverBelowTheBill()
    {
        const Price price{Nanos(1), Nanos(0), Nanos(1), Nanos(0), Nanos(0), "USD"};
        Usage usage;
        usage.inputTokens = 1;
        usage.outputTokens = 1;
        QCOMPARE(costOf(price, usage).count(), 2);
    }

    void absurdUsageDoesNotOverflow()
    {
        const Price price{nanosOf(10'000), Nanos(0), nanosOf(10'000), nanosOf(1'000), Nanos(0), "USD"};
        Usage usage;
        usage.inputTokens = usage.outputTokens = usage.images = INT64_MAX;
        QVERIFY(costOf(price, usage).count() > 0);
        usage.inputTokens = usage.outputTokens = usage.images = -5;
        QCOMPARE(costOf(price, usage).count(), 0);
    }
};

QTEST_GUILESS_MAIN(MoneyTest)
#include "money_test.moc"
