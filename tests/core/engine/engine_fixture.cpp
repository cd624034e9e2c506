#include "engine_fixture.h"

#include <algorithm>

namespace aiflow::test {

namespace {

const char* const kHead = "aiflow: 1\n"
                          "name: t\n"
                          "input:\n"
                          "  id: sku\n"
                          "  columns:\n"
                          "    sku: { type: text, required: true }\n"
                          "    n: { type: integer }\n";

std::int64_t numberOf(const OpCall& call)
{
    for (const char* port : {"n", "a", "b", "c"})
        if (const Json* json = call.inputs.get(port).json(); json != nullptr && json->is_number())
            return json->get<std::int64_t>();
    return -1;
}

Result<Values> step(const OpCall& call)
{
    probe().count.fetch_add(1);
    const std::int64_t number = numberOf(call);
    const auto every = [&](const char* name) {
        const auto found = call.params.find(name);
        return found != call.params.end() && found->get<std::int64_t>() > 0 && number % found->get<std::int64_t>() == 0;
    };
    if (call.params.value("log", "") != "") {
        const std::lock_guard lock(probe().mutex);
        probe().ran.emplace_back(call.params.value("log", ""), number);
    }
    if (every("throw_every")) throw std::runtime_error("the op blew up");
    if (every("fail_every")) return fail(Reason::ComputeNoResult, "nothing found in " + std::to_string(number));
    Values values;
    values.set("value", Value(Json(number)));
    return values;
}

Result<Values> gate(const OpCall& call)
{
    {
        std::unique_lock lock(probe().mutex);
        ++probe().atGate;
        probe().changed.notify_all();
        probe().changed.wait(lock, [] { return probe().gateOpen; });
        --probe().atGate;
    }
    return step(call);
}

Result<Values> list(const OpCall& call)
{
    const std::int64_t number = numberOf(call);
    Value::List values;
    for (std::int64_t i = 0; i < call.params.value("length", 3); ++i) values.emplace_back(Json(number * 10 + i));
    Values made;
    made.set("list", Value(std::move(values)));
    return made;
}

Result<Values> size(const OpCall& call)
{
    const Value& values = call.inputs.get("values");
    const auto length = values.list() != nullptr ? values.list()->size() : values.json()->size();
    std::size_t empty = 0;
    if (values.list() != nullptr)
        empty =
            static_cast<std::size_t>(std::ranges::count_if(*values.list(), [](const Value& v) { return v.empty(); }));
    Values made;
    made.set("value", Value(Json(length * 100 + empty)));
    return made;
}

struct NumberInput final : PreparedInput {
    explicit NumberInput(std::int64_t n) : number(n) {}
    Bytes size() const override { return Bytes(8); }
    std::int64_t number;
};

} // namespace

void OpProbe::reset()
{
    const std::lock_guard lock(mutex);
    ran.clear();
    gateOpen = true;
    atGate = 0;
    count = 0;
}

void OpProbe::openGate()
{
    const std::lock_guard lock(mutex);
    gateOpen = true;
    changed.notify_all();
}

void OpProbe::waitForGate(std::int64_t waiting)
{
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return atGate >= waiting; });
}

OpProbe& probe()
{
    static OpProbe theProbe;
    return theProbe;
}

Result<std::optional<ItemRecord>> NumberedItems::next()
{
    if (beforeNext) beforeNext(m_next);
    if (m_next >= m_count) return std::optional<ItemRecord>();
    ItemRecord record;
    record.handle.index = ItemIndex(m_next);
    record.handle.id = "r" + std::to_string(m_next);
    record.handle.line = m_next + 2;
    record.handle.byteLength = 16;
    record.fields.values = std::make_shared<const Json>(Json{{"sku", record.handle.id}, {"n", m_next}});
    if (std::ranges::find(bad, m_next) != bad.end())
        record.error = Error{Reason::InputFieldBad, "n is no number", {}, {}};
    ++m_next;
    return std::optional(std::move(record));
}

Result<ItemFields> NumberedItems::fields(const ItemHandle& item)
{
    readAgain.fetch_add(1);
    return ItemFields{std::make_shared<const Json>(Json{{"sku", item.id}, {"n", item.index.value()}})};
}

Result<Blob> NumberedItems::open(const ItemHandle&, const std::string& path)
{
    return fail(Reason::InputImageMissing, path + " is not there");
}

TestApiLane::~TestApiLane()
{
    {
        const std::lock_guard lock(m_mutex);
        m_closing = true;
    }
    m_changed.notify_all();
    if (m_thread.joinable()) m_thread.join();
}

void TestApiLane::waitForCalls(std::int64_t count)
{
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return calls.load() >= count; });
}

void TestApiLane::submit(ApiCall call, ApiDone done)
{
    if (seen) seen(call);
    const std::lock_guard lock(m_mutex);
    calls.fetch_add(1);
    if (!m_thread.joinable()) m_thread = std::thread([this] { work(); });
    m_waiting.emplace_back(call.task, std::move(done));
    m_changed.notify_all();
}

void TestApiLane::hold()
{
    const std::lock_guard lock(m_mutex);
    m_held = true;
}

void TestApiLane::release()
{
    const std::lock_guard lock(m_mutex);
    m_held = false;
    m_changed.notify_all();
}

void TestApiLane::work()
{
    std::unique_lock lock(m_mutex);
    while (!m_closing) {
        m_changed.wait(lock, [this] { return m_closing || (!m_held && !m_waiting.empty()); });
        auto batch = std::exchange(m_waiting, {});
        lock.unlock();
        for (auto& [task, done] : batch) {
            if (answer) {
                done(answer(task));
                continue;
            }
            ApiAnswer given;
            given.body = R"({"text":"answer )" + std::to_string(task.item.value()) + R"("})";
            given.provenance.provider = "test";
            done(std::move(given));
        }
        lock.lock();
    }
}

void TestApiLane::cancelWaiting()
{
    std::vector<std::pair<TaskKey, ApiDone>> batch;
    {
        const std::lock_guard lock(m_mutex);
        batch = std::exchange(m_waiting, {});
    }
    for (auto& [task, done] : batch) done(fail(Reason::Cancelled, "stopped"));
}

std::int64_t TestApiLane::inFlight() const
{
    const std::lock_guard lock(m_mutex);
    return static_cast<std::int64_t>(m_waiting.size());
}

TestModelLane::TestModelLane()
    : m_signature{"double", "1", {{"n", PortType::Number}}, {{"value", PortType::Number}}, {}, ""}, m_thread([this] {
          std::unique_lock lock(m_mutex);
          for (;;) {
              m_changed.wait(lock, [this] { return m_closing || !m_jobs.empty(); });
              if (m_jobs.empty()) return;
              const auto jobs = std::exchange(m_jobs, {});
              lock.unlock();
              for (const auto& job : jobs) job();
              lock.lock();
          }
      })
{
}

TestModelLane::~TestModelLane()
{
    {
        const std::lock_guard lock(m_mutex);
        m_closing = true;
    }
    m_changed.notify_all();
    m_thread.join();
}

Result<std::unique_ptr<PreparedInput>> TestModelLane::prepare(std::string_view, const Values& inputs, const Json&)
{
    return std::make_unique<NumberInput>(inputs.get("n").json()->get<std::int64_t>());
}

void TestModelLane::submit(std::string_view, std::unique_ptr<PreparedInput> input, LaneOrder, ModelDone done)
{
    const std::int64_t call = calls.fetch_add(1);
    const std::int64_t number = static_cast<NumberInput&>(*input).number;
    const std::lock_guard lock(m_mutex);
    m_jobs.push_back([this, call, number, done = std::move(done)] {
        if (failure)
            if (auto error = failure(call)) {
                done(tl::unexpected(*error), {});
                return;
            }
        Values values;
        values.set("value", Value(Json(number * 2)));
        done(std::move(values), ModelTiming{{}, std::chrono::microseconds{5}, 1});
    });
    m_changed.notify_all();
}

JobBench::JobBench() : root(folder.path().toStdString()), ops(std::move(OpRegistry::open({}).value()))
{
    const std::vector<Port> any{{"a", PortType::Any, false},
                                {"b", PortType::Any, false},
                                {"c", PortType::Any, false},
                                {"n", PortType::Any, false}};
    const std::vector<Port> needsA{{"a", PortType::Any, true}, {"b", PortType::Any, false}};
    const auto fixed = [](Json value) { return std::make_shared<const Json>(std::move(value)); };
    const std::vector<Parameter> params{{"log", PortType::Text, fixed(""), ""},
                                        {"throw_every", PortType::Number, fixed(0), ""},
                                        {"fail_every", PortType::Number, fixed(0), ""}};
    ops->add({"test.step", "1", any, {{"value", PortType::Number}}, params, ""}, step);
    ops->add({"test.needs", "1", needsA, {{"value", PortType::Number}}, params, ""}, step);
    ops->add({"test.gate", "1", any, {{"value", PortType::Number}}, params, ""}, gate);
    ops->add({"test.list",
              "1",
              {{"n", PortType::Any}},
              {{"list", PortType::List}},
              {{"length", PortType::Number, fixed(3), ""}},
              ""},
             list);
    ops->add({"test.size", "1", {{"values", PortType::Any}}, {{"value", PortType::Number}}, {}, ""}, size);
    artifacts = std::move(ArtifactStore::open(root / "artifacts", systemFiles()).value());
    cache = std::move(ResultCache::open(root / "results").value());
    probe().reset();
    newJob();
}

JobBench::~JobBench() = default;

void JobBench::newJob()
{
    runner.reset();
    m_restoreFrom.reset();
    journal.reset();
    journal = std::move(Journal::open(root / ("journal" + std::to_string(m_jobs++) + ".db"), {}).value());
}

void JobBench::load(const std::string& steps)
{
    auto parsed = parsePipeline(kHead + steps, root, "t.yaml", *this);
    if (!parsed) qFatal("%s", parsed.error().text().c_str());
    pipeline = std::move(*parsed);
}

Restore JobBench::restore()
{
    m_restoreFrom = reader();
    return [this](const ItemHandle& item) -> std::optional<RestoredItem> {
        auto row = m_restoreFrom->item(item.index).value();
        if (!row) return std::nullopt;
        if (retrying && row->state == TaskState::Failed) row->state = TaskState::Queued;
        return RestoredItem{row->state, row->steps, m_restoreFrom->tasksOf(item.index).value()};
    };
}

JobRunner& JobBench::start(std::int64_t count)
{
    runner.reset();
    items = std::make_unique<NumberedItems>(count);
    LiveIdentity identity;
    identity.job = "job" + std::to_string(m_jobs);
    identity.total = count;
    for (const Step& step : pipeline.steps) identity.steps.push_back({step.name, {}, {}, "op", step.target});
    live = LiveJob::create(std::move(identity), clock, [](const EventLine&) {});
    if (withOutput) output = std::move(OutputFolder::open(root / "out", *artifacts).value());
    if (beforeRun) beforeRun();
    auto made = JobRunner::create(JobParts{pipeline, *items, *ops, &models, &api, *journal, *artifacts,
                                           withCache ? cache.get() : nullptr, withOutput ? output.get() : nullptr,
                                           *live, clock, *log},
                                  settings, resuming ? restore() : Restore{});
    if (!made) qFatal("%s", made.error().text().c_str());
    runner = std::move(*made);
    return *runner;
}

Result<JobEnd> JobBench::finish() { return runner->run(); }

Result<JobEnd> JobBench::run(std::int64_t count)
{
    start(count);
    return finish();
}

} // namespace aiflow::test
