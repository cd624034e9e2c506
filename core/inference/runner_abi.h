// What crosses between the program and the LibTorch module: plain C, so that either side may be built by another
// compiler.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Raised whenever a layout or a meaning below changes; a module with another number is refused.
#define AIFLOW_RUNNER_ABI 1u
#define AIFLOW_RUNNER_SYMBOL "aiflow_runner_v1"

enum AiflowRunnerStatus {
    AIFLOW_RUNNER_OK = 0,
    AIFLOW_RUNNER_FAILED = 1,        // the model threw; the text says what
    AIFLOW_RUNNER_OUT_OF_MEMORY = 2, // a smaller batch may do
    AIFLOW_RUNNER_BAD_MODEL = 3,     // the file is no TorchScript that this LibTorch can read, or lacks a method
    AIFLOW_RUNNER_NO_DEVICE = 4      // there is no such device
};

enum AiflowElement { AIFLOW_UINT8 = 0, AIFLOW_FLOAT32 = 1 };
enum { AIFLOW_MAX_RANK = 6 };

// Filled by the callee when the status is not OK: one line, UTF-8, ends with zero.
typedef struct AiflowMessage {
    char text[512];
} AiflowMessage;

typedef struct AiflowLoadOptions {
    const char* path;           // a TorchScript file
    const char* device;         // "auto", "cpu", "cuda" or "cuda:1"; auto is CUDA where there is one
    const char* precision;      // "auto", "float" or "half"; auto is float on a CPU, half on CUDA
    const char* const* methods; // those that will be run; the rest may be optimised away
    int32_t methodCount;
    int32_t threads; // of one run on a CPU; 1 unless the caller has idle cores
} AiflowLoadOptions;

typedef struct AiflowModel AiflowModel; // owned by the module

typedef struct AiflowDeviceInfo {
    char name[128];      // "CPU", "NVIDIA H100"
    char kind[16];       // "cpu" or "cuda"
    char precision[16];  // what the model runs in: "float" or "half"
    int64_t memoryBytes; // of the device; 0: unknown
    char runtime[32];    // LibTorch's version
} AiflowDeviceInfo;

// Equal-shaped inputs, each packed and contiguous; they become one tensor of count x shape.
typedef struct AiflowBatch {
    const void* const* items;
    int32_t count;
    int32_t element; // AiflowElement
    int32_t rank;    // of one item
    int64_t shape[AIFLOW_MAX_RANK];
    float scale; // every number is multiplied by it before the model sees it
} AiflowBatch;

// 32-bit floats in main memory, packed; the first dimension is the batch. Valid until it is released.
typedef struct AiflowOutput {
    const float* values;
    int32_t rank;
    int64_t shape[AIFLOW_MAX_RANK + 1];
    void* owner;
} AiflowOutput;

// No function lets a C++ exception out. One thread at a time for each model; load() fixes the thread settings of its
// own thread, so run() belongs on the same one.
typedef struct AiflowRunner {
    uint32_t abi; // AIFLOW_RUNNER_ABI of the module
    int32_t (*load)(const AiflowLoadOptions* options, AiflowModel** model, AiflowMessage* message);
    void (*describe)(const AiflowModel* model, AiflowDeviceInfo* info);
    int32_t (*run)(AiflowModel* model, const char* method, const AiflowBatch* batch, AiflowOutput* output,
                   AiflowMessage* message);
    void (*release)(AiflowOutput* output);
    void (*unload)(AiflowModel* model);
} AiflowRunner;

// The one exported function, under AIFLOW_RUNNER_SYMBOL.
typedef const AiflowRunner* (*AiflowRunnerEntry)(void);

#ifdef __cplusplus
}
#endif
