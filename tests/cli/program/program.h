// Runs a program as a person or a script does: words in, exit code and texts out.
#pragma once

#include <QByteArray>
#include <QProcess>
#include <QStringList>

#include <csignal>
#include <memory>

namespace aiflow::test {

struct Outcome {
    int exitCode = -1; // of a signal: 128 + its number
    QByteArray out;
    QByteArray err;
};

inline constexpr int kPatience = 120'000; // ms: only a hang takes so long

// A program in a clean environment: no variable of whoever runs the tests reaches it, signals have their usual meaning.
class Program {
public:
    Program(const QString& file, const QStringList& words)
    {
        m_process = std::make_unique<QProcess>();
        m_process->setProgram(file);
        m_process->setArguments(words);
        m_environment.insert("PATH", "/usr/local/bin:/usr/bin:/bin");
        m_environment.insert("LC_ALL", "C.UTF-8");
        m_process->setChildProcessModifier([] {
            for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1}) ::signal(signal, SIG_DFL);
            sigset_t none;
            sigemptyset(&none);
            ::sigprocmask(SIG_SETMASK, &none, nullptr);
        });
    }

    Program& set(const QString& variable, const QString& value)
    {
        m_environment.insert(variable, value);
        return *this;
    }
    Program& unset(const QString& variable)
    {
        m_environment.remove(variable);
        return *this;
    }
    Program& in(const QString& folder)
    {
        m_process->setWorkingDirectory(folder);
        return *this;
    }

    bool start()
    {
        m_process->setProcessEnvironment(m_environment);
        m_process->start(QIODevice::ReadWrite);
        return m_process->waitForStarted(kPatience);
    }
    // True once `condition` holds for what standard error (or output) said so far.
    bool waitFor(const QByteArray& text, bool onOutput = false)
    {
        while (true) {
            collect();
            if ((onOutput ? m_outcome.out : m_outcome.err).contains(text)) return true;
            if (m_process->state() == QProcess::NotRunning) return false;
            m_process->waitForReadyRead(50);
        }
    }
    void signal(int number) { ::kill(static_cast<pid_t>(m_process->processId()), number); }
    void closeOutput() { m_process->closeReadChannel(QProcess::StandardOutput); }
    Outcome finish(const QByteArray& input = {})
    {
        if (!input.isEmpty()) m_process->write(input);
        m_process->closeWriteChannel();
        if (!m_process->waitForFinished(kPatience)) m_process->kill();
        m_process->waitForFinished(kPatience);
        collect();
        m_outcome.exitCode =
            m_process->exitStatus() == QProcess::NormalExit ? m_process->exitCode() : 128 + m_process->exitCode();
        return m_outcome;
    }
    Outcome run(const QByteArray& input = {})
    {
        if (!start()) return m_outcome;
        return finish(input);
    }
    qint64 pid() const { return m_process->processId(); }
    const Outcome& soFar()
    {
        collect();
        return m_outcome;
    }

private:
    void collect()
    {
        m_outcome.out += m_process->readAllStandardOutput();
        m_outcome.err += m_process->readAllStandardError();
    }

    std::unique_ptr<QProcess> m_process;
    QProcessEnvironment m_environment;
    Outcome m_outcome;
};

} // namespace aiflow::test
