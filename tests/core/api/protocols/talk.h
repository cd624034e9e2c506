// Conversations without a network: plans, requests as the bytes that would be sent, and answers as they would come.
#pragma once

#include "core/api/protocols/protocol.h"
#include "core/base/json.h"

#include <algorithm>
#include <cstring>

namespace aiflow {

// One provider with one account and one model.
struct TalkWorld {
    ApiSettings settings;
    std::map<std::string, std::string> files; // by hash

    explicit TalkWorld(ProtocolKind protocol, Json options = Json::object(), const std::string& model = "m-1")
    {
        ProviderSettings provider;
        provider.name = "p";
        provider.protocol = protocol;
        provider.baseUrl = "https://api.example.com/v1";
        provider.timeout = std::chrono::minutes(5);
        provider.fetchHosts = {"cdn.example.com"};
        provider.options = std::make_shared<const Json>(std::move(options));
        AccountSettings account;
        account.name = "p/main";
        account.key = std::make_shared<const Secret>("p/main", "sk-canary-51c3");
        provider.accounts.push_back(account);
        settings.providers.push_back(std::move(provider));
        ApiModel made;
        made.name = "m";
        made.provider = 0;
        made.remoteName = model;
        settings.models.push_back(std::move(made));
    }

    AttemptPlan plan(RouteKind kind, Json request) const
    {
        return {settings, 0,        0,  kind, std::make_shared<const Json>(std::move(request)),
                "at-1",   "idem-1", {}, 100,  opener()};
    }
    OpenFile opener() const;
    ProtocolKind kind() const { return settings.providers[0].protocol; }
    const Protocol& protocol() const { return protocolOf(kind()); }
    std::unique_ptr<Conversation> begin(RouteKind route, Json request) const
    {
        auto made = protocol().begin(plan(route, std::move(request)));
        return made ? std::move(*made) : nullptr;
    }
};

class BytesSource final : public BodySource {
public:
    explicit BytesSource(std::string bytes) : m_bytes(std::move(bytes)) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(m_bytes.size()); }
    Result<std::size_t> read(std::span<std::byte> into) override
    {
        const std::size_t count = std::min({into.size(), m_bytes.size() - m_at, std::size_t(7)});
        std::memcpy(into.data(), m_bytes.data() + m_at, count);
        m_at += count;
        return count;
    }

private:
    std::string m_bytes;
    std::size_t m_at = 0;
};

inline OpenFile TalkWorld::opener() const
{
    return [this](const RequestFile& file) -> Result<std::unique_ptr<BodySource>> {
        const auto found = files.find(file.hash);
        if (found == files.end()) return fail(Reason::InputFileBad, "gone: " + file.hash);
        return std::make_unique<BytesSource>(found->second);
    };
}

// Drains a body through a buffer of `room` bytes; the text of an error begins with "error: ".
inline std::string bytesOf(BodySource* body, std::size_t room = 4096)
{
    if (body == nullptr) return {};
    std::string all;
    std::vector<std::byte> buffer(room);
    for (;;) {
        const auto count = body->read(buffer);
        if (!count) return "error: " + count.error().message;
        if (*count == 0) return all;
        all.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
}

inline std::string headerIn(const HttpRequest& request, const std::string& name)
{
    for (const auto& [key, value] : request.headers)
        if (key == name) return value;
    return {};
}

using Headers = std::vector<std::pair<std::string, std::string>>;

inline HttpEnd ended(int status, Headers headers = {})
{
    HttpEnd end;
    end.ending = HttpEnding::Complete;
    end.status = status;
    end.headers = std::move(headers);
    end.requestSent = true;
    return end;
}

inline NextMove answered(Conversation& talk, const std::string& body, int status = 200, Headers headers = {},
                         std::vector<SpooledFile> files = {})
{
    const HttpEnd end = ended(status, std::move(headers));
    SpooledAnswer spooled;
    spooled.status = status;
    spooled.text = body;
    spooled.files = std::move(files);
    spooled.bodyBytes = static_cast<std::int64_t>(body.size());
    return talk.next({end, spooled});
}

inline SpooledFile spooledPicture(const std::string& path, std::int64_t size = 5000)
{
    SpooledFile file;
    file.mediaType = "image/png";
    file.path = path;
    file.size = size;
    return file;
}

// "answer", "exchange", "keep id", or the failure's class and words.
inline std::string shown(const NextMove& move)
{
    if (std::holds_alternative<ProtocolAnswer>(move)) return "answer";
    if (std::holds_alternative<Exchange>(move)) return "exchange";
    if (std::holds_alternative<KeepRemoteId>(move)) return "keep id";
    const Failure& failure = std::get<Failure>(move);
    constexpr const char* kNames[] = {"NotSent",        "Throttled",    "QuotaExhausted", "KeyRefused",
                                      "Outage",         "ServerError",  "TimedOut",       "Unknown",
                                      "ContentRefused", "BadRequest",   "TooLarge",       "CutOff",
                                      "Misfit",         "LyingSuccess", "JobFailed",      "Cancelled"};
    return std::string(kNames[static_cast<int>(failure.failure)]) + ": " + failure.message;
}

inline const std::string kPng = std::string("\x89PNG\r\n\x1A\n", 8) + "tiny";
inline const std::string kPngBase64 = "iVBORw0KGgp0aW55";

} // namespace aiflow
