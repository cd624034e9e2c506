// Reads a job's journal with SQLite alone, so that what it says is not judged by the code that wrote it.
#pragma once

#include <QByteArray>
#include <QString>
#include <QStringList>

#include <vector>

namespace aiflow::test {

struct JournalFacts {
    qint64 items = 0, ended = 0; // rows; those in an end state
    qint64 events = 0, firstSeq = 0, lastSeq = 0;
    qint64 itemsFinished = 0, idsFinished = 0; // item_finished events; different ids in them
    qint64 tasks = 0;                          // that succeeded
    QStringList doneTwice;                     // tasks with two rows that say so: "item/step/element"
    QByteArray problem;                        // it cannot be read

    // Names the first promise that an ended job with so many items breaks; empty: none.
    QByteArray broken(qint64 total) const;
};

// Of the journal in this job folder. Only while no process runs the job.
JournalFacts journalFacts(const QString& jobFolder);
// "item/step/element" of every task that the journal says succeeded, in order.
QStringList succeededTasks(const QString& jobFolder);

// Attempts of remote calls by what the journal says of them.
struct AttemptFacts {
    qint64 open = 0;     // an intent or a remote id, no outcome
    qint64 withId = 0;   // of these: a remote id is known
    qint64 answered = 0; // the answer is recorded, its task is not
    qint64 committed = 0;
};
AttemptFacts attemptFacts(const QString& jobFolder);

} // namespace aiflow::test
