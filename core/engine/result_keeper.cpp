#include "core/engine/result_keeper.h"

#include "core/base/json.h"
#include "core/base/secret.h"
#include "core/engine/items/item_values.h"

#include <utility>

namespace aiflow {

namespace {

// Each sleeps in fsync most of its time; the disk merges what they ask for together.
constexpr std::size_t kThreads = 4;

std::string provenanceText(const Provenance& from)
{
    return dumpJson(Json{{"provider", from.provider},
                         {"model", from.model},
                         {"account", from.account},
                         {"request_id", from.requestId},
                         {"note", from.note},
                         {"attempts", from.attempts},
                         {"tokens_in", from.tokensIn},
                         {"tokens_out", from.tokensOut},
                         {"latency_ms", from.latency.count()}});
}

void setPort(Values& values, const std::string& port, Json json)
{
    if (!json.is_null()) values.set(port, Value(std::move(json)));
}

// The answer's fields are the ports, and the whole is `answer`; files stand under `images`, the first under `image`
// too.
Result<Values> portsOf(ApiAnswer& answer)
{
    auto body = parseJson(answer.body.empty() ? std::string_view("{}") : std::string_view(answer.body));
    if (!body) return fail(Reason::ProviderBadOutput, "the answer is " + body.error().text());
    Values values;
    if (!body->is_object()) body = Json{{"text", std::move(*body)}};
    for (const auto& [name, value] : body->items()) setPort(values, name, value);
    if (!body->empty() && !body->contains(kAnswerPort)) values.set(kAnswerPort, Value(std::move(*body)));
    Value::List files;
    for (ApiFile& file : answer.files)
        files.emplace_back(
            Blob{std::move(file.mediaType), std::make_shared<const std::vector<std::byte>>(std::move(file.bytes)), {}});
    if (files.empty()) return values;
    values.set("image", files.front());
    values.set("images", Value(std::move(files)));
    return values;
}

bool saysNothing(const Value& value)
{
    if (const Json* json = value.json())
        return json->is_null() || (json->is_string() && json->get_ref<const std::string&>().empty()) ||
               (json->is_structured() && json->empty());
    const Value::List* list = value.list();
    return value.empty() || (list != nullptr && list->empty());
}

bool saysNothing(const Values& values)
{
    for (const auto& [port, value] : values)
        if (!saysNothing(value)) return false;
    return true;
}

// One artifact for the text and one for the pictures; the other ports are found within them.
bool isWithinAnother(const Values& values, const std::string& port)
{
    const Value* files = values.find("images");
    const bool several = files != nullptr && files->list()->size() > 1;
    if (files != nullptr && port == "image") return several;
    if (files != nullptr && port == "images") return !several;
    return port != kAnswerPort && values.find(kAnswerPort) != nullptr;
}

void readAnswer(ApiAnswer& answer, TaskResult& result)
{
    const Provenance& from = answer.provenance;
    result.attempts = from.attempts;
    result.provenance = redact(provenanceText(from));
    result.cost = from.cost;
    result.currency = from.currency;
    result.tokensIn = from.tokensIn;
    result.tokensOut = from.tokensOut;
    result.requestId = from.requestId;
    auto values = portsOf(answer);
    if (values) {
        result.values = std::make_shared<const Values>(std::move(*values));
        return;
    }
    result.state = TaskState::Failed;
    result.error = std::move(values.error());
}

bool isDiskError(const Error& error)
{
    return error.reason == Reason::OutputDiskFull || error.reason == Reason::OutputDenied;
}

} // namespace

ResultKeeper::ResultKeeper(JobContext& job, Listener kept, Listener lost)
    : m_job(job), m_kept(std::move(kept)), m_lost(std::move(lost))
{
}

ResultKeeper::~ResultKeeper()
{
    {
        const std::lock_guard lock(m_mutex);
        m_closing = true;
    }
    m_changed.notify_all();
    for (std::thread& thread : m_threads) thread.join();
}

void ResultKeeper::keep(KeepOrder order)
{
    {
        const std::lock_guard lock(m_mutex);
        m_orders.push_back(std::move(order));
        if (m_orders.size() > m_idle && m_threads.size() < kThreads) m_threads.emplace_back([this] { work(); });
    }
    m_changed.notify_one();
}

std::size_t ResultKeeper::waiting() const
{
    const std::lock_guard lock(m_mutex);
    return m_orders.size();
}

void ResultKeeper::work()
{
    std::unique_lock lock(m_mutex);
    for (;;) {
        ++m_idle;
        m_changed.wait(lock, [this] { return m_closing || !m_orders.empty(); });
        --m_idle;
        if (m_orders.empty()) return;
        const auto order = std::make_shared<KeepOrder>(std::move(m_orders.front()));
        m_orders.pop_front();
        lock.unlock();
        handle(order);
        lock.lock();
    }
}

void ResultKeeper::handle(const std::shared_ptr<KeepOrder>& order)
{
    if (auto stored = store(*order); !stored) {
        if (isDiskError(stored.error())) {
            m_job.stopBecause(std::move(stored.error()));
            m_lost(*order);
            return;
        }
        order->result.state = TaskState::Failed;
        order->result.error = std::move(stored.error());
        order->result.values.reset();
        order->result.durable.clear();
    }
    if (order->result.state != TaskState::Succeeded) {
        m_kept(*order);
        return;
    }
    remember(*order);
    order->result.journaled = true;
    TaskEnded ended = endedRecord(order->task, order->result);
    if (m_job.pipeline().at(order->task.step).kind != StepKind::Api) {
        m_job.parts.journal.write(std::move(ended));
        m_kept(*order);
        return;
    }
    // A paid answer enters the graph only when nothing can lose it any more.
    m_job.parts.journal.write(std::move(ended), [this, order](const Result<void>& durable) {
        if (durable) {
            m_kept(*order);
        } else {
            m_job.stopBecause(durable.error());
            m_lost(*order);
        }
    });
}

Result<void> ResultKeeper::store(KeepOrder& order)
{
    TaskResult& result = order.result;
    try {
        if (order.answer) readAnswer(*order.answer, result);
        order.answer.reset();
        if (!result.values) return {};
        result.reusable = !saysNothing(*result.values);
        const StepPlan& plan = m_job.plan.at(order.task.step);
        const bool answered = m_job.pipeline().at(order.task.step).kind == StepKind::Api;
        for (const auto& [port, value] : *result.values) {
            if (value.empty() || !plan.keeps(port)) continue;
            if (answered && isWithinAnother(*result.values, port)) continue;
            EncodedValue encoded = encodeValue(value);
            auto artifact = m_job.parts.artifacts.put(std::move(encoded.mediaType), encoded.bytes);
            if (!artifact) return tl::unexpected(std::move(artifact.error()));
            result.durable.push_back({port, std::move(*artifact)});
        }
        return {};
    } catch (const std::exception& error) {
        return fail(Reason::Internal, std::string("the result cannot be kept: ") + error.what());
    }
}

void ResultKeeper::remember(const KeepOrder& order)
{
    if (m_job.parts.cache == nullptr || !order.cacheKey || !order.result.reusable) return;
    m_job.parts.cache->add(*order.cacheKey, CachedResult{.outputs = order.result.durable,
                                                         .steps = {},
                                                         .provenance = order.result.provenance,
                                                         .job = m_job.jobName});
}

} // namespace aiflow
