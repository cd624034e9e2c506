#include "core/api/settings/readers.h"
#include "core/base/hash.h"
#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

// A key that cannot be loaded leaves its account out, or is a mistake, as the caller asked.
bool loadKey(const ProviderSettings& provider, AccountSettings& account, SettingsDraft& draft)
{
    const SettingsReading& reading = draft.reading;
    if (account.keySource.empty() || !reading.loadKeys || (reading.only && *reading.only != provider.name)) return true;
    auto key = Secret::load(account.name, account.keySource);
    if (key) {
        account.key = std::make_shared<const Secret>(std::move(*key));
        return true;
    }
    if (reading.missing != nullptr)
        reading.missing->push_back(key.error());
    else
        draft.findings.add(key.error());
    return false;
}

void setScope(const ProviderSettings& provider, AccountSettings& account)
{
    const std::string secret = account.key ? std::string(account.key->reveal()) : account.keySource;
    const std::string& url = account.baseUrl.empty() ? provider.baseUrl : account.baseUrl;
    account.scope = hostOf(url) + "#" + sha256(secret).hex().substr(0, 16);
}

std::string keySourceOf(const Section& section)
{
    std::string source = section.text("key");
    const bool named =
        source.starts_with("env:") ? source.size() > 4 : source.starts_with("file:") && source.size() > 5;
    if (source.empty() || named) return source;
    section.wrong("key", "must name where the key is, not hold it (the value is not shown)",
                  "write env:NAME for an environment variable, or file:PATH for a file of mode 0600");
    return {};
}

void checkOrganisation(const Section& section, const AccountSettings& account, const SettingsDraft& draft)
{
    const auto& known = draft.settings.organisations;
    const bool found = std::ranges::any_of(known, [&](const auto& one) { return one.name == account.organisation; });
    if (!account.organisation.empty() && !found)
        section.wrong("organisation", "names no organisation", "add it under `organisations:` with its limits");
}

AccountSettings readAccount(const Section& section, const std::string& name, const SettingsDraft& draft)
{
    section.allowOnly({"key", "limits", "organisation", "weight", "base_url"});
    AccountSettings account;
    account.name = name;
    account.keySource = keySourceOf(section);
    account.organisation = section.text("organisation");
    account.weight = section.number("weight", 1, 0.001, 1'000'000);
    account.limits = readLimits(section);
    checkOrganisation(section, account, draft);
    return account;
}

void keep(AccountSettings account, ProviderSettings& provider, SettingsDraft& draft)
{
    if (!loadKey(provider, account, draft)) return;
    setScope(provider, account);
    provider.accounts.push_back(std::move(account));
}

// instances: [http://a:8000, http://b:8000], or a map of names to { base_url, key, limits, weight }.
void readInstances(const Section& provider, const std::string& commonKey, ProviderSettings& into, SettingsDraft& draft)
{
    const bool plainAllowed = provider.flag("plain_http", false);
    const Json* list = provider.find("instances");
    const Section section = list->is_object() ? provider.map("instances") : provider;
    if (list->is_object()) {
        for (const std::string& name : section.keys()) {
            const Section one = section.map(name);
            AccountSettings account = readAccount(one, into.name + "/" + name, draft);
            account.baseUrl = checkedUrl(one, "base_url", one.text("base_url"), plainAllowed);
            if (account.keySource.empty()) account.keySource = commonKey;
            keep(std::move(account), into, draft);
        }
        return;
    }
    int number = 0;
    for (const std::string& url : provider.texts("instances")) {
        AccountSettings account;
        account.name = into.name + "/" + std::to_string(++number);
        account.baseUrl = checkedUrl(provider, "instances", url, plainAllowed);
        account.keySource = commonKey;
        keep(std::move(account), into, draft);
    }
}

bool mayHaveNoKey(const ProviderSettings& provider)
{
    return provider.protocol == ProtocolKind::ModelService || provider.protocol == ProtocolKind::Offline ||
           provider.baseUrl.starts_with("http://");
}

} // namespace

void readAccounts(const Section& provider, ProviderSettings& into, SettingsDraft& draft)
{
    const Section accounts = provider.map("accounts");
    const std::vector<std::string> names = accounts.keys();
    const Json* instances = provider.find("instances");
    if (instances != nullptr && into.protocol != ProtocolKind::ModelService) {
        provider.wrong("instances", "is for model services alone", "give several accounts, or several providers");
        return;
    }
    if (instances != nullptr && names.size() > 1) {
        provider.wrong("accounts", "must be one at most beside `instances`", "give each instance its own key");
        return;
    }
    if (instances != nullptr) {
        const std::string key = names.empty() ? "" : keySourceOf(accounts.map(names.front()));
        readInstances(provider, key, into, draft);
        if (into.accounts.empty() && draft.findings.none() && draft.reading.missing == nullptr)
            provider.wrong("instances", "names no address", "write it as [http://127.0.0.1:8000]");
        return;
    }
    for (const std::string& name : names)
        keep(readAccount(accounts.map(name), into.name + "/" + name, draft), into, draft);
    if (!names.empty()) return;
    if (!mayHaveNoKey(into))
        draft.findings.add(provider.path(), "has no account, so that no key can be sent",
                           "add `accounts: { main: { key: env:NAME } }` below it");
    AccountSettings account;
    account.name = into.name + "/default";
    setScope(into, account);
    into.accounts.push_back(std::move(account));
}

} // namespace aiflow
