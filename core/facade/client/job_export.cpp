#include "core/facade/client/job_export.h"

#include "core/base/json.h"
#include "core/facade/client/job_input.h"
#include "core/facade/client/job_options.h"
#include "core/store/journal.h"
#include "core/store/output_folder.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kPage = 5'000;
constexpr Bytes kNoLimit = gibibytes(1024);

std::string seconds(std::chrono::microseconds time)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", static_cast<double>(time.count()) / 1e6);
    return text;
}

std::string money(double amount)
{
    if (amount == 0) return "0";
    char text[32];
    std::snprintf(text, sizeof text, "%.6f", amount);
    return text;
}

// The rows of results.csv: those of an earlier job keep their places, the newer of two rows of one id wins.
class ResultList {
public:
    ResultList(std::vector<std::string> header, std::size_t idColumn)
        : m_header(std::move(header)), m_idColumn(idColumn)
    {
    }

    // A list of other columns is none of ours and is written over.
    void readEarlier(const fs::path& file)
    {
        const auto reader = RecordReader::open(file, {});
        if (!reader) return;
        const auto& header = (*reader)->description().header;
        if (!std::ranges::equal(header, m_header, {}, &HeaderColumn::name)) return;
        for (auto record = (*reader)->next(); record && *record; record = (*reader)->next())
            if (!(*record)->error) add(std::move((*record)->cells));
    }

    void add(std::vector<std::string> cells)
    {
        const auto [place, fresh] = m_places.try_emplace(cells[m_idColumn], m_rows.size());
        if (fresh)
            m_rows.push_back(std::move(cells));
        else
            m_rows[place->second] = std::move(cells);
    }

    std::string text(bool neutraliseFormulas) const
    {
        CsvWriter csv(neutraliseFormulas);
        csv.row(m_header);
        for (const auto& row : m_rows) csv.row(row);
        return csv.text();
    }

private:
    std::vector<std::string> m_header;
    std::size_t m_idColumn;
    std::vector<std::vector<std::string>> m_rows;
    std::unordered_map<std::string, std::size_t> m_places;
};

class Exporter {
public:
    Exporter(const JobEntry& job, const fs::path& state, const ExportRequest& request, JobInput input,
             std::unique_ptr<JournalReader> reader)
        : m_job(job), m_state(state), m_request(request), m_input(std::move(input)), m_reader(std::move(reader))
    {
        m_summary.folder = request.folder.value_or(job.description.output);
    }

    Result<ExportSummary> run()
    {
        if (auto made = systemFiles().makeDirectories(m_summary.folder); !made) return tl::unexpected(made.error());
        for (const ExportFile file : m_request.files)
            if (auto done = write(file); !done) return tl::unexpected(done.error());
        return m_summary;
    }

private:
    Result<void> write(ExportFile file)
    {
        switch (file) {
        case ExportFile::Results:
            return results();
        case ExportFile::Failures:
            return failures();
        case ExportFile::Items:
            return items();
        case ExportFile::JsonLines:
            return jsonLines();
        case ExportFile::Files:
            return files();
        }
        return {};
    }

    Result<void> forEachItem(const std::function<Result<void>(const ItemRow&)>& visit)
    {
        for (ItemQuery query{ItemIndex{0}, kPage, {}, {}};;) {
            const auto rows = m_reader->items(query);
            if (!rows) return tl::unexpected(rows.error());
            for (const ItemRow& row : *rows)
                if (auto done = visit(row); !done) return done;
            if (static_cast<std::int64_t>(rows->size()) < kPage) return {};
            query.from = ItemIndex(rows->back().item.value() + 1);
        }
    }

    Result<std::vector<std::string>> originalCells(const ItemRow& row) const
    {
        const auto record = m_input.records->read({row.line, row.byteOffset, row.byteLength});
        if (!record) return tl::unexpected(record.error());
        return m_input.cells(*record);
    }

    std::string stepOf(const ItemRow& row) const
    {
        if (!row.failedStep) return {};
        const auto index = static_cast<std::size_t>(row.failedStep->value());
        return index < m_job.description.stepNames.size() ? m_job.description.stepNames[index] : std::string();
    }

    static std::string fileNames(const ItemRow& row)
    {
        std::string names;
        for (const TaskOutput& file : row.files) names += (names.empty() ? "" : "; ") + file.port;
        return names;
    }

    Result<void> results()
    {
        auto header = m_input.columnNames();
        const std::size_t idColumn = header.size();
        for (const char* name : {"_id", "_line", "_state", "_files", "_seconds", "_cost", "_reason"})
            header.emplace_back(name);
        ResultList list(header, idColumn);
        if (continuesEarlierJob()) list.readEarlier(m_summary.folder / "results.csv");
        auto written = forEachItem([&](const ItemRow& row) -> Result<void> {
            auto cells = originalCells(row);
            if (!cells) return tl::unexpected(cells.error());
            cells->insert(cells->end(), {row.id, std::to_string(row.line), std::string(info(row.state).key),
                                         fileNames(row), seconds(row.worked), money(row.cost),
                                         row.reason ? std::string(info(*row.reason).code) : std::string()});
            list.add(std::move(*cells));
            ++m_summary.results;
            m_summary.files += static_cast<std::int64_t>(row.files.size());
            return {};
        });
        if (!written) return written;
        return save("results.csv", list.text(!m_request.rawCsv));
    }

    // Its rows are some of an earlier job's, whose list is in the folder: they take their old places in it.
    bool continuesEarlierJob() const
    {
        const auto options = JobOptions::fromJson(m_job.description.settings);
        return options && !options->continues.empty();
    }

    Result<void> failures()
    {
        CsvWriter csv(!m_request.rawCsv);
        auto header = m_input.columnNames();
        for (const char* name : {"_line", "_step", "_reason", "_message", "_message_zh", "_attempts",
                                 "_last_attempt_at", "_request_id", "_cost", "_retryable", "_fix"})
            header.emplace_back(name);
        csv.row(header);
        auto written = forEachItem([&](const ItemRow& row) -> Result<void> {
            if (row.state != TaskState::Failed) return {};
            auto cells = originalCells(row);
            if (!cells) return tl::unexpected(cells.error());
            appendFailure(row, *cells);
            csv.row(*cells);
            ++m_summary.failures;
            return {};
        });
        if (!written) return written;
        const fs::path path = m_summary.folder / "failures.csv";
        if (m_summary.failures > 0) return save("failures.csv", csv.text());
        // Last time's failures would mislead; but what somebody corrected and gave us stays theirs.
        if (path == m_job.description.input) return {};
        return systemFiles().remove(path);
    }

    void appendFailure(const ItemRow& row, std::vector<std::string>& cells)
    {
        const ReasonInfo& reason = info(row.reason.value_or(Reason::Internal));
        int attempts = 1;
        std::string requestId;
        if (const auto tasks = m_reader->tasksOf(row.item); tasks) {
            for (const TaskEnded& task : *tasks) {
                if (!row.failedStep || task.task.step != *row.failedStep) continue;
                attempts = std::max(attempts, task.attempts);
                if (const auto provenance = parseJson(task.provenance); provenance && provenance->is_object())
                    requestId = provenance->value("request_id", "");
            }
        }
        cells.insert(cells.end(),
                     {std::to_string(row.line), stepOf(row), std::string(reason.code), row.message,
                      std::string(reason.headlineZh) + ": " + row.message, std::to_string(attempts),
                      row.endedAt == WallTime{} ? std::string() : toIso8601(row.endedAt), requestId, money(row.cost),
                      reason.retriesByItself ? "yes" : "no", std::string(reason.actionEn)});
    }

    Result<void> items()
    {
        CsvWriter csv(!m_request.rawCsv);
        csv.row({"line", "id", "state", "step", "reason", "seconds", "cost", "ended_at", "files"});
        auto written = forEachItem([&](const ItemRow& row) -> Result<void> {
            csv.row({std::to_string(row.line), row.id, std::string(info(row.state).key), stepOf(row),
                     row.reason ? std::string(info(*row.reason).code) : std::string(), seconds(row.worked),
                     money(row.cost), row.endedAt == WallTime{} ? std::string() : toIso8601(row.endedAt),
                     fileNames(row)});
            return {};
        });
        if (!written) return written;
        return save("items.csv", csv.text());
    }

    Result<void> jsonLines()
    {
        std::string text;
        const auto names = m_input.columnNames();
        auto written = forEachItem([&](const ItemRow& row) -> Result<void> {
            const auto cells = originalCells(row);
            if (!cells) return tl::unexpected(cells.error());
            Json line{{"line", row.line}, {"id", row.id}, {"state", std::string(info(row.state).key)}};
            Json& fields = line["fields"] = Json::object();
            for (std::size_t i = 0; i < names.size() && i < cells->size(); ++i) fields[names[i]] = (*cells)[i];
            Json& files = line["files"] = Json::array();
            for (const TaskOutput& file : row.files)
                files.push_back({{"name", file.port}, {"media_type", file.artifact.mediaType}});
            if (row.reason) {
                line["reason"] = std::string(info(*row.reason).code);
                line["step"] = stepOf(row);
                line["message"] = row.message;
            }
            text += dumpJson(line) + "\n";
            return {};
        });
        if (!written) return written;
        return save("results.jsonl", text);
    }

    Result<void> files()
    {
        auto artifacts = ArtifactStore::open(m_state / "artifacts", systemFiles());
        if (!artifacts) return tl::unexpected(artifacts.error());
        std::int64_t placed = 0;
        auto written = forEachItem([&](const ItemRow& row) -> Result<void> {
            for (const TaskOutput& file : row.files) {
                const fs::path target = m_summary.folder / file.port;
                const auto there = systemFiles().status(target);
                ++placed;
                if (there && there->size == file.artifact.size) continue;
                if (auto made = systemFiles().makeDirectories(target.parent_path()); !made) return made;
                if (auto copied = systemFiles().copyAtomically((*artifacts)->pathOf(file.artifact.hash), target);
                    !copied)
                    return copied;
            }
            return {};
        });
        m_summary.files = placed;
        return written;
    }

    Result<void> save(const char* name, const std::string& text)
    {
        const fs::path path = m_summary.folder / name;
        m_summary.written.push_back(path);
        // The same bytes again leave the file alone: its time says when something changed.
        if (const auto old = systemFiles().readFile(path, kNoLimit);
            old && std::string_view(reinterpret_cast<const char*>(old->data()), old->size()) == text)
            return {};
        auto written = systemFiles().writeAtomically(path, std::as_bytes(std::span(text.data(), text.size())));
        // For everybody who may see the folder, as the result files are.
        std::error_code problem;
        if (written) fs::permissions(path, fs::perms(0644), problem);
        return written;
    }

    const JobEntry& m_job;
    const fs::path& m_state;
    const ExportRequest& m_request;
    JobInput m_input;
    std::unique_ptr<JournalReader> m_reader;
    ExportSummary m_summary;
};

} // namespace

Result<ExportSummary> exportJobFiles(const JobEntry& job, const fs::path& state, const ExportRequest& request)
{
    auto input = JobInput::open(job.path, job.description);
    if (!input) return tl::unexpected(input.error());
    auto reader = JournalReader::open(job.path / "journal.db");
    if (!reader) return tl::unexpected(reader.error());
    return Exporter(job, state, request, std::move(*input), std::move(*reader)).run();
}

} // namespace aiflow
