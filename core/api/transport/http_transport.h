// HTTP as the API lane needs it: many open calls on one thread, nothing sent twice, answers streamed to where they
// stay.
#pragma once

#include "aiflow/result.h"
#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace aiflow {

// A request's bytes, read once from front to back; they cannot be read again, so they cannot be sent again.
class BodySource {
public:
    virtual ~BodySource() = default;
    virtual std::int64_t size() const = 0; // of the whole
    // Fills as much of `into` as it can; 0: the end. An error ends the call before its last byte left.
    virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
};
std::unique_ptr<BodySource> textBody(std::string text);

// Where an answer's bytes go, on the transport's thread. Must be quick; an error ends the call (InputFileBad: not what
// was announced; OutputDiskFull).
class AnswerSink {
public:
    virtual ~AnswerSink() = default;
    // Once, when the headers are complete.
    virtual Result<void> begin(int status, const std::vector<std::pair<std::string, std::string>>& headers) = 0;
    virtual Result<void> write(std::span<const std::byte> bytes) = 0;
};

struct KeyHeader { // "Authorization: Bearer <key>"; the key goes nowhere else
    std::string name;
    std::string prefix;
    std::shared_ptr<const Secret> key; // null: the header is left out
};

struct HttpRequest {
    std::string method = "POST";
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers; // refused when a byte is outside 0x20..0x7E and tab
    KeyHeader keyHeader;
    std::unique_ptr<BodySource> body; // null: none
    std::shared_ptr<AnswerSink> sink; // null: the answer's bytes come with HttpEnd
    Bytes answerCap = mebibytes(8);   // after decompression, counted by us
    std::chrono::milliseconds connectTimeout{10'000};
    std::chrono::milliseconds firstByteTimeout{0}; // 0: the total alone
    std::chrono::milliseconds totalTimeout{300'000};
    std::filesystem::path caFile; // beside the system's authorities
    std::string proxy;            // empty: none
    std::string version;          // "", "1.1", "2"
    bool plainAllowed = false;    // http:// is allowed only for hosts that the configuration names
    // Fetches what a provider's answer or a row names: no key, no proxy, addresses checked when connecting, redirects
    // followed by hand at most 3 times with the same checks (reliability.md R-C4).
    bool untrusted = false;
    std::vector<std::string> trustedHosts; // of an untrusted fetch: "host" or "host:port", may be private
};

enum class HttpEnding : std::uint8_t {
    Complete, // the whole answer arrived, whatever its status
    NotSent,  // no byte of the request left: resolve, connect, handshake, certificate, refused here
    Broken,   // the connection ended after a byte may have left and before the answer was whole
    TimedOut, // as Broken, by our time limit
    TooLarge, // the answer exceeds its cap; it was dropped
    SinkFailed,
    Cancelled,
};

struct HttpEnd {
    HttpEnding ending = HttpEnding::NotSent;
    int status = 0;                                           // 0: no headers came
    std::vector<std::pair<std::string, std::string>> headers; // names in lower case
    std::string body;                                         // without a sink
    std::int64_t bodyBytes = 0;
    std::string error; // the network's words; empty when Complete
    std::optional<Error> sinkError;
    bool refusedHere = false;            // by our own rules: the same request will be refused again
    bool requestSent = false;            // all of the request's bytes were handed over
    std::chrono::nanoseconds latency{0}; // from the wire to the end
    std::string url;                     // of the last hop
    // The value of a header, or nothing.
    const std::string* header(std::string_view lowerCaseName) const noexcept;
};

using HttpId = std::uint64_t;

// Both are called on the transport's thread and must be quick. `onWire` comes once, when the request (with its body) is
// handed over to the network, and never after `ended`; `ended` comes exactly once.
struct HttpListener {
    std::function<void(HttpId, BootTime)> onWire;
    std::function<void(HttpId, HttpEnd)> ended;
};

// Threads: every method, from any thread; they do not block.
class HttpTransport {
public:
    virtual ~HttpTransport() = default; // drops what is open: ended(Cancelled)

    virtual HttpId start(HttpRequest request, HttpListener listener) = 0;
    virtual void cancel(HttpId id) = 0;
    virtual std::int64_t open() const = 0;
};

struct TransportSettings {
    std::int64_t maxOpen = 10'000; // more wait here; lowered to what the open-file limit allows
    std::int64_t connectionsPerHostHttp2 = 10;
    // A request or an answer that has begun and does not move for so long is given up (TimedOut).
    std::chrono::milliseconds stallTimeout{60'000};
};

// libcurl multi on one thread of its own. Error: libcurl cannot be set up.
Result<std::unique_ptr<HttpTransport>> makeCurlTransport(const TransportSettings& settings, const Clock& clock);

} // namespace aiflow
