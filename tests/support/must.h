// Benches and scenario programs end where something that must work does not.
#pragma once

#include "aiflow/result.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace aiflow::test {

template <typename T> T must(Result<T> result)
{
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
}
inline void must(Result<void> result)
{
    if (result) return;
    std::fprintf(stderr, "%s\n", result.error().text().c_str());
    std::exit(1);
}

} // namespace aiflow::test
