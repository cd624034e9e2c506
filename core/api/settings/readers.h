// The parts of readApiSettings(), one for each section of the configuration; internal to this folder.
#pragma once

#include "core/api/settings/api_settings.h"
#include "core/api/settings/section.h"

namespace aiflow {

// `limits` of a provider, an account, an organisation or a model.
LimitSet readLimits(const Section& owner);

// Everything that the readers share while one configuration is read.
struct SettingsDraft {
    ApiSettings settings;
    const Json& presets;
    Findings& findings;
    const SettingsReading& reading;
};

void readOrganisations(const Section& root, SettingsDraft& draft);
void readProviders(const Section& root, SettingsDraft& draft);
void readModels(const Section& root, SettingsDraft& draft);
void readRoutes(const Section& root, SettingsDraft& draft);
// Budgets, retry, breaker, on_unknown.
void readPolicies(const Section& root, SettingsDraft& draft);
// Money in one currency, and a price wherever money is capped.
void checkMoney(const Section& root, SettingsDraft& draft);

// Accounts of a provider whose address and protocol are known; at least one, or a finding.
void readAccounts(const Section& provider, ProviderSettings& into, SettingsDraft& draft);
// `options` of a provider or model: known names and types; times become whole numbers under "<name>_ms".
std::shared_ptr<const Json> readOptions(const Section& owner, ProtocolKind protocol);

// "host" or "host:port" of an address; empty when it is none.
std::string hostOf(std::string_view url);
// This machine itself, by name or address.
bool isLoopback(std::string_view hostAndPort);
// https, or plain where that is allowed; without a slash at its end. A finding and an empty text otherwise.
std::string checkedUrl(const Section& owner, std::string_view key, std::string url, bool plainAllowed);
// The map of `presets` that stands for this provider; null: there is none.
const Json* presetOf(const Section& provider, const std::string& name, const Json& presets);

} // namespace aiflow
