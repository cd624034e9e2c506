// A device for tests: answers with the first number of each input, and fails as told.
#pragma once

#include "core/inference/device.h"
#include "core/inference/model_manifest.h"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <vector>

namespace aiflow {

// What the test tells the device and what it sees of it. Threads: every method, from any thread.
class DeviceScript {
public:
    void holdRuns()
    {
        set([this] { m_held = true; });
    }
    void releaseRuns()
    {
        set([this] { m_held = false; });
    }
    void fitsAtMost(std::size_t inputs)
    {
        set([this, inputs] { m_fits = inputs; });
    }
    void throwsFor(int value)
    {
        set([this, value] { m_poison = value; });
    }
    void givesNoNumberFor(int value)
    {
        set([this, value] { m_noNumber = value; });
    }
    void cannotLoad()
    {
        set([this] { m_loads = false; });
    }

    void waitUntilARunBegan()
    {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return !m_batches.empty(); });
    }
    // The first numbers of the inputs of each run, in order, those that failed too.
    std::vector<std::vector<int>> batches() const
    {
        const std::lock_guard lock(m_mutex);
        return m_batches;
    }
    std::size_t loads() const
    {
        const std::lock_guard lock(m_mutex);
        return m_loadCount;
    }

    Result<void> load()
    {
        const std::lock_guard lock(m_mutex);
        ++m_loadCount;
        if (m_loads) return {};
        return fail(Reason::ComputeModelMissing, "the device has no such model");
    }
    Result<std::vector<OutputTensor>> run(std::span<const InputTensor* const> batch)
    {
        std::vector<int> values;
        for (const InputTensor* input : batch) values.push_back(std::to_integer<int>(input->data.front()));
        std::unique_lock lock(m_mutex);
        m_batches.push_back(values);
        m_changed.notify_all();
        m_changed.wait(lock, [this] { return !m_held; });
        if (values.size() > m_fits) return fail(Reason::ComputeOom, "out of memory");
        if (std::ranges::find(values, m_poison) != values.end()) return fail(Reason::Internal, "poison");
        return answers(values);
    }

private:
    template <typename Change> void set(const Change& change)
    {
        const std::lock_guard lock(m_mutex);
        change();
        m_changed.notify_all();
    }
    std::vector<OutputTensor> answers(const std::vector<int>& values) const
    {
        auto numbers = std::make_shared<std::vector<float>>();
        for (const int value : values)
            numbers->push_back(value == m_noNumber ? std::numeric_limits<float>::quiet_NaN()
                                                   : static_cast<float>(value));
        std::vector<OutputTensor> outputs;
        for (const float& number : *numbers) outputs.push_back({{1}, &number, numbers});
        return outputs;
    }

    mutable std::mutex m_mutex; // guards all below
    std::condition_variable m_changed;
    bool m_held = false;
    bool m_loads = true;
    std::size_t m_fits = 1000;
    std::size_t m_loadCount = 0;
    int m_poison = -1;
    int m_noNumber = -1;
    std::vector<std::vector<int>> m_batches;
};

class FakeDevice final : public Device {
public:
    explicit FakeDevice(DeviceScript& script) : m_script(script) {}
    Result<void> load(const ModelEntry&) override { return m_script.load(); }
    void warmUp(const ModelEntry&, const InputTensor&) override {}
    Result<std::vector<OutputTensor>> run(const ModelEntry&, std::span<const InputTensor* const> batch) override
    {
        return m_script.run(batch);
    }
    DeviceInfo info(const ModelEntry&) const override { return {"fake", "stand-in", "float", "none", 0}; }

private:
    DeviceScript& m_script;
};

} // namespace aiflow
