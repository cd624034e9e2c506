#include "core/api/offline_lane.h"

#include "core/api/offline_answers.h"
#include "core/base/hash.h"
#include "core/base/json.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>

namespace aiflow {

namespace {

std::vector<std::byte> bytesOf(const std::string& text)
{
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

Provenance offlineProvenance(std::uint64_t seed, OfflineKind kind)
{
    Provenance from;
    from.provider = "offline";
    from.model = kind == OfflineKind::Image ? "drawn" : "template";
    from.requestId = "offline-" + std::to_string(seed);
    from.note = "offline stand-in";
    return from;
}

class OfflineLane final : public ApiLane {
public:
    explicit OfflineLane(OfflineSettings settings) : m_settings(std::move(settings)), m_thread([this] { work(); }) {}
    ~OfflineLane() override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_stopping = true;
        }
        cancelWaiting();
        m_wake.notify_all();
        m_thread.join();
    }

    bool hasRoute(std::string_view route) const override { return m_settings.routes.contains(std::string(route)); }
    std::vector<std::string> routes() const override
    {
        std::vector<std::string> names;
        for (const auto& [name, kind] : m_settings.routes) names.push_back(name);
        return names;
    }
    std::string routeIdentity(std::string_view route) const override
    {
        const auto found = m_settings.routes.find(std::string(route));
        if (found == m_settings.routes.end()) return {};
        return found->second == OfflineKind::Image ? "offline/drawn/1" : "offline/template/1";
    }
    void submit(ApiCall call, ApiDone done) override;
    void cancelWaiting() override;
    std::int64_t inFlight() const override
    {
        const std::lock_guard lock(m_mutex);
        return m_inFlight;
    }

private:
    // Job priority, then the oldest item, then the later step, then the element; the number keeps equals in order.
    using Rank = std::tuple<std::int32_t, ItemIndex, std::int32_t, std::int32_t, std::uint64_t>;
    struct Waiting {
        ApiCall call;
        ApiDone done;
        bool cancelled = false;
    };

    void work();
    Result<ApiAnswer> answer(const ApiCall& call) const;

    const OfflineSettings m_settings;
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::map<Rank, Waiting> m_waiting; // guarded by m_mutex, as all below
    std::uint64_t m_count = 0;
    std::int64_t m_inFlight = 0;
    bool m_stopping = false;
    std::thread m_thread; // last: it uses all of the above
};

void OfflineLane::submit(ApiCall call, ApiDone done)
{
    {
        const std::lock_guard lock(m_mutex);
        const Rank rank{call.priority, call.task.item, call.stepFromEnd, call.task.element, m_count++};
        m_waiting.emplace(rank, Waiting{std::move(call), std::move(done), m_stopping});
        ++m_inFlight;
    }
    m_wake.notify_one();
}

void OfflineLane::cancelWaiting()
{
    // They end on the lane's thread, like every other call.
    const std::lock_guard lock(m_mutex);
    for (auto& [rank, waiting] : m_waiting) waiting.cancelled = true;
}

void OfflineLane::work()
{
    std::unique_lock lock(m_mutex);
    while (true) {
        m_wake.wait(lock, [this] { return m_stopping || !m_waiting.empty(); });
        if (m_waiting.empty()) return;
        auto next = m_waiting.extract(m_waiting.begin());
        lock.unlock();
        Waiting& waiting = next.mapped();
        waiting.done(waiting.cancelled ? tl::unexpected(Error{Reason::Cancelled, "cancelled before it began", {}, {}})
                                       : answer(waiting.call));
        lock.lock();
        --m_inFlight;
    }
}

Result<ApiAnswer> OfflineLane::answer(const ApiCall& call) const
{
    const auto route = m_settings.routes.find(call.route);
    if (route == m_settings.routes.end()) return fail(Reason::UsageInvalid, "there is no route \"" + call.route + "\"");
    const auto request = parseJson(call.request, "request");
    if (!request) return fail(Reason::Internal, "the request is not JSON: " + request.error().message);
    if (!request->is_object()) return fail(Reason::Internal, "the request is not a JSON object");
    const std::uint64_t seed = xxh3(dumpJson(*request));
    ApiAnswer made;
    made.provenance = offlineProvenance(seed, route->second);
    try {
        if (route->second == OfflineKind::Text) {
            made.body = dumpJson(offlineText(*request, seed));
            return made;
        }
        const auto text = [&](const char* key) {
            const auto found = request->find(key);
            return found != request->end() && found->is_string() ? found->get<std::string>() : std::string();
        };
        made.files.push_back({"image/svg+xml", bytesOf(offlinePicture(text("prompt"), text("size"), seed))});
        made.body = R"({"images":1})";
        return made;
    } catch (const std::exception& error) {
        return fail(Reason::Internal, std::string("the offline answer could not be made: ") + error.what());
    }
}

} // namespace

std::unique_ptr<ApiLane> makeOfflineLane(OfflineSettings settings)
{
    return std::make_unique<OfflineLane>(std::move(settings));
}

} // namespace aiflow
