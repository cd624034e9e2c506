#include "core/api/settings/readers.h"
#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr double kDearest = 10'000; // per million tokens; published prices are far below

bool isCurrency(const std::string& text)
{
    return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// A price per token or per thousand, written where a price per million belongs, or the other way round.
Nanos readRate(const Section& price, std::string_view key)
{
    if (!price.has(key)) return Nanos(0);
    const double value = price.number(key, 0, 0, 1e9);
    if (value <= kDearest) return nanosOf(value);
    price.wrong(key, "is absurd for a million tokens", "prices are per million tokens, in the currency's own unit");
    return Nanos(0);
}

Price readPrice(const Section& model)
{
    Price read;
    if (!model.has("price")) return read;
    const Json* given = model.find("price");
    const Section own(given, model.pathOf("price"), model.findings());
    own.allowOnly({"input", "cached_input", "output", "image", "call", "currency"});
    read.inputPerMillion = readRate(own, "input");
    read.cachedInputPerMillion = readRate(own, "cached_input");
    read.outputPerMillion = readRate(own, "output");
    read.perImage = nanosOf(own.number("image", 0, 0, 1'000));
    read.perCall = nanosOf(own.number("call", 0, 0, 1'000));
    read.currency = own.text("currency");
    if (read.currency.empty())
        model.wrong("price", "does not say in which money", "add `currency: USD` (or CNY, EUR, ...) to it");
    else if (!isCurrency(read.currency))
        own.wrong("currency", "is no currency", "write its three capital letters, such as USD or CNY");
    if (read.cachedInputPerMillion > read.inputPerMillion)
        own.wrong("cached_input", "is above the price of input", "correct it, or leave it out");
    return read;
}

std::optional<std::size_t> providerNamed(const std::string& name, const ApiSettings& settings)
{
    for (std::size_t i = 0; i < settings.providers.size(); ++i)
        if (settings.providers[i].name == name) return i;
    return std::nullopt;
}

// The shipped facts about this model of this service; null: there are none.
const Json* knownModel(const Section& root, const std::string& provider, const std::string& remoteName,
                       const Json& presets)
{
    if (!presets.is_object() || !presets.contains("models") || !presets["models"].is_object()) return nullptr;
    const std::string service = root.map("providers").map(provider).text("preset", provider);
    for (const auto& [name, model] : presets["models"].items()) {
        const std::string remote = model.value("model", name);
        if (model.value("provider", "") == service && remote == remoteName) return &model;
    }
    return nullptr;
}

ApiModel readModel(const Section& model, std::size_t provider, const std::string& name, const ApiSettings& settings)
{
    model.allowOnly({"provider", "model", "price", "context", "max_output", "timeout", "limits", "options", "title"});
    ApiModel read;
    read.name = name;
    read.provider = provider;
    read.remoteName = model.text("model", name);
    read.price = readPrice(model);
    read.contextTokens = model.integer("context", 0, 1, 100'000'000);
    read.maxOutputTokens = model.integer("max_output", read.maxOutputTokens, 1, 10'000'000);
    read.timeout = model.duration("timeout", std::chrono::milliseconds{0});
    read.limits = readLimits(model);
    read.options = readOptions(model, settings.providers[provider].protocol);
    if (read.contextTokens > 0 && read.maxOutputTokens > read.contextTokens)
        model.wrong(model.has("max_output") ? "max_output" : "context",
                    "leaves no room: the answer alone would not fit the context",
                    "lower max_output, or correct context");
    return read;
}

} // namespace

void readModels(const Section& root, SettingsDraft& draft)
{
    const Section models = root.map("models");
    for (const std::string& name : models.keys()) {
        const Section plain = models.map(name);
        if (plain.has("file")) continue; // a network of this machine
        const std::string providerName = plain.text("provider");
        const auto provider = providerNamed(providerName, draft.settings);
        if (providerName.empty()) {
            draft.findings.add(plain.path(), "does not say who answers",
                               "add `provider: NAME`, or `file: PATH` for a network of this machine");
        } else if (!provider) {
            plain.wrong("provider", "names no provider", "add \"" + providerName + "\" under `providers:`");
        } else {
            const Json* known = knownModel(root, providerName, plain.text("model", name), draft.presets);
            const Section model(models.find(name), models.pathOf(name), draft.findings, known);
            draft.settings.models.push_back(readModel(model, *provider, name, draft.settings));
        }
    }
}

} // namespace aiflow
