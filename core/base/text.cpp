#include "core/base/text.h"

#include <algorithm>
#include <memory>
#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace aiflow {

namespace {

int cellsOf(UChar32 c)
{
    if (c == 0 || c == 0x200D || c == 0xFE0F) return 0;
    const int category = u_charType(c);
    if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR) return 0;
    const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

// Calls `take(cluster, cells)` for each grapheme cluster until it returns false.
template <typename Take> void forEachCluster(std::string_view utf8, Take take)
{
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString text =
        icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int>(utf8.size())));
    const std::unique_ptr<icu::BreakIterator> breaks(
        icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    if (U_FAILURE(status)) return;
    breaks->setText(text);
    int from = breaks->first();
    for (int to = breaks->next(); to != icu::BreakIterator::DONE; from = to, to = breaks->next()) {
        const icu::UnicodeString cluster(text, from, to - from);
        int cells = 0;
        for (int i = 0; i < cluster.length(); i = cluster.moveIndex32(i, 1))
            cells = std::max(cells, cellsOf(cluster.char32At(i)));
        std::string bytes;
        cluster.toUTF8String(bytes);
        if (!take(bytes, cells)) return;
    }
}

bool isAscii(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

} // namespace

bool isValidUtf8(std::string_view text) noexcept
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto size = static_cast<std::int64_t>(text.size());
    std::int64_t i = 0;
    while (i < size) {
        if (bytes[i] < 0x80) {
            ++i;
            continue;
        }
        // U8_NEXT counts in 32 bits: decode the one character here.
        const auto left = static_cast<std::int32_t>(std::min<std::int64_t>(size - i, 4));
        std::int32_t used = 0;
        UChar32 c = 0;
        U8_NEXT(bytes + i, used, left, c);
        if (c < 0) return false;
        i += used;
    }
    return true;
}

int displayWidth(std::string_view utf8)
{
    if (isAscii(utf8)) return static_cast<int>(utf8.size());
    int width = 0;
    forEachCluster(utf8, [&](const std::string&, int cells) {
        width += cells;
        return true;
    });
    return width;
}

std::string cutToWidth(std::string_view utf8, int cells, std::string_view mark)
{
    if (cells <= 0) return {};
    if (displayWidth(utf8) <= cells) return std::string(utf8);
    const int room = cells - displayWidth(mark);
    if (room < 0) return std::string(mark.substr(0, static_cast<std::size_t>(cells)));
    std::string text;
    int used = 0;
    forEachCluster(utf8, [&](const std::string& cluster, int width) {
        if (used + width > room) return false;
        used += width;
        text += cluster;
        return true;
    });
    return text + std::string(mark);
}

std::string padToWidth(std::string_view utf8, int cells)
{
    std::string text = cutToWidth(utf8, cells);
    const int missing = cells - displayWidth(text);
    if (missing > 0) text.append(static_cast<std::size_t>(missing), ' ');
    return text;
}

std::string foldForMatching(std::string_view utf8)
{
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* folder = icu::Normalizer2::getNFKCCasefoldInstance(status);
    icu::UnicodeString text =
        icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int>(utf8.size())));
    if (U_SUCCESS(status)) text = folder->normalize(text, status);
    icu::UnicodeString clean;
    bool space = false;
    for (int i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        const UChar32 c = text.char32At(i);
        if (u_isUWhiteSpace(c)) {
            space = !clean.isEmpty();
            continue;
        }
        if (space) clean.append(u' ');
        space = false;
        clean.append(c);
    }
    std::string folded;
    clean.toUTF8String(folded);
    return folded;
}

std::string normalise(std::string_view utf8)
{
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* composer = icu::Normalizer2::getNFCInstance(status);
    if (U_FAILURE(status)) return std::string(utf8);
    const icu::UnicodeString text = composer->normalize(
        icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int>(utf8.size()))), status);
    std::string composed;
    text.toUTF8String(composed);
    return composed;
}

std::optional<std::string> nearestWord(std::string_view word, std::span<const std::string> candidates)
{
    // Optimal string alignment distance (Damerau-Levenshtein with one transposition).
    const auto distance = [](std::string_view a, std::string_view b) {
        std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
        for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
        for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
        for (std::size_t i = 1; i <= a.size(); ++i) {
            for (std::size_t j = 1; j <= b.size(); ++j) {
                const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
                cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
        return cost[a.size()][b.size()];
    };
    const std::string folded = foldForMatching(word);
    std::optional<std::string> best;
    std::size_t bestDistance = std::max<std::size_t>(1, folded.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t d = distance(folded, foldForMatching(candidate));
        if (d < bestDistance) {
            bestDistance = d;
            best = candidate;
        }
    }
    return best;
}

std::string join(std::span<const std::string> parts, std::string_view separator)
{
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += separator;
        text += parts[i];
    }
    return text;
}

std::string escapeControl(std::string_view text)
{
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string clean;
    clean.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            clean += "\\n";
        } else if (c == '\t') {
            clean += "\\t";
        } else if (byte < 0x20 || byte == 0x7F) {
            clean += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
        } else {
            clean += c;
        }
    }
    return clean;
}

} // namespace aiflow
