#include "core/rehearsal/service_desk.h"

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/rehearsal/station.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr std::int64_t kMsNs = 1'000'000;
constexpr auto kMoment = std::chrono::milliseconds(200);
// A request that was already on its way when its account was told to wait is nobody's mistake.
constexpr std::int64_t kOnItsWayNs = 50 * kMsNs;

// "/name/rest" to "name" and "/rest".
std::pair<std::string_view, std::string_view> splitFirst(std::string_view path)
{
    if (path.starts_with('/')) path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return {path, {}};
    return {path.substr(0, slash), path.substr(slash)};
}

std::optional<std::size_t> instanceOf(const SimulatedService& service, std::string_view segment)
{
    for (std::size_t i = 0; i < service.accounts.size(); ++i)
        if (service.accounts[i].name == segment || std::to_string(i) == segment) return i;
    return std::nullopt;
}

} // namespace

Station::Station(const SimulatedService& given, double speed, std::uint64_t seed)
    : service(given), wire(wireOf(given.protocol)), judge(given, speed), faults(given.faults, seed)
{
    for (std::size_t i = 0; i < service.accounts.size(); ++i) accountOfKey.try_emplace(service.accounts[i].key, i);
    for (std::size_t i = 0; i < service.models.size(); ++i) modelOfName.try_emplace(service.models[i].name, i);
}

ServiceDesk::ServiceDesk(SimulatedWorld world, std::unique_ptr<CallLedger> ledger, std::int64_t startNs)
    : m_world(std::move(world)), m_startNs(startNs), m_ledger(std::move(ledger)), m_random(m_world.seed)
{
    for (const SimulatedService& service : m_world.services)
        m_stations.push_back(std::make_unique<Station>(service, m_world.speed, m_world.seed + xxh3(service.name)));
}

// Jobs that nobody will see the end of.
ServiceDesk::~ServiceDesk()
{
    for (const auto& [id, job] : m_jobs) {
        if (job->done && job->answered) continue;
        job->call.entry.ending = "still open at the end";
        m_ledger->add(job->call.entry);
    }
}

std::int64_t ServiceDesk::scaledNs(std::chrono::nanoseconds life) const
{
    return static_cast<std::int64_t>(static_cast<double>(life.count()) / m_world.speed);
}

std::int64_t ServiceDesk::lifeMs(std::int64_t nowNs) const
{
    return static_cast<std::int64_t>(static_cast<double>(nowNs - m_startNs) * m_world.speed / kMsNs);
}

Station* ServiceDesk::stationOf(std::string_view name) const
{
    for (const auto& station : m_stations)
        if (station->service.name == name) return station.get();
    return nullptr;
}

std::unique_ptr<ServedCall> ServiceDesk::arrive(WireRequest request, std::int64_t nowNs)
{
    const std::lock_guard lock(m_mutex);
    auto call = std::make_unique<ServedCall>();
    call->dueNs = nowNs;
    call->entry.arrivedNs = request.arrivedNs;
    m_open.fetch_add(1);
    route(*call, request, nowNs);
    return call;
}

void ServiceDesk::route(ServedCall& call, const WireRequest& request, std::int64_t nowNs)
{
    const auto [name, rest] = splitFirst(request.path);
    call.entry.path = rest;
    if (name == "files") {
        call.entry.path = request.path;
        call.ready = fetchFile(std::string(rest));
        return;
    }
    call.station = stationOf(name);
    if (call.station == nullptr) {
        call.entry.path = request.path;
        call.ready = openAiWire().trouble(Trouble::NotFound, "no service of this name is simulated here");
        return;
    }
    Station& station = *call.station;
    call.entry.service = station.service.name;
    WireRequest inner = request;
    inner.path = rest;
    std::string_view instance;
    if (station.service.protocol == ProtocolKind::ModelService && instanceOf(station.service, splitFirst(rest).first)) {
        instance = splitFirst(rest).first;
        inner.path = splitFirst(rest).second;
    }
    if (!findAccount(call, inner, instance)) return;
    auto read = station.wire.read(inner);
    if (Reply* wrong = std::get_if<Reply>(&read)) {
        call.ready = std::move(*wrong);
        return;
    }
    call.ask = std::move(std::get<Ask>(read));
    if (call.ask.paid()) {
        if (findModel(call)) admit(call, inner, nowNs);
    } else if (call.ask.kind == AskKind::Models) {
        std::vector<std::string> names;
        for (const SimulatedModel& model : station.service.models) names.push_back(model.name);
        call.ready = station.wire.models(names);
    } else if (call.ask.kind == AskKind::Health) {
        call.ready = station.faults.down(call.entry.account, lifeMs(nowNs))
                         ? station.wire.trouble(Trouble::Overloaded, "this instance is down")
                         : jsonReply({{"status", "ok"}});
    } else {
        answerJob(call, nowNs);
    }
}

bool ServiceDesk::findAccount(ServedCall& call, const WireRequest& request, std::string_view instance)
{
    Station& station = *call.station;
    const std::string key(station.wire.keyOf(request));
    std::optional<std::size_t> account;
    if (!instance.empty()) {
        account = instanceOf(station.service, instance);
        const std::string& wanted = station.service.accounts[*account].key;
        if (!wanted.empty() && wanted != key) account.reset();
    } else if (const auto found = station.accountOfKey.find(key); found != station.accountOfKey.end()) {
        account = found->second;
    } else if (const auto free = station.accountOfKey.find(""); free != station.accountOfKey.end()) {
        account = free->second;
    }
    if (!account) {
        call.ready = station.wire.trouble(Trouble::KeyRefused, key.empty() ? "You didn't provide an API key."
                                                                           : "Incorrect API key provided: " + key);
        return false;
    }
    call.account = account;
    call.entry.account = station.service.accounts[*account].name;
    return true;
}

bool ServiceDesk::findModel(ServedCall& call)
{
    Station& station = *call.station;
    const auto found = station.modelOfName.find(call.ask.model);
    if (found != station.modelOfName.end()) {
        call.model = found->second;
    } else if (call.ask.model.empty() && !station.service.models.empty() &&
               (station.service.protocol == ProtocolKind::ModelService ||
                station.service.protocol == ProtocolKind::RemoteJob)) {
        call.model = 0;
    } else {
        call.ready = station.wire.trouble(Trouble::NotFound, "The model `" + call.ask.model + "` does not exist");
        return false;
    }
    const SimulatedModel& model = station.service.models[*call.model];
    call.entry.model = model.name;
    call.ask.model = model.name;
    const bool job = station.service.protocol == ProtocolKind::RemoteJob;
    if (job && call.ask.schema.empty() && model.makesPictures) call.ask.kind = AskKind::Picture;
    if (!call.ask.size) call.ask.size = std::pair(model.pictureWidth, model.pictureHeight);
    if (call.ask.kind == AskKind::Picture && model.picturesByUrl) call.ask.byUrl = true;
    return true;
}

void ServiceDesk::admit(ServedCall& call, const WireRequest& request, std::int64_t nowNs)
{
    Station& station = *call.station;
    const SimulatedModel& model = station.service.models[*call.model];
    LedgerEntry& entry = call.entry;
    entry.paid = true;
    entry.bodyHash = hexOf(xxh3(request.body));
    entry.itemReference = call.ask.reference;
    entry.idempotencyKey = request.header("idempotency-key");
    if (entry.idempotencyKey.empty()) entry.idempotencyKey = request.header("x-idempotency-key");
    const bool replay = replays(call, nowNs);
    if (!replay && !call.ready && !station.faults.empty())
        call.fault = station.faults.meet({entry.account, model.name, request.body, lifeMs(nowNs)});
    if (call.fault) entry.fault = call.fault->kind;

    const bool works = !replay && !call.ready && (!call.fault || executes(call.fault->kind));
    CallLoad load;
    const Usage usage = usageOf(call.ask, model);
    if (works) load = {usage.inputTokens, usage.outputTokens, usage.images, billOf(model.price, usage)};
    const LimitJudge::Gates& gates = station.judge.gatesOf(*call.account, *call.model);
    const Ruling ruling = station.judge.arrive(gates, entry.arrivedNs, load);
    const auto told = station.told.find({*call.account, *call.model});
    const bool early = told != station.told.end() && entry.arrivedNs > told->second.fromNs + kOnItsWayNs &&
                       entry.arrivedNs < told->second.untilNs;
    m_ledger->called(ruling.violates, ruling.refused, early);
    if (ruling.refused) {
        call.ready = refuse(call, ruling, nowNs);
        return;
    }
    if (!works) {
        station.judge.left(gates);
        if (!replay && !call.ready) call.ready = scripted(call, request, nowNs);
        return;
    }
    call.gates = &gates;
    m_ledger->opened(entry.account, gates.front()->open());
    entry.usage = usage;
    if (station.service.protocol == ProtocolKind::RemoteJob) {
        submitJob(call, nowNs);
        return;
    }
    call.dueNs = entry.arrivedNs + latencyNs(model);
    if (station.service.capability == CapabilityClass::A && !entry.idempotencyKey.empty())
        station.answered[entry.account + '\n' + entry.idempotencyKey] = {entry.bodyHash, call.dueNs, false};
}

// Has this key been answered, or is it being answered? Then the answer comes again, without work.
bool ServiceDesk::replays(ServedCall& call, std::int64_t nowNs)
{
    Station& station = *call.station;
    if (station.service.capability != CapabilityClass::A || call.entry.idempotencyKey.empty()) return false;
    const auto found = station.answered.find(call.entry.account + '\n' + call.entry.idempotencyKey);
    if (found == station.answered.end()) return false;
    if (found->second.bodyHash != call.entry.bodyHash) {
        call.ready = station.wire.trouble(Trouble::BadRequest, "this idempotency key belongs to another request");
        call.ready->status = 422;
        return false;
    }
    call.replay = true;
    call.entry.usage = usageOf(call.ask, station.service.models[*call.model]);
    call.dueNs = std::max(nowNs, found->second.endNs);
    m_ledger->replayed();
    return true;
}

Reply ServiceDesk::refuse(ServedCall& call, const Ruling& ruling, std::int64_t nowNs)
{
    Station& station = *call.station;
    call.entry.refused = true;
    Reply reply = station.wire.trouble(Trouble::Throttled, "Rate limit reached: at most " + ruling.limit);
    const std::int64_t ms = std::max<std::int64_t>(1, (ruling.waitNs + kMsNs - 1) / kMsNs);
    reply.headers.emplace_back("retry-after-ms", std::to_string(ms));
    reply.headers.emplace_back("Retry-After", std::to_string((ms + 999) / 1000));
    Station::Told& told = station.told[{*call.account, *call.model}];
    told = {nowNs, std::max(told.untilNs, nowNs + ms * kMsNs)};
    tellLimits(call, reply, nowNs);
    return reply;
}

// The answer of a fault that comes before any work.
std::optional<Reply> ServiceDesk::scripted(ServedCall& call, const WireRequest& request, std::int64_t nowNs)
{
    if (!call.fault) return std::nullopt;
    Station& station = *call.station;
    const FaultKind kind = call.fault->kind;
    if (throttles(kind)) {
        Reply reply = station.wire.trouble(Trouble::Throttled, "Rate limit reached, please wait");
        if (const auto ms = addHint(reply, kind, call.fault->variant)) {
            Station::Told& told = station.told[{*call.account, *call.model}];
            told = {nowNs, std::max(told.untilNs, nowNs + *ms * kMsNs)};
        }
        return reply;
    }
    if (kind == FaultKind::QuotaEmpty)
        return station.wire.trouble(Trouble::Quota, "You exceeded your current quota, please check your plan and "
                                                    "billing details.");
    if (kind == FaultKind::KeyRevoked)
        return station.wire.trouble(Trouble::KeyRefused,
                                    "Incorrect API key provided: " + std::string(station.wire.keyOf(request)));
    return station.wire.trouble(Trouble::Overloaded, "The service is temporarily unavailable");
}

std::int64_t ServiceDesk::latencyNs(const SimulatedModel& model)
{
    auto ns = static_cast<double>(std::chrono::nanoseconds(model.latency.median).count());
    if (model.latency.sigma > 0) ns *= std::lognormal_distribution<>(0, model.latency.sigma)(m_random);
    return static_cast<std::int64_t>(ns / m_world.speed);
}

void ServiceDesk::leave(ServedCall& call)
{
    if (call.gates == nullptr) return;
    call.station->judge.left(*call.gates);
    call.gates = nullptr;
    m_ledger->closed();
}

void ServiceDesk::charge(ServedCall& call)
{
    const Price& price = call.station->service.models[*call.model].price;
    call.entry.executed = true;
    call.entry.charged = true;
    call.entry.cost = billOf(price, call.entry.usage);
    m_ledger->executed(call.entry, price.currency);
}

Reply ServiceDesk::finish(ServedCall& call, std::int64_t nowNs)
{
    const std::lock_guard lock(m_mutex);
    Reply reply;
    if (call.ready) {
        reply = std::move(*call.ready);
        call.ready.reset();
    } else {
        if (!call.replay) {
            leave(call);
            charge(call);
        }
        reply = produce(call);
        tellLimits(call, reply, nowNs);
    }
    call.entry.status = reply.status;
    call.leaving = true;
    ++m_leaving;
    return reply;
}

void ServiceDesk::delivered(std::unique_ptr<ServedCall> call, std::string ending, std::int64_t nowNs)
{
    const std::lock_guard lock(m_mutex);
    LedgerEntry& entry = call->entry;
    entry.ending = std::move(ending);
    entry.endedNs = nowNs;
    leave(*call);
    if (!keepForJob(*call)) {
        m_ledger->add(std::move(entry));
        m_open.fetch_sub(1);
    }
    if (!call->leaving) return;
    --m_leaving;
    if (m_leaving == 0 && m_readers > 0) m_noneLeaving.notify_all();
}

std::string ServiceDesk::baseUrl(const std::string& service) const
{
    const Station* station = stationOf(service);
    const std::string base = station == nullptr ? std::string() : station->wire.basePath();
    return origin() + '/' + service + base;
}

std::vector<LedgerEntry> ServiceDesk::ledger() const
{
    std::vector<LedgerEntry> entries;
    {
        std::unique_lock lock(m_mutex);
        ++m_readers;
        m_noneLeaving.wait_for(lock, kMoment, [this] { return m_leaving == 0; });
        --m_readers;
        entries = m_ledger->entries();
    }
    std::ranges::stable_sort(entries, {}, &LedgerEntry::arrivedNs);
    return entries;
}

Verdict ServiceDesk::verdict() const
{
    const std::lock_guard lock(m_mutex);
    return m_ledger->verdict();
}

void ServiceDesk::addFault(const std::string& service, SimulatedFault fault)
{
    const std::lock_guard lock(m_mutex);
    if (Station* station = stationOf(service)) station->faults.add(std::move(fault));
}

void ServiceDesk::clearFaults()
{
    const std::lock_guard lock(m_mutex);
    for (const auto& station : m_stations) station->faults.clear();
}

} // namespace aiflow
