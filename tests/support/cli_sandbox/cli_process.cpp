#include "tests/support/cli_sandbox/cli_process.h"

#include <QProcessEnvironment>

#include <csignal>

namespace aiflow::test {

namespace {

// Only a limit: a machine under load may be slow.
constexpr int kPatience = 60'000;

} // namespace

QByteArray CliEnd::text() const
{
    return "exit code " + QByteArray::number(exitCode) + ", signal " + QByteArray::number(signal) + "\n" + err + out;
}

CliProcess::CliProcess(const QStringList& arguments, const Environment& environment, const QString& folder,
                       const QStringList& launcher)
    : m_process(std::make_unique<QProcess>())
{
    QProcessEnvironment values = QProcessEnvironment::systemEnvironment();
    for (const char* name : {"AIFLOW_FAILPOINT", "AIFLOW_STATE_DIR", "LC_ALL", "LC_MESSAGES", "LANG"})
        values.remove(QString::fromLatin1(name));
    for (const auto& [name, value] : environment) values.insert(name, value);
    m_process->setProcessEnvironment(values);
    if (!folder.isEmpty()) m_process->setWorkingDirectory(folder);
    m_process->setStandardInputFile(QProcess::nullDevice());
    QStringList words = launcher;
    words += QStringLiteral(AIFLOW_BINARY_DIR "/bin/aiflow-cli");
    words += arguments;
    const QString program = words.takeFirst();
    m_process->start(program, words);
    m_process->waitForStarted(kPatience);
}

CliProcess::~CliProcess()
{
    if (m_process->state() == QProcess::NotRunning) return;
    m_process->kill();
    m_process->waitForFinished(kPatience);
}

QByteArray CliProcess::nextLine()
{
    while (!m_process->canReadLine()) {
        if (m_process->state() == QProcess::NotRunning) break;
        if (m_process->waitForReadyRead(kPatience)) continue;
        if (m_process->state() != QProcess::NotRunning) m_process->kill();
        m_process->waitForFinished(kPatience);
    }
    QByteArray line = m_process->readLine();
    m_out += line;
    return line;
}

bool CliProcess::readUntil(const std::function<bool(const QByteArray&)>& fits)
{
    for (QByteArray line = nextLine(); !line.isEmpty(); line = nextLine())
        if (fits(line)) return true;
    return false;
}

void CliProcess::closeOutput() { m_process->closeReadChannel(QProcess::StandardOutput); }

void CliProcess::signal(int number) const
{
    // Of a process that ended the id is 0, which would mean this process and its group.
    if (m_process->processId() > 0) ::kill(static_cast<pid_t>(m_process->processId()), number);
}

qint64 CliProcess::pid() const { return m_process->processId(); }

CliEnd CliProcess::killAfter(int milliseconds)
{
    if (!m_process->waitForFinished(milliseconds)) m_process->kill();
    return end();
}

CliEnd CliProcess::end()
{
    if (m_process->state() != QProcess::NotRunning && !m_process->waitForFinished(kPatience)) {
        m_process->kill();
        m_process->waitForFinished(kPatience);
    }
    CliEnd end;
    const bool killed = m_process->exitStatus() == QProcess::CrashExit;
    // Of a process that a signal ended, QProcess gives the signal as the code.
    (killed ? end.signal : end.exitCode) = m_process->exitCode();
    end.out = m_out + m_process->readAllStandardOutput();
    end.err = m_process->readAllStandardError();
    return end;
}

CliEnd runCli(const QStringList& arguments, const Environment& environment, const QString& folder)
{
    return CliProcess(arguments, environment, folder).end();
}

} // namespace aiflow::test
