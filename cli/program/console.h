// The program's mouth: standard output for results, standard error for everything else, in the reader's language.
#pragma once

#include "aiflow/result.h"
#include "cli/program/common_options.h"
#include "cli/program/language.h"
#include "cli/terminal/choices.h"

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

struct StreamTraits {
    bool terminal = false;
    bool color = false;
};

// Writes go straight to the file descriptor, whole texts at once, so that lines of several threads do not mix.
// Threads: every method but configure(), from any thread.
class Console {
public:
    // Looks at the environment: streams, language, character set, colours.
    Console();
    // The options' word on top of the environment's.
    void configure(const CommonOptions& common);

    Language language() const noexcept { return m_language; }
    std::string_view say(Text text) const noexcept { return text.in(m_language); }
    bool ascii() const noexcept { return m_ascii; }
    bool quiet() const noexcept { return m_quiet; }
    const StreamTraits& outTraits() const noexcept { return m_out; }
    const StreamTraits& errTraits() const noexcept { return m_err; }
    // As texts for the two streams should look, at the size that the terminal has now.
    terminal::Look outLook() const;
    terminal::Look errLook() const;
    // May a person be asked? Standard input and error are terminals and --no-input was not given.
    bool canAsk() const noexcept { return m_canAsk; }

    // False once nobody reads standard output any more.
    bool out(std::string_view text);
    bool outGone() const noexcept { return m_outGone; }
    void err(std::string_view text);
    // "error: file:line:column: what", the way out below.
    void error(const Error& error);
    void warn(std::string_view sentence);
    // "Next:  aiflow-cli ..." on standard error, unless --quiet.
    void next(const std::vector<std::string>& commands);
    // The line without its end; nothing at the end of input.
    static std::optional<std::string> ask(std::string_view question);

private:
    terminal::Look look(const StreamTraits& stream) const;

    Language m_language;
    bool m_ascii = false, m_quiet = false, m_canAsk = false;
    StreamTraits m_out, m_err;
    std::atomic<bool> m_outGone = false;
};

// The environment as it is, for the terminal's rules.
std::optional<std::string> environmentVariable(const char* name);
// For the shell: quoted when needed.
std::string shellWord(std::string_view word);

} // namespace aiflow
