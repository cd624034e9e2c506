#include "core/base/log.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/secret.h"
#include "core/base/text.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace aiflow {

namespace {

constexpr std::size_t kMaxRecord = 8 * 1024;
constexpr std::size_t kMaxFile = 20 * 1024 * 1024;
constexpr std::size_t kKeptFiles = 5;
constexpr const char* kLevelNames[] = {"trace", "debug", "info", "warning", "error", "off"};

spdlog::level::level_enum toSpdlog(LogLevel level)
{
    switch (level) {
    case LogLevel::Trace:
        return spdlog::level::trace;
    case LogLevel::Debug:
        return spdlog::level::debug;
    case LogLevel::Info:
        return spdlog::level::info;
    case LogLevel::Warning:
        return spdlog::level::warn;
    case LogLevel::Error:
        return spdlog::level::err;
    case LogLevel::Off:
        break;
    }
    return spdlog::level::off;
}

class SpdlogLog final : public Log {
public:
    SpdlogLog(spdlog::sink_ptr sink, const LogSettings& settings)
        : m_logger("aiflow", std::move(sink)), m_level(settings.level), m_format(settings.format)
    {
        m_logger.set_pattern("%v"); // the line is made here: one place escapes and redacts
        m_logger.set_level(toSpdlog(settings.level));
        m_logger.flush_on(spdlog::level::warn);
        // Its own way is to print on the terminal, between the lines of the display. What fills a disk stops the job,
        // which tells why.
        m_logger.set_error_handler([](const std::string&) {});
    }

    void write(LogLevel level, std::string_view sentence, Fields fields) override
    {
        if (level < m_level || m_level == LogLevel::Off) return;
        std::string line =
            m_format == LogFormat::Json ? jsonLine(level, sentence, fields) : textLine(level, sentence, fields);
        line = redact(line);
        if (line.size() > kMaxRecord) line = line.substr(0, kMaxRecord) + "...";
        m_logger.log(toSpdlog(level), line);
    }

    void flush() override { m_logger.flush(); }

private:
    std::string textLine(LogLevel level, std::string_view sentence, Fields fields) const
    {
        std::string line = toIso8601(m_clock.wall());
        line += ' ';
        line += kLevelNames[static_cast<std::size_t>(level)];
        line += ' ';
        line += escapeControl(sentence);
        for (const auto& [name, value] : fields) {
            line += ' ';
            line += name;
            line += '=';
            const std::string clean = escapeControl(value);
            line += clean.find(' ') == std::string::npos ? clean : '"' + clean + '"';
        }
        return line;
    }

    std::string jsonLine(LogLevel level, std::string_view sentence, Fields fields) const
    {
        Json record{{"ts", toIso8601(m_clock.wall())},
                    {"level", kLevelNames[static_cast<std::size_t>(level)]},
                    {"message", std::string(sentence)}};
        for (const auto& [name, value] : fields) record[std::string(name)] = value;
        return dumpJson(record);
    }

    SystemClock m_clock;
    spdlog::logger m_logger;
    LogLevel m_level;
    LogFormat m_format;
};

class NoLog final : public Log {
public:
    void write(LogLevel, std::string_view, Fields) override {}
    void flush() override {}
};

} // namespace

Result<std::shared_ptr<Log>> Log::open(const LogSettings& settings)
{
    try {
        spdlog::sink_ptr sink;
        if (settings.file.empty())
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        else
            sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(settings.file.string(), kMaxFile, kKeptFiles);
        return std::make_shared<SpdlogLog>(std::move(sink), settings);
    } catch (const std::exception& error) {
        return fail(Reason::OutputDenied, "cannot open the log " + settings.file.string() + ": " + error.what());
    }
}

std::shared_ptr<Log> Log::nowhere() { return std::make_shared<NoLog>(); }

} // namespace aiflow
