#include "core/input/decoder.h"

#include <array>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

namespace aiflow {

namespace {

constexpr std::size_t kUnits = std::size_t{4} * 1024;

struct CloseConverter {
    void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

const char* icuName(Encoding encoding)
{
    switch (encoding) {
    case Encoding::Utf16Le:
        return "UTF-16LE";
    case Encoding::Utf16Be:
        return "UTF-16BE";
    case Encoding::Utf32Le:
        return "UTF-32LE";
    case Encoding::Utf32Be:
        return "UTF-32BE";
    case Encoding::Gb18030:
        return "gb18030";
    case Encoding::Utf8:
        break;
    }
    return "UTF-8";
}

Converter openConverter(Encoding encoding)
{
    UErrorCode status = U_ZERO_ERROR;
    Converter converter(ucnv_open(icuName(encoding), &status));
    ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    ucnv_setFromUCallBack(converter.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    return converter;
}

int unitSize(Encoding encoding)
{
    switch (encoding) {
    case Encoding::Utf16Le:
    case Encoding::Utf16Be:
        return 2;
    case Encoding::Utf32Le:
    case Encoding::Utf32Be:
        return 4;
    default:
        return 1;
    }
}

void appendUtf8(std::string& text, UChar32 c)
{
    std::array<char, 4> bytes{};
    std::size_t size = 0;
    U8_APPEND_UNSAFE(bytes.data(), size, c);
    text.append(bytes.data(), size);
}

} // namespace

struct Decoder::State {
    explicit State(Encoding encoding) : converter(openConverter(encoding)), unit(unitSize(encoding)) {}

    // Appends decoded units; `offsets` tells where in the raw piece each began.
    void take(std::size_t count, std::int64_t fileOffset, std::string& text, std::vector<TextAnchor>& anchors)
    {
        for (std::size_t i = 0; i < count; ++i) {
            const UChar c = units[i];
            if (U16_IS_LEAD(c)) {
                lead = c;
                continue;
            }
            if (U16_IS_TRAIL(c)) {
                appendUtf8(text, U16_GET_SUPPLEMENTARY(lead, c));
                continue;
            }
            if (c < 0x80) {
                text.push_back(static_cast<char>(c));
                if (c == '\n' || c == '\r')
                    anchors.push_back(
                        {textOffset + static_cast<std::int64_t>(text.size()), fileOffset + offsets[i] + unit});
            } else {
                appendUtf8(text, c);
            }
        }
    }

    Converter converter;
    int unit;
    UChar lead = 0;
    std::int64_t textOffset = 0;
    std::array<UChar, kUnits> units{};
    std::array<std::int32_t, kUnits> offsets{};
};

Decoder::Decoder(Encoding encoding) : m_state(std::make_unique<State>(encoding)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

void Decoder::setTextOffset(std::int64_t textOffset) noexcept { m_state->textOffset = textOffset; }

std::optional<std::int64_t> Decoder::decode(std::string_view raw, std::int64_t fileOffset, bool last, std::string& text,
                                            std::vector<TextAnchor>& anchors)
{
    const char* source = raw.data();
    const char* const end = raw.data() + raw.size();
    for (;;) {
        UErrorCode status = U_ZERO_ERROR;
        UChar* target = m_state->units.data();
        const char* const from = source;
        ucnv_toUnicode(m_state->converter.get(), &target, m_state->units.data() + kUnits, &source, end,
                       m_state->offsets.data(), last ? 1 : 0, &status);
        m_state->take(static_cast<std::size_t>(target - m_state->units.data()), fileOffset + (from - raw.data()), text,
                      anchors);
        if (status == U_BUFFER_OVERFLOW_ERROR) continue;
        if (U_SUCCESS(status)) break;
        std::array<char, 16> invalid{};
        auto length = static_cast<std::int8_t>(invalid.size());
        UErrorCode ignored = U_ZERO_ERROR;
        ucnv_getInvalidChars(m_state->converter.get(), invalid.data(), &length, &ignored);
        return fileOffset + (source - raw.data()) - length;
    }
    const std::int64_t fileEnd = fileOffset + static_cast<std::int64_t>(raw.size());
    if (last) anchors.push_back({m_state->textOffset + static_cast<std::int64_t>(text.size()), fileEnd});
    return std::nullopt;
}

std::int64_t encodedSize(std::string_view utf8, Encoding encoding)
{
    return static_cast<std::int64_t>(encode(utf8, encoding).size());
}

std::string encode(std::string_view utf8, Encoding encoding)
{
    if (encoding == Encoding::Utf8) return std::string(utf8);
    UErrorCode status = U_ZERO_ERROR;
    const Converter from = openConverter(Encoding::Utf8);
    const Converter to = openConverter(encoding);
    std::string bytes(utf8.size() * 4 + 8, '\0');
    std::array<UChar, 1024> pivot{};
    UChar* pivotSource = pivot.data();
    UChar* pivotTarget = pivot.data();
    char* target = bytes.data();
    const char* source = utf8.data();
    ucnv_convertEx(to.get(), from.get(), &target, bytes.data() + bytes.size(), &source, utf8.data() + utf8.size(),
                   pivot.data(), &pivotSource, &pivotTarget, pivot.data() + pivot.size(), 1, 1, &status);
    bytes.resize(static_cast<std::size_t>(target - bytes.data()));
    return bytes;
}

} // namespace aiflow
