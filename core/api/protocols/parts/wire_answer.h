// What the protocols' answers have in common: checked JSON, pictures within it, lies, and numbers of tokens.
#pragma once

#include "core/api/protocols/protocol.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aiflow {

// A 200 that is no answer; money may be gone.
Failure lie(std::string message);

// The answer as a JSON object. Failure LyingSuccess: empty, a web page, not UTF-8, cut off, too deep, no object.
std::variant<Json, Failure> parseAnswer(std::string_view text);

// The member at the end of a way of keys and, for arrays, indexes in digits; null when any step is not there.
const Json* at(const Json& value, std::initializer_list<std::string_view> way);
// Of a JSON pointer; null: nothing is there, or it is no pointer.
const Json* atPointer(const Json& value, const std::string& pointer);
// The text at the end of the way; empty: there is none.
std::string textAt(const Json& value, std::initializer_list<std::string_view> way);
// A count from 0 to a billion; nothing for anything else.
std::optional<std::int64_t> countAt(const Json& value, std::initializer_list<std::string_view> way);
std::optional<std::int64_t> countFrom(const Json* value);

// Where a picture of an answer is.
struct PictureUrl {
    std::string url;
};
using FoundPicture = std::variant<SpooledFile, PictureUrl, Failure>;
// A picture in an answer's JSON: "aiflow-file:N" (moved out of `spooled`), a data: address, base64, or an address.
// `mediaType` is what the answer says of it; empty: its bytes tell.
FoundPicture takePicture(const Json& value, SpooledAnswer& spooled, const std::string& mediaType = {});
// The whole answer as a file, when it is one.
std::optional<SpooledFile> takeBody(SpooledAnswer& spooled, const std::string& mediaType);

// "image/png" by the first bytes; empty: none that is known.
std::string sniffedType(std::string_view bytes);
// Nothing: not base64 as the standard has it (line ends are tolerated).
std::optional<std::vector<std::byte>> fromBase64(std::string_view text);

// The value of a header, or empty.
std::string headerOf(const HttpEnd& end, std::string_view lowerCaseName);

} // namespace aiflow
