#include "tests/cli/program/terminal_session.h"

#include <QTest>

using namespace aiflow::test;

namespace {

const QString kProgram = AIFLOW_BINARY_DIR "/tests/aiflow-cli-fake";
const QByteArray kHide = "\x1b[?25l", kShow = "\x1b[?25h";

} // namespace

class ScreenTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!TerminalSession::available())
            QSKIP("SKIPPED: this system has no pseudo-terminals (/dev/pts is not mounted)");
    }
    void headerFailuresAndBlockAppearAndTheCursorComesBack()
    {
        TerminalSession session(kProgram, {"batch", "p.csv"}, {"FAKE_ITEMS=24", "FAKE_FAIL=2", "FAKE_COURSE=hang"});
        QVERIFY(session.waitFor("reading p.csv"));
        QVERIFY(session.waitFor("job fa4e01  24 items x 2 steps  p.csv (GB18030, 12 columns)"));
        QVERIFY(session.waitFor("From elsewhere: aiflow-cli attach fa4e01"));
        QVERIFY(session.waitFor("images/\\x1b[31mno.jpg not found"));
        QVERIFY(session.waitFor("12/24"));
        session.type("\x03");
        QVERIFY(session.waitFor("Stopping: no new work"));
        QCOMPARE(session.finish(), 130);
        QVERIFY(session.seen().lastIndexOf(kShow) > session.seen().lastIndexOf(kHide));
        QVERIFY(session.seen().contains("Resume:  aiflow-cli resume fa4e01"));
    }

    void secondAndThirdInterruptRestoreTheTerminalToo()
    {
        TerminalSession session(kProgram, {"batch", "p.csv"}, {"FAKE_COURSE=stuck"});
        QVERIFY(session.waitFor("12/24"));
        session.type("\x03");
        QVERIFY(session.waitFor("Stopping:"));
        QVERIFY(session.waitFor("stopping: "));
        session.type("\x03");
        QVERIFY(session.waitFor("Dropping"));
        session.type("\x03");
        QCOMPARE(session.finish(), 130);
        QVERIFY(session.seen().lastIndexOf(kShow) > session.seen().lastIndexOf(kHide));
    }

    void tablesTurnIntoBlocksWhereTheyDoNotFit()
    {
        TerminalSession wide(kProgram, {"providers"}, {});
        QVERIFY(wide.waitFor(" openai/main     openai    env:OPENAI_API_KEY (there)  acme    60 requests/min"));
        QCOMPARE(wide.finish(), 0);
        TerminalSession narrow(kProgram, {"providers"}, {}, 60);
        QVERIFY(narrow.waitFor(" openai/second\r\n   protocol  openai\r\n   key       file:second.key (missing)\r\n"));
        QVERIFY(narrow.waitFor(" text   text  small, local  in this order"));
        QCOMPARE(narrow.finish(), 0);
    }

    void aRehearsalSaysWhatItTouches()
    {
        TerminalSession session(kProgram, {"rehearse", "p.csv"}, {"FAKE_COURSE=hang"});
        QVERIFY(session.waitFor("Rehearsal at 20x life speed: nothing is paid, no real result is touched."));
        QVERIFY(!session.seen().contains("attach"));
        session.type("\x03");
        QCOMPARE(session.finish(), 130);
    }

    void narrowTerminalGetsOneLine()
    {
        TerminalSession session(kProgram, {"batch", "p.csv"}, {"FAKE_COURSE=hang"}, 40);
        QVERIFY(session.waitFor("12/24"));
        QVERIFY(!session.seen().contains("compose"));
        session.type("\x03");
        QCOMPARE(session.finish(), 130);
    }

    void noColorIsKept()
    {
        TerminalSession session(kProgram, {"batch", "p.csv"}, {"NO_COLOR=1", "FAKE_FAIL=2"});
        QCOMPARE(session.finish(), 3);
        QVERIFY(!session.seen().contains("\x1b[31m") && !session.seen().contains("\x1b[1m"));
    }

    void continuousIntegrationAndDumbTerminalsGetPlainLines()
    {
        for (const char* variable : {"CI=true", "TERM=dumb", "AIFLOW_PROGRESS=plain"}) {
            TerminalSession session(kProgram, {"batch", "p.csv"}, {variable, "NO_COLOR=1"});
            QCOMPARE(session.finish(), 0);
            QVERIFY2(!session.seen().contains('\x1b'), variable);
            QVERIFY(session.seen().contains("job fa4e01 start:"));
        }
    }
};

QTEST_GUILESS_MAIN(ScreenTest)
#include "screen_test.moc"
