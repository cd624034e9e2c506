#include "core/inference/batching_lane.h"

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/compute/op_call.h"
#include "core/inference/batcher.h"
#include "core/inference/families.h"
#include "core/inference/finisher.h"
#include "core/inference/torch_device.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <tuple>

namespace aiflow {

namespace {

struct Part {
    std::shared_ptr<ModelCall> call;
    std::size_t tensor = 0;
    BatchGroup group = 0;

    const InputTensor& input() const { return call->prepared->tensors()[tensor]; }
};

// One thread feeds the device, one (the Finisher's) reads its answers; callers only queue.
class BatchingLane final : public ModelLane {
public:
    BatchingLane(std::unique_ptr<ModelManifest> manifest, const MakeDevice& makeDevice,
                 const ModelLaneSettings& settings, const Clock& clock, Log& log)
        : m_manifest(std::move(manifest)), m_settings(settings), m_clock(clock), m_log(log),
          m_device(makeDevice(*m_manifest)), m_finisher(m_inFlight)
    {
        for (const ModelEntry& entry : m_manifest->all()) {
            auto family = makeFamily(entry);
            Signature signature = describe(entry, *family);
            m_models.emplace(entry.name,
                             Model{&entry, std::move(family), std::move(signature), false, {}, false, entry.batchMax});
        }
        m_thread = std::jthread([this](const std::stop_token& stop) { work(stop); });
    }
    ~BatchingLane() override
    {
        cancelWaiting();
        m_thread.request_stop();
        m_thread.join();
    }
    BatchingLane(const BatchingLane&) = delete;
    BatchingLane& operator=(const BatchingLane&) = delete;

    const Signature* find(std::string_view model) const override
    {
        const auto it = m_models.find(model);
        return it == m_models.end() ? nullptr : &it->second.signature;
    }

    std::vector<const Signature*> all() const override
    {
        std::vector<const Signature*> signatures;
        for (const auto& [name, model] : m_models) signatures.push_back(&model.signature);
        return signatures;
    }

    Result<std::unique_ptr<PreparedInput>> prepare(std::string_view name, const Values& inputs,
                                                   const Json& params) override
    {
        const auto it = m_models.find(name);
        if (it == m_models.end())
            return fail(Reason::ComputeModelMissing, "no models.json lists a model \"" + std::string(name) + "\"",
                        "see: aiflow-cli models");
        Model& model = it->second;
        if (auto usable = m_manifest->verify(*model.entry); !usable) return tl::unexpected(std::move(usable.error()));
        if (auto loading = askToLoad(model); !loading) return tl::unexpected(std::move(loading.error()));
        try {
            const auto complete = completeParams(model.signature, params);
            if (!complete) return tl::unexpected(complete.error());
            auto prepared = model.family->prepare(inputs, *complete);
            if (!prepared) return tl::unexpected(std::move(prepared.error()));
            return std::unique_ptr<PreparedInput>(std::move(*prepared));
        } catch (const std::bad_alloc&) {
            return fail(Reason::ComputeOom,
                        "not enough memory to prepare an input of the model \"" + std::string(name) + "\"");
        } catch (const std::exception& error) {
            return fail(Reason::Internal,
                        "an input of the model \"" + std::string(name) + "\" cannot be prepared: " + error.what());
        }
    }

    void submit(std::string_view name, std::unique_ptr<PreparedInput> input, LaneOrder order, ModelDone done) override
    {
        m_inFlight.fetch_add(1);
        auto call = std::make_shared<ModelCall>();
        call->model = name;
        call->prepared = dynamic_cast<const PreparedCall*>(input.get());
        call->input = std::move(input);
        call->done = std::move(done);
        call->order = order;
        const auto it = m_models.find(name);
        if (it == m_models.end() || call->prepared == nullptr) {
            call->error =
                Error{Reason::Internal, "this input was not prepared for the model \"" + call->model + "\"", {}, {}};
            return m_finisher.push(std::move(call));
        }
        call->outputs.resize(call->prepared->tensors().size());
        call->open = call->outputs.size();
        {
            const std::lock_guard lock(m_mutex);
            for (std::size_t i = 0; i < call->outputs.size(); ++i)
                queue({call, i, groupOf(it->second, call->prepared->tensors()[i])});
            m_news = true;
        }
        m_changed.notify_all();
    }

    void cancelWaiting() override
    {
        std::vector<std::shared_ptr<ModelCall>> cancelled;
        {
            const std::lock_guard lock(m_mutex);
            for (auto it = m_parts.begin(); it != m_parts.end();) {
                const auto& call = it->second.call;
                const bool waits = !call->started && m_batcher.remove(it->first);
                if (waits && --call->open == 0) cancelled.push_back(call);
                it = waits ? m_parts.erase(it) : std::next(it);
            }
        }
        for (const auto& call : cancelled) {
            call->error = Error{Reason::Cancelled, "cancelled before the model ran", {}, {}};
            m_finisher.push(call);
        }
    }

    std::int64_t inFlight() const override { return m_inFlight.load(); }

private:
    struct Model {
        const ModelEntry* entry = nullptr;
        std::unique_ptr<ModelFamily> family;
        Signature signature;
        bool loaded = false;         // the device thread's
        std::optional<Error> broken; // guarded by m_mutex: it could not be loaded
        bool asked = false;          // guarded by m_mutex: loading was asked for
        int batchMax = 1;            // guarded by m_mutex: less on a CPU, once it is known that it is one
    };
    using GroupKey = std::tuple<std::string_view, TensorShape, ElementType>;

    // Has the device thread load the model soon; the error when it has already failed to.
    Result<void> askToLoad(Model& model)
    {
        {
            const std::lock_guard lock(m_mutex);
            if (model.broken) return tl::unexpected(*model.broken);
            if (model.asked) return {};
            model.asked = true;
            m_toLoad.push_back(&model);
            m_news = true;
        }
        m_changed.notify_all();
        return {};
    }

    // With the lock held.
    BatchGroup groupOf(Model& model, const InputTensor& tensor)
    {
        const auto [it, isNew] = m_groups.try_emplace(GroupKey{model.entry->name, tensor.shape, tensor.element});
        if (isNew) {
            it->second = m_batcher.addGroup({model.batchMax, model.entry->batchDelay, m_settings.batchBytes});
            m_groupModels.push_back(&model);
        }
        return it->second;
    }

    // With the lock held.
    void queue(Part part)
    {
        const BatchTicket ticket = m_tickets++;
        const Bytes size(static_cast<std::int64_t>(part.input().data.size()));
        m_batcher.add(ticket, part.group, part.call->order, size, m_clock.monotonic());
        m_parts.emplace(ticket, Queued{std::move(part.call), part.tensor, part.group, m_clock.monotonic()});
    }

    void work(const std::stop_token& stop)
    {
        std::unique_lock lock(m_mutex);
        while (true) {
            if (!m_toLoad.empty()) {
                Model& model = *m_toLoad.back();
                m_toLoad.pop_back();
                lock.unlock();
                if (!stop.stop_requested()) ready(model);
                lock.lock();
                continue;
            }
            const bool hurry = stop.stop_requested(); // what has begun is finished; nothing more will come
            if (const auto batch = m_batcher.next(hurry ? MonotonicTime::max() : m_clock.monotonic())) {
                std::vector<Part> parts = take(*batch);
                lock.unlock();
                runBatch(batch->group, std::move(parts));
                lock.lock();
                continue;
            }
            if (hurry) return;
            waitForNews(lock, stop);
        }
    }

    void waitForNews(std::unique_lock<std::mutex>& lock, const std::stop_token& stop)
    {
        const auto hasNews = [this] { return m_news; };
        if (const auto due = m_batcher.nextDue())
            m_changed.wait_for(lock, stop, *due - m_clock.monotonic(), hasNews);
        else
            m_changed.wait(lock, stop, hasNews);
        m_news = false;
    }

    // With the lock held.
    std::vector<Part> take(const Batch& batch)
    {
        std::vector<Part> parts;
        for (const BatchTicket ticket : batch.tickets) {
            auto node = m_parts.extract(ticket);
            Queued& queued = node.mapped();
            if (!queued.call->started)
                queued.call->timing.waited =
                    std::chrono::duration_cast<std::chrono::microseconds>(m_clock.monotonic() - queued.since);
            queued.call->started = true;
            parts.push_back({std::move(queued.call), queued.tensor, queued.group});
        }
        return parts;
    }

    // Loads the model if need be; remembers that it cannot be loaded.
    Result<void> ready(Model& model)
    {
        if (model.broken) return tl::unexpected(*model.broken); // written on this thread only
        if (model.loaded) return {};
        auto loaded = m_device->load(*model.entry);
        const std::lock_guard lock(m_mutex);
        if (!loaded) {
            m_log.error("model cannot be loaded", {{"model", model.entry->name}, {"why", loaded.error().message}});
            model.broken = loaded.error();
        } else if (m_device->info(*model.entry).kind == "cpu") {
            model.batchMax = std::min(model.batchMax, model.entry->batchMaxCpu);
            for (std::size_t i = 0; i < m_groupModels.size(); ++i)
                if (m_groupModels[i] == &model) m_batcher.limit(static_cast<BatchGroup>(i), model.batchMax);
        }
        model.loaded = loaded.has_value();
        return loaded;
    }

    void runBatch(BatchGroup group, std::vector<Part> parts)
    {
        Model& model = modelOf(group);
        m_finisher.waitForRoom(static_cast<std::size_t>(model.entry->batchMax));
        if (const auto loaded = ready(model); !loaded) {
            for (const Part& part : parts) end(part, loaded.error());
            return;
        }
        m_device->warmUp(*model.entry, parts.front().input());
        runParts(*model.entry, parts);
    }

    // A batch that fails is run again in halves, so that only the input that it failed for fails.
    void runParts(const ModelEntry& model, std::span<const Part> parts)
    {
        std::vector<const InputTensor*> inputs;
        for (const Part& part : parts) inputs.push_back(&part.input());
        const MonotonicTime start = m_clock.monotonic();
        auto outputs = m_device->run(model, inputs);
        const auto share = (m_clock.monotonic() - start) / static_cast<std::int64_t>(parts.size());
        for (const Part& part : parts) {
            ModelTiming& timing = part.call->timing;
            timing.worked += std::chrono::duration_cast<std::chrono::microseconds>(share);
            timing.batchSize = std::max(timing.batchSize, static_cast<int>(parts.size()));
        }
        if (outputs) {
            for (std::size_t i = 0; i < parts.size(); ++i) end(parts[i], std::move((*outputs)[i]));
        } else if (outputs.error().reason == Reason::ComputeOom && parts.size() > 1) {
            shrink(model, parts);
        } else if (parts.size() > 1) {
            runParts(model, parts.first(parts.size() / 2));
            runParts(model, parts.subspan(parts.size() / 2));
        } else {
            end(parts.front(), outputs.error());
        }
    }

    void shrink(const ModelEntry& model, std::span<const Part> parts)
    {
        const std::lock_guard lock(m_mutex);
        const BatchGroup group = parts.front().group;
        m_batcher.outOfMemory(group, parts.size());
        m_log.warning("out of memory, smaller batches from now on",
                      {{"model", model.name}, {"batch", std::to_string(m_batcher.currentMax(group))}});
        for (const Part& part : parts) queue(part);
    }

    void end(const Part& part, OutputTensor output)
    {
        part.call->outputs[part.tensor] = std::move(output);
        endOne(part.call);
    }

    void end(const Part& part, const Error& error)
    {
        if (!part.call->error) part.call->error = error;
        endOne(part.call);
    }

    void endOne(const std::shared_ptr<ModelCall>& call)
    {
        const std::unique_lock lock(m_mutex);
        if (--call->open == 0) m_finisher.push(call);
    }

    Model& modelOf(BatchGroup group)
    {
        const std::lock_guard lock(m_mutex);
        return *m_groupModels[static_cast<std::size_t>(group)];
    }

    struct Queued {
        std::shared_ptr<ModelCall> call;
        std::size_t tensor = 0;
        BatchGroup group = 0;
        MonotonicTime since{};
    };

    std::unique_ptr<ModelManifest> m_manifest;
    ModelLaneSettings m_settings;
    const Clock& m_clock;
    Log& m_log;
    std::map<std::string, Model, std::less<>> m_models; // its shape is fixed; see Model for what is guarded
    std::unique_ptr<Device> m_device;                   // the device thread's
    std::atomic<std::int64_t> m_inFlight{0};
    Finisher m_finisher;

    std::mutex m_mutex; // guards what follows
    std::condition_variable_any m_changed;
    bool m_news = false;
    Batcher m_batcher;
    std::map<GroupKey, BatchGroup> m_groups;
    std::vector<Model*> m_groupModels;
    std::map<BatchTicket, Queued> m_parts;
    std::vector<Model*> m_toLoad;
    BatchTicket m_tickets = 0;

    std::jthread m_thread; // last: it uses all of the above
};

} // namespace

std::unique_ptr<ModelLane> makeModelLane(std::unique_ptr<ModelManifest> manifest, const MakeDevice& makeDevice,
                                         const ModelLaneSettings& settings, const Clock& clock, Log& log)
{
    return std::make_unique<BatchingLane>(std::move(manifest), makeDevice, settings, clock, log);
}

Result<std::unique_ptr<ModelLane>> makeModelLane(const std::vector<std::filesystem::path>& manifestFolders,
                                                 const std::vector<std::filesystem::path>& moduleFolders,
                                                 const ModelLaneSettings& settings, const Clock& clock, Log& log)
{
    auto manifest = ModelManifest::open(manifestFolders);
    if (!manifest) return tl::unexpected(std::move(manifest.error()));
    TorchSettings torch;
    torch.device = settings.device;
    torch.threads = settings.threads;
    for (const auto& folder : moduleFolders)
        if (torch.module.empty() || !systemFiles().exists(torch.module)) torch.module = folder / "aiflow_torch.so";
    const auto makeDevice = [&](const ModelManifest& models) { return makeTorchDevice(models, torch); };
    return makeModelLane(std::move(*manifest), makeDevice, settings, clock, log);
}

} // namespace aiflow
