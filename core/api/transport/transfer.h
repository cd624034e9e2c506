// One call under way: what was sent, what came, how late it is, and what its end means.
#pragma once

#include "core/api/transport/curl_library.h"
#include "core/api/transport/http_transport.h"

#include <string>
#include <vector>

namespace aiflow {

class Transfer;
// Threads: the loop's.
class TransferObserver {
public:
    virtual void connected(Transfer& transfer, bool http2) = 0;

protected:
    ~TransferObserver() = default;
};

// Threads: built on the caller's, afterwards the loop's alone.
class Transfer final : public curl::WireEvents {
public:
    Transfer(HttpId id, HttpRequest request, HttpListener listener);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    HttpId id() const noexcept { return m_id; }
    // Set when the request is refused before anything is opened.
    const std::optional<Error>& refusal() const noexcept { return m_refusal; }
    const HttpRequest& request() const noexcept { return m_request; }
    const curl::Url& url() const noexcept { return m_url; }

    // Begins, or goes on with the next hop of a redirect. Time limits count from here.
    void begin(const Clock& clock, TransferObserver& observer, std::chrono::milliseconds stallTimeout);
    // What the handle is to be set to; `place` is null while nothing is open.
    curl::Setup setup(curl::HttpVersion version);
    // After a good end: the URL that a redirect of an untrusted fetch leads to was taken over; begin() again.
    bool followRedirect();

    // When isLate() is to be asked (again).
    MonotonicTime nextCheck(MonotonicTime now) const;
    // Late by now: notes why. `patient`: it waits for a place on a connection, which is not its own fault.
    bool isLate(MonotonicTime now, bool patient);
    bool hasSocket() const noexcept { return m_hasSocket; }

    void cancel() noexcept { m_verdict = HttpEnding::Cancelled; }
    // Tells the listener that it ended; onWire comes before where a byte may have left. Once.
    void end(const Clock& clock, bool good, bool timedOut, const std::string& words);

    bool mayConnect(const sockaddr& address) override;
    bool aboutToSend(std::string_view address, bool http2) override;
    std::optional<std::size_t> readBody(std::span<std::byte> into) override;
    bool wantsSentSoFar() const override { return m_hopSent && !m_end.requestSent; }
    void sentSoFar(std::int64_t headBytes, std::int64_t bodyBytes) override;
    bool headerLine(std::string_view line) override;
    bool answerBytes(std::span<const std::byte> bytes) override;

private:
    bool giveUp(HttpEnding verdict, std::string why);
    bool refuse(const std::string& why);
    bool addHeader(std::string_view line);
    bool headersComplete();
    bool isRedirect() const;
    void goOnWire(const Clock& clock);
    MonotonicTime deadline() const;
    HttpEnding endingOf(bool good, bool timedOut) const;
    MonotonicTime now() const { return m_clock->monotonic(); }

    HttpId m_id;
    HttpRequest m_request;
    HttpListener m_listener;
    curl::Url m_url;
    std::vector<std::string> m_headerLines;
    std::int64_t m_bodySize = -1;
    std::optional<Error> m_refusal;
    HttpEnd m_end;
    std::optional<HttpEnding> m_verdict; // our own decision; stronger than libcurl's
    std::string m_why;

    const Clock* m_clock = nullptr;
    TransferObserver* m_observer = nullptr;
    MonotonicTime m_begun, m_hopBegun, m_lastMove, m_wired;
    std::optional<BootTime> m_onWire;
    std::chrono::nanoseconds m_stall{0};
    std::int64_t m_bodyRead = 0, m_bodySent = 0;
    std::int64_t m_headerBytes = 0, m_headerCount = 0;
    int m_hops = 0;
    bool m_sent = false;    // a byte of the request may have left
    bool m_hopSent = false; // of this hop
    bool m_hasSocket = false;
    bool m_answering = false; // a byte of the answer came
    bool m_headersDone = false;
    bool m_skipBody = false;
};

} // namespace aiflow
