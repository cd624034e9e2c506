// What must be durable around a remote call, and in which order; the engine implements it over the job's journal.
#pragma once

#include "aiflow/result.h"
#include "core/api/settings/money.h"
#include "core/base/ids.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiflow {

class BodySource;
struct RequestFile;

struct AttemptIntent {
    std::string attempt; // id, names spool files too
    TaskKey task;
    int number = 1;
    std::string provider, model, account; // names; never a key
    std::string requestHash;              // of the canonical neutral request
    std::string idempotencyKey;
    Money reserved; // worst case
};

enum class AttemptOutcome : std::uint8_t { Responded, NotSent, Rejected, Failed, Unknown };
struct AttemptReport {
    std::string attempt;
    TaskKey task;
    AttemptOutcome outcome = AttemptOutcome::Unknown;
    Money cost;
    Usage usage;
    int status = 0;
    std::string requestId;
    std::string failure; // nameOf(FailureClass); empty when Responded
    std::string message;
    std::string body;               // the answer's text as it came (up to 64 KiB), kept so that nothing is paid twice
    std::filesystem::path bodyFile; // or the spooled record of a larger one: to be kept
};

// An attempt of an earlier process whose task has not ended.
struct OpenAttempt {
    AttemptIntent intent;
    std::string remoteId; // empty: none was journaled
    std::int64_t ageMs = 0;
    // It was answered and the answer is kept: nothing is to be called. Its `body` is as it came; `bodyFile` is the
    // spooled record, still in spoolFolder() (adoptSpooled() reads it). Nothing: its outcome is unknown.
    std::optional<AttemptReport> answered{};
};

// Threads: every method, from any thread; none blocks, except openFile().
class CallRecorder {
public:
    // Called once, on a thread of the journal; must be quick. An error: it is not durable; a send must not be made.
    using WhenDurable = std::function<void(const Result<void>&)>;
    virtual ~CallRecorder() = default;

    virtual void intend(AttemptIntent intent, WhenDurable durable) = 0;
    virtual void remoteId(const std::string& attempt, const TaskKey& task, std::string id, WhenDurable durable) = 0;
    virtual void ended(AttemptReport report, WhenDurable durable) = 0;

    // An artifact that a request names. Blocks. InputFileBad when it is gone.
    virtual Result<std::unique_ptr<BodySource>> openFile(const RequestFile& file) = 0;
    // On the artifact store's file system, so that files move without copying.
    virtual std::filesystem::path spoolFolder() const = 0;
};

} // namespace aiflow
