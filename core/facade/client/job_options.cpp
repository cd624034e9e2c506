#include "core/facade/client/job_options.h"

#include "core/base/json.h"

namespace aiflow {

namespace {

Json pairsToJson(const std::vector<std::pair<std::string, std::string>>& pairs)
{
    Json list = Json::array();
    for (const auto& [name, value] : pairs) list.push_back({name, value});
    return list;
}

std::vector<std::pair<std::string, std::string>> pairsFromJson(const Json& object, const char* name)
{
    std::vector<std::pair<std::string, std::string>> pairs;
    if (const auto it = object.find(name); it != object.end())
        for (const Json& pair : *it) pairs.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::string>());
    return pairs;
}

template <typename T> void read(const Json& object, const char* name, std::optional<T>& into)
{
    if (const auto it = object.find(name); it != object.end() && !it->is_null()) into = it->get<T>();
}

template <typename T> Json orNull(const std::optional<T>& value) { return value ? Json(*value) : Json(); }

} // namespace

std::string JobOptions::toJson() const
{
    return dumpJson(Json{{"map", pairsToJson(columnMap)},
                         {"set", pairsToJson(set)},
                         {"offline", offline},
                         {"strict", strict},
                         {"fail_fast", failFast},
                         {"max_failures", orNull(maxFailures)},
                         {"max_failure_percent", orNull(maxFailurePercent)},
                         {"cores", orNull(cores)},
                         {"memory_bytes", orNull(memoryBytes)},
                         {"priority", priority},
                         {"budget", orNull(budget)},
                         {"continues", continues},
                         {"delimiter", delimiter == '\0' ? std::string() : std::string(1, delimiter)}});
}

Result<JobOptions> JobOptions::fromJson(std::string_view text)
{
    const auto object = parseJson(text, "job.json");
    if (!object) return tl::unexpected(object.error());
    try {
        JobOptions options;
        options.columnMap = pairsFromJson(*object, "map");
        options.set = pairsFromJson(*object, "set");
        options.offline = object->value("offline", false);
        options.strict = object->value("strict", false);
        options.failFast = object->value("fail_fast", false);
        read(*object, "max_failures", options.maxFailures);
        read(*object, "max_failure_percent", options.maxFailurePercent);
        read(*object, "cores", options.cores);
        read(*object, "memory_bytes", options.memoryBytes);
        options.priority = object->value("priority", 5);
        read(*object, "budget", options.budget);
        options.continues = object->value("continues", "");
        const std::string delimiter = object->value("delimiter", "");
        options.delimiter = delimiter.empty() ? '\0' : delimiter.front();
        return options;
    } catch (const std::exception& error) {
        return fail(Reason::Internal, std::string("the job's options cannot be read: ") + error.what());
    }
}

} // namespace aiflow
