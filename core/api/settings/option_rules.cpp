#include "core/api/settings/readers.h"
#include "core/base/json.h"

#include <algorithm>
#include <array>
#include <span>

namespace aiflow {

namespace {

enum class OptionForm : std::uint8_t { Text, Texts, Duration, Path, Pointer, Map, Word, Header };

struct OptionRule {
    std::string_view name;
    OptionForm form;
    std::string_view words = {}; // of a Word: with spaces around each
};

constexpr std::array kCommon{
    OptionRule{"key_header", OptionForm::Header},
    OptionRule{"key_prefix", OptionForm::Text},
    OptionRule{"extra", OptionForm::Map},
    OptionRule{"pass", OptionForm::Texts},
    OptionRule{"idempotency_header", OptionForm::Header},
    OptionRule{"reference_header", OptionForm::Header},
    OptionRule{"probe", OptionForm::Path},
    OptionRule{"latency", OptionForm::Duration},
};
constexpr std::array kOpenAi{
    OptionRule{"max_tokens_field", OptionForm::Word, " max_tokens max_completion_tokens "},
    OptionRule{"structured", OptionForm::Word, " json_schema json_object prompt "},
    OptionRule{"image_format", OptionForm::Word, " b64_json url none "},
    OptionRule{"image_field", OptionForm::Text},
    OptionRule{"chat_path", OptionForm::Path},
    OptionRule{"images_path", OptionForm::Path},
    OptionRule{"edits_path", OptionForm::Path},
    OptionRule{"embeddings_path", OptionForm::Path},
};
constexpr std::array kGemini{
    OptionRule{"structured", OptionForm::Word, " schema prompt "},
    OptionRule{"safety", OptionForm::Word,
               " BLOCK_NONE BLOCK_ONLY_HIGH BLOCK_MEDIUM_AND_ABOVE BLOCK_LOW_AND_ABOVE OFF "},
    OptionRule{"modalities", OptionForm::Texts},
};
constexpr std::array kAnthropic{
    OptionRule{"structured", OptionForm::Word, " tool json_schema prompt "},
    OptionRule{"version", OptionForm::Text},
};
constexpr std::array kRemoteJob{
    OptionRule{"submit", OptionForm::Path},
    OptionRule{"poll", OptionForm::Path},
    OptionRule{"fetch", OptionForm::Path},
    OptionRule{"lookup", OptionForm::Path},
    OptionRule{"id", OptionForm::Pointer},
    OptionRule{"status", OptionForm::Pointer},
    OptionRule{"result", OptionForm::Pointer},
    OptionRule{"files", OptionForm::Pointer},
    OptionRule{"error", OptionForm::Pointer},
    OptionRule{"lookup_id", OptionForm::Pointer},
    OptionRule{"input_tokens", OptionForm::Pointer},
    OptionRule{"output_tokens", OptionForm::Pointer},
    OptionRule{"done", OptionForm::Texts},
    OptionRule{"failed", OptionForm::Texts},
    OptionRule{"running", OptionForm::Texts},
    OptionRule{"interval", OptionForm::Duration},
    OptionRule{"longest_interval", OptionForm::Duration},
    OptionRule{"patience", OptionForm::Duration},
    OptionRule{"reference", OptionForm::Text},
    OptionRule{"webhook", OptionForm::Text},
    OptionRule{"webhook_url", OptionForm::Text},
    OptionRule{"body", OptionForm::Map},
};
constexpr std::array kModelService{
    OptionRule{"path", OptionForm::Path},     OptionRule{"form", OptionForm::Word, " json multipart "},
    OptionRule{"files", OptionForm::Pointer}, OptionRule{"result", OptionForm::Pointer},
    OptionRule{"error", OptionForm::Pointer},
};

std::span<const OptionRule> rulesOf(ProtocolKind protocol)
{
    switch (protocol) {
    case ProtocolKind::OpenAi:
        return kOpenAi;
    case ProtocolKind::Gemini:
        return kGemini;
    case ProtocolKind::Anthropic:
        return kAnthropic;
    case ProtocolKind::RemoteJob:
        return kRemoteJob;
    case ProtocolKind::ModelService:
        return kModelService;
    case ProtocolKind::Offline:
        return {};
    }
    return {};
}

const OptionRule* ruleOf(ProtocolKind protocol, std::string_view name)
{
    for (const std::span<const OptionRule> rules : {rulesOf(protocol), std::span<const OptionRule>(kCommon)})
        for (const OptionRule& rule : rules)
            if (rule.name == name) return &rule;
    return nullptr;
}

std::string namesFor(ProtocolKind protocol)
{
    std::string names;
    for (const std::span<const OptionRule> rules : {rulesOf(protocol), std::span<const OptionRule>(kCommon)})
        for (const OptionRule& rule : rules) names += (names.empty() ? "" : ", ") + std::string(rule.name);
    return names;
}

bool isHeaderName(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

// What is wrong with `value`; nothing: it fits.
std::optional<std::string> misfitOf(const OptionRule& rule, const Json& value)
{
    const bool isText = value.is_string();
    const std::string text = isText ? value.get<std::string>() : std::string();
    switch (rule.form) {
    case OptionForm::Text:
        return isText || value.is_number() ? std::nullopt : std::optional("write a text");
    case OptionForm::Texts:
        if (isText) return std::nullopt;
        if (value.is_array() && std::ranges::all_of(value, [](const Json& one) { return one.is_string(); }))
            return std::nullopt;
        return "write a list of texts: [one, two]";
    case OptionForm::Duration:
        return isText && durationFrom(text) ? std::nullopt : std::optional("write a time such as 500ms, 30s or 2m");
    case OptionForm::Path:
        return isText && text.starts_with('/') && text.find_first_of(" \r\n") == std::string::npos
                   ? std::nullopt
                   : std::optional("write a path that begins with /; it stands behind base_url");
    case OptionForm::Pointer:
        return isText && (text.empty() || text.starts_with('/'))
                   ? std::nullopt
                   : std::optional("write a JSON pointer such as /output/status");
    case OptionForm::Map:
        return value.is_object() ? std::nullopt : std::optional("write a map");
    case OptionForm::Word:
        if (isText && rule.words.find(" " + text + " ") != std::string_view::npos) return std::nullopt;
        return "write one of:" + std::string(rule.words.substr(0, rule.words.size() - 1));
    case OptionForm::Header:
        return isText && isHeaderName(text) ? std::nullopt : std::optional("write a header's name such as X-Api-Key");
    }
    return std::nullopt;
}

} // namespace

std::shared_ptr<const Json> readOptions(const Section& owner, ProtocolKind protocol)
{
    auto options = std::make_shared<Json>(Json::object());
    const Section section = owner.map("options");
    const Json given = owner.merged("options");
    for (const auto& [name, value] : given.items()) {
        const OptionRule* rule = ruleOf(protocol, name);
        if (rule == nullptr) {
            section.wrong(name, "is no option of this protocol", "there are: " + namesFor(protocol));
        } else if (const auto misfit = misfitOf(*rule, value)) {
            section.wrong(name, "has the wrong form", *misfit);
        } else if (rule->form == OptionForm::Duration) {
            (*options)[name + "_ms"] = durationFrom(value.get<std::string>())->count();
        } else {
            (*options)[name] = value;
        }
    }
    return options;
}

} // namespace aiflow
