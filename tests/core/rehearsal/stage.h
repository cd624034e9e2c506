// What the tests of the simulated services share: a small world, and calls to it.
#pragma once

#include "core/base/json.h"
#include "core/rehearsal/simulated_provider.h"
#include "tests/support/loopback_client/loopback_client.h"

#include <functional>
#include <memory>
#include <QtGlobal>
#include <string>
#include <thread>

namespace aiflow::testing {

inline SimulatedService plainService(ProtocolKind protocol = ProtocolKind::OpenAi)
{
    SimulatedService service;
    service.name = "sim";
    service.protocol = protocol;
    service.accounts = {{"main", "key-of-main", {}, {}}, {"second", "key-of-second", {}, {}}};
    SimulatedModel model;
    model.name = "model";
    model.pictureWidth = 48;
    model.pictureHeight = 32;
    model.price.inputPerMillion = Nanos(150'000'000);
    model.price.outputPerMillion = Nanos(600'000'000);
    model.price.currency = "USD";
    service.models = {model};
    return service;
}

inline SimulatedWorld worldWith(SimulatedService service)
{
    SimulatedWorld world;
    world.services.push_back(std::move(service));
    return world;
}

inline std::unique_ptr<SimulatedProvider> started(SimulatedWorld world)
{
    auto provider = SimulatedProvider::start(std::move(world));
    if (!provider) qFatal("%s", provider.error().message.c_str());
    return std::move(*provider);
}

inline Headers withKey(const std::string& key) { return {{"Authorization", "Bearer " + key}}; }

inline std::string question(const std::string& prompt, Json more = Json::object())
{
    more["model"] = "model";
    more["messages"] = Json::array({{{"role", "user"}, {"content", prompt}}});
    return dumpJson(more);
}

// One chat call on a connection of its own.
inline LoopbackAnswer chat(const SimulatedProvider& provider, const std::string& prompt,
                           const std::string& key = "key-of-main", Json more = Json::object())
{
    LoopbackClient client(provider.port());
    return client.exchange("POST", "/sim/v1/chat/completions", withKey(key), question(prompt, std::move(more)));
}

inline Json jsonOf(const LoopbackAnswer& answer)
{
    auto json = parseJson(answer.body);
    return json ? std::move(*json) : Json();
}

inline std::string textOf(const LoopbackAnswer& answer)
{
    const Json json = jsonOf(answer);
    const Json::json_pointer place("/choices/0/message/content");
    return json.contains(place) && json[place].is_string() ? json[place].get<std::string>() : std::string();
}

// Waits for a condition of the server's own thread, at most ten seconds.
inline bool eventually(const std::function<bool()>& condition)
{
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

} // namespace aiflow::testing
