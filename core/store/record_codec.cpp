#include "core/store/record_codec.h"

#include <algorithm>
#include <string_view>

namespace aiflow {

namespace {

constexpr std::uint8_t kOutputsVersion = 1;

void putNumber(std::uint64_t value, ByteBuffer& into)
{
    while (value >= 0x80) {
        into.push_back(static_cast<std::uint8_t>(value | 0x80U));
        value >>= 7U;
    }
    into.push_back(static_cast<std::uint8_t>(value));
}

void putText(std::string_view text, ByteBuffer& into)
{
    putNumber(text.size(), into);
    into.insert(into.end(), text.begin(), text.end());
}

class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : m_left(bytes) {}
    bool atEnd() const { return m_left.empty(); }
    bool good() const { return m_good; }

    std::uint64_t number()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !m_left.empty(); shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(take(1)[0]);
            value |= (byte & 0x7FU) << shift;
            if (byte < 0x80) return value;
        }
        m_good = false;
        return 0;
    }

    std::span<const std::byte> take(std::size_t count)
    {
        if (count > m_left.size()) {
            m_good = false;
            m_left = {};
            return {};
        }
        const auto taken = m_left.first(count);
        m_left = m_left.subspan(count);
        return taken;
    }

    std::string text()
    {
        const auto bytes = take(number());
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

private:
    std::span<const std::byte> m_left;
    bool m_good = true;
};

} // namespace

void encodeOutputs(const std::vector<TaskOutput>& outputs, ByteBuffer& into)
{
    into.clear();
    if (outputs.empty()) return;
    into.push_back(kOutputsVersion);
    for (const TaskOutput& output : outputs) {
        putText(output.port, into);
        putText(output.artifact.mediaType, into);
        into.insert(into.end(), output.artifact.hash.bytes.begin(), output.artifact.hash.bytes.end());
        putNumber(static_cast<std::uint64_t>(output.artifact.size), into);
    }
}

std::optional<std::vector<TaskOutput>> decodeOutputs(std::span<const std::byte> bytes)
{
    std::vector<TaskOutput> outputs;
    if (bytes.empty()) return outputs;
    Reader reader(bytes);
    if (std::to_integer<std::uint8_t>(reader.take(1)[0]) != kOutputsVersion) return std::nullopt;
    while (reader.good() && !reader.atEnd()) {
        TaskOutput output;
        output.port = reader.text();
        output.artifact.mediaType = reader.text();
        const auto hash = reader.take(output.artifact.hash.bytes.size());
        std::ranges::transform(hash, output.artifact.hash.bytes.begin(),
                               [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
        output.artifact.size = static_cast<std::int64_t>(reader.number());
        outputs.push_back(std::move(output));
    }
    if (!reader.good()) return std::nullopt;
    return outputs;
}

std::span<const std::uint8_t> bytesOf(const std::vector<TaskState>& steps) noexcept
{
    static_assert(sizeof(TaskState) == 1);
    return {reinterpret_cast<const std::uint8_t*>(steps.data()), steps.size()};
}

std::vector<TaskState> stepsFrom(std::span<const std::byte> bytes)
{
    std::vector<TaskState> steps(bytes.size());
    std::ranges::transform(bytes, steps.begin(), [](std::byte b) { return stateFrom(std::to_integer<int>(b)); });
    return steps;
}

TaskState stateFrom(std::int64_t number) noexcept
{
    const bool known = number >= 0 && number < static_cast<std::int64_t>(kTaskStateCount);
    return known ? static_cast<TaskState>(number) : TaskState::Queued;
}

} // namespace aiflow
