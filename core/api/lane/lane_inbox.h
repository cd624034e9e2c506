// Where other threads leave what the lane's decision thread has to look at.
#pragma once

#include "core/api/lane/lane_call.h"
#include "core/api/transport/http_transport.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace aiflow {

struct JobServed {
    ApiJob job;
};
struct CallSubmitted {
    std::unique_ptr<LaneCall> call;
};
struct WireReached {
    AttemptId attempt;
    BootTime at;
};
struct ExchangeEnded {
    AttemptId attempt;
    HttpEnd end;
};
struct JournalAnswered {
    enum class What : std::uint8_t { Intent, RemoteId, End };
    AttemptId attempt;
    What what = What::Intent;
    Result<void> durable;
};
// A stand-in's answer, for an attempt on an offline model.
struct StandInAnswered {
    AttemptId attempt;
    Result<ApiAnswer> answer;
};
struct CalledBack {
    std::string remoteId;
};
enum class LaneCommand : std::uint8_t { CancelWaiting, AbortOpen, Stop };

using LaneEvent = std::variant<JobServed, CallSubmitted, WireReached, ExchangeEnded, JournalAnswered, StandInAnswered,
                               CalledBack, LaneCommand>;

// Callbacks of the journal hold it too: they may come when the lane is gone.
// Threads: put() from any; take() from one.
class LaneInbox {
public:
    void put(LaneEvent event);
    // Waits until there is something, at most `limit`; what is there replaces `into`.
    void take(std::vector<LaneEvent>& into, std::chrono::nanoseconds limit);

private:
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::vector<LaneEvent> m_events; // guarded by m_mutex, as the next
    bool m_sleeping = false;
};

} // namespace aiflow
