// How a function says that it failed: a value, never an exception across a folder's border.
#pragma once

#include "aiflow/reason.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace aiflow {

// Where in a text the mistake stands. Lines and columns count from 1; 0 means unknown.
struct SourcePosition {
    std::string file;
    std::int64_t line = 0;
    std::int64_t column = 0;
    std::int64_t byteOffset = -1; // from the start of the file; -1 is unknown
};

struct Error {
    Reason reason = Reason::Internal;
    std::string message;                 // for the user; names the file, row or address
    std::string hint;                    // the way out, as a command or an instruction; may be empty
    std::optional<SourcePosition> where; // the mistake's place, when it is in a text

    // "file:line:column: message" (the parts that are known), without the hint.
    std::string text() const;
};

template <typename T> using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Reason reason, std::string message, std::string hint = {})
{
    return tl::unexpected<Error>(Error{reason, std::move(message), std::move(hint), std::nullopt});
}

inline tl::unexpected<Error> failAt(SourcePosition where, Reason reason, std::string message, std::string hint = {})
{
    return tl::unexpected<Error>(Error{reason, std::move(message), std::move(hint), std::move(where)});
}

} // namespace aiflow
