#include "core/forecast/flow_shape.h"
#include "core/forecast/pool_capacity.h"

#include <algorithm>
#include <set>

namespace aiflow {

namespace {

using Reach = std::set<std::size_t>; // providers

struct Resource {
    std::string name;
    std::vector<std::size_t> steps; // whose tasks run on nothing else
    std::int64_t places = 1;        // of a device or the CPU lane
    bool isPool = false;
};

Reach reachOf(const ApiSettings& settings, std::size_t route)
{
    Reach reach;
    for (const RouteChoice& choice : settings.routes[route].choices)
        reach.insert(settings.models[choice.model].provider);
    return reach;
}

std::string nameOf(const Reach& reach, const ApiSettings& settings)
{
    std::string name = "accounts of ";
    for (const std::size_t provider : reach) {
        if (provider != *reach.begin()) name += " and ";
        name += settings.providers[provider].name;
    }
    return name;
}

void addPools(const FlowShape& shape, const ApiSettings& settings, std::vector<Resource>& resources)
{
    std::set<Reach> reaches;
    for (const StepShape& step : shape.steps)
        if (step.lane == ModelledStep::Lane::Api) reaches.insert(reachOf(settings, step.route));
    for (const Reach& reach : reaches) {
        Resource pool{nameOf(reach, settings), {}, 1, true};
        for (std::size_t i = 0; i < shape.steps.size(); ++i)
            if (shape.steps[i].lane == ModelledStep::Lane::Api &&
                std::ranges::includes(reach, reachOf(settings, shape.steps[i].route)))
                pool.steps.push_back(i);
        resources.push_back(std::move(pool));
    }
}

std::vector<Resource> resourcesOf(const FlowShape& shape, const ApiSettings& settings)
{
    Resource device{"device", {}, shape.devices, false};
    Resource cpu{"cpu", {}, shape.cpuPlaces, false};
    for (std::size_t i = 0; i < shape.steps.size(); ++i) {
        if (shape.steps[i].lane == ModelledStep::Lane::Device) device.steps.push_back(i);
        if (shape.steps[i].lane == ModelledStep::Lane::Cpu) cpu.steps.push_back(i);
    }
    std::vector<Resource> resources;
    if (!device.steps.empty()) resources.push_back(std::move(device));
    if (!cpu.steps.empty()) resources.push_back(std::move(cpu));
    addPools(shape, settings, resources);
    return resources;
}

// The part of the bound that the tasks of these steps alone give.
Nanoseconds boundOf(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings,
                    const Resource& resource, const std::vector<std::size_t>& chosen)
{
    Nanoseconds head = INT64_MAX, tail = INT64_MAX, work = 0;
    std::int64_t calls = 0;
    for (const std::size_t i : chosen) {
        const StepShape& step = shape.steps[i];
        head = std::min(head, step.head);
        tail = std::min(tail, step.tail + (resource.isPool ? step.least : 0));
        work += shape.items * step.fanOut * step.least;
        calls += shape.items * step.fanOut;
    }
    if (!resource.isPool) return head + work / resource.places + tail;
    return head + PoolCapacity(flow, shape, settings, chosen).earliestStart(calls) + tail;
}

Nanoseconds boundOf(const ModelledFlow& flow, const FlowShape& shape, const ApiSettings& settings,
                    const Resource& resource)
{
    const auto after = [&](std::size_t i) {
        return shape.steps[i].tail + (resource.isPool ? shape.steps[i].least : 0);
    };
    Nanoseconds best = 0;
    std::set<std::vector<std::size_t>> tried;
    for (const std::size_t first : resource.steps) {
        for (const std::size_t second : resource.steps) {
            std::vector<std::size_t> chosen;
            for (const std::size_t i : resource.steps)
                if (shape.steps[i].head >= shape.steps[first].head && after(i) >= after(second)) chosen.push_back(i);
            if (!chosen.empty() && tried.insert(chosen).second)
                best = std::max(best, boundOf(flow, shape, settings, resource, chosen));
        }
    }
    return best;
}

} // namespace

LowerBound lowerBound(const ModelledFlow& flow, const ApiSettings& settings)
{
    LowerBound bound;
    const auto shape = FlowShape::of(flow, settings);
    if (!shape || shape->items == 0) return bound;
    const auto note = [&bound](const std::string& name, Nanoseconds time) {
        bound.byResource[name] = std::chrono::nanoseconds(time);
        if (time <= bound.time.count() && !bound.binding.empty()) return;
        bound.time = std::chrono::nanoseconds(time);
        bound.binding = name;
    };
    Nanoseconds chain = 0;
    for (const StepShape& step : shape->steps) chain = std::max(chain, step.head + step.least + step.tail);
    note("longest chain", chain);
    for (const Resource& resource : resourcesOf(*shape, settings))
        note(resource.name, boundOf(flow, *shape, settings, resource));
    return bound;
}

} // namespace aiflow
