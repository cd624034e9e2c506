// Validates a CSV of a million products (English and Chinese titles, quotes, line breaks inside cells) and prints how
// fast that was and how much memory it took.
#include "core/base/random.h"
#include "core/input/validation.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace aiflow;

constexpr std::int64_t kRows = 1'000'000;
constexpr double kRowsPerSecondBar = 200'000;
constexpr double kMemoryBarMiB = 300;

std::string title(SeededRandom& random)
{
    switch (random.next() % 4) {
    case 0:
        return "Ceramic coffee mug, 350 ml, matte glaze";
    case 1:
        return "\"Desk lamp \"\"Nordic\"\", oak and steel\"";
    case 2:
        return "北欧风格实木餐桌椅组合 家用小户型";
    default:
        return "\"保温杯 316 不锈钢\n大容量, 便携\"";
    }
}

void writeProducts(const std::filesystem::path& path)
{
    SeededRandom random(20'260'101);
    std::ofstream file(path, std::ios::binary);
    file << "sku,title,image,price,width_cm,description\n";
    for (std::int64_t i = 0; i < kRows; ++i) {
        std::string name = title(random);
        if (name.front() != '"') name = "\"" + name + "\"";
        file << "SKU-" << 100'000 + i << ',' << name << ",images/" << i << ".jpg," << random.next() % 900 << '.'
             << 10 + random.next() % 90 << ',' << 1 + random.next() % 200
             << ",\"Ships in two days.\r\nReturns are free.\"\r\n";
    }
}

ColumnMapSettings columns()
{
    const auto field = [](const char* name, FieldType type, bool required) {
        FieldSpec spec;
        spec.name = name;
        spec.type = type;
        spec.required = required;
        return spec;
    };
    ColumnMapSettings settings;
    settings.fields = {field("sku", FieldType::Text, true), field("title", FieldType::Text, true),
                       field("image", FieldType::Image, true), field("price", FieldType::Number, false),
                       field("width_cm", FieldType::Number, false)};
    settings.idField = "sku";
    return settings;
}

double peakMiB()
{
    struct rusage usage {};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

} // namespace

int main()
{
    const auto path = std::filesystem::temp_directory_path() / ("aiflow-bench-" + std::to_string(::getpid()) + ".csv");
    writeProducts(path);
    ValidationOptions options;
    options.columns = columns();
    const auto start = std::chrono::steady_clock::now();
    const auto report = validateInput(path, options);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto bytes = static_cast<double>(std::filesystem::file_size(path));
    std::filesystem::remove(path);
    if (!report) {
        std::cerr << report.error().text() << '\n';
        return 1;
    }
    const double rowsPerSecond = static_cast<double>(report->totalRows) / seconds;
    const double memory = peakMiB();
    const bool ok = report->goodRows == kRows && rowsPerSecond >= kRowsPerSecondBar && memory <= kMemoryBarMiB;
    std::printf(
        "{\"bench\":\"csv\",\"rows\":%lld,\"good_rows\":%lld,\"mib\":%.1f,\"seconds\":%.3f,\"rows_per_second\":%.0f,"
        "\"rows_per_second_bar\":%.0f,\"peak_rss_mib\":%.1f,\"peak_rss_mib_bar\":%.0f,\"ok\":%s}\n",
        static_cast<long long>(report->totalRows), static_cast<long long>(report->goodRows), bytes / 1048576.0, seconds,
        rowsPerSecond, kRowsPerSecondBar, memory, kMemoryBarMiB, ok ? "true" : "false");
    return ok ? 0 : 1;
}
