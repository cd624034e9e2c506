#include "core/base/hash.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <vector>
#include <xxhash.h>

namespace aiflow {

namespace {

int digitValue(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

struct DeleteContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

} // namespace

std::string ContentHash::hex() const
{
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text.push_back(kDigits[byte >> 4U]);
        text.push_back(kDigits[byte & 15U]);
    }
    return text;
}

std::optional<ContentHash> ContentHash::fromHex(std::string_view text)
{
    ContentHash hash;
    if (text.size() != hash.bytes.size() * 2) return std::nullopt;
    for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
        const int high = digitValue(text[2 * i]);
        const int low = digitValue(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return hash;
}

bool ContentHash::isZero() const noexcept { return *this == ContentHash{}; }

struct Hasher::State {
    std::unique_ptr<EVP_MD_CTX, DeleteContext> context{EVP_MD_CTX_new()};
};

Hasher::Hasher() : m_state(std::make_unique<State>())
{
    EVP_DigestInit_ex(m_state->context.get(), EVP_sha256(), nullptr);
}

Hasher::~Hasher() = default;

Hasher& Hasher::add(std::span<const std::byte> data)
{
    EVP_DigestUpdate(m_state->context.get(), data.data(), data.size());
    return *this;
}

Hasher& Hasher::add(std::string_view text) { return add(std::as_bytes(std::span(text.data(), text.size()))); }

Hasher& Hasher::addField(std::string_view text)
{
    addNumber(static_cast<std::int64_t>(text.size()));
    return add(text);
}

Hasher& Hasher::addField(const ContentHash& hash) { return add(std::as_bytes(std::span(hash.bytes))); }

Hasher& Hasher::addNumber(std::int64_t value)
{
    std::array<std::byte, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xFFU);
    return add(std::span<const std::byte>(bytes));
}

ContentHash Hasher::finish()
{
    ContentHash hash;
    unsigned int size = 0;
    EVP_DigestFinal_ex(m_state->context.get(), hash.bytes.data(), &size);
    return hash;
}

ContentHash sha256(std::span<const std::byte> data) { return Hasher().add(data).finish(); }

ContentHash sha256(std::string_view text) { return Hasher().add(text).finish(); }

Result<ContentHash> sha256File(const std::filesystem::path& path)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0) return fail(Reason::InputFileBad, "cannot read " + path.string() + ": " + std::strerror(errno));
    Hasher hasher;
    std::vector<std::byte> buffer(std::size_t{1} << 18U);
    ssize_t count = 0;
    while ((count = ::read(file, buffer.data(), buffer.size())) > 0)
        hasher.add(std::span(buffer.data(), static_cast<std::size_t>(count)));
    const int problem = errno;
    ::close(file);
    if (count < 0) return fail(Reason::InputFileBad, "cannot read " + path.string() + ": " + std::strerror(problem));
    return hasher.finish();
}

std::uint64_t xxh3(std::string_view text) noexcept { return XXH3_64bits(text.data(), text.size()); }

} // namespace aiflow
