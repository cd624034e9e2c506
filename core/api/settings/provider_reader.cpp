#include "core/api/settings/readers.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

struct ProtocolFacts {
    std::string_view name;
    ProtocolKind kind;
    std::chrono::milliseconds timeout; // of a whole call, when nobody says more
};
// Documented maxima are minutes for pictures and long texts; a short limit only turns a paid answer into an unknown
// one.
constexpr std::array kProtocols{
    ProtocolFacts{"openai", ProtocolKind::OpenAi, std::chrono::minutes(6)},
    ProtocolFacts{"gemini", ProtocolKind::Gemini, std::chrono::minutes(6)},
    ProtocolFacts{"anthropic", ProtocolKind::Anthropic, std::chrono::minutes(10)},
    ProtocolFacts{"remote-job", ProtocolKind::RemoteJob, std::chrono::minutes(30)},
    ProtocolFacts{"model-service", ProtocolKind::ModelService, std::chrono::minutes(2)},
    ProtocolFacts{"offline", ProtocolKind::Offline, std::chrono::minutes(2)},
};

const ProtocolFacts& readProtocol(const Section& section)
{
    const std::string word = section.text("protocol");
    for (const ProtocolFacts& facts : kProtocols)
        if (facts.name == word) return facts;
    if (word.empty())
        section.findings().add(section.path(), "does not say how it is spoken to",
                               "add `protocol:` (openai, gemini, anthropic, remote-job, model-service or offline)");
    else
        section.wrong("protocol", "is not one of the protocols that there are",
                      "write openai, gemini, anthropic, remote-job, model-service or offline");
    return kProtocols.front();
}

bool isHeaderText(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c == '\t' || (c >= 0x20 && c <= 0x7e); });
}

bool isKeyHeader(std::string name)
{
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    constexpr std::array<std::string_view, 6> kKeys{
        "authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie"};
    return std::ranges::find(kKeys, name) != kKeys.end();
}

void readHeaders(const Section& provider, ProviderSettings& into)
{
    const Section headers = provider.map("headers");
    const Json all = provider.merged("headers");
    for (const auto& entry : all.items()) {
        const std::string& name = entry.key();
        const std::string value = headers.text(name);
        const bool clean = isHeaderText(value) && isHeaderText(name) && !name.empty() &&
                           name.find_first_of(" :\t") == std::string::npos;
        if (isKeyHeader(name))
            headers.wrong(name, "would hold a key, and keys are never written into the configuration",
                          "give the key by `accounts:`, and the header's name by `options: { key_header: .. }`");
        else if (!clean)
            headers.wrong(name, "holds a character that headers may not hold", "use plain ASCII letters and signs");
        else
            into.headers[name] = value;
    }
}

std::string readProxy(const Section& section)
{
    const std::string proxy = section.text("proxy");
    if (proxy.empty()) return {};
    const bool known = std::ranges::any_of(std::array{"http://", "https://", "socks5://", "socks5h://"},
                                           [&](const char* scheme) { return proxy.starts_with(scheme); });
    if (!known || hostOf(proxy).empty())
        section.wrong("proxy", "is no address of a proxy", "write it as http://proxy.example.com:3128");
    if (proxy.find('@') != std::string::npos)
        section.wrong("proxy", "holds a password (the value is not shown)", "use a proxy that asks for none");
    return proxy;
}

std::string readHttpVersion(const Section& section)
{
    const std::string version = section.text("http_version");
    if (version.empty() || version == "1.1" || version == "2") return version;
    if (version == "2.0") return "2";
    section.wrong("http_version", "is not one of the versions that there are", "write 1.1 or 2, or leave it out");
    return {};
}

std::filesystem::path readCaFile(const Section& section)
{
    const std::filesystem::path file = section.text("ca_file");
    std::error_code error;
    if (!file.empty() && !std::filesystem::is_regular_file(file, error))
        section.wrong("ca_file", "\"" + file.string() + "\" is not there", "give the path of a PEM file");
    return file;
}

// Times that the protocol has anyhow are written down, so that a faster world shortens them too.
std::shared_ptr<const Json> withTimes(std::shared_ptr<const Json> options, ProtocolKind protocol)
{
    if (protocol != ProtocolKind::RemoteJob) return options;
    Json made{{"interval_ms", 2'000}, {"longest_interval_ms", 15'000}, {"patience_ms", 600'000}};
    made.update(*options);
    return std::make_shared<const Json>(std::move(made));
}

CapabilityClass defaultClass(ProtocolKind protocol, const Json& options)
{
    if (protocol == ProtocolKind::RemoteJob)
        return options.contains("reference") && options.contains("lookup") ? CapabilityClass::B : CapabilityClass::C;
    return options.contains("idempotency_header") ? CapabilityClass::A : CapabilityClass::D;
}

// A weaker class than the options allow may be asked for; a stronger one needs what it stands on.
CapabilityClass readClass(const Section& section, ProtocolKind protocol, const Json& options)
{
    const CapabilityClass known = defaultClass(protocol, options);
    const std::string word = section.oneOf("capability", {"A", "B", "C", "D"}, "");
    if (word.empty()) return known;
    const auto asked = static_cast<CapabilityClass>(word[0] - 'A');
    const bool remote = protocol == ProtocolKind::RemoteJob;
    if (asked == CapabilityClass::A && !options.contains("idempotency_header"))
        section.wrong("capability", "A needs a header that makes a repeated call answer as the first did",
                      "add `options: { idempotency_header: Idempotency-Key }` if the service honours it");
    else if (asked == CapabilityClass::B && known != CapabilityClass::B)
        section.wrong("capability", "B needs a remote job that can be found by our own reference",
                      "add `options: { reference: FIELD, lookup: /jobs?reference={reference} }`");
    else if (asked == CapabilityClass::C && !remote)
        section.wrong("capability", "C is for remote jobs", "use `protocol: remote-job`, or leave it out");
    return asked;
}

void readAddress(const Section& section, ProviderSettings& provider)
{
    const bool plainAllowed = section.flag("plain_http", false);
    const bool byInstances = provider.protocol == ProtocolKind::ModelService && section.has("instances");
    if (provider.protocol == ProtocolKind::Offline || (byInstances && !section.has("base_url"))) return;
    provider.baseUrl = checkedUrl(section, "base_url", section.text("base_url"), plainAllowed);
}

ProviderSettings readProvider(const Section& section, const std::string& name, SettingsDraft& draft)
{
    section.allowOnly({"protocol", "base_url", "preset", "accounts", "instances", "limits", "timeout", "title",
                       "headers", "ca_file", "proxy", "http_version", "fetch_hosts", "capability", "options",
                       "plain_http"});
    ProviderSettings provider;
    provider.name = name;
    provider.title = section.text("title", name);
    const ProtocolFacts& protocol = readProtocol(section);
    provider.protocol = protocol.kind;
    readAddress(section, provider);
    provider.options = withTimes(readOptions(section, provider.protocol), provider.protocol);
    provider.capability = readClass(section, provider.protocol, *provider.options);
    provider.limits = readLimits(section);
    provider.timeout = section.duration("timeout", protocol.timeout);
    provider.caFile = readCaFile(section);
    provider.proxy = readProxy(section);
    provider.httpVersion = readHttpVersion(section);
    provider.fetchHosts = section.texts("fetch_hosts");
    readHeaders(section, provider);
    readAccounts(section, provider, draft);
    return provider;
}

} // namespace

std::string hostOf(std::string_view url)
{
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    std::string_view rest = url.substr(scheme + 3);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (rest.find('@') != std::string_view::npos) return {};
    std::string host(rest);
    std::ranges::transform(host, host.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return host;
}

bool isLoopback(std::string_view host)
{
    if (host.starts_with("[::1]")) return true;
    const std::string_view name = host.substr(0, host.find(':'));
    if (name == "localhost" || name.ends_with(".localhost")) return true;
    return name.starts_with("127.") &&
           std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

std::string checkedUrl(const Section& owner, std::string_view key, std::string url, bool plainAllowed)
{
    const std::string host = hostOf(url);
    const bool secure = url.starts_with("https://");
    const bool clean = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
    if (url.empty()) {
        owner.findings().add(owner.path(), "has no address", "add `" + std::string(key) + ": https://...`");
    } else if (host.empty() || !clean || (!secure && !url.starts_with("http://")) ||
               url.find_first_of("?#") != std::string::npos) {
        owner.wrong(key, "is no address of a service",
                    "write it as https://api.example.com/v1, without a password, a question mark or spaces");
    } else if (!secure && !plainAllowed && !isLoopback(host)) {
        owner.wrong(key, "would send the key readable over the network",
                    "use https://, or say `plain_http: true` for this provider if the network is your own");
    } else {
        while (url.ends_with('/')) url.pop_back();
        return url;
    }
    return {};
}

const Json* presetOf(const Section& provider, const std::string& name, const Json& presets)
{
    if (!presets.is_object() || !presets.contains("providers")) return nullptr;
    const Json& known = presets["providers"];
    const std::string asked = provider.text("preset", name);
    if (known.is_object() && known.contains(asked)) return &known[asked];
    if (!provider.has("preset")) return nullptr;
    std::vector<std::string> names;
    if (known.is_object())
        for (const auto& entry : known.items()) names.push_back(entry.key());
    provider.wrong("preset", "names no service that ships", "there are: " + join(names, ", "));
    return nullptr;
}

void readProviders(const Section& root, SettingsDraft& draft)
{
    const Section providers = root.map("providers");
    for (const std::string& name : providers.keys()) {
        const Section plain = providers.map(name);
        const Json* preset = presetOf(plain, name, draft.presets);
        const Section section(providers.find(name), providers.pathOf(name), draft.findings, preset);
        draft.settings.providers.push_back(readProvider(section, name, draft));
    }
}

} // namespace aiflow
