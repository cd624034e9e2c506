// Turns what a device gave into values and tells the caller, beside the device and not in its time.
#pragma once

#include "core/inference/families.h"
#include "core/inference/model_lane.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace aiflow {

// One submit() on its way. Owned by the lane until it is handed to the Finisher.
struct ModelCall {
    std::string model;
    std::unique_ptr<PreparedInput> input;
    const PreparedCall* prepared = nullptr; // the same object
    ModelDone done;
    LaneOrder order;
    std::vector<OutputTensor> outputs; // by tensor
    std::size_t open = 0;              // tensors without an outcome
    bool started = false;              // a tensor was on the device
    std::optional<Error> error;        // the first one wins
    ModelTiming timing;
};

// Threads: push() and waitForRoom() from any; done runs on the Finisher's own thread. The destructor finishes all.
class Finisher {
public:
    // `inFlight` goes down by one after each done.
    explicit Finisher(std::atomic<std::int64_t>& inFlight);
    ~Finisher();
    Finisher(const Finisher&) = delete;
    Finisher& operator=(const Finisher&) = delete;

    void push(std::shared_ptr<ModelCall> call);
    // Returns when so few calls wait here that a further batch's outputs may be held.
    void waitForRoom(std::size_t most);

private:
    void work(const std::stop_token& stop);
    static void finish(ModelCall& call);

    std::atomic<std::int64_t>& m_inFlight;
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::deque<std::shared_ptr<ModelCall>> m_queue; // guarded by m_mutex
    std::jthread m_thread;
};

} // namespace aiflow
