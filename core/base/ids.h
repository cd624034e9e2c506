// Typed numbers: passing one where another is asked does not compile.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace aiflow {

template <typename Tag, typename Number> class Id {
public:
    constexpr Id() noexcept = default;
    constexpr explicit Id(Number value) noexcept : m_value(value) {}
    constexpr Number value() const noexcept { return m_value; }
    friend constexpr auto operator<=>(Id, Id) noexcept = default;

private:
    Number m_value = 0;
};

using ItemIndex = Id<struct ItemTag, std::int64_t>; // position in the input, from 0; the order of work
using StepIndex = Id<struct StepTag, std::int32_t>; // position in the pipeline, in topological order, from 0

// A job's name as people see it: short, lower-case hexadecimal, sortable by start time within a state directory.
class JobId {
public:
    JobId() = default;
    explicit JobId(std::string text) : m_text(std::move(text)) {}
    const std::string& text() const noexcept { return m_text; }
    bool empty() const noexcept { return m_text.empty(); }
    friend auto operator<=>(const JobId&, const JobId&) = default;

private:
    std::string m_text;
};

// One task: a step of an item, or one element of it when the step fans out (-1: it does not).
struct TaskKey {
    ItemIndex item;
    StepIndex step;
    std::int32_t element = -1;
    friend constexpr auto operator<=>(const TaskKey&, const TaskKey&) noexcept = default;
};

} // namespace aiflow

template <typename Tag, typename Number> struct std::hash<aiflow::Id<Tag, Number>> {
    std::size_t operator()(aiflow::Id<Tag, Number> id) const noexcept { return std::hash<Number>{}(id.value()); }
};
