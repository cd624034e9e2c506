#include "tests/support/cli_sandbox/journal_facts.h"

#include <sqlite3.h>

namespace aiflow::test {

namespace {

// Numbers of TaskState, as the journal keeps them: a change of them would make old journals unreadable.
constexpr const char* kEnded = "state >= 3";
constexpr const char* kSucceeded = "state = 3";

class Database {
public:
    explicit Database(const QString& jobFolder)
    {
        const QByteArray file = (jobFolder + QStringLiteral("/journal.db")).toUtf8();
        if (sqlite3_open_v2(file.constData(), &m_database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
            m_problem = file + ": " + sqlite3_errmsg(m_database);
    }
    ~Database() { sqlite3_close(m_database); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // The first column of every row.
    QStringList texts(const QByteArray& sql)
    {
        QStringList texts;
        sqlite3_stmt* statement = nullptr;
        int code = sqlite3_prepare_v2(m_database, sql.constData(), -1, &statement, nullptr);
        while (code == SQLITE_OK || code == SQLITE_ROW) {
            code = sqlite3_step(statement);
            if (code != SQLITE_ROW) break;
            texts += QString::fromUtf8(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)));
        }
        if (code != SQLITE_DONE && m_problem.isEmpty()) m_problem = sql + ": " + sqlite3_errmsg(m_database);
        sqlite3_finalize(statement);
        return texts;
    }
    qint64 number(const QByteArray& sql) { return texts(sql).value(0).toLongLong(); }
    const QByteArray& problem() const { return m_problem; }

private:
    sqlite3* m_database = nullptr;
    QByteArray m_problem;
};

constexpr const char* kTaskName = "item || '/' || step || '/' || element";

} // namespace

QByteArray JournalFacts::broken(qint64 total) const
{
    const auto number = [](qint64 value) { return QByteArray::number(value); };
    if (!problem.isEmpty()) return problem;
    if (items != total || ended != total)
        return number(ended) + " of " + number(items) + " items ended; there are " + number(total);
    if (firstSeq != 1 || events != lastSeq)
        return "a gap: " + number(events) + " events from " + number(firstSeq) + " to " + number(lastSeq);
    if (itemsFinished != total || idsFinished != total)
        return number(itemsFinished) + " times item_finished, of " + number(idsFinished) + " items";
    if (!doneTwice.isEmpty()) return "done twice: " + doneTwice.join(QLatin1Char(' ')).toUtf8();
    return {};
}

JournalFacts journalFacts(const QString& jobFolder)
{
    Database database(jobFolder);
    const QByteArray finished = "FROM event WHERE json_extract(json, '$.type') = 'item_finished'";
    JournalFacts facts;
    facts.items = database.number("SELECT count(*) FROM item");
    facts.ended = database.number(QByteArray("SELECT count(*) FROM item WHERE ") + kEnded);
    facts.events = database.number("SELECT count(*) FROM event");
    facts.firstSeq = database.number("SELECT min(seq) FROM event");
    facts.lastSeq = database.number("SELECT max(seq) FROM event");
    facts.itemsFinished = database.number("SELECT count(*) " + finished);
    facts.idsFinished = database.number("SELECT count(DISTINCT json_extract(json, '$.item')) " + finished);
    facts.tasks = database.number(QByteArray("SELECT count(*) FROM task WHERE ") + kSucceeded);
    facts.doneTwice = database.texts(QByteArray("SELECT ") + kTaskName + " FROM task WHERE " + kSucceeded +
                                     " GROUP BY item, step, element HAVING count(*) > 1");
    facts.problem = database.problem();
    return facts;
}

QStringList succeededTasks(const QString& jobFolder)
{
    // A process that died at once leaves no journal, or an empty one.
    if (Database(jobFolder).number("SELECT count(*) FROM sqlite_master WHERE name = 'task'") == 0) return {};
    return Database(jobFolder).texts(QByteArray("SELECT ") + kTaskName + " FROM task WHERE " + kSucceeded +
                                     " ORDER BY item, step, element");
}

AttemptFacts attemptFacts(const QString& jobFolder)
{
    Database database(jobFolder);
    return {database.number("SELECT count(*) FROM attempt WHERE state < 2"),
            database.number("SELECT count(*) FROM attempt WHERE state < 2 AND remote_id <> ''"),
            database.number("SELECT count(*) FROM attempt WHERE state = 2"),
            database.number("SELECT count(*) FROM attempt WHERE state = 3")};
}

} // namespace aiflow::test
