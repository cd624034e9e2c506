#include "core/facade/client/job_export.h"

#include "core/base/json.h"
#include "core/facade/client/job_input.h"
#include "core/facade/client/job_options.h"
#include "core/facade/client/list_file.h"
#include "core/store/journal.h"
#include "core/store/output_folder.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kPage = 5'000;

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

// A CSV list on its way to the disk.
class CsvFile {
public:
    CsvFile(const fs::path& path, bool neutraliseFormulas) : m_file(path), m_csv(neutraliseFormulas) {}
    void row(const std::vector<std::string>& cells)
    {
        m_csv.row(cells);
        m_file.write(m_csv.take());
    }
    Result<void> finish() { return m_file.finish(); }

private:
    ListFile m_file;
    CsvWriter m_csv;
};

// Puts the rows of a fed-back job into the places that their ids have in the earlier list; `rows` keeps what had none.
// A list of other columns is none of ours: nothing of it stays.
void writeEarlierRows(const fs::path& earlier, const std::vector<std::string>& header, std::size_t idColumn,
                      std::vector<std::vector<std::string>>& rows, CsvFile& csv)
{
    const auto reader = RecordReader::open(earlier, {});
    if (!reader || !std::ranges::equal((*reader)->description().header, header, {}, &HeaderColumn::name)) return;
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < rows.size(); ++i) places.try_emplace(rows[i][idColumn], i);
    std::vector<bool> placed(rows.size(), false);
    for (auto record = (*reader)->next(); record && *record; record = (*reader)->next()) {
        if ((*record)->error) continue;
        const auto mine = places.find((*record)->cells[idColumn]);
        if (mine == places.end()) {
            csv.row((*record)->cells);
        } else if (!placed[mine->second]) {
            csv.row(rows[mine->second]);
            placed[mine->second] = true;
        }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (!placed[i]) rows[kept++] = std::move(rows[i]);
    rows.resize(kept);
}

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
        const fs::path path = m_summary.folder / "results.csv";
        CsvFile csv(path, !m_request.rawCsv);
        csv.row(header);
        const bool continues = continuesEarlierJob();
        std::vector<std::vector<std::string>> rows; // of a fed-back job: few
        auto written = forEachItem([&](const ItemRow& row) -> Result<void> {
            auto cells = originalCells(row);
            if (!cells) return tl::unexpected(cells.error());
            cells->insert(cells->end(), {row.id, std::to_string(row.line), std::string(info(row.state).key),
                                         fileNames(row), seconds(row.worked), money(row.cost),
                                         row.reason ? std::string(info(*row.reason).code) : std::string()});
            ++m_summary.results;
            m_summary.files += static_cast<std::int64_t>(row.files.size());
            if (continues)
                rows.push_back(std::move(*cells));
            else
                csv.row(*cells);
            return {};
        });
        if (!written) return written;
        if (continues) writeEarlierRows(path, header, idColumn, rows, csv);
        for (const auto& row : rows) csv.row(row);
        return finish(csv, path);
    }

    // Its rows are some of an earlier job's, whose list is in the folder: they take their old places in it.
    bool continuesEarlierJob() const
    {
        const auto options = JobOptions::fromJson(m_job.description.settings);
        return options && !options->continues.empty();
    }

    Result<void> failures()
    {
        const fs::path path = m_summary.folder / "failures.csv";
        CsvFile csv(path, !m_request.rawCsv);
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
        if (m_summary.failures > 0) return finish(csv, path);
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
        const fs::path path = m_summary.folder / "items.csv";
        CsvFile csv(path, !m_request.rawCsv);
        csv.row({"line", "id", "state", "step", "reason", "seconds", "cost", "ended_at", "files"});
        auto written = forEachItem([&](const ItemRow& row) -> Result<void> {
            csv.row({std::to_string(row.line), row.id, std::string(info(row.state).key), stepOf(row),
                     row.reason ? std::string(info(*row.reason).code) : std::string(), seconds(row.worked),
                     money(row.cost), row.endedAt == WallTime{} ? std::string() : toIso8601(row.endedAt),
                     fileNames(row)});
            return {};
        });
        if (!written) return written;
        return finish(csv, path);
    }

    Result<void> jsonLines()
    {
        const fs::path path = m_summary.folder / "results.jsonl";
        ListFile list(path);
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
            list.write(dumpJson(line) + "\n");
            return {};
        });
        if (!written) return written;
        return finish(list, path);
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
                if (auto copied = (*artifacts)->copyTo(file.artifact.hash, target); !copied) return copied;
            }
            return {};
        });
        m_summary.files = placed;
        return written;
    }

    template <typename List> Result<void> finish(List& list, const fs::path& path)
    {
        m_summary.written.push_back(path);
        return list.finish();
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
