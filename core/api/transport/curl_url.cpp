#include "core/api/transport/curl_library.h"

#include "core/api/transport/ascii.h"

#include <algorithm>
#include <charconv>
#include <curl/curl.h>

namespace aiflow::curl {

namespace {

struct FreeText {
    void operator()(char* text) const { curl_free(text); }
};

struct FreeUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string partOf(CURLU* url, CURLUPart part, unsigned int flags = 0)
{
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return {};
    const std::unique_ptr<char, FreeText> owner(text);
    return text;
}

std::string plainHost(std::string host)
{
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    while (!host.empty() && host.back() == '.') host.pop_back();
    return lowerAscii(std::move(host));
}

// Without what may be secret: a query, a name and password.
std::string showable(const std::string& url)
{
    const std::string whole = url.substr(0, std::min<std::size_t>(url.find_first_of("?#"), 200));
    const auto at = whole.rfind('@');
    return at == std::string::npos ? whole : "..." + whole.substr(at);
}

} // namespace

Result<Url> parseUrl(const std::string& text, const std::string& base)
{
    const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
    const auto refused = [&](CURLUcode code) {
        return fail(Reason::InputFieldBad, "not a usable URL: " + showable(text) + ": " + curl_url_strerror(code));
    };
    if (!base.empty()) curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0);
    if (const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER))
        return refused(code);
    // A fragment is never sent.
    curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
    Url parts;
    parts.text = partOf(url.get(), CURLUPART_URL);
    parts.scheme = lowerAscii(partOf(url.get(), CURLUPART_SCHEME));
    parts.host = plainHost(partOf(url.get(), CURLUPART_HOST));
    const std::string port = partOf(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), parts.port);
    if (parts.text.empty() || parts.host.empty()) return refused(CURLUE_NO_HOST);
    if (parts.port <= 0) return refused(CURLUE_BAD_PORT_NUMBER);
    return parts;
}

} // namespace aiflow::curl
