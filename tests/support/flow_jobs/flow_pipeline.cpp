#include "tests/support/flow_jobs/flow_pipeline.h"

#include "core/base/json.h"
#include "core/pipeline/loader.h"
#include "tests/support/must.h"

#include <condition_variable>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <thread>

namespace aiflow::test {

namespace {

using Lane = ModelledStep::Lane;

Port any(const char* name, bool required) { return {name, PortType::Any, required}; }
Parameter number(const char* name) { return {name, PortType::Number, nullptr, {}}; }

Result<Values> work(const OpCall& call)
{
    std::this_thread::sleep_for(std::chrono::microseconds(call.params.at("us").get<std::int64_t>()));
    Values values;
    values.set("value", call.inputs.get("n"));
    return values;
}

Result<Values> list(const OpCall& call)
{
    Values values;
    Value::List list;
    for (int i = 0; i < call.params.at("count").get<int>(); ++i) list.emplace_back(Json(i));
    values.set("list", Value(std::move(list)));
    return values;
}

std::int64_t scaledMicroseconds(const ModelledStep& step, double speed)
{
    return static_cast<std::int64_t>(static_cast<double>(step.duration.median.count()) / 1e3 / speed);
}

class Catalog final : public StepCatalog {
public:
    Catalog(const OpRegistry& ops, const ModelLane& models) : m_ops(ops), m_models(models) {}
    const Signature* findOp(std::string_view name) const override { return m_ops.find(name); }
    const Signature* findModel(std::string_view name) const override { return m_models.find(name); }
    bool hasRoute(std::string_view) const override { return true; }
    std::string routeKind(std::string_view name) const override { return name == "text" ? "text" : "image"; }
    std::string routeIdentity(std::string_view name) const override { return std::string(name); }
    std::vector<std::string> opNames() const override { return {}; }
    std::vector<std::string> modelNames() const override { return {}; }
    std::vector<std::string> routeNames() const override { return {}; }

private:
    const OpRegistry& m_ops;
    const ModelLane& m_models;
};

// A call says what its step and item are, and what a text before it answered.
std::string promptOf(const ModelledFlow& flow, const ModelledStep& step, const std::string& job)
{
    std::string prompt = step.name + " of {{item.sku}} for " + job;
    for (const std::size_t need : step.needs)
        if (flow.steps[need].lane == Lane::Api && flow.steps[need].route == "text")
            prompt += " after {{" + flow.steps[need].name + ".text}}";
    if (step.fanOut > 1) prompt += ", number {{each_index}}";
    return prompt;
}

std::string yamlOf(const ModelledFlow& flow, const ModelledStep& step, double speed, const std::string& job)
{
    std::string needs;
    for (const std::size_t need : step.needs) needs += (needs.empty() ? "" : ", ") + flow.steps[need].name;
    const std::string after = needs.empty() ? "" : ", needs: [" + needs + "]";
    if (step.lane == Lane::Device)
        return fmt::format("  {0}: {{ model: {0}, inputs: {{ n: $item.n }}{1} }}\n", step.name, after);
    if (step.lane == Lane::Cpu)
        return fmt::format("  {}: {{ op: stand_in.work, inputs: {{ n: $item.n }}, params: {{ us: {} }}{} }}\n",
                           step.name, scaledMicroseconds(step, speed), after);
    std::string head, each;
    if (step.fanOut > 1) {
        head = fmt::format("  {}_list: {{ op: stand_in.list, inputs: {{ n: $item.n }}, params: {{ count: {} }}{} }}\n",
                           step.name, step.fanOut, after);
        each = fmt::format(", for_each: ${}_list.list", step.name);
    }
    return head + fmt::format("  {}: {{ api: {}, prompt: \"{}\"{}{} }}\n", step.name, step.route,
                              promptOf(flow, step, job), each, after);
}

class Device final : public ModelLane {
public:
    Device(const ModelledFlow& flow, double speed)
    {
        for (const ModelledStep& step : flow.steps) {
            if (step.lane != Lane::Device) continue;
            m_models.emplace(step.name, Model{{step.name, "1", {any("n", true)}, {any("value", true)}, {}, ""},
                                              std::chrono::microseconds(scaledMicroseconds(step, speed))});
        }
        if (!m_models.empty()) m_thread = std::thread([this] { run(); });
    }
    ~Device() override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_closing = true;
        }
        m_changed.notify_all();
        if (m_thread.joinable()) m_thread.join();
    }
    const Signature* find(std::string_view model) const override
    {
        const auto found = m_models.find(model);
        return found == m_models.end() ? nullptr : &found->second.signature;
    }
    std::vector<const Signature*> all() const override
    {
        std::vector<const Signature*> signatures;
        for (const auto& [name, model] : m_models) signatures.push_back(&model.signature);
        return signatures;
    }
    Result<std::unique_ptr<PreparedInput>> prepare(std::string_view, const Values& inputs, const Json&) override
    {
        return std::make_unique<Input>(inputs);
    }
    void submit(std::string_view model, std::unique_ptr<PreparedInput> input, LaneOrder order, ModelDone done) override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_waiting.emplace(order, Task{&m_models.find(model)->second, std::move(input), std::move(done)});
        }
        m_changed.notify_all();
    }
    void cancelWaiting() override
    {
        std::multimap<LaneOrder, Task> waiting;
        {
            const std::lock_guard lock(m_mutex);
            waiting.swap(m_waiting);
        }
        for (auto& [order, task] : waiting) task.done(fail(Reason::Cancelled, "stopped"), {});
    }
    std::int64_t inFlight() const override
    {
        const std::lock_guard lock(m_mutex);
        return std::ssize(m_waiting);
    }

private:
    struct Model {
        Signature signature;
        std::chrono::microseconds time{0};
    };
    struct Input final : PreparedInput {
        explicit Input(Values given) : values(std::move(given)) {}
        Bytes size() const override { return Bytes(64); }
        Values values;
    };
    struct Task {
        const Model* model = nullptr;
        std::unique_ptr<PreparedInput> input;
        ModelDone done;
    };

    // A device that has work begins the next at the very end of the one before.
    void run()
    {
        auto free = std::chrono::steady_clock::now();
        std::unique_lock lock(m_mutex);
        for (;;) {
            if (m_waiting.empty()) {
                m_changed.wait(lock, [this] { return m_closing || !m_waiting.empty(); });
                free = std::chrono::steady_clock::now();
            }
            if (m_closing) return;
            Task task = std::move(m_waiting.extract(m_waiting.begin()).mapped());
            free += task.model->time;
            lock.unlock();
            std::this_thread::sleep_until(free);
            Values values;
            values.set("value", static_cast<Input&>(*task.input).values.get("n"));
            task.done(std::move(values), {std::chrono::microseconds{0}, task.model->time, 1});
            lock.lock();
        }
    }

    std::map<std::string, Model, std::less<>> m_models;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::multimap<LaneOrder, Task> m_waiting; // guarded by m_mutex
    bool m_closing = false;                   // guarded by m_mutex
    std::thread m_thread;
};

class Rows final : public ItemSource {
public:
    explicit Rows(std::int64_t count) : m_count(count) {}
    std::int64_t total() const override { return m_count; }
    Result<std::optional<ItemRecord>> next() override
    {
        if (m_next >= m_count) return std::optional<ItemRecord>();
        ItemRecord record;
        record.handle = {ItemIndex(m_next), "SKU-" + std::to_string(m_next), m_next + 2, m_next * 40, 40, "A product"};
        record.fields = fields(record.handle).value();
        ++m_next;
        return std::optional(std::move(record));
    }
    Result<ItemFields> fields(const ItemHandle& item) override
    {
        return ItemFields{std::make_shared<const Json>(Json{{"sku", item.id}, {"n", item.index.value()}})};
    }
    Result<Blob> open(const ItemHandle&, const std::string& path) override
    {
        return fail(Reason::InputImageMissing, path);
    }
    Result<ContentHash> fileHash(const ItemHandle&, const std::string& path) override { return sha256(path); }

private:
    std::int64_t m_count;
    std::int64_t m_next = 0;
};

} // namespace

void addStandInOps(OpRegistry& ops)
{
    ops.add({"stand_in.work", "1", {any("n", true)}, {any("value", true)}, {number("us")}, ""}, work);
    ops.add({"stand_in.list", "1", {any("n", true)}, {{"list", PortType::List, true}}, {number("count")}, ""}, list);
}

Pipeline pipelineOf(const ModelledFlow& flow, double speed, const OpRegistry& ops, const ModelLane& models,
                    const std::string& job, const std::filesystem::path& folder)
{
    std::string text = "aiflow: 1\nname: flow\ninput:\n  id: sku\n  columns:\n    sku: { type: text }\n"
                       "    n: { type: integer }\nsteps:\n";
    for (const ModelledStep& step : flow.steps) text += yamlOf(flow, step, speed, job);
    const Catalog catalog(ops, models);
    return must(parsePipeline(text, folder, "flow.yaml", catalog));
}

std::unique_ptr<ModelLane> standInDevice(const ModelledFlow& flow, double speed)
{
    return std::make_unique<Device>(flow, speed);
}

std::unique_ptr<ItemSource> flowItems(std::int64_t count) { return std::make_unique<Rows>(count); }

} // namespace aiflow::test
