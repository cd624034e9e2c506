#include "cli/terminal/choices.h"

#include <map>
#include <QTest>

using namespace aiflow::terminal;

namespace {

Environment of(std::map<std::string, std::string> values)
{
    return [values = std::move(values)](const char* name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

} // namespace

class ChoicesTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void coloursFollowTheOrderOfTheRules()
    {
        const auto rich = of({{"TERM", "xterm"}});
        QVERIFY(wantsColor(ColorChoice::Auto, rich, true));
        QVERIFY(!wantsColor(ColorChoice::Auto, rich, false));
        QVERIFY(!wantsColor(ColorChoice::Never, rich, true));
        // The option beats NO_COLOR, NO_COLOR beats the forces, the forces beat a dumb terminal and a pipe.
        QVERIFY(wantsColor(ColorChoice::Always, of({{"NO_COLOR", "1"}, {"TERM", "dumb"}}), false));
        QVERIFY(!wantsColor(ColorChoice::Auto, of({{"NO_COLOR", "1"}, {"FORCE_COLOR", "1"}, {"TERM", "xterm"}}), true));
        QVERIFY(wantsColor(ColorChoice::Auto, of({{"NO_COLOR", ""}, {"TERM", "xterm"}}), true));
        QVERIFY(wantsColor(ColorChoice::Auto, of({{"CLICOLOR_FORCE", "1"}, {"TERM", "dumb"}}), false));
        QVERIFY(wantsColor(ColorChoice::Auto, of({{"FORCE_COLOR", "1"}}), false));
        QVERIFY(!wantsColor(ColorChoice::Auto, of({{"FORCE_COLOR", "0"}}), false));
        QVERIFY(!wantsColor(ColorChoice::Auto, of({{"TERM", "dumb"}}), true));
        QVERIFY(!wantsColor(ColorChoice::Auto, of({}), true));
    }

    void progressFollowsTheOrderOfTheRules()
    {
        const auto rich = of({{"TERM", "xterm"}});
        QCOMPARE(chooseProgress("auto", rich, true), Progress::Block);
        QCOMPARE(chooseProgress("auto", rich, false), Progress::Plain);
        QCOMPARE(chooseProgress("tty", rich, false), Progress::Block);
        QCOMPARE(chooseProgress("none", of({{"AIFLOW_PROGRESS", "json"}}), true), Progress::None);
        QCOMPARE(chooseProgress("auto", of({{"AIFLOW_PROGRESS", "json"}, {"CI", "1"}}), true), Progress::Json);
        QCOMPARE(chooseProgress("auto", of({{"CI", "true"}, {"TERM", "xterm"}}), true), Progress::Plain);
        QCOMPARE(chooseProgress("auto", of({{"TERM", "dumb"}}), true), Progress::Plain);
    }

    void onlyKnownWordsAreChoices()
    {
        QVERIFY(!colorChoiceOf("sometimes"));
        QVERIFY(!progressOf("auto"));
        QCOMPARE(colorChoiceOf("never"), std::optional(ColorChoice::Never));
    }
};

QTEST_GUILESS_MAIN(ChoicesTest)
#include "choices_test.moc"
