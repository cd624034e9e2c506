#include "tests/support/http_peers/http2_server.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <nghttp2/nghttp2.h>
#include <utility>

namespace aiflow::peers {

namespace {

constexpr std::string_view kBody = "hello";

nghttp2_nv header(std::string_view name, std::string_view value)
{
    return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
            reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NONE};
}

} // namespace

// Threads: its connection's.
class Http2Connection {
public:
    Http2Connection(Http2Server& server, PeerStream& stream, int number)
        : m_server(server), m_stream(stream), m_number(number)
    {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, &Http2Connection::onHeader);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Http2Connection::onFrame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Http2Connection::onData);
        nghttp2_session_server_new(&m_session, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
    }
    ~Http2Connection() { nghttp2_session_del(m_session); }
    Http2Connection(const Http2Connection&) = delete;
    Http2Connection& operator=(const Http2Connection&) = delete;

    void serve()
    {
        const nghttp2_settings_entry limit{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, m_server.m_options.maxStreams};
        nghttp2_submit_settings(m_session, NGHTTP2_FLAG_NONE, &limit, 1);
        flush();
        while (m_stream.good()) {
            const std::string bytes = m_stream.read();
            if (bytes.empty()) return;
            const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
            if (nghttp2_session_mem_recv(m_session, data, bytes.size()) < 0) return;
            flush();
            afterFlush();
        }
    }

private:
    static Http2Connection& of(void* data) { return *static_cast<Http2Connection*>(data); }

    static int onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, std::size_t nameSize,
                        const uint8_t* value, std::size_t valueSize, uint8_t, void* data)
    {
        if (std::string_view(reinterpret_cast<const char*>(name), nameSize) == ":path")
            of(data).m_paths[frame->hd.stream_id] = {reinterpret_cast<const char*>(value), valueSize};
        return 0;
    }

    static int onData(nghttp2_session*, uint8_t, int32_t, const uint8_t*, std::size_t size, void* data)
    {
        of(data).m_server.m_bodyBytes += static_cast<std::int64_t>(size);
        return 0;
    }

    static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* data)
    {
        const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) of(data).act(frame->hd.stream_id);
        return 0;
    }

    static ssize_t giveBody(nghttp2_session*, int32_t, uint8_t* buffer, std::size_t, uint32_t* flags,
                            nghttp2_data_source* source, void*)
    {
        std::memcpy(buffer, kBody.data(), kBody.size());
        if (source->fd == 1)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        else if (source->fd == 2)
            return NGHTTP2_ERR_DEFERRED;
        source->fd = source->fd == 0 ? 2 : source->fd;
        return static_cast<ssize_t>(kBody.size());
    }

    void submit(int32_t stream, bool whole, bool body)
    {
        const std::array headers = {header(":status", "200"), header("content-type", "text/plain"),
                                    header("content-length", whole ? "5" : "1000")};
        nghttp2_data_provider provider{};
        provider.source.fd = whole ? 1 : 0;
        provider.read_callback = &Http2Connection::giveBody;
        if (whole || body)
            nghttp2_submit_response(m_session, stream, headers.data(), headers.size(), &provider);
        else
            nghttp2_submit_headers(m_session, NGHTTP2_FLAG_NONE, stream, nullptr, headers.data(), headers.size(),
                                   nullptr);
    }

    void act(int32_t stream)
    {
        const Http2Server::Request request{m_server.m_executions++, m_number, m_count++, m_paths[stream]};
        const Http2Act act = m_server.m_script(request);
        switch (act) {
        case Http2Act::Hang:
            return;
        case Http2Act::ResetStream:
            reset(stream, NGHTTP2_INTERNAL_ERROR);
            return;
        case Http2Act::RefuseStream:
            reset(stream, NGHTTP2_REFUSED_STREAM);
            return;
        case Http2Act::Answer:
        case Http2Act::CutAfterAnswer:
            submit(stream, true, true);
            break;
        case Http2Act::CutAfterHeaders:
            submit(stream, false, false);
            break;
        case Http2Act::ResetInBody:
            m_toReset = stream;
            submit(stream, false, true);
            break;
        case Http2Act::CutInBody:
            submit(stream, false, true);
            break;
        case Http2Act::GoAwayUnseen:
            goAway(0);
            break;
        case Http2Act::GoAwaySeen:
            goAway(stream);
            break;
        case Http2Act::CutBeforeAnswer:
        case Http2Act::CloseBeforeAnswer:
            break;
        }
        if (act != Http2Act::Answer && act != Http2Act::ResetInBody) m_ending = act;
    }

    void reset(int32_t stream, uint32_t code) { nghttp2_submit_rst_stream(m_session, NGHTTP2_FLAG_NONE, stream, code); }

    // As a frame of its own: the library would hold back answers after it.
    void goAway(int32_t lastStream)
    {
        std::string frame("\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0", 17);
        for (int i = 0; i < 4; ++i)
            frame[static_cast<std::size_t>(9 + i)] = static_cast<char>((lastStream >> (24 - 8 * i)) & 0xFF);
        m_stream.write(frame);
    }

    void flush()
    {
        const uint8_t* bytes = nullptr;
        ssize_t size = 0;
        while ((size = nghttp2_session_mem_send(m_session, &bytes)) > 0)
            m_stream.write({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
    }

    void afterFlush()
    {
        if (m_toReset != 0) {
            reset(std::exchange(m_toReset, 0), NGHTTP2_INTERNAL_ERROR);
            flush();
        }
        if (!m_ending) return;
        const bool gentle = *m_ending == Http2Act::GoAwaySeen || *m_ending == Http2Act::GoAwayUnseen ||
                            *m_ending == Http2Act::CloseBeforeAnswer;
        if (gentle)
            m_stream.close();
        else
            m_stream.reset();
    }

    Http2Server& m_server;
    PeerStream& m_stream;
    int m_number;
    int m_count = 0;
    nghttp2_session* m_session = nullptr;
    std::map<int32_t, std::string> m_paths;
    std::optional<Http2Act> m_ending;
    int32_t m_toReset = 0;
};

Http2Server::Http2Server(Script script, Options options) : m_script(std::move(script)), m_options(options)
{
    m_server.listen([this](PeerStream& stream, int connection) { Http2Connection(*this, stream, connection).serve(); },
                    options.tls);
}

std::string Http2Server::url(std::string_view path) const
{
    return (m_options.tls != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port()) +
           std::string(path);
}

} // namespace aiflow::peers
