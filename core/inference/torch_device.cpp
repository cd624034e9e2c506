#include "core/inference/torch_device.h"

#include "core/inference/runner_abi.h"

#include <algorithm>
#include <dlfcn.h>
#include <map>
#include <set>

namespace aiflow {

namespace {

constexpr int kWarmUpRuns = 3; // the first runs of a shape measure and compile

constexpr const char* kInstallHint = "install the package aiflow-torch, or build with -DAIFLOW_TORCH=ON";

Result<const AiflowRunner*> openModule(const std::filesystem::path& file)
{
    if (std::error_code problem; !std::filesystem::is_regular_file(file, problem))
        return fail(Reason::ComputeModelMissing, "the module that runs neural networks is not there: " + file.string(),
                    kInstallHint);
    // Never closed: LibTorch does not survive that.
    void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
        return fail(Reason::ComputeModelMissing,
                    "the module that runs neural networks cannot be loaded: " + std::string(::dlerror()), kInstallHint);
    const auto entry = reinterpret_cast<AiflowRunnerEntry>(::dlsym(library, AIFLOW_RUNNER_SYMBOL));
    const AiflowRunner* runner = entry == nullptr ? nullptr : entry();
    if (runner == nullptr || runner->abi != AIFLOW_RUNNER_ABI)
        return fail(Reason::ComputeModelMissing, file.string() + " is of another version of AIFlow",
                    "install the same version of aiflow and aiflow-torch");
    return runner;
}

AiflowBatch toBatch(std::span<const InputTensor* const> batch, std::vector<const void*>& items, float scale)
{
    for (const InputTensor* input : batch) items.push_back(input->data.data());
    const InputTensor& first = *batch.front();
    AiflowBatch packed{};
    packed.items = items.data();
    packed.count = static_cast<std::int32_t>(batch.size());
    packed.element = first.element == ElementType::UInt8 ? AIFLOW_UINT8 : AIFLOW_FLOAT32;
    packed.rank = static_cast<std::int32_t>(first.shape.size());
    std::ranges::copy(first.shape, packed.shape);
    packed.scale = scale;
    return packed;
}

class TorchDevice final : public Device {
public:
    TorchDevice(const ModelManifest& manifest, TorchSettings settings)
        : m_manifest(manifest), m_settings(std::move(settings))
    {
    }
    ~TorchDevice() override
    {
        for (auto& [path, model] : m_models) m_runner->unload(model);
    }
    TorchDevice(const TorchDevice&) = delete;
    TorchDevice& operator=(const TorchDevice&) = delete;

    Result<void> load(const ModelEntry& model) override
    {
        if (m_models.contains(key(model))) return {};
        if (auto listed = m_manifest.verify(model); !listed) return listed;
        if (m_runner == nullptr) {
            const auto runner = openModule(m_settings.module);
            if (!runner) return tl::unexpected(runner.error());
            m_runner = *runner;
        }
        return loadFile(model);
    }

    void warmUp(const ModelEntry& model, const InputTensor& like) override
    {
        if (!m_warm.insert({key(model), model.method, like.shape}).second) return;
        InputTensor blank = like;
        std::ranges::fill(blank.data, std::byte{0});
        const InputTensor* const batch[] = {&blank};
        for (int i = 0; i < kWarmUpRuns; ++i)
            if (!run(model, batch)) return;
    }

    Result<std::vector<OutputTensor>> run(const ModelEntry& model, std::span<const InputTensor* const> batch) override
    {
        std::vector<const void*> items;
        const AiflowBatch packed = toBatch(batch, items, model.input.range == 255 ? 1.0F : 1.0F / 255.0F);
        AiflowOutput output{};
        AiflowMessage message{};
        const auto status = m_runner->run(m_models.at(key(model)), model.method.c_str(), &packed, &output, &message);
        if (status == AIFLOW_RUNNER_OK) return split(output, batch.size());
        const std::string words = "the model \"" + model.name + "\" failed: " + message.text;
        if (status == AIFLOW_RUNNER_OUT_OF_MEMORY) return fail(Reason::ComputeOom, words);
        return fail(Reason::Internal, words);
    }

    DeviceInfo info(const ModelEntry& model) const override
    {
        AiflowDeviceInfo found{};
        if (const auto it = m_models.find(key(model)); it != m_models.end()) m_runner->describe(it->second, &found);
        return {found.name, found.kind, found.precision, std::string("LibTorch ") + found.runtime, found.memoryBytes};
    }

private:
    using Key = std::tuple<std::filesystem::path, std::string, std::string>; // file, device, precision

    Key key(const ModelEntry& model) const
    {
        return {model.path(), model.device == "auto" ? m_settings.device : model.device, model.precision};
    }
    Result<void> loadFile(const ModelEntry& model)
    {
        const auto [path, device, precision] = key(model);
        const auto methods = m_manifest.methodsOf(model);
        std::vector<const char*> names;
        for (const std::string& method : methods) names.push_back(method.c_str());
        const AiflowLoadOptions options{
            path.c_str(),      device.c_str(), precision.c_str(), names.data(), static_cast<std::int32_t>(names.size()),
            m_settings.threads};
        AiflowModel* loaded = nullptr;
        AiflowMessage message{};
        const auto status = m_runner->load(&options, &loaded, &message);
        if (status == AIFLOW_RUNNER_OK) {
            m_models.emplace(key(model), loaded);
            return {};
        }
        const std::string words =
            "the model \"" + model.name + "\" (" + path.string() + ") cannot be loaded: " + message.text;
        if (status == AIFLOW_RUNNER_OUT_OF_MEMORY) return fail(Reason::ComputeOom, words);
        return fail(Reason::ComputeModelMissing, words,
                    status == AIFLOW_RUNNER_NO_DEVICE ? "set the model's device to auto or cpu" : "");
    }
    std::vector<OutputTensor> split(const AiflowOutput& output, std::size_t count) const
    {
        const std::shared_ptr<const void> owner(output.owner, [runner = m_runner](void* memory) {
            AiflowOutput released{};
            released.owner = memory;
            runner->release(&released);
        });
        const TensorShape shape(output.shape + 1, output.shape + output.rank);
        const auto step = elementCount(shape);
        std::vector<OutputTensor> outputs;
        for (std::size_t i = 0; i < count; ++i)
            outputs.push_back({shape, output.values + static_cast<std::ptrdiff_t>(i) * step, owner});
        return outputs;
    }

    const ModelManifest& m_manifest;
    TorchSettings m_settings;
    const AiflowRunner* m_runner = nullptr;
    std::map<Key, AiflowModel*> m_models;
    std::set<std::tuple<Key, std::string, TensorShape>> m_warm;
};

} // namespace

std::unique_ptr<Device> makeTorchDevice(const ModelManifest& manifest, TorchSettings settings)
{
    return std::make_unique<TorchDevice>(manifest, std::move(settings));
}

} // namespace aiflow
