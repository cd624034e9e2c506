// Machine output about remote services: who is configured, whether keys work, and how a rehearsal went.
#pragma once

#include "aiflow/providers.h"
#include "aiflow/rehearsal.h"

#include <span>
#include <string>

namespace aiflow {

// Each a whole JSON text of one line, without its end; "v" is 1.
std::string providersJson(const ProviderList& list);
std::string pricesJson(const ProviderList& list);
std::string providerTestsJson(std::span<const AccountTest> tests, int exitCode);
std::string verdictKey(AccountVerdict verdict); // "key_missing"
// The members of a rehearsal, for the final object of its job.
std::string rehearsalJson(const RehearsalReport& report);

} // namespace aiflow
