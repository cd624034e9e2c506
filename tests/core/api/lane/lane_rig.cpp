#include "tests/core/api/lane/lane_rig.h"

#include "core/base/json.h"

#include <QTest>

namespace aiflow::test {

using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds kPatience{20};

RouteKind kindOf(const std::string& route)
{
    if (route == "image") return RouteKind::Image;
    return route == "embedding" ? RouteKind::Embedding : RouteKind::Text;
}

ProviderSettings providerFor(const SimulatedService& service, const SimulatedProvider& provider)
{
    ProviderSettings made;
    made.name = service.name;
    made.protocol = service.protocol;
    made.capability = service.capability;
    made.baseUrl = provider.baseUrl(service.name);
    made.timeout = milliseconds(3000);
    made.fetchHosts = {"127.0.0.1:" + std::to_string(provider.port())};
    made.options = std::make_shared<const Json>(Json::object());
    for (const SimulatedAccount& account : service.accounts) {
        AccountSettings one;
        one.name = service.name + "/" + account.name;
        one.scope = one.name + "#test";
        one.key = std::make_shared<const Secret>(one.name, account.key);
        one.limits = account.limits;
        one.organisation = account.organisation;
        made.accounts.push_back(std::move(one));
    }
    return made;
}

} // namespace

SimulatedWorld oneService(ProtocolKind protocol)
{
    SimulatedModel model;
    model.name = "m";
    model.latency.median = milliseconds(1);
    model.price.inputPerMillion = nanosOf(1);
    model.price.outputPerMillion = nanosOf(2);
    model.price.perImage = nanosOf(0.01);
    model.price.currency = "USD";
    SimulatedService service;
    service.name = "svc";
    service.protocol = protocol;
    service.accounts.push_back({"main", kCanaryKey, {}, {}});
    service.models.push_back(std::move(model));
    if (protocol == ProtocolKind::RemoteJob) service.capability = CapabilityClass::C;
    SimulatedWorld world;
    world.services.push_back(std::move(service));
    return world;
}

ApiSettings settingsFor(const SimulatedWorld& world, const SimulatedProvider& provider)
{
    ApiSettings settings;
    for (const SimulatedService& service : world.services) {
        const std::size_t index = settings.providers.size();
        settings.providers.push_back(providerFor(service, provider));
        for (const auto& [name, limits] : service.organisations) settings.organisations.push_back({name, limits});
        for (const SimulatedModel& model : service.models) {
            ApiModel made;
            made.name = service.name + "-" + model.name;
            made.provider = index;
            made.remoteName = model.name;
            made.price = model.price;
            made.maxOutputTokens = 1000;
            made.options = std::make_shared<const Json>(Json::object());
            settings.models.push_back(std::move(made));
        }
    }
    for (const char* name : {"text", "image", "embedding"}) {
        RouteSettings route;
        route.name = name;
        route.kind = kindOf(name);
        for (std::size_t i = 0; i < settings.models.size(); ++i) route.choices.push_back({i, 1});
        settings.routes.push_back(std::move(route));
    }
    settings.retry.base = milliseconds(5);
    settings.retry.cap = milliseconds(40);
    settings.retry.budgetWindow = milliseconds(300);
    settings.breaker.firstPause = milliseconds(40);
    settings.breaker.longestPause = milliseconds(80);
    return settings;
}

RouteSettings& routeOf(ApiSettings& settings, const std::string& name)
{
    for (RouteSettings& route : settings.routes)
        if (route.name == name) return route;
    return settings.routes.front();
}

LaneRig::LaneRig(SimulatedWorld described, const Adjust& adjust) : world(std::move(described))
{
    auto started = SimulatedProvider::start(world);
    if (!started) qFatal("%s", started.error().text().c_str());
    provider = std::move(*started);
    const std::filesystem::path spool = folder.filePath(QStringLiteral("spool")).toStdString();
    std::filesystem::create_directories(spool);
    recorder = std::make_shared<FakeRecorder>(spool);
    LogSettings log;
    log.file = folder.filePath(QStringLiteral("log.txt")).toStdString();
    log.level = LogLevel::Trace;
    m_log = *Log::open(log);
    restart(adjust);
}

LaneRig::~LaneRig()
{
    lane.reset();
    provider.reset();
}

void LaneRig::restart(const Adjust& adjust)
{
    lane.reset();
    ApiSettings settings = settingsFor(world, *provider);
    if (adjust) adjust(settings);
    auto transport = makeCurlTransport({}, m_clock);
    if (!transport) qFatal("%s", transport.error().text().c_str());
    lane = makeNetworkLane({std::move(settings), std::move(*transport), makeLimits(), m_clock, m_random, *m_log});
    ApiJob served = job;
    served.id = "test";
    served.recorder = recorder;
    served.onWaiting = [this](const ApiWaiting& told) {
        const std::lock_guard lock(m_mutex);
        m_waits.push_back(told);
    };
    served.onPause = [this](const ApiPause& told) {
        const std::lock_guard lock(m_mutex);
        m_pauses.push_back(told);
    };
    served.onStop = [this](const Error& told) {
        const std::lock_guard lock(m_mutex);
        m_stops.push_back(told);
        m_wake.notify_all();
    };
    lane->serve(std::move(served));
}

void LaneRig::submit(ApiCall call)
{
    lane->submit(call, [this, call](Result<ApiAnswer> answer) {
        const std::lock_guard lock(m_mutex);
        m_ended.push_back({call, std::move(answer)});
        m_wake.notify_all();
    });
}

void LaneRig::ask(std::int64_t item, const std::string& request, const std::string& route)
{
    ApiCall call;
    call.task = {ItemIndex(item), StepIndex(0), -1};
    call.itemId = "item-" + std::to_string(item);
    call.route = route;
    call.request = request;
    submit(std::move(call));
}

Result<ApiAnswer> LaneRig::answerOf(std::int64_t item, const std::string& request, const std::string& route)
{
    const std::size_t before = ended().size();
    ask(item, request, route);
    if (!waitFor(before + 1)) return fail(Reason::Internal, "no answer came");
    return find(item)->answer;
}

bool LaneRig::waitFor(std::size_t count)
{
    std::unique_lock lock(m_mutex);
    return m_wake.wait_for(lock, kPatience, [&] { return m_ended.size() >= count; });
}

bool LaneRig::waitUntil(const std::function<bool()>& holds)
{
    return QTest::qWaitFor(holds, static_cast<int>(milliseconds(kPatience).count()));
}

std::optional<Ended> LaneRig::find(std::int64_t item) const
{
    const std::lock_guard lock(m_mutex);
    for (auto one = m_ended.rbegin(); one != m_ended.rend(); ++one)
        if (one->call.task.item == ItemIndex(item)) return *one;
    return std::nullopt;
}

std::vector<Ended> LaneRig::ended() const
{
    const std::lock_guard lock(m_mutex);
    return m_ended;
}

std::vector<ApiWaiting> LaneRig::waits() const
{
    const std::lock_guard lock(m_mutex);
    return m_waits;
}

std::vector<ApiPause> LaneRig::pauses() const
{
    const std::lock_guard lock(m_mutex);
    return m_pauses;
}

std::vector<Error> LaneRig::stops() const
{
    const std::lock_guard lock(m_mutex);
    return m_stops;
}

std::string LaneRig::everythingTold() const
{
    m_log->flush();
    std::string all;
    const auto add = [&all](const std::string& text) { all += text + "\n"; };
    const auto addError = [&](const Error& error) { add(error.text() + " " + error.hint); };
    for (const Ended& one : ended()) {
        if (!one.answer) {
            addError(one.answer.error());
            continue;
        }
        const Provenance& from = one.answer->provenance;
        add(one.answer->body + from.provider + from.model + from.account + from.requestId + from.note);
    }
    for (const ApiWaiting& told : waits()) add(told.detail);
    for (const ApiPause& told : pauses()) add(told.provider + told.account + told.detail);
    for (const Error& told : stops()) addError(told);
    for (const AttemptIntent& one : recorder->intents())
        add(one.attempt + one.provider + one.model + one.account + one.idempotencyKey);
    for (const AttemptReport& one : recorder->reports())
        add(one.requestId + one.failure + one.message + one.body + one.bodyFile.string());
    std::error_code problem;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path().toStdString(), problem)) {
        if (!entry.is_regular_file()) continue;
        QFile file(QString::fromStdString(entry.path().string()));
        if (file.open(QIODevice::ReadOnly)) add(file.readAll().toStdString());
        add(entry.path().string());
    }
    return all;
}

std::string textRequest(const std::string& prompt, const std::string& schema)
{
    Json request{{"prompt", prompt}};
    if (!schema.empty()) request["schema"] = *parseJson(schema);
    return dumpJson(request);
}

} // namespace aiflow::test
