// Turns UTF-16, UTF-32 and GB18030 into UTF-8, strictly, and remembers where in the file each line began.
#pragma once

#include "core/input/encoding.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// A place in the decoded text and the same place in the file.
struct TextAnchor {
    std::int64_t text = 0;
    std::int64_t file = 0;
};

class Decoder {
public:
    explicit Decoder(Encoding encoding);
    ~Decoder();
    Decoder(Decoder&&) noexcept;
    Decoder& operator=(Decoder&&) noexcept;

    // Appends the text of `raw` (which lies at `fileOffset`; its length a multiple of 4 unless it is the last piece) to
    // `text`, and an anchor behind each line break; `last` also puts one at the end. Nothing is ever replaced:
    // at an invalid byte it stops, and gives that byte's offset in the file.
    std::optional<std::int64_t> decode(std::string_view raw, std::int64_t fileOffset, bool last, std::string& text,
                                       std::vector<TextAnchor>& anchors);
    // Characters before text.begin() in all earlier calls, in UTF-8 bytes, are `textOffset`: the anchors' zero.
    void setTextOffset(std::int64_t textOffset) noexcept;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

// How many bytes `utf8` takes in that encoding.
std::int64_t encodedSize(std::string_view utf8, Encoding encoding);
// `utf8` in that encoding, without a byte order mark.
std::string encode(std::string_view utf8, Encoding encoding);

} // namespace aiflow
