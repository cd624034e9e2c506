#include "core/inference/finisher.h"

#include <algorithm>
#include <bit>
#include <exception>

namespace aiflow {

namespace {

bool allFinite(const OutputTensor& output)
{
    constexpr std::uint32_t kExponent = 0x7F800000U; // all ones in infinities and in what is not a number
    std::uint32_t bad = 0;
    for (const float number : output.span())
        bad |= (std::bit_cast<std::uint32_t>(number) & kExponent) == kExponent ? 1U : 0U;
    return bad == 0;
}

Result<Values> read(const ModelCall& call)
{
    if (call.error) return tl::unexpected(*call.error);
    if (!std::ranges::all_of(call.outputs, allFinite))
        return fail(Reason::Internal,
                    "the model \"" + call.model + "\" gave numbers that are not finite for this input",
                    "if it is so for many items, set the model's precision to float in models.json");
    try {
        return call.prepared->finish(call.outputs);
    } catch (const std::exception& error) {
        return fail(Reason::Internal, "the answer of the model \"" + call.model + "\" cannot be read: " + error.what());
    }
}

} // namespace

Finisher::Finisher(std::atomic<std::int64_t>& inFlight)
    : m_inFlight(inFlight), m_thread([this](const std::stop_token& stop) { work(stop); })
{
}

Finisher::~Finisher()
{
    m_thread.request_stop();
    m_thread.join();
}

void Finisher::push(std::shared_ptr<ModelCall> call)
{
    {
        const std::lock_guard lock(m_mutex);
        m_queue.push_back(std::move(call));
    }
    m_changed.notify_all();
}

void Finisher::waitForRoom(std::size_t most)
{
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return m_queue.size() <= most; });
}

void Finisher::work(const std::stop_token& stop)
{
    std::unique_lock lock(m_mutex);
    while (m_changed.wait(lock, stop, [this] { return !m_queue.empty(); })) {
        const std::shared_ptr<ModelCall> call = std::move(m_queue.front());
        m_queue.pop_front();
        lock.unlock();
        finish(*call);
        m_inFlight.fetch_sub(1);
        m_changed.notify_all();
        lock.lock();
    }
}

void Finisher::finish(ModelCall& call)
{
    Result<Values> values = read(call);
    call.outputs.clear(); // the batch's memory must not wait for the caller
    call.input.reset();
    call.done(std::move(values), call.timing);
    call.done = nullptr;
}

} // namespace aiflow
