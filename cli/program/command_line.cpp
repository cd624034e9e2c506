#include "cli/program/command_line.h"

#include "cli/program/common_options.h"
#include "cli/program/near_word.h"

#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <functional>
#include <map>

namespace aiflow {

namespace {

// "-o,--out" -> "-o, --out".
std::string shownNames(std::string_view names, std::string_view value)
{
    std::string text(names);
    if (const auto comma = text.find(','); comma != std::string::npos) text.insert(comma + 1, " ");
    if (!value.empty()) text.append(" ").append(value);
    return text;
}

std::string lastName(std::string_view names) { return std::string(names.substr(names.rfind(',') + 1)); }

std::vector<std::string> split(std::string_view text, char separator)
{
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(separator, at), text.size());
        parts.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

std::optional<Error> mistake(std::string message, std::string hint = {})
{
    return Error{Reason::UsageInvalid, std::move(message), std::move(hint), std::nullopt};
}

std::optional<Error> readNumber(const std::string& name, const std::string& text, std::int64_t least,
                                std::optional<std::int64_t>& target)
{
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, code] = std::from_chars(text.data(), end, value);
    if (code != std::errc() || rest != end || value < least)
        return mistake(name + " needs a whole number of at least " + std::to_string(least) + ", not \"" + text + "\"");
    target = value;
    return std::nullopt;
}

std::optional<Error> readChoice(const std::string& name, const std::string& text, std::string_view words,
                                std::string& target)
{
    const std::vector<std::string> allowed = split(words, '|');
    if (std::find(allowed.begin(), allowed.end(), text) == allowed.end()) {
        const auto meant = wordMeant(text, allowed);
        return mistake(name + " cannot be \"" + text + "\"; it is one of " + std::string(words),
                       meant ? "did you mean " + name + " " + *meant + "?" : "");
    }
    target = text;
    return std::nullopt;
}

// One command's options, told to the parsing library as plain text and read by ourselves afterwards, so that every
// mistake is worded the same way.
class ParserOptions final : public OptionSet {
public:
    explicit ParserOptions(CLI::App& app) : m_app(app) {}

    void positional(std::string_view name, std::string& target, Need need, Text) override
    {
        auto value = std::make_shared<std::vector<std::string>>();
        // A value that is not there must be our mistake to report, not the library's.
        m_app.add_option(std::string(name), *value)->expected(0, 1);
        m_readers.push_back([=, &target, name = std::string(name)]() -> std::optional<Error> {
            if (value->empty() && need == Need::Required) return mistake(name + " is missing");
            if (!value->empty()) target = value->back();
            return std::nullopt;
        });
    }

    void text(std::string_view names, std::optional<std::string>& target, std::string_view value, Text help) override
    {
        take(names, value, help, [&target](const std::string& text) -> std::optional<Error> {
            target = text;
            return std::nullopt;
        });
    }

    void path(std::string_view names, std::optional<std::filesystem::path>& target, std::string_view value,
              Text help) override
    {
        take(names, value, help, [&target](const std::string& text) -> std::optional<Error> {
            target = text;
            return std::nullopt;
        });
    }

    void number(std::string_view names, std::optional<std::int64_t>& target, std::int64_t least, Text help) override
    {
        take(names, "N", help, [&target, least, name = lastName(names)](const std::string& text) {
            return readNumber(name, text, least, target);
        });
    }

    void choice(std::string_view names, std::string& target, std::string_view words, Text help) override
    {
        take(names, words, help, [&target, words, name = lastName(names)](const std::string& text) {
            return readChoice(name, text, words, target);
        });
    }

    void repeated(std::string_view names, std::vector<std::string>& target, std::string_view value, Text help) override
    {
        rows.push_back({shownNames(names, value), help});
        m_app.add_option(std::string(names), target)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
            ->allow_extra_args(false);
    }

    void flag(std::string_view names, bool& target, Text help) override
    {
        rows.push_back({shownNames(names, ""), help});
        m_app.add_flag(std::string(names), [&target](std::int64_t) { target = true; });
    }

    void counted(std::string_view names, int& target, Text help) override
    {
        rows.push_back({shownNames(names, ""), help});
        m_app.add_flag(std::string(names), [&target](std::int64_t count) { target = static_cast<int>(count); });
    }

    std::optional<Error> read() const
    {
        for (const auto& reader : m_readers)
            if (auto error = reader()) return error;
        return std::nullopt;
    }

    std::vector<OptionRow> rows;

private:
    using Reader = std::function<std::optional<Error>(const std::string&)>;

    void take(std::string_view names, std::string_view valueName, Text help, const Reader& reader)
    {
        rows.push_back({shownNames(names, valueName), help});
        auto given = std::make_shared<std::string>();
        CLI::Option* option = m_app.add_option(std::string(names), *given)->take_last();
        m_readers.push_back(
            [=]() -> std::optional<Error> { return option->count() > 0 ? reader(*given) : std::nullopt; });
    }

    CLI::App& m_app;
    std::vector<std::function<std::optional<Error>()>> m_readers;
};

struct Entry {
    Command* command;
    std::unique_ptr<ParserOptions> own;
    std::unique_ptr<ParserOptions> common;
};

} // namespace

struct CommandLine::State {
    CLI::App root;
    bool help = false, version = false;
    std::map<std::string, Entry, std::less<>> entries;
    std::unique_ptr<ParserOptions> common;

    CLI::App& prepare(CLI::App& app)
    {
        app.set_help_flag("");
        app.require_subcommand(0, 1);
        app.add_flag("-h,--help", [this](std::int64_t) { help = true; });
        return app;
    }
    CLI::App& appNamed(const std::string& name)
    {
        const auto space = name.find(' ');
        CLI::App& parent = space == std::string::npos ? root : *root.get_subcommand(name.substr(0, space));
        return prepare(*parent.add_subcommand(space == std::string::npos ? name : name.substr(space + 1)));
    }
    void enter(const std::string& name, CLI::App& app, Command& command, CommonOptions& target)
    {
        Entry entry{&command, std::make_unique<ParserOptions>(app), std::make_unique<ParserOptions>(app)};
        command.declare(*entry.own);
        declareCommon(*entry.common, target);
        entries.emplace(name, std::move(entry));
    }
    Error unknown(const CLI::App& deepest, const std::string& word) const;
};

CommandLine::CommandLine(CommandList& commands, std::span<const CommandGroup> groups, CommonOptions& common)
    : m_state(std::make_unique<State>())
{
    State& state = *m_state;
    state.prepare(state.root);
    state.root.add_flag("-V,--version", [&state](std::int64_t) { state.version = true; });
    state.common = std::make_unique<ParserOptions>(state.root);
    declareCommon(*state.common, common);
    for (const CommandGroup& group : groups) {
        state.prepare(*state.root.add_subcommand(std::string(group.name)));
    }
    for (const auto& command : commands) {
        const std::string name(command->card().name);
        state.enter(name, state.appNamed(name), *command, common);
        // A group alone stands for one of its commands.
        for (const CommandGroup& group : groups)
            if (name == std::string(group.name) + " " + std::string(group.whenAlone))
                state.enter(std::string(group.name), *state.root.get_subcommand(std::string(group.name)), *command,
                            common);
    }
}

CommandLine::~CommandLine() = default;

Error CommandLine::State::unknown(const CLI::App& deepest, const std::string& word) const
{
    std::vector<std::string> candidates;
    const bool option = word.starts_with("-");
    if (option)
        for (const CLI::Option* known : deepest.get_options())
            for (const std::string& name : known->get_lnames()) candidates.push_back("--" + name);
    else
        for (const CLI::App* known : deepest.get_subcommands(nullptr)) candidates.push_back(known->get_name());

    std::string typed = word;
    if (option) typed = word.substr(0, word.find('='));
    const auto meant = wordMeant(typed, candidates);
    const std::string program = deepest.get_parent() ? "aiflow-cli " + deepest.get_name() : "aiflow-cli";
    const std::string help = "all of them: " + program + " --help";
    const char* kind = option ? "unknown option " : candidates.empty() ? "unexpected argument " : "unknown command ";
    return *mistake(kind + ("\"" + typed + "\""), meant ? "did you mean \"" + *meant + "\"?" : help);
}

Result<Wish> CommandLine::parse(int count, const char* const* words)
{
    State& state = *m_state;
    const auto deepest = [&state] {
        CLI::App* app = &state.root;
        while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
        return app;
    };
    try {
        state.root.parse(count, words);
    } catch (const CLI::ExtrasError&) {
        CLI::App* app = deepest();
        // Words before the command are the root's.
        if (const auto rest = state.root.remaining(); !rest.empty())
            return tl::unexpected(state.unknown(state.root, rest.front()));
        const auto rest = state.root.remaining(true);
        return tl::unexpected(state.unknown(*app, rest.empty() ? std::string() : rest.front()));
    } catch (const CLI::Error& error) {
        return fail(Reason::UsageInvalid, error.what(), "see: aiflow-cli --help");
    }

    Wish wish;
    wish.help = state.help;
    wish.version = state.version;
    const CLI::App* app = deepest();
    for (const CLI::App* at = app; at->get_parent(); at = at->get_parent())
        wish.helpFor = wish.helpFor.empty() ? at->get_name() : at->get_name() + " " + wish.helpFor;
    if (auto error = state.common->read()) return tl::unexpected(*error);
    if (wish.version || wish.helpFor.empty()) return wish;

    const auto entry = state.entries.find(wish.helpFor);
    if (entry == state.entries.end()) return wish;
    wish.command = entry->second.command;
    if (auto error = entry->second.common->read()) return tl::unexpected(*error);
    if (wish.help) return wish;
    if (auto error = entry->second.own->read()) {
        if (error->hint.empty()) error->hint = "see: aiflow-cli " + wish.helpFor + " --help";
        return tl::unexpected(*error);
    }
    return wish;
}

const std::vector<OptionRow>& CommandLine::optionsOf(std::string_view command) const
{
    static const std::vector<OptionRow> none;
    const auto entry = m_state->entries.find(command);
    return entry == m_state->entries.end() ? none : entry->second.own->rows;
}

const std::vector<OptionRow>& CommandLine::commonOptions() const { return m_state->common->rows; }

} // namespace aiflow
