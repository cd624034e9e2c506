#include "aiflow/reason.h"
#include "aiflow/result.h"
#include "aiflow/state.h"
#include "core/base/text.h"

#include <QtTest/QtTest>
#include <set>

using namespace aiflow;

class ReasonTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyReasonStandsAtItsPlace()
    {
        const auto reasons = allReasons();
        QCOMPARE(reasons.size(), static_cast<std::size_t>(Reason::Internal) + 1);
        std::set<std::string_view> codes;
        for (std::size_t i = 0; i < reasons.size(); ++i) {
            QCOMPARE(static_cast<std::size_t>(reasons[i].reason), i);
            QVERIFY(codes.insert(reasons[i].code).second);
            QVERIFY(reasonFromCode(reasons[i].code) == reasons[i].reason);
            QVERIFY(!reasons[i].headlineEn.empty() && !reasons[i].headlineZh.empty());
        }
        QVERIFY(!reasonFromCode("no.such"));
    }
    void everyStateHasAOneCellGlyphAndBothWords()
    {
        for (std::size_t i = 0; i < kTaskStateCount; ++i) {
            const auto state = static_cast<TaskState>(i);
            QCOMPARE(displayWidth(info(state).glyph), 1);
            QVERIFY(!info(state).wordZh.empty());
            QVERIFY(taskStateFromKey(info(state).key) == state);
        }
        for (int i = 0; i <= static_cast<int>(JobState::Interrupted); ++i) {
            const auto state = static_cast<JobState>(i);
            QCOMPARE(displayWidth(info(state).glyph), 1);
            QVERIFY(jobStateFromKey(info(state).key) == state);
        }
    }
    void countsAddUp()
    {
        StateCounts counts;
        counts[TaskState::Failed] = 2;
        counts[TaskState::Queued] = 3;
        counts[TaskState::Cached] = 5;
        QCOMPARE(counts.total(), std::int64_t{10});
        QCOMPARE(counts.terminal(), std::int64_t{7});
    }
    void anErrorsTextNamesWhatIsKnown()
    {
        Error error{Reason::InputFileBad, "unclosed quote", "", SourcePosition{"p.csv", 12, 4, -1}};
        QCOMPARE(error.text(), std::string("p.csv:12:4: unclosed quote"));
        error.where = SourcePosition{"", 12, 0, -1};
        QCOMPARE(error.text(), std::string("line 12: unclosed quote"));
        error.where.reset();
        QCOMPARE(error.text(), std::string("unclosed quote"));
    }
};

QTEST_GUILESS_MAIN(ReasonTest)
#include "reason_test.moc"
