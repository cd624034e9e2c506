#include "cli/terminal/block_printer.h"

#include "cli/terminal/terminal_guard.h"

#include <csignal>
#include <QTest>
#include <sys/wait.h>
#include <unistd.h>

using namespace aiflow::terminal;
using namespace std::chrono_literals;

namespace {

// Enough of a terminal to see what stands on it: printable bytes, CR, LF, up, clear to the end of the line and below.
class Screen {
public:
    void write(std::string_view bytes)
    {
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            const char c = bytes[at];
            if (c == '\x1b') {
                const auto end = bytes.find_first_of("ABCDHJKmhl", at + 2);
                escape(bytes.substr(at + 2, end - at - 2), bytes[end]);
                at = end;
            } else if (c == '\r') {
                m_column = 0;
            } else if (c == '\n') {
                ++m_row;
                grow();
            } else {
                grow();
                std::string& line = m_lines[m_row];
                if (line.size() <= m_column) line.resize(m_column + 1, ' ');
                line[m_column++] = c;
            }
        }
    }
    std::vector<std::string> lines() const { return m_lines; }
    bool cursorVisible() const { return m_visible; }

private:
    void grow()
    {
        if (m_lines.size() <= m_row) m_lines.resize(m_row + 1);
    }
    void escape(std::string_view arguments, char command)
    {
        grow();
        if (command == 'A') m_row -= static_cast<std::size_t>(std::stoi(std::string(arguments)));
        if (command == 'K') m_lines[m_row].resize(std::min(m_lines[m_row].size(), m_column));
        if (command == 'J') {
            m_lines[m_row].resize(std::min(m_lines[m_row].size(), m_column));
            m_lines.resize(m_row + 1);
        }
        if (arguments == "?25") m_visible = command == 'h';
    }

    std::vector<std::string> m_lines{""};
    std::size_t m_row = 0;
    std::size_t m_column = 0;
    bool m_visible = true;
};

using Lines = std::vector<std::string>;
const BlockPrinter::Time kStart{};

} // namespace

class BlockPrinterTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void permanentLinesScrollAboveTheBlock()
    {
        Screen screen;
        BlockPrinter printer([&](std::string_view bytes) { screen.write(bytes); });
        printer.permanent("header\n");
        QVERIFY(printer.draw({"tag 1", "total 1"}, 80, kStart));
        QVERIFY(!screen.cursorVisible());
        printer.permanent("x line 7 failed");
        QCOMPARE(screen.lines(), (Lines{"header", "x line 7 failed", "tag 1", "total 1", ""}));
        QVERIFY(printer.draw({"tag 2", "cut 1", "total 2"}, 80, kStart + 100ms));
        QCOMPARE(screen.lines(), (Lines{"header", "x line 7 failed", "tag 2", "cut 1", "total 2", ""}));
        QVERIFY(printer.draw({"total 3"}, 80, kStart + 200ms));
        QCOMPARE(screen.lines(), (Lines{"header", "x line 7 failed", "total 3", ""}));
        printer.erase();
        QCOMPARE(screen.lines(), (Lines{"header", "x line 7 failed", ""}));
        QVERIFY(screen.cursorVisible());
        QVERIFY(printer.draw({"back"}, 80, kStart + 201ms)); // after an erase at once
        QCOMPARE(screen.lines(), (Lines{"header", "x line 7 failed", "back", ""}));
    }

    void atMostTenTimesASecond()
    {
        int writes = 0;
        BlockPrinter printer([&](std::string_view) { ++writes; });
        for (int ms = 0; ms < 1'000; ++ms)
            printer.draw({std::to_string(ms)}, 80, kStart + std::chrono::milliseconds(ms));
        QCOMPARE(writes, 10);
        QVERIFY(printer.isBehind());
        QCOMPARE(printer.nextDraw(), kStart + 1'000ms);
    }

    void unchangedLinesCostNothing()
    {
        std::string last;
        BlockPrinter printer([&](std::string_view bytes) { last = bytes; });
        printer.draw({std::string(60, 'a'), std::string(60, 'b')}, 80, kStart);
        printer.draw({std::string(60, 'a'), std::string(60, 'c')}, 80, kStart + 1s);
        QVERIFY(last.find('a') == std::string::npos);
        QVERIFY(last.size() < 90);
    }

    void aRedrawIsAtMostTwoKilobytesAndTheRestFollows()
    {
        Screen screen;
        std::size_t most = 0;
        BlockPrinter printer([&](std::string_view bytes) {
            most = std::max(most, bytes.size());
            screen.write(bytes);
        });
        Lines lines;
        for (int i = 0; i < 40; ++i) lines.emplace_back(190, static_cast<char>('A' + i % 26));
        auto now = kStart;
        int draws = 0;
        do {
            QVERIFY(printer.draw(lines, 200, now));
            now += 100ms;
        } while (printer.isBehind() && ++draws < 20);
        QVERIFY(most <= 2048);
        lines.emplace_back();
        QCOMPARE(screen.lines(), lines);
    }

    void aNarrowerTerminalStartsTheBlockAnew()
    {
        std::string all;
        BlockPrinter printer([&](std::string_view bytes) { all += bytes; });
        printer.draw({std::string(70, 'a'), "b"}, 80, kStart);
        all.clear();
        printer.draw({"a", "b"}, 40, kStart + 1s);
        QVERIFY(all.starts_with("\r\x1b[3A\x1b[J")); // the first line had wrapped into two
    }

    void dyingShowsTheCursorAgain_data()
    {
        QTest::addColumn<int>("signal");
        QTest::newRow("abort") << SIGABRT;
        QTest::newRow("terminate") << SIGTERM;
        QTest::newRow("crash") << SIGFPE;
    }
    void dyingShowsTheCursorAgain()
    {
        QFETCH(int, signal);
        int ends[2];
        QCOMPARE(::pipe(ends), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            for (const int each : {SIGABRT, SIGTERM, SIGFPE}) ::signal(each, SIG_DFL);
            const TerminalGuard guard(ends[1]);
            ::raise(signal);
            ::_exit(0);
        }
        ::close(ends[1]);
        char text[64];
        const ssize_t count = ::read(ends[0], text, sizeof text);
        ::close(ends[0]);
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QVERIFY(WIFSIGNALED(status));
        QCOMPARE(WTERMSIG(status), signal);
        QVERIFY(count > 0);
        QVERIFY(std::string_view(text, static_cast<std::size_t>(count)).find("\x1b[?25h") != std::string_view::npos);
    }

    void aGuardThatIsGoneLeavesNothingBehind()
    {
        struct sigaction before {};
        struct sigaction after {};
        ::sigaction(SIGHUP, nullptr, &before);
        {
            const TerminalGuard guard(-1);
        }
        ::sigaction(SIGHUP, nullptr, &after);
        QVERIFY(before.sa_handler == after.sa_handler);
    }
};

QTEST_GUILESS_MAIN(BlockPrinterTest)
#include "block_printer_test.moc"
