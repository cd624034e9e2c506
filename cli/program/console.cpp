#include "cli/program/console.h"

#include "cli/terminal/cells.h"

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace aiflow {

namespace {

// False when the reader is gone.
bool writeAll(int descriptor, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            pollfd ready{descriptor, POLLOUT, 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

winsize terminalSize() noexcept
{
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return size;
}

} // namespace

Console::Console() : m_language(languageOfEnvironment())
{
    std::setlocale(LC_CTYPE, "");
    m_ascii = std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0;
    m_out.terminal = ::isatty(STDOUT_FILENO) == 1;
    m_err.terminal = ::isatty(STDERR_FILENO) == 1;
    m_canAsk = m_err.terminal && ::isatty(STDIN_FILENO) == 1;
    configure({});
}

void Console::configure(const CommonOptions& common)
{
    if (common.language) m_language = languageOf(*common.language).value_or(m_language);
    m_ascii = m_ascii || common.ascii;
    m_quiet = common.quiet;
    m_canAsk = m_canAsk && !common.noInput;
    const auto choice = terminal::colorChoiceOf(common.color).value_or(terminal::ColorChoice::Auto);
    m_out.color = terminal::wantsColor(choice, environmentVariable, m_out.terminal);
    m_err.color = terminal::wantsColor(choice, environmentVariable, m_err.terminal);
}

terminal::Look Console::look(const StreamTraits& stream) const
{
    // A file or a pipe has no edge: texts are cut for screens alone.
    constexpr int kNoEdge = 400;
    const winsize size = stream.terminal ? terminalSize() : winsize{};
    terminal::Look look;
    look.language = m_language;
    look.ascii = m_ascii;
    look.color = stream.color;
    if (!stream.terminal) look.columns = kNoEdge;
    if (size.ws_col > 0) look.columns = size.ws_col;
    if (size.ws_row > 0) look.rows = size.ws_row;
    return look;
}

terminal::Look Console::outLook() const { return look(m_out); }
terminal::Look Console::errLook() const { return look(m_err); }

bool Console::out(std::string_view text)
{
    if (m_outGone) return false;
    if (!writeAll(STDOUT_FILENO, text)) m_outGone = true;
    return !m_outGone;
}

void Console::err(std::string_view text) { writeAll(STDERR_FILENO, text); }

void Console::error(const Error& error)
{
    const bool chinese = m_language == Language::Chinese;
    std::string text = m_err.color ? "\033[1;31m" : "";
    text += chinese ? "错误" : "error";
    if (chinese) text.append(" (").append(info(error.reason).headlineZh).append(")");
    text += m_err.color ? ":\033[0m " : ": ";
    text += terminal::harmless(error.text()) + "\n";
    std::string_view hint = error.hint;
    while (!hint.empty()) {
        const auto end = hint.find('\n');
        text += "  " + terminal::harmless(hint.substr(0, end)) + "\n";
        hint.remove_prefix(end == std::string_view::npos ? hint.size() : end + 1);
    }
    err(text);
}

void Console::warn(std::string_view sentence)
{
    std::string text(say({"warning: ", "警告："}));
    err(text.append(sentence).append("\n"));
}

void Console::next(const std::vector<std::string>& commands)
{
    if (m_quiet || commands.empty()) return;
    std::string text(say({"Next:  ", "下一步："}));
    for (std::size_t i = 0; i < commands.size(); ++i) {
        if (i > 0) text += "\n       ";
        text += "aiflow-cli " + commands[i];
    }
    err(text + "\n");
}

std::optional<std::string> Console::ask(std::string_view question)
{
    writeAll(STDERR_FILENO, question);
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
}

std::optional<std::string> environmentVariable(const char* name)
{
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

std::string shellWord(std::string_view word)
{
    static constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
    // Bytes above 0x7f are letters of other scripts: nothing special to a shell.
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return kPlain.find(c) != std::string_view::npos || (static_cast<unsigned char>(c) & 0x80U) != 0;
    });
    if (plain) return std::string(word);
    std::string text = "'";
    for (const char c : word) {
        if (c == '\'')
            text += "'\\''";
        else
            text += c;
    }
    return text + "'";
}

} // namespace aiflow
