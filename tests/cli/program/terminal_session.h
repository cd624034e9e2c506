// A program on a pseudo-terminal of a given size.
#pragma once

#include <QByteArray>
#include <QElapsedTimer>
#include <QString>
#include <QStringList>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

namespace aiflow::test {

class TerminalSession {
public:
    // `variables`: "NAME=value".
    TerminalSession(const QString& file, const QStringList& words, const QStringList& variables, int columns = 100)
    {
        winsize size{};
        size.ws_col = static_cast<unsigned short>(columns);
        size.ws_row = 30;
        std::vector<std::string> texts{file.toStdString()};
        for (const QString& word : words) texts.push_back(word.toStdString());
        std::vector<std::string> environment;
        for (const QString& variable : variables) environment.push_back(variable.toStdString());
        // Of two values the first one counts.
        for (const char* variable : {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TERM=xterm-256color"})
            environment.emplace_back(variable);
        const auto pointers = [](std::vector<std::string>& list) {
            std::vector<char*> raw;
            for (std::string& text : list) raw.push_back(text.data());
            raw.push_back(nullptr);
            return raw;
        };
        const auto argv = pointers(texts), env = pointers(environment);
        m_child = ::forkpty(&m_master, nullptr, nullptr, &size);
        if (m_child == 0) {
            for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
            ::execve(argv[0], argv.data(), env.data());
            ::_exit(127);
        }
        if (m_child < 0)
            m_ended = true;
        else
            ::tcgetattr(m_master, &m_before);
    }
    // False in a bare root without /dev/pts.
    static bool available()
    {
        const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
        const bool works = master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0;
        if (master >= 0) ::close(master);
        return works;
    }
    ~TerminalSession()
    {
        if (m_child > 0) {
            ::kill(m_child, SIGKILL);
            ::waitpid(m_child, nullptr, 0);
        }
        if (m_master >= 0) ::close(m_master);
    }
    TerminalSession(const TerminalSession&) = delete;
    TerminalSession& operator=(const TerminalSession&) = delete;

    void type(const QByteArray& keys)
    {
        if (::write(m_master, keys.constData(), static_cast<std::size_t>(keys.size())) < 0) m_seen += "<write failed>";
    }
    bool waitFor(const QByteArray& text, int patience = 60'000)
    {
        QElapsedTimer timer;
        timer.start();
        while (!m_seen.contains(text) && timer.elapsed() < patience)
            if (!readSome(100) && m_ended) break;
        return m_seen.contains(text);
    }
    // The exit code, after everything was read.
    int finish(int patience = 60'000)
    {
        QElapsedTimer timer;
        timer.start();
        while (!m_ended && timer.elapsed() < patience) readSome(100);
        if (!m_ended) return -1;
        int status = 0;
        ::waitpid(m_child, &status, 0);
        m_child = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    const QByteArray& seen() const { return m_seen; }
    bool modesAreAsBefore() const
    {
        termios now{};
        return ::tcgetattr(m_master, &now) == 0 && now.c_lflag == m_before.c_lflag && now.c_iflag == m_before.c_iflag &&
               now.c_oflag == m_before.c_oflag;
    }

private:
    bool readSome(int patience)
    {
        pollfd ready{m_master, POLLIN, 0};
        if (::poll(&ready, 1, patience) <= 0) return false;
        char bytes[4096];
        const ssize_t count = ::read(m_master, bytes, sizeof bytes);
        if (count <= 0)
            m_ended = true; // EIO: the other side closed
        else
            m_seen.append(bytes, static_cast<int>(count));
        return count > 0;
    }

    int m_master = -1;
    pid_t m_child = -1;
    bool m_ended = false;
    QByteArray m_seen;
    termios m_before{};
};

} // namespace aiflow::test
