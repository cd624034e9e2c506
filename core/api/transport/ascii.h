// Letters of headers and hosts, without the locale.
#pragma once

#include <string>

namespace aiflow {

inline std::string lowerAscii(std::string text)
{
    for (char& letter : text)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return text;
}

} // namespace aiflow
