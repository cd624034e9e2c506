// What happens to a shared database that is damaged: it is renamed once, whoever finds it, and a fresh one begins.
#pragma once

#include "core/store/owner_lock.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace aiflow {

inline bool isDamage(const Error& error) { return error.reason == Reason::Internal; }

// Renames it to "<file>.damaged-N", unless another process has done so and begun a fresh one: then its inode is not the
// given one (0: unknown).
inline void setAsideDamaged(const std::filesystem::path& file, std::uint64_t inode)
{
    const auto lock = OwnerLock::take(std::filesystem::path(file).replace_extension(".lock"), "the file is mended");
    struct stat s {};
    if (!lock || ::stat(file.c_str(), &s) != 0 || (inode != 0 && s.st_ino != inode)) return;
    std::filesystem::path aside;
    for (int number = 1; number == 1 || ::access(aside.c_str(), F_OK) == 0; ++number)
        aside = file.string() + ".damaged-" + std::to_string(number);
    ::rename((file.string() + "-journal").c_str(), (aside.string() + "-journal").c_str());
    ::rename(file.c_str(), aside.c_str());
}

} // namespace aiflow
