// What the program tells whoever looks after it: levels, text or JSON, one file per job, secrets taken out.
#pragma once

#include "aiflow/result.h"
#include "core/base/json_fwd.h"

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace aiflow {

enum class LogLevel : std::uint8_t { Trace, Debug, Info, Warning, Error, Off };
enum class LogFormat : std::uint8_t { Text, Json };

struct LogSettings {
    LogLevel level = LogLevel::Warning;
    LogFormat format = LogFormat::Text;
    std::filesystem::path file; // empty: standard error. Rotated at 20 MiB, five kept
};

// Structured: a sentence and named values. Records are at most 8 KiB; control characters are escaped; every loaded
// Secret is replaced (redact.h).
// Threads: every method, from any thread; writing is buffered and never blocks on a full pipe for long.
class Log {
public:
    using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

    static Result<std::shared_ptr<Log>> open(const LogSettings& settings);
    static std::shared_ptr<Log> nowhere(); // swallows everything
    virtual ~Log() = default;

    virtual void write(LogLevel level, std::string_view sentence, Fields fields) = 0;
    virtual void flush() = 0;

    void debug(std::string_view sentence, Fields fields = {}) { write(LogLevel::Debug, sentence, fields); }
    void info(std::string_view sentence, Fields fields = {}) { write(LogLevel::Info, sentence, fields); }
    void warning(std::string_view sentence, Fields fields = {}) { write(LogLevel::Warning, sentence, fields); }
    void error(std::string_view sentence, Fields fields = {}) { write(LogLevel::Error, sentence, fields); }
};

} // namespace aiflow
