// Runs aiflow-cli as a process of its own, so that a test can read, signal and kill it as a user's shell would.
#pragma once

#include <QByteArray>
#include <QProcess>
#include <QStringList>

#include <functional>
#include <memory>

namespace aiflow::test {

using Environment = QList<std::pair<QString, QString>>; // set besides the test's own

struct CliEnd {
    int exitCode = -1;
    int signal = 0; // that ended it; 0: it ended by itself
    QByteArray out, err;

    QByteArray text() const; // of everything, for a test's message
};

// One run. The destructor kills what still runs.
// Threads: one.
class CliProcess {
public:
    // `launcher`: what runs the program instead of the system, e.g. {"prlimit", "--fsize=4096"}; may be empty.
    explicit CliProcess(const QStringList& arguments, const Environment& environment = {}, const QString& folder = {},
                        const QStringList& launcher = {});
    ~CliProcess();
    CliProcess(const CliProcess&) = delete;
    CliProcess& operator=(const CliProcess&) = delete;

    // The next line of standard output; nothing when it ended. Gives up after a minute, which ends the run.
    QByteArray nextLine();
    // Reads on until a line that `fits`; false when the output ended before.
    bool readUntil(const std::function<bool(const QByteArray&)>& fits);
    // Nobody reads standard output any more.
    void closeOutput();
    void signal(int number) const;
    // SIGKILL after so many milliseconds, unless it ends before.
    CliEnd killAfter(int milliseconds);
    // Waits for its end.
    CliEnd end();
    qint64 pid() const;

private:
    std::unique_ptr<QProcess> m_process;
    QByteArray m_out;
};

// A run from its start to its end.
CliEnd runCli(const QStringList& arguments, const Environment& environment = {}, const QString& folder = {});

} // namespace aiflow::test
