#include "core/pipeline/config_checker.h"

#include <algorithm>
#include <array>
#include <regex>
#include <span>

namespace aiflow {

namespace {

constexpr std::array<std::string_view, 17> kKeys{
    "aiflow",        "pipeline", "output", "state_dir", "models_dir", "offline", "cpu",        "memory", "providers",
    "organisations", "models",   "routes", "budgets",   "retry",      "breaker", "on_unknown", "storage"};
constexpr std::array<std::string_view, 16> kProviderKeys{
    "protocol", "base_url", "preset", "accounts",     "instances",   "limits",     "timeout", "title",
    "headers",  "ca_file",  "proxy",  "http_version", "fetch_hosts", "capability", "options", "plain_http"};
constexpr std::array<std::string_view, 5> kAccountKeys{"key", "limits", "organisation", "weight", "base_url"};
constexpr std::array<std::string_view, 15> kLimitKeys{
    "rpm",      "rps",    "per_day",      "tpm",           "input_tpm", "output_tpm", "per_minute", "concurrency",
    "requests", "tokens", "input_tokens", "output_tokens", "images",    "money",      "windows"};
constexpr std::array<std::string_view, 8> kPlainLimits{"rpm",       "rps",        "per_day",    "tpm",
                                                       "input_tpm", "output_tpm", "per_minute", "concurrency"};
constexpr std::array<std::string_view, 5> kWindowedLimits{"requests", "tokens", "input_tokens", "output_tokens",
                                                          "images"};
constexpr std::array<std::string_view, 7> kWindowKeys{"requests", "tokens", "input_tokens", "output_tokens",
                                                      "images",   "money",  "per"};
constexpr std::array<std::string_view, 2> kCountKeys{"count", "per"};
constexpr std::int64_t kLargestLimit = 1'000'000'000'000;
constexpr std::array<std::string_view, 14> kModelKeys{"provider", "model",  "price",     "context", "max_output",
                                                      "file",     "device", "batch",     "timeout", "limits",
                                                      "options",  "title",  "instances", "sha256"};
constexpr std::array<std::string_view, 6> kPriceKeys{"input", "cached_input", "output", "image", "call", "currency"};
constexpr std::array<std::string_view, 6> kRouteKeys{"kind", "models", "weights", "canary", "sticky", "promotion"};
constexpr std::array<std::string_view, 5> kBudgetKeys{"per_call", "per_item", "per_job", "per_day", "per_month"};
constexpr std::array<std::string_view, 7> kRetryKeys{"base",         "cap",           "attempts", "budget_share",
                                                     "budget_floor", "budget_window", "reasks"};
constexpr std::array<std::string_view, 7> kBreakerKeys{"failures",    "failure_share", "minimum_calls", "window",
                                                       "first_pause", "longest_pause", "probes"};
constexpr std::array<std::string_view, 6> kStorageKeys{"type", "endpoint", "bucket", "path", "key", "secret"};
constexpr std::array<std::string_view, 6> kProtocols{"openai",     "gemini",        "anthropic",
                                                     "remote-job", "model-service", "offline"};

template <std::size_t N> std::vector<std::string> words(const std::array<std::string_view, N>& list)
{
    return {list.begin(), list.end()};
}

// Checks one file; knows nothing of the others.
class FileChecker {
public:
    explicit FileChecker(Problems& problems) : m_problems(problems) {}
    void check(const YamlNode& root);

private:
    using Check = void (FileChecker::*)(const YamlEntry&);
    void each(const MapReader& reader, std::string_view key, Check check);
    void oneOf(const MapReader& reader, std::string_view key, const std::vector<std::string>& allowed);
    void key(const MapReader& reader, std::string_view key);
    void limits(const MapReader& reader, const std::string& owner);
    void window(const YamlEntry* entry, std::span<const std::string_view> keys);
    void money(const MapReader& reader, std::string_view key);
    void isMap(const MapReader& reader, std::string_view key);
    void retry(const MapReader& root);
    void breaker(const MapReader& root);
    void unknownOutcomes(const MapReader& root);
    void provider(const YamlEntry& entry);
    void account(const YamlEntry& entry);
    void organisation(const YamlEntry& entry);
    void model(const YamlEntry& entry);
    void route(const YamlEntry& entry);
    void storage(const YamlEntry& entry);
    static std::string called(const char* what, const YamlEntry& entry)
    {
        return std::string(what) + " \"" + entry.key + "\"";
    }

    Problems& m_problems;
};

void FileChecker::each(const MapReader& reader, std::string_view section, Check check)
{
    const YamlEntry* entry = reader.find(section);
    if (entry == nullptr) return;
    const MapReader names(*entry->value, "\"" + std::string(section) + "\"", {}, m_problems);
    for (const YamlEntry* one : names.entries()) (this->*check)(*one);
}

void FileChecker::oneOf(const MapReader& reader, std::string_view word, const std::vector<std::string>& allowed)
{
    const YamlEntry* entry = reader.find(word);
    if (entry == nullptr) return;
    const std::string text = reader.text(word);
    if (!text.empty() && std::ranges::find(allowed, text) == allowed.end())
        m_problems.unknown(entry->value->place, std::string(word), text, allowed);
}

void FileChecker::key(const MapReader& reader, std::string_view word)
{
    const YamlEntry* entry = reader.find(word);
    if (entry == nullptr) return;
    const std::string& text = entry->value->text;
    const bool named = (text.starts_with("env:") || text.starts_with("file:")) && text.size() > text.find(':') + 1;
    if (named) return;
    m_problems.add(entry->value->place,
                   "\"" + entry->key + "\" must name where the key is, not hold it (the value is not shown)",
                   "write env:NAME for an environment variable, or file:PATH for a file of mode 0600; if the key was "
                   "committed or shared, replace it at the provider");
}

void FileChecker::money(const MapReader& reader, std::string_view word)
{
    static const std::regex form("[0-9]{1,9}(\\.[0-9]{1,4})?\\s?[A-Z]{3}");
    const YamlEntry* entry = reader.find(word);
    if (entry != nullptr && !std::regex_match(entry->value->text, form))
        reader.wrongType(*entry, "money such as 60CNY");
}

void FileChecker::limits(const MapReader& owner, const std::string& what)
{
    const YamlEntry* entry = owner.find("limits");
    if (entry == nullptr) return;
    const MapReader reader(*entry->value, "\"limits\" of " + what, kLimitKeys, m_problems);
    money(reader, "money");
    for (const std::string_view word : kPlainLimits) reader.integer(word, 0, 1, kLargestLimit);
    for (const std::string_view word : kWindowedLimits) window(reader.find(word), kCountKeys);
    const YamlEntry* list = reader.find("windows");
    if (list == nullptr) return;
    if (list->value->kind != YamlNode::Kind::List)
        return reader.wrongType(*list, "a list such as [ { requests: 4, per: 60s } ]");
    for (const YamlPtr& one : list->value->elements) {
        const YamlEntry element{list->key, one->place, one};
        window(&element, kWindowKeys);
    }
}

// { count: 4, per: 60s }, or { requests: 4, per: 60s } in a list.
void FileChecker::window(const YamlEntry* entry, std::span<const std::string_view> keys)
{
    if (entry == nullptr) return;
    const MapReader reader(*entry->value, "\"" + entry->key + "\"", keys, m_problems);
    if (!reader.isMap()) return;
    reader.duration("per");
    for (const std::string_view word : keys) {
        if (word == "money")
            money(reader, word);
        else if (word != "per")
            reader.integer(word, 0, 1, kLargestLimit);
    }
}

void FileChecker::provider(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("provider", entry), kProviderKeys, m_problems);
    oneOf(reader, "protocol", words(kProtocols));
    oneOf(reader, "capability", {"A", "B", "C", "D"});
    oneOf(reader, "http_version", {"1.1", "2"});
    for (const std::string_view word : {"base_url", "preset", "title", "ca_file", "proxy"}) reader.text(word);
    reader.texts("fetch_hosts");
    reader.flag("plain_http", false);
    reader.duration("timeout");
    isMap(reader, "headers");
    isMap(reader, "options");
    limits(reader, called("provider", entry));
    each(reader, "accounts", &FileChecker::account);
    const YamlEntry* instances = reader.find("instances");
    if (instances != nullptr && instances->value->kind == YamlNode::Kind::Map)
        each(reader, "instances", &FileChecker::account);
    else
        reader.texts("instances");
}

void FileChecker::isMap(const MapReader& reader, std::string_view word)
{
    const YamlEntry* entry = reader.find(word);
    if (entry != nullptr && entry->value->kind != YamlNode::Kind::Map) reader.wrongType(*entry, "a map");
}

void FileChecker::account(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("account", entry), kAccountKeys, m_problems);
    key(reader, "key");
    reader.text("organisation");
    reader.text("base_url");
    reader.number("weight");
    limits(reader, called("account", entry));
}

void FileChecker::organisation(const YamlEntry& entry)
{
    constexpr std::array<std::string_view, 1> kOnly{"limits"};
    const MapReader reader(*entry.value, called("organisation", entry), kOnly, m_problems);
    limits(reader, called("organisation", entry));
}

void FileChecker::model(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("model", entry), kModelKeys, m_problems);
    for (const std::string_view word : {"provider", "model", "file", "device", "sha256"}) reader.text(word);
    reader.integer("context", 0, 1, 100'000'000);
    reader.integer("max_output", 0, 1, 10'000'000);
    isMap(reader, "options");
    limits(reader, called("model", entry));
    reader.integer("batch", 0, 1, 4096);
    reader.integer("instances", 0, 1, 64);
    reader.duration("timeout");
    const YamlEntry* price = reader.find("price");
    if (price == nullptr) return;
    const MapReader prices(*price->value, "\"price\" of " + called("model", entry), kPriceKeys, m_problems);
    for (const std::string_view word : {"input", "cached_input", "output", "image", "call"}) prices.number(word);
    prices.text("currency");
}

void FileChecker::route(const YamlEntry& entry)
{
    if (entry.value->kind == YamlNode::Kind::List) return; // text: [a, b] in order
    const MapReader reader(*entry.value, called("route", entry), kRouteKeys, m_problems);
    oneOf(reader, "kind", {"text", "image", "embedding", "model"});
    oneOf(reader, "sticky", {"item", "off"});
    reader.texts("models");
    if (const auto canary = reader.number("canary"); canary && (*canary < 0 || *canary > 100))
        reader.wrongType(*reader.find("canary"), "a percentage from 0 to 100");
    if (const YamlEntry* promotion = reader.find("promotion"); promotion != nullptr) {
        constexpr std::array<std::string_view, 2> kPromotion{"calls", "tolerance"};
        const MapReader parts(*promotion->value, "\"promotion\" of " + called("route", entry), kPromotion, m_problems);
        parts.integer("calls", 0, 1, 1'000'000);
        parts.number("tolerance");
    }
    const YamlEntry* weights = reader.find("weights");
    if (weights == nullptr) return;
    const MapReader names(*weights->value, "\"weights\" of " + called("route", entry), {}, m_problems);
    for (const YamlEntry* weight : names.entries()) names.number(weight->key);
}

void FileChecker::storage(const YamlEntry& entry)
{
    const MapReader reader(*entry.value, called("storage target", entry), kStorageKeys, m_problems);
    oneOf(reader, "type", {"folder", "s3"});
    for (const std::string_view word : {"endpoint", "bucket", "path"}) reader.text(word);
    key(reader, "key");
    key(reader, "secret");
}

void FileChecker::retry(const MapReader& root)
{
    const YamlEntry* entry = root.find("retry");
    if (entry == nullptr) return;
    const MapReader reader(*entry->value, "\"retry\"", kRetryKeys, m_problems);
    for (const std::string_view word : {"base", "cap", "budget_window"}) reader.duration(word);
    reader.integer("attempts", 0, 1, 100);
    reader.integer("budget_floor", 0, 0, 1'000'000);
    reader.integer("reasks", 0, 0, 20);
    reader.number("budget_share");
}

void FileChecker::breaker(const MapReader& root)
{
    const YamlEntry* entry = root.find("breaker");
    if (entry == nullptr) return;
    const MapReader reader(*entry->value, "\"breaker\"", kBreakerKeys, m_problems);
    for (const std::string_view word : {"window", "first_pause", "longest_pause"}) reader.duration(word);
    for (const std::string_view word : {"failures", "minimum_calls", "probes"}) reader.integer(word, 0, 1, 1'000'000);
    reader.number("failure_share");
}

// on_unknown: ask, or { policy: ask, ceiling: 0.05 }.
void FileChecker::unknownOutcomes(const MapReader& root)
{
    const YamlEntry* entry = root.find("on_unknown");
    if (entry == nullptr) return;
    if (entry->value->kind != YamlNode::Kind::Map) return oneOf(root, "on_unknown", {"retry_once", "ask", "fail"});
    constexpr std::array<std::string_view, 2> kParts{"policy", "ceiling"};
    const MapReader reader(*entry->value, "\"on_unknown\"", kParts, m_problems);
    oneOf(reader, "policy", {"retry_once", "ask", "fail"});
    reader.number("ceiling");
}

void FileChecker::check(const YamlNode& root)
{
    if (root.kind == YamlNode::Kind::Null) return;
    const MapReader reader(root, "the configuration", kKeys, m_problems);
    if (!reader.isMap()) return;
    reader.integer("aiflow", 1, 1, 1);
    for (const std::string_view word : {"pipeline", "output", "state_dir", "models_dir"}) reader.text(word);
    reader.flag("offline", false);
    reader.integer("cpu", 0, 1, 4096);
    if (const YamlEntry* memory = reader.find("memory"); memory != nullptr && !memorySize(memory->value->text))
        reader.wrongType(*memory, "a size such as 512MiB or 4GiB");
    each(reader, "providers", &FileChecker::provider);
    each(reader, "organisations", &FileChecker::organisation);
    each(reader, "models", &FileChecker::model);
    each(reader, "routes", &FileChecker::route);
    each(reader, "storage", &FileChecker::storage);
    retry(reader);
    breaker(reader);
    unknownOutcomes(reader);
    const YamlEntry* budgets = reader.find("budgets");
    if (budgets == nullptr) return;
    const MapReader money(*budgets->value, "\"budgets\"", kBudgetKeys, m_problems);
    for (const std::string_view word : kBudgetKeys) this->money(money, word);
}

} // namespace

std::optional<Bytes> memorySize(const std::string& text)
{
    static const std::regex form("([0-9]{1,9})\\s*(MiB|GiB|MB|GB|M|G)");
    std::smatch parts;
    if (!std::regex_match(text, parts, form)) return std::nullopt;
    const std::int64_t count = std::stoll(parts[1].str());
    return parts[2].str()[0] == 'M' ? mebibytes(count) : gibibytes(count);
}

void checkConfiguration(const YamlNode& root, Problems& problems) { FileChecker(problems).check(root); }

} // namespace aiflow
