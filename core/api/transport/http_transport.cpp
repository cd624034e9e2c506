#include "core/api/transport/http_transport.h"

#include <algorithm>
#include <cstring>

namespace aiflow {

namespace {

class TextBody final : public BodySource {
public:
    explicit TextBody(std::string text) : m_text(std::move(text)) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(m_text.size()); }
    Result<std::size_t> read(std::span<std::byte> into) override
    {
        const std::size_t count = std::min(into.size(), m_text.size() - m_read);
        std::memcpy(into.data(), m_text.data() + m_read, count);
        m_read += count;
        return count;
    }

private:
    std::string m_text;
    std::size_t m_read = 0;
};

} // namespace

std::unique_ptr<BodySource> textBody(std::string text) { return std::make_unique<TextBody>(std::move(text)); }

const std::string* HttpEnd::header(std::string_view lowerCaseName) const noexcept
{
    const auto found =
        std::find_if(headers.begin(), headers.end(), [&](const auto& header) { return header.first == lowerCaseName; });
    return found == headers.end() ? nullptr : &found->second;
}

} // namespace aiflow
