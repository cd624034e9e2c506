// One attempt under way: what it was started as, and where it stands.
#pragma once

#include "core/api/api_lane.h"
#include "core/api/decision/dispatcher.h"
#include "core/api/protocols/protocol.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace aiflow {

struct LaneAttempt {
    enum class Stage : std::uint8_t {
        Intending, // its intent is being made durable
        Keeping,   // its remote id is
        Pausing,   // the next exchange has a time
        Flying,    // an exchange is under way
        StandIn,   // the offline lane answers it
    };
    AttemptId id;
    CallId call;
    TaskKey task;
    std::string name; // in the journal and of spool files
    std::string idempotencyKey;
    std::size_t model = 0;
    std::size_t account = 0;
    int number = 1;
    Money reserved;
    std::int64_t room = 0; // output tokens it may use
    std::string why;       // not the first choice
    bool adopted = false;
    std::chrono::milliseconds timeout{0};                  // of the whole; 0: the protocol's
    bool answered = false;                                 // the journal has its answer and its cost already
    std::function<std::unique_ptr<Conversation>()> lookUp; // class B: asks for the job when its submit's end is unknown

    Stage stage = Stage::Intending;
    bool cut = false; // given up by us
    std::unique_ptr<Conversation> conversation;
    std::optional<Exchange> next; // Intending, Keeping, Pausing
    BootTime due{};               // Pausing
    std::shared_ptr<AnswerSpool> spool;
    HttpId http = 0;
    bool paid = false; // the exchange that flies
    int exchanges = 0;
    bool lookedUp = false;
    std::string paidBody;             // what the paid exchange answered, when more are needed to get the result
    std::filesystem::path paidRecord; // or its spooled record
    std::string remoteId;
    std::optional<BootTime> wireAt; // of the first paid exchange
    BootTime began{};
    std::vector<AttemptEnd::Learnt> learnt;
};

inline Failure failureOf(FailureClass failure, std::string message)
{
    Failure made;
    made.failure = failure;
    made.message = std::move(message);
    return made;
}

// How it ended.
struct AttemptEnding {
    std::variant<ProtocolAnswer, Failure> result;
    std::optional<ApiAnswer> standIn; // given: the offline lane's, instead of `result`
    int status = 0;
    std::string body;              // as it came; empty: none was whole, or it is in `rawFile`
    std::filesystem::path rawFile; // the spooled record; empty: `body` is all
    std::chrono::nanoseconds latency{0};
    bool recorded = true;             // the journal knows its intent
    std::optional<Error> diskTrouble; // its answer could not be kept
};

} // namespace aiflow
