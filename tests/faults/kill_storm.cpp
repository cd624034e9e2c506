// kill_storm [--kills N] [--seed S]: the shipped hero-image pipeline on the sample products, killed at random moments
// and gone on with, a few times in every job, until N kills hit. The last line is one JSON object.

#include "tests/support/cli_sandbox/journal_facts.h"
#include "tests/support/cli_sandbox/sandbox.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRandomGenerator>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>

using namespace aiflow::test;

namespace {

const QStringList kQuiet{QStringLiteral("--progress"), QStringLiteral("none"), QStringLiteral("--quiet")};
// Killed and gone on with so often; then it may run to its end.
constexpr int kKillsOfAJob = 4;

class KillStorm {
public:
    KillStorm(int kills, quint32 seed) : m_wanted(kills), m_random(seed), m_seed(seed) {}

    bool run()
    {
        if (!undisturbed()) return false;
        while (m_hit < m_wanted && oneJob()) {
        }
        QJsonObject figures{{QStringLiteral("bench"), QStringLiteral("kill_storm")},
                            {QStringLiteral("seed"), static_cast<qint64>(m_seed)},
                            {QStringLiteral("kills"), m_hit},
                            {QStringLiteral("jobs"), m_jobs},
                            {QStringLiteral("runs"), m_runs},
                            {QStringLiteral("items"), m_items},
                            {QStringLiteral("succeeded_tasks"), m_tasks},
                            {QStringLiteral("tasks_kept_over_kills"), m_kept},
                            {QStringLiteral("tasks_lost_or_done_again"), m_lost},
                            {QStringLiteral("jobs_with_other_results"), m_wrong},
                            {QStringLiteral("undisturbed_ms"), m_length}};
        const bool ok = m_hit >= m_wanted && m_wrong == 0 && m_lost == 0;
        figures.insert(QStringLiteral("ok"), ok);
        std::printf("%s\n", QJsonDocument(figures).toJson(QJsonDocument::Compact).constData());
        return ok;
    }

private:
    bool undisturbed()
    {
        const Sandbox sandbox;
        sandbox.fillSample();
        QElapsedTimer timer;
        timer.start();
        const CliEnd end = sandbox.run(sandbox.batch(kQuiet));
        m_length = static_cast<int>(timer.elapsed());
        m_expected = sandbox.results();
        m_exitCode = end.exitCode;
        m_items = journalFacts(sandbox.job()).items;
        const QByteArray broken = journalFacts(sandbox.job()).broken(m_items);
        if (end.signal == 0 && m_items > 0 && broken.isEmpty()) return true;
        std::printf("%s\n%s\n{\"ok\":false}\n", end.text().constData(), broken.constData());
        return false;
    }

    // False: it went wrong, and there is no sense in more.
    bool oneJob()
    {
        const Sandbox sandbox;
        sandbox.fillSample();
        ++m_jobs;
        QStringList before;
        bool ended = false;
        for (int kill = 0; kill < kKillsOfAJob && m_hit < m_wanted && !ended; ++kill) {
            ended = !killedOnce(sandbox, kill);
            const QStringList after = succeededTasks(sandbox.job());
            noteKept(before, after);
            before = after;
        }
        ++m_runs;
        // A kill may come before there is a job: then the same command starts one.
        const bool begun = !sandbox.job().isEmpty();
        const CliEnd end = sandbox.run(begun ? sandbox.resume(kQuiet) : sandbox.batch(kQuiet));
        noteKept(before, succeededTasks(sandbox.job()));
        const JournalFacts facts = journalFacts(sandbox.job());
        m_tasks += facts.tasks;
        QByteArray trouble = end.exitCode == m_exitCode ? facts.broken(m_items) : end.text();
        if (trouble.isEmpty()) trouble = difference(m_expected, sandbox.results());
        if (trouble.isEmpty()) return true;
        ++m_wrong;
        std::printf("job %d: %s\n", m_jobs, trouble.constData());
        return false;
    }

    // True when the kill hit.
    bool killedOnce(const Sandbox& sandbox, int kill)
    {
        ++m_runs;
        CliProcess job(sandbox.job().isEmpty() ? sandbox.batch(kQuiet) : sandbox.resume(kQuiet), {}, sandbox.path());
        const int moment = m_random.bounded(m_length);
        const CliEnd end = job.killAfter(moment);
        std::printf("job %d, run %d: %s at %d ms\n", m_jobs, kill + 1, end.signal == SIGKILL ? "killed" : "ended",
                    moment);
        if (end.signal != SIGKILL) return false;
        ++m_hit;
        return true;
    }

    // What was journaled stays so, and only once.
    void noteKept(const QStringList& before, const QStringList& after)
    {
        for (const QString& task : before) {
            const bool once = after.count(task) == 1;
            ++(once ? m_kept : m_lost);
            if (!once)
                std::printf("task %s: %lld times\n", qPrintable(task), static_cast<long long>(after.count(task)));
        }
    }

    const int m_wanted;
    QRandomGenerator m_random;
    const quint32 m_seed;
    FileTree m_expected;
    int m_exitCode = 0, m_length = 0;
    int m_hit = 0, m_jobs = 0, m_runs = 0, m_wrong = 0;
    qint64 m_items = 0, m_tasks = 0, m_kept = 0, m_lost = 0;
};

std::optional<quint32> numberAfter(const QStringList& words, const QString& name)
{
    const auto place = words.indexOf(name);
    bool good = false;
    const quint32 number = place < 0 ? 0 : words.value(place + 1).toUInt(&good);
    return good ? std::optional(number) : std::nullopt;
}

} // namespace

int main(int count, char** words)
{
    const QCoreApplication application(count, words);
    const QStringList arguments = QCoreApplication::arguments();
    const quint32 kills = numberAfter(arguments, QStringLiteral("--kills")).value_or(20);
    const quint32 seed = numberAfter(arguments, QStringLiteral("--seed")).value_or(1);
    return KillStorm(static_cast<int>(std::max(kills, 1U)), seed).run() ? 0 : 1;
}
