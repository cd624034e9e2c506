#include "core/api/transport/transfer.h"

#include "core/api/transport/address_check.h"
#include "core/api/transport/ascii.h"
#include "core/api/transport/request_check.h"

#include <algorithm>
#include <charconv>
#include <cstring>

using namespace std::chrono_literals;

namespace aiflow {

namespace {

constexpr std::int64_t kHeaderBytes = 64 * 1024;
constexpr std::int64_t kHeaderLines = 200;
constexpr int kHops = 3;

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

int statusOf(std::string_view line)
{
    const auto blank = line.find(' ');
    int status = 0;
    if (blank != std::string_view::npos) std::from_chars(line.data() + blank + 1, line.data() + line.size(), status);
    return status;
}

std::string seconds(std::chrono::nanoseconds time)
{
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    return whole % 1000 == 0 ? std::to_string(whole / 1000) + " s" : std::to_string(whole) + " ms";
}

} // namespace

Transfer::Transfer(HttpId id, HttpRequest request, HttpListener listener)
    : m_id(id), m_request(std::move(request)), m_listener(std::move(listener))
{
    if (auto form = checkForm(m_request); !form) m_refusal = form.error();
    auto url = checkUrl(m_request, m_request.url);
    if (url)
        m_url = std::move(*url);
    else
        m_refusal = url.error();
    auto lines = headerLines(m_request);
    if (lines)
        m_headerLines = std::move(*lines);
    else
        m_refusal = lines.error();
    if (m_request.body != nullptr) m_bodySize = m_request.body->size();
}

Transfer::~Transfer()
{
    for (std::string& line : m_headerLines) explicit_bzero(line.data(), line.size());
}

void Transfer::begin(const Clock& clock, TransferObserver& observer, std::chrono::milliseconds stallTimeout)
{
    m_clock = &clock;
    m_observer = &observer;
    m_stall = stallTimeout;
    m_hopBegun = m_lastMove = now();
    if (m_hops == 0) m_begun = m_hopBegun;
    m_hopSent = m_hasSocket = m_answering = m_headersDone = m_skipBody = false;
    m_bodyRead = m_bodySent = m_headerBytes = m_headerCount = 0;
    m_end.status = 0;
    m_end.headers.clear();
}

curl::Setup Transfer::setup(curl::HttpVersion version)
{
    curl::Setup setup;
    setup.method = m_request.method;
    setup.url = &m_url.text;
    setup.headers = &m_headerLines;
    setup.bodySize = m_bodySize;
    setup.version = version;
    setup.caFile = m_request.caFile.string();
    setup.proxy = m_request.proxy;
    // Where calls wait for a place on a connection, libcurl would count that waiting too.
    setup.connectTimeout = version == curl::HttpVersion::One ? m_request.connectTimeout
                                                             : m_request.totalTimeout + m_request.connectTimeout;
    return setup;
}

bool Transfer::giveUp(HttpEnding verdict, std::string why)
{
    if (m_verdict) return false;
    m_verdict = verdict;
    m_why = std::move(why);
    return false;
}

bool Transfer::refuse(const std::string& why)
{
    m_end.refusedHere = true;
    return giveUp(HttpEnding::Broken, why);
}

bool Transfer::mayConnect(const sockaddr& address)
{
    // After the request left, another connection could only send it again.
    if (m_hopSent) return giveUp(HttpEnding::Broken, "the connection ended before the answer was whole");
    m_hasSocket = true;
    if (!m_request.untrusted || isPublicAddress(address) ||
        isTrustedHost(m_request.trustedHosts, m_url.host, m_url.port))
        return true;
    m_end.refusedHere = true;
    m_why = "the address " + addressText(address) + " is not a public one";
    return false;
}

bool Transfer::aboutToSend(std::string_view address, bool http2)
{
    if (m_hopSent) return giveUp(HttpEnding::Broken, "the connection ended before the answer was whole");
    if (m_request.untrusted && !isPublicAddress(address) &&
        !isTrustedHost(m_request.trustedHosts, m_url.host, m_url.port))
        return refuse("the address " + std::string(address) + " is not a public one");
    m_sent = m_hopSent = true;
    m_end.refusedHere = false; // another address of the host was allowed
    m_why.clear();
    m_lastMove = now();
    m_observer->connected(*this, http2);
    return true;
}

std::optional<std::size_t> Transfer::readBody(std::span<std::byte> into)
{
    if (m_bodyRead >= m_bodySize) return 0;
    const auto left = static_cast<std::size_t>(m_bodySize - m_bodyRead);
    const auto read = m_request.body->read(into.first(std::min(into.size(), left)));
    if (read && *read > 0) {
        m_bodyRead += static_cast<std::int64_t>(*read);
        return *read;
    }
    giveUp(HttpEnding::Broken, read ? "the request's body is shorter than announced" : read.error().text());
    return std::nullopt;
}

void Transfer::sentSoFar(std::int64_t headBytes, std::int64_t bodyBytes)
{
    if (bodyBytes != m_bodySent) m_lastMove = now();
    m_bodySent = bodyBytes;
    if (headBytes <= 0 || bodyBytes < m_bodySize) return;
    m_end.requestSent = true;
    goOnWire(*m_clock);
}

void Transfer::goOnWire(const Clock& clock)
{
    if (m_onWire) return;
    m_onWire = clock.boot();
    m_wired = clock.monotonic();
    if (m_listener.onWire) m_listener.onWire(m_id, *m_onWire);
}

bool Transfer::headerLine(std::string_view line)
{
    m_answering = true;
    m_lastMove = now();
    m_headerBytes += static_cast<std::int64_t>(line.size());
    if (m_headerBytes > kHeaderBytes || ++m_headerCount > kHeaderLines)
        return giveUp(HttpEnding::TooLarge, "the answer has more than 64 KiB or 200 lines of headers");
    if (line.starts_with("HTTP/")) {
        m_end.status = statusOf(line);
        m_end.headers.clear();
        m_headersDone = false;
        return true;
    }
    if (m_headersDone) return true; // a trailer
    if (!trimmed(line).empty()) return addHeader(line);
    const bool interim = m_end.status >= 100 && m_end.status < 200;
    return interim || headersComplete();
}

bool Transfer::addHeader(std::string_view line)
{
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (folded && !m_end.headers.empty()) {
        m_end.headers.back().second += ' ' + std::string(trimmed(line));
        return true;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    m_end.headers.emplace_back(lowerAscii(std::string(trimmed(line.substr(0, colon)))),
                               std::string(trimmed(line.substr(colon + 1))));
    return true;
}

bool Transfer::isRedirect() const
{
    const int status = m_end.status;
    const bool redirects = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return m_request.untrusted && m_request.body == nullptr && redirects && m_end.header("location") != nullptr;
}

bool Transfer::headersComplete()
{
    m_headersDone = true;
    m_skipBody = isRedirect();
    if (m_skipBody || m_request.sink == nullptr) return true;
    auto begun = m_request.sink->begin(m_end.status, m_end.headers);
    if (begun) return true;
    m_end.sinkError = begun.error();
    return giveUp(HttpEnding::SinkFailed, begun.error().text());
}

bool Transfer::answerBytes(std::span<const std::byte> bytes)
{
    m_lastMove = now();
    m_end.bodyBytes += static_cast<std::int64_t>(bytes.size());
    if (m_end.bodyBytes > m_request.answerCap.count())
        return giveUp(HttpEnding::TooLarge, "the answer is larger than " + toText(m_request.answerCap));
    if (m_skipBody) return true;
    if (m_request.sink == nullptr) {
        m_end.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return true;
    }
    auto written = m_request.sink->write(bytes);
    if (written) return true;
    m_end.sinkError = written.error();
    return giveUp(HttpEnding::SinkFailed, written.error().text());
}

bool Transfer::followRedirect()
{
    if (!m_skipBody || m_verdict) return false;
    m_end.bodyBytes = 0;
    if (++m_hops > kHops) return refuse("more than 3 redirects");
    auto next = checkUrl(m_request, *m_end.header("location"), m_url.text);
    if (!next) return refuse("redirected: " + next.error().message);
    m_url = std::move(*next);
    return true;
}

MonotonicTime Transfer::deadline() const
{
    const MonotonicTime last = m_begun + m_request.totalTimeout;
    if (!m_hopSent) return std::min(last, m_hopBegun + m_request.connectTimeout);
    if (m_answering || !m_end.requestSent) return std::min(last, m_lastMove + m_stall);
    if (m_request.firstByteTimeout.count() <= 0) return last;
    return std::min(last, m_wired + m_request.firstByteTimeout);
}

MonotonicTime Transfer::nextCheck(MonotonicTime now) const
{
    // Whatever comes next has its own limit, and this is the shortest of them.
    std::chrono::nanoseconds soonest = m_stall;
    if (m_request.firstByteTimeout.count() > 0)
        soonest = std::min<std::chrono::nanoseconds>(soonest, m_request.firstByteTimeout);
    const MonotonicTime last = deadline();
    return last > now ? std::min(last, now + soonest) : now + std::min<std::chrono::nanoseconds>(soonest, 1s);
}

bool Transfer::isLate(MonotonicTime now, bool patient)
{
    const bool overall = now >= m_begun + m_request.totalTimeout;
    if (now < deadline() || (patient && !overall)) return false;
    std::string why = "no answer within ";
    if (overall)
        why += seconds(m_request.totalTimeout);
    else if (!m_hopSent)
        why = "no connection within " + seconds(m_request.connectTimeout);
    else if (m_answering)
        why = "no byte of the answer for " + seconds(m_stall);
    else if (!m_end.requestSent)
        why = "no byte of the request could be sent for " + seconds(m_stall);
    else
        why += seconds(m_request.firstByteTimeout);
    giveUp(HttpEnding::TimedOut, why);
    return true;
}

HttpEnding Transfer::endingOf(bool good, bool timedOut) const
{
    if (m_verdict == HttpEnding::Cancelled) return HttpEnding::Cancelled;
    if (!m_sent) return HttpEnding::NotSent;
    if (m_verdict) return *m_verdict;
    if (good) return HttpEnding::Complete;
    return timedOut ? HttpEnding::TimedOut : HttpEnding::Broken;
}

void Transfer::end(const Clock& clock, bool good, bool timedOut, const std::string& words)
{
    if (m_sent) goOnWire(clock);
    m_end.ending = endingOf(good, timedOut);
    m_end.url = m_url.text;
    if (m_onWire) m_end.latency = clock.boot() - *m_onWire;
    if (m_end.ending != HttpEnding::Complete) {
        std::string why = m_refusal ? m_refusal->message : m_why.empty() ? words : m_why;
        if (m_end.ending == HttpEnding::Cancelled) why = "cancelled";
        if (!m_refusal && !m_url.host.empty()) why = m_url.host + ": " + why;
        m_end.error = redact(why);
        m_end.refusedHere = m_end.refusedHere || m_refusal.has_value();
        m_end.body.clear();
    }
    if (m_listener.ended) m_listener.ended(m_id, std::move(m_end));
}

} // namespace aiflow
