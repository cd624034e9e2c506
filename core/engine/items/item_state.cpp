#include "core/engine/items/item_state.h"

#include <algorithm>
#include <cstring>

namespace aiflow {

namespace {

class Packer {
public:
    void number(std::int64_t value)
    {
        auto bits = static_cast<std::uint64_t>(value) << 1U ^ static_cast<std::uint64_t>(value >> 63);
        for (; bits >= 0x80; bits >>= 7U) m_bytes.push_back(static_cast<char>(bits | 0x80U));
        m_bytes.push_back(static_cast<char>(bits));
    }
    void text(std::string_view value)
    {
        number(static_cast<std::int64_t>(value.size()));
        m_bytes.append(value);
    }
    void hash(const ContentHash& value) { m_bytes.append(reinterpret_cast<const char*>(value.bytes.data()), 32); }
    std::string take()
    {
        m_bytes.shrink_to_fit();
        return std::move(m_bytes);
    }

private:
    std::string m_bytes;
};

class Unpacker {
public:
    explicit Unpacker(std::string_view bytes) : m_bytes(bytes) {}
    std::int64_t number()
    {
        std::uint64_t bits = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(m_bytes[m_at++]);
            bits |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if (byte < 0x80) break;
        }
        return static_cast<std::int64_t>(bits >> 1U) ^ -static_cast<std::int64_t>(bits & 1U);
    }
    std::string text()
    {
        const auto size = static_cast<std::size_t>(number());
        m_at += size;
        return std::string(m_bytes.substr(m_at - size, size));
    }
    ContentHash hash()
    {
        ContentHash value;
        std::memcpy(value.bytes.data(), m_bytes.data() + m_at, 32);
        m_at += 32;
        return value;
    }

private:
    std::string_view m_bytes;
    std::size_t m_at = 0;
};

void packTask(Packer& out, const TaskSlot& task)
{
    out.number(static_cast<std::int64_t>(task.state));
    out.number(task.attempts);
    out.number(static_cast<std::int64_t>(task.durable.size()));
    for (const TaskOutput& output : task.durable) {
        out.text(output.port);
        out.hash(output.artifact.hash);
        out.text(output.artifact.mediaType);
        out.number(output.artifact.size);
    }
}

void unpackTask(Unpacker& in, TaskSlot& task)
{
    task.state = static_cast<TaskState>(in.number());
    task.attempts = static_cast<int>(in.number());
    task.durable.resize(static_cast<std::size_t>(in.number()));
    for (TaskOutput& output : task.durable) {
        output.port = in.text();
        output.artifact.hash = in.hash();
        output.artifact.mediaType = in.text();
        output.artifact.size = in.number();
    }
}

void packStep(Packer& out, const StepRun& step)
{
    out.number(static_cast<std::int64_t>(step.state.load()));
    packTask(out, step.task);
    out.number(step.fanout ? static_cast<std::int64_t>(step.fanout->elements.size()) : -1);
    if (!step.fanout) return;
    out.number(step.fanout->left.load());
    for (const TaskSlot& element : step.fanout->elements) packTask(out, element);
}

void unpackStep(Unpacker& in, StepRun& step)
{
    step.state.store(static_cast<TaskState>(in.number()));
    unpackTask(in, step.task);
    const std::int64_t count = in.number();
    if (count < 0) return;
    step.fanout = std::make_unique<Fanout>(static_cast<std::size_t>(count));
    step.fanout->left.store(static_cast<std::int32_t>(in.number()));
    for (TaskSlot& element : step.fanout->elements) unpackTask(in, element);
}

void packFailures(Packer& out, const std::vector<StepFailure>& failures)
{
    out.number(static_cast<std::int64_t>(failures.size()));
    for (const StepFailure& failure : failures) {
        out.number(failure.step.value());
        out.number(static_cast<std::int64_t>(failure.error.reason));
        out.text(failure.error.message);
    }
}

void unpackFailures(Unpacker& in, std::vector<StepFailure>& failures)
{
    failures.resize(static_cast<std::size_t>(in.number()));
    for (StepFailure& failure : failures) {
        failure.step = StepIndex(static_cast<std::int32_t>(in.number()));
        failure.error.reason = static_cast<Reason>(in.number());
        failure.error.message = in.text();
    }
}

// What is left to count down follows from the states: nothing of a packed item is on its way.
void recount(const Pipeline& pipeline, ActiveItem& item)
{
    const auto unfinished = [&item](StepIndex step) {
        return !isTerminal(item.steps[static_cast<std::size_t>(step.value())].state.load());
    };
    for (std::size_t i = 0; i < item.steps.size(); ++i) {
        const Step& step = pipeline.steps[i];
        StepRun& run = item.steps[i];
        run.pending.store(static_cast<std::int32_t>(std::ranges::count_if(step.dependsOn, unfinished)));
        run.consumers.store(static_cast<std::int32_t>(std::ranges::count_if(step.usedBy, unfinished)));
    }
}

} // namespace

void ActiveItem::reset(const Pipeline& pipeline)
{
    if (steps.size() != pipeline.steps.size()) steps = std::vector<StepRun>(pipeline.steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Step& step = pipeline.steps[i];
        StepRun& run = steps[i];
        run.state.store(TaskState::Queued, std::memory_order_relaxed);
        run.pending.store(std::max(1, static_cast<std::int32_t>(step.dependsOn.size())), std::memory_order_relaxed);
        run.consumers.store(static_cast<std::int32_t>(step.usedBy.size()), std::memory_order_relaxed);
        run.task = TaskSlot{};
        run.fanout.reset();
    }
    key = {};
    fields.values.reset();
    failures.clear();
    skipText.clear();
    worked = {};
    cost = 0;
    currency.clear();
    attempts = 0;
    reusable = true;
    announced = false;
    bytes.store(0, std::memory_order_relaxed);
    peakBytes.store(0, std::memory_order_relaxed);
}

std::string packItem(const ActiveItem& item)
{
    Packer out;
    out.number(item.handle.index.value());
    out.text(item.handle.id);
    out.number(item.handle.line);
    out.number(item.handle.byteOffset);
    out.number(item.handle.byteLength);
    out.number(item.key.isZero() ? 0 : 1);
    if (!item.key.isZero()) out.hash(item.key);
    out.number(item.worked.count());
    out.number(static_cast<std::int64_t>(item.cost * 1e9));
    out.text(item.currency);
    out.number(item.attempts);
    out.number(item.reusable ? 1 : 0);
    out.number(item.announced ? 1 : 0);
    out.text(item.skipText);
    packFailures(out, item.failures);
    for (const StepRun& step : item.steps) packStep(out, step);
    return out.take();
}

void unpackItem(const std::string& packed, const Pipeline& pipeline, ActiveItem& item)
{
    Unpacker in(packed);
    item.handle.index = ItemIndex(in.number());
    item.handle.id = in.text();
    item.handle.line = in.number();
    item.handle.byteOffset = in.number();
    item.handle.byteLength = in.number();
    item.handle.title.clear();
    if (in.number() != 0) item.key = in.hash();
    item.worked = std::chrono::microseconds(in.number());
    item.cost = static_cast<double>(in.number()) / 1e9;
    item.currency = in.text();
    item.attempts = static_cast<int>(in.number());
    item.reusable = in.number() != 0;
    item.announced = in.number() != 0;
    item.skipText = in.text();
    unpackFailures(in, item.failures);
    for (StepRun& step : item.steps) unpackStep(in, step);
    recount(pipeline, item);
}

std::vector<TaskState> stepStates(const ActiveItem& item)
{
    std::vector<TaskState> states;
    states.reserve(item.steps.size());
    for (const StepRun& step : item.steps) states.push_back(step.state.load(std::memory_order_relaxed));
    return states;
}

} // namespace aiflow
