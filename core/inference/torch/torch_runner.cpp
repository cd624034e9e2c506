// The LibTorch side of runner_abi.h: the only unit that includes LibTorch.
#include "core/inference/runner_abi.h"

#include <algorithm>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <malloc.h>
#include <memory>
#include <new>
#include <string>
#include <torch/cuda.h>
#include <torch/script.h>
#include <torch/version.h>
#include <vector>

struct AiflowModel {
    torch::jit::Module module;
    torch::Device device{torch::kCPU};
    torch::Dtype precision = torch::kFloat;
};

namespace {

template <std::size_t Size> void copyText(char (&to)[Size], const std::string& text)
{
    const std::size_t count = std::min(text.size(), Size - 1);
    std::memcpy(to, text.data(), count);
    to[count] = '\0';
}

// LibTorch's texts carry a stack trace; interpreter errors put the cause into the last line.
std::string oneLine(const char* what)
{
    const std::string text = what;
    const auto cause = text.rfind("RuntimeError: ");
    const std::string start = cause == std::string::npos ? text : text.substr(cause + 14);
    return start.substr(0, start.find('\n'));
}

bool soundsLikeMemory(const std::string& text)
{
    return text.find("out of memory") != std::string::npos || text.find("can't allocate memory") != std::string::npos ||
           text.find("not enough memory") != std::string::npos;
}

// Runs `work` and turns whatever it throws into a status and one line.
template <typename Work> std::int32_t guarded(AiflowMessage* message, std::int32_t failure, Work&& work) noexcept
{
    try {
        return work();
    } catch (const std::bad_alloc&) {
        copyText(message->text, "not enough memory");
        return AIFLOW_RUNNER_OUT_OF_MEMORY;
    } catch (const std::exception& error) {
        const std::string text = error.what();
        copyText(message->text, oneLine(text.c_str()));
        return soundsLikeMemory(text) ? AIFLOW_RUNNER_OUT_OF_MEMORY : failure;
    } catch (...) {
        copyText(message->text, "an exception of unknown type");
        return failure;
    }
}

// OpenBLAS keeps threads of its own that LibTorch does not know of.
void limitThreads(int threads)
{
    at::set_num_threads(threads);
    using SetThreads = void (*)(int);
    if (const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(threads);
}

// A network's large, short-lived buffers would otherwise be mapped and unmapped at each run, which costs up to a third
// of its time in the kernel.
void keepFreedMemory()
{
    ::mallopt(M_MMAP_THRESHOLD, 64 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

torch::Device chooseDevice(const std::string& wanted)
{
    if (wanted == "auto") return torch::cuda::is_available() ? torch::Device("cuda:0") : torch::Device("cpu");
    return torch::Device(wanted);
}

bool isThere(const torch::Device& device)
{
    if (!device.is_cuda()) return device.is_cpu();
    return torch::cuda::is_available() &&
           std::max<int>(device.index(), 0) < static_cast<int>(torch::cuda::device_count());
}

std::int32_t load(const AiflowLoadOptions* options, AiflowModel** model, AiflowMessage* message)
{
    *model = nullptr;
    return guarded(message, AIFLOW_RUNNER_BAD_MODEL, [&]() -> std::int32_t {
        limitThreads(std::max(options->threads, 1));
        keepFreedMemory();
        auto loaded = std::make_unique<AiflowModel>();
        loaded->device = chooseDevice(options->device);
        if (!isThere(loaded->device)) {
            copyText(message->text, "there is no device " + loaded->device.str());
            return AIFLOW_RUNNER_NO_DEVICE;
        }
        const std::string precision = options->precision;
        const bool half = precision == "half" || (precision == "auto" && loaded->device.is_cuda());
        loaded->precision = half ? torch::kHalf : torch::kFloat;
        const std::vector<std::string> methods(options->methods, options->methods + options->methodCount);
        loaded->module = torch::jit::load(options->path, torch::Device(torch::kCPU));
        for (const std::string& method : methods) loaded->module.get_method(method);
        loaded->module.to(loaded->device, loaded->precision);
        loaded->module.eval();
        loaded->module = torch::jit::freeze(loaded->module, methods);
        *model = loaded.release();
        return AIFLOW_RUNNER_OK;
    });
}

// The driver's own C interface, so that no CUDA header is needed to build this.
void describeCuda(int index, AiflowDeviceInfo* info)
{
    using Init = int (*)(unsigned int);
    using Name = int (*)(char*, int, int);
    using Memory = int (*)(std::size_t*, int);
    void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver == nullptr) return;
    const auto init = reinterpret_cast<Init>(::dlsym(driver, "cuInit"));
    const auto name = reinterpret_cast<Name>(::dlsym(driver, "cuDeviceGetName"));
    const auto memory = reinterpret_cast<Memory>(::dlsym(driver, "cuDeviceTotalMem_v2"));
    std::size_t bytes = 0;
    if (init == nullptr || init(0) != 0) return;
    if (name != nullptr) name(info->name, static_cast<int>(sizeof info->name), index);
    if (memory != nullptr && memory(&bytes, index) == 0) info->memoryBytes = static_cast<std::int64_t>(bytes);
}

void describe(const AiflowModel* model, AiflowDeviceInfo* info)
{
    *info = AiflowDeviceInfo{};
    const bool cuda = model->device.is_cuda();
    copyText(info->name, cuda ? "CUDA device" : "CPU");
    copyText(info->kind, cuda ? "cuda" : "cpu");
    copyText(info->precision, model->precision == torch::kHalf ? "half" : "float");
    copyText(info->runtime, TORCH_VERSION);
    if (cuda) describeCuda(std::max<int>(model->device.index(), 0), info);
}

torch::Tensor gather(const AiflowModel& model, const AiflowBatch& batch)
{
    const auto element = batch.element == AIFLOW_UINT8 ? torch::kUInt8 : torch::kFloat;
    std::vector<std::int64_t> shape{batch.count};
    shape.insert(shape.end(), batch.shape, batch.shape + batch.rank);
    torch::Tensor packed = torch::empty(shape, torch::TensorOptions(element).pinned_memory(model.device.is_cuda()));
    const std::size_t stride = packed.nbytes() / static_cast<std::size_t>(batch.count);
    auto* to = static_cast<char*>(packed.data_ptr());
    for (std::int32_t i = 0; i < batch.count; ++i)
        std::memcpy(to + static_cast<std::size_t>(i) * stride, batch.items[i], stride);
    torch::Tensor input = packed.to(model.device, /*non_blocking=*/true).to(model.precision);
    return batch.scale == 1.0F ? input : input.mul_(batch.scale);
}

std::int32_t run(AiflowModel* model, const char* method, const AiflowBatch* batch, AiflowOutput* output,
                 AiflowMessage* message)
{
    *output = AiflowOutput{};
    return guarded(message, AIFLOW_RUNNER_FAILED, [&]() -> std::int32_t {
        const c10::InferenceMode inference;
        const torch::jit::IValue answer = model->module.get_method(method)({gather(*model, *batch)});
        if (!answer.isTensor() || answer.toTensor().dim() < 1 || answer.toTensor().size(0) != batch->count ||
            answer.toTensor().dim() > AIFLOW_MAX_RANK + 1) {
            copyText(message->text, std::string(method) + "() did not give one tensor with a row for each input");
            return AIFLOW_RUNNER_FAILED;
        }
        auto kept = std::make_unique<torch::Tensor>(answer.toTensor().to(torch::kCPU, torch::kFloat).contiguous());
        output->values = kept->data_ptr<float>();
        output->rank = static_cast<std::int32_t>(kept->dim());
        std::copy(kept->sizes().begin(), kept->sizes().end(), output->shape);
        output->owner = kept.release();
        return AIFLOW_RUNNER_OK;
    });
}

void release(AiflowOutput* output)
{
    delete static_cast<torch::Tensor*>(output->owner);
    *output = AiflowOutput{};
}

void unload(AiflowModel* model) { delete model; }

constexpr AiflowRunner kRunner{AIFLOW_RUNNER_ABI, load, describe, run, release, unload};

} // namespace

extern "C" __attribute__((visibility("default"))) const AiflowRunner* aiflow_runner_v1() { return &kRunner; }
