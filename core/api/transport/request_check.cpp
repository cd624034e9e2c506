#include "core/api/transport/request_check.h"

#include "core/api/transport/address_check.h"
#include "core/api/transport/ascii.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

bool isTokenLetter(char letter)
{
    static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           kOthers.find(letter) != std::string_view::npos;
}

bool isToken(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), isTokenLetter); }

bool isHeaderValue(std::string_view text)
{
    return std::all_of(text.begin(), text.end(),
                       [](char letter) { return (letter >= 0x20 && letter <= 0x7E) || letter == '\t'; });
}

// What the transport itself writes: another one would let the two ends disagree on where a request ends.
bool isOurs(const std::string& lowerCaseName)
{
    static constexpr std::array<std::string_view, 8> kOurs = {
        "host", "content-length", "transfer-encoding", "connection", "expect", "te", "upgrade", "proxy-authorization"};
    return std::find(kOurs.begin(), kOurs.end(), lowerCaseName) != kOurs.end();
}

tl::unexpected<Error> refusedUrl(const HttpRequest& request, const curl::Url& url, const std::string& why,
                                 const std::string& hint = {})
{
    return fail(request.untrusted ? Reason::InputFieldBad : Reason::ConfigInvalid,
                url.scheme + "://" + url.host + ": " + why, hint);
}

Result<void> checkFetch(const HttpRequest& request, const curl::Url& url)
{
    if (request.keyHeader.key != nullptr || !request.proxy.empty())
        return fail(Reason::Internal, "a fetch of a foreign URL must not carry a key or use a proxy");
    if (isTrustedHost(request.trustedHosts, url.host, url.port)) return {};
    if (url.port != 80 && url.port != 443)
        return refusedUrl(request, url, "port " + std::to_string(url.port) + " is not fetched from",
                          "only ports 80 and 443, unless the configuration names the host as trusted");
    return {};
}

} // namespace

Result<curl::Url> checkUrl(const HttpRequest& request, const std::string& url, const std::string& base)
{
    if (url.size() > 16 * 1024) return fail(Reason::InputFieldBad, "a URL of more than 16 KiB");
    auto parsed = curl::parseUrl(url, base);
    if (!parsed) return parsed;
    if (parsed->scheme != "https" && parsed->scheme != "http")
        return refusedUrl(request, *parsed, "only https and http are spoken");
    if (request.untrusted) {
        if (auto good = checkFetch(request, *parsed); !good) return tl::unexpected(good.error());
    } else if (parsed->scheme == "http" && !request.plainAllowed) {
        return refusedUrl(request, *parsed, "plain http is not allowed here",
                          "use https, or name the host as a plain one in the configuration");
    }
    return parsed;
}

Result<std::vector<std::string>> headerLines(const HttpRequest& request)
{
    std::vector<std::string> lines;
    lines.reserve(request.headers.size() + 2);
    bool contentType = false;
    const auto add = [&](const std::string& name, const std::string& value) -> Result<void> {
        const std::string lower = lowerAscii(name);
        if (!isToken(name) || isOurs(lower))
            return fail(Reason::InputFieldBad, "the header name is not allowed: " + name);
        if (!isHeaderValue(value))
            return fail(Reason::InputFieldBad,
                        "the value of header " + name + " holds a character that is not allowed");
        const bool blank = value.find_first_not_of(" \t") == std::string::npos;
        lines.push_back(blank ? name + ";" : name + ": " + value);
        contentType = contentType || lower == "content-type";
        return {};
    };
    for (const auto& [name, value] : request.headers)
        if (auto good = add(name, value); !good) return tl::unexpected(good.error());
    if (const KeyHeader& key = request.keyHeader; key.key != nullptr) {
        auto good = add(key.name, key.prefix + std::string(key.key->reveal()));
        if (!good) return tl::unexpected(good.error());
    }
    // A colon alone keeps libcurl from making one up.
    if (!contentType) lines.emplace_back("Content-Type:");
    return lines;
}

Result<void> checkForm(const HttpRequest& request)
{
    if (!isToken(request.method)) return fail(Reason::Internal, "not an HTTP method: " + request.method);
    if (request.body != nullptr && (request.method == "GET" || request.method == "HEAD"))
        return fail(Reason::Internal, request.method + " with a body");
    if (request.body != nullptr && request.body->size() < 0) return fail(Reason::Internal, "a body without a size");
    if (!request.version.empty() && request.version != "1.1" && request.version != "2")
        return fail(Reason::ConfigInvalid, "not an HTTP version: " + request.version, "\"1.1\" or \"2\"");
    return {};
}

} // namespace aiflow
