#include "core/engine/calls/result_keeper.h"

#include "core/base/failpoint.h"
#include "core/base/json.h"
#include "core/base/secret.h"
#include "core/engine/items/item_values.h"

#include <utility>

namespace aiflow {

namespace {

// Each sleeps in fsync while it keeps a picture; the disk merges what they ask for together.
constexpr std::size_t kThreads = 4;
// Taken at once: waking a thread costs as much as keeping a text.
constexpr std::size_t kTaken = 16;
// An artifact of this size goes into a pack: a file of its own would cost more.
constexpr std::int64_t kSmallFile = 64 * 1024;

std::string provenanceText(const Provenance& from)
{
    return dumpJson(Json{{"provider", from.provider},
                         {"model", from.model},
                         {"account", from.account},
                         {"request_id", from.requestId},
                         {"note", from.note},
                         {"attempts", from.attempts},
                         {"cost", from.cost},
                         {"currency", from.currency},
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
Result<Values> portsOf(ApiAnswer& answer, bool picturesTaken)
{
    auto body = parseJson(answer.body.empty() ? std::string_view("{}") : std::string_view(answer.body));
    if (!body) return fail(Reason::ProviderBadOutput, "the answer is " + body.error().text());
    Values values;
    if (!body->is_object()) body = Json{{"text", std::move(*body)}};
    // Of an answer with pictures `images` is their count, which is no port.
    const bool counts = picturesTaken || !answer.files.empty();
    for (const auto& [name, value] : body->items())
        if (!counts || name != "images" || !value.is_number()) setPort(values, name, value);
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
    const Value::List* list = files == nullptr ? nullptr : files->list();
    const bool several = list != nullptr && list->size() > 1;
    if (list != nullptr && port == "image") return several;
    if (list != nullptr && port == "images") return !several;
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
    auto values = portsOf(answer, !result.durable.empty());
    if (values) {
        result.values = std::make_shared<const Values>(std::move(*values));
        return;
    }
    result.state = TaskState::Failed;
    result.error = std::move(values.error());
}

// One that stands in the artifacts and was never in memory.
bool hasPicture(const TaskResult& result)
{
    return !result.durable.empty() && result.durable.front().port == "image" && result.values &&
           result.values->find("image") == nullptr;
}

bool isText(const KeepOrder& order) { return order.answer && order.answer->files.empty(); }

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
    bool wake = false;
    {
        const std::lock_guard lock(m_mutex);
        m_orders.push_back(std::move(order));
        // One thread empties a queue of texts; another is worth its wake-up when that one does not keep up, or waits
        // for the disk.
        const std::size_t busy = m_threads.size() - m_idle;
        wake = busy == 0 || m_orders.size() > kTaken * busy || !isText(m_orders.back());
        if (wake && m_idle == 0 && m_threads.size() < kThreads) m_threads.emplace_back([this] { work(); });
    }
    if (wake) m_changed.notify_one();
}

std::size_t ResultKeeper::waiting() const
{
    const std::lock_guard lock(m_mutex);
    return m_orders.size() + m_atWork;
}

void ResultKeeper::work()
{
    std::vector<KeepOrder> taken;
    std::unique_lock lock(m_mutex);
    for (;;) {
        ++m_idle;
        m_changed.wait(lock, [this] { return m_closing || !m_orders.empty(); });
        --m_idle;
        if (m_orders.empty()) return;
        do {
            taken.push_back(std::move(m_orders.front()));
            m_orders.pop_front();
        } while (!m_orders.empty() && taken.size() < kTaken && isText(taken.back()) && isText(m_orders.front()));
        m_atWork += taken.size();
        lock.unlock();
        for (KeepOrder& order : taken) handle(std::move(order));
        lock.lock();
        m_atWork -= taken.size();
        taken.clear();
    }
}

void ResultKeeper::handle(KeepOrder order)
{
    if (auto stored = store(order); !stored) {
        if (isDiskError(stored.error())) {
            m_job.stopBecause(std::move(stored.error()));
            m_lost(order);
            return;
        }
        order.result.state = TaskState::Failed;
        order.result.error = std::move(stored.error());
        order.result.values.reset();
        order.result.durable.clear();
    }
    if (order.result.state != TaskState::Succeeded) {
        m_kept(order);
        return;
    }
    remember(order);
    order.result.journaled = true;
    if (m_job.pipeline().at(order.task.step).kind == StepKind::Api) {
        commit(std::move(order));
        return;
    }
    m_job.parts.journal.write(endedRecord(order.task, order.result));
    m_kept(order);
}

// A paid answer enters the graph only when nothing can lose it any more.
void ResultKeeper::commit(KeepOrder order)
{
    AIFLOW_FAILPOINT("before_task_commit");
    TaskEnded ended = endedRecord(order.task, order.result);
    ended.settlesAttempts = m_job.parts.attempts != nullptr;
    auto shared = std::make_shared<KeepOrder>(std::move(order));
    m_job.parts.journal.write(std::move(ended), [this, shared](const Result<void>& durable) {
        if (!durable) {
            m_job.stopBecause(durable.error());
            m_lost(*shared);
            return;
        }
        AIFLOW_FAILPOINT("after_task_commit");
        if (m_job.parts.attempts) m_job.parts.attempts->committed(shared->task);
        m_kept(*shared);
    });
}

Result<void> ResultKeeper::store(KeepOrder& order)
{
    try {
        if (!order.answer) return storeValues(order);
        ApiAnswer answer = std::move(*order.answer);
        order.answer.reset();
        if (auto taken = takeFiles(answer, order.result); !taken) return taken;
        readAnswer(answer, order.result);
        auto stored = storeValues(order);
        // What became a file without being read is read when somebody asks for it, and so is the rest of the answer.
        if (hasPicture(order.result)) order.result.values.reset();
        return stored;
    } catch (const std::exception& error) {
        return fail(Reason::Internal, std::string("the result cannot be kept: ") + error.what());
    }
}

// A single large picture becomes an artifact as it is; several are put together in memory.
Result<void> ResultKeeper::takeFiles(ApiAnswer& answer, TaskResult& result)
{
    if (answer.files.size() == 1 && !answer.files[0].spooled.empty() && answer.files[0].size > kSmallFile) {
        ApiFile& file = answer.files[0];
        const auto hash = ContentHash::fromHex(file.hash);
        if (!hash)
            return fail(Reason::Internal, "the spooled file " + file.spooled.string() + " came without its hash");
        auto artifact = m_job.parts.artifacts.adopt(file.spooled, *hash, std::move(file.mediaType));
        if (!artifact) return tl::unexpected(std::move(artifact.error()));
        result.durable.push_back({"image", std::move(*artifact)});
        answer.files.clear();
        return {};
    }
    for (ApiFile& file : answer.files) {
        if (file.spooled.empty()) continue;
        auto bytes = systemFiles().readFile(file.spooled, gibibytes(1));
        if (!bytes) return tl::unexpected(std::move(bytes.error()));
        file.bytes = std::move(*bytes);
        std::ignore = systemFiles().remove(file.spooled);
        file.spooled.clear();
    }
    return {};
}

Result<void> ResultKeeper::storeValues(KeepOrder& order)
{
    TaskResult& result = order.result;
    if (!result.values) return {};
    result.reusable = !result.durable.empty() || !saysNothing(*result.values);
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
