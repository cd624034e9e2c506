// What the protocols' requests have in common: address, key, times, options, and the words around a schema.
#pragma once

#include "core/api/protocols/parts/body_pieces.h"
#include "core/api/protocols/parts/neutral_request.h"

#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// Options of a model over those of its provider.
class WireOptions {
public:
    WireOptions(const ProviderSettings& provider, const ApiModel* model) : m_provider(provider), m_model(model) {}
    std::string text(const char* name, std::string fallback = {}) const;
    std::vector<std::string> texts(const char* name) const;
    std::chrono::milliseconds duration(const char* name, std::chrono::milliseconds fallback) const; // without "_ms"
    const Json* find(const char* name) const;                                                       // null: absent

private:
    const ProviderSettings& m_provider;
    const ApiModel* m_model;
};

struct KeyForm {
    std::string header = "Authorization";
    std::string prefix = "Bearer ";
};

// One attempt's own: the settings that it runs under.
class WirePlan {
public:
    explicit WirePlan(AttemptPlan plan) : m_plan(std::move(plan)) {}
    const AttemptPlan& plan() const noexcept { return m_plan; }
    const ProviderSettings& provider() const { return m_plan.settings.providerOf(m_plan.model); }
    const ApiModel& model() const { return m_plan.settings.models.at(m_plan.model); }
    const AccountSettings& account() const { return provider().accounts.at(m_plan.account); }
    WireOptions options() const { return {provider(), &model()}; }
    std::chrono::milliseconds timeout() const;

    // A call to the provider with everything but its body.
    Exchange call(const std::string& method, const std::string& path, const KeyForm& key) const;
    // The same with a JSON body; `extra` and `pass` are put into it.
    Exchange post(const std::string& path, const KeyForm& key, Json body, const std::vector<RequestFile>& files) const;
    Exchange post(const std::string& path, const KeyForm& key, const MultipartForm& form) const;

private:
    void addOptions(Json& body) const;
    AttemptPlan m_plan;
};

// A request to the provider as such: `providers test`.
Exchange probeOf(const ProviderSettings& provider, std::size_t account, const std::string& path, const KeyForm& key);

// Without "$schema" and "$id", which the services refuse.
Json plainSchema(const Json& schema);
// "Answer with one JSON value that fits this JSON Schema ...": for services that cannot be told otherwise.
std::string schemaWords(const Json& schema);
// What the model is told about an answer that did not do.
std::string complaintWords(const Complaint& complaint);
// A text as one segment of an address.
std::string urlSegment(std::string_view text);

} // namespace aiflow
