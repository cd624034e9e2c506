// Who works here: a lock file that the kernel frees when its process dies, and disks where such locks cannot be
// trusted.
#pragma once

#include "aiflow/result.h"
#include "core/store/job_directory.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace aiflow {

// Holds the lock until it is destroyed or the process ends, however it ends.
class OwnerLock {
public:
    // Makes the file (mode 0600) when it is absent. `what` begins the sentence of a refusal: "job 7f3a9c is run" or
    // "folder out is written". JobLocked with pid, host and since. `job` is noted for whoever is refused; may be empty.
    static Result<OwnerLock> take(const std::filesystem::path& file, std::string_view what, std::string_view job = {});
    // Who holds it now; asking never disturbs a process that is about to take it. Nothing when nobody does.
    static std::optional<OwnerInfo> owner(const std::filesystem::path& file);

    OwnerLock(OwnerLock&& other) noexcept;
    OwnerLock& operator=(OwnerLock&& other) noexcept;
    ~OwnerLock();

private:
    explicit OwnerLock(int file) noexcept : m_file(file) {}
    int m_file = -1;
};

// The name of the network or user-space file system that the path (or its nearest existing parent) lies on; nothing for
// a local disk.
std::optional<std::string> networkFileSystemOf(const std::filesystem::path& path);
// OutputDenied on such a disk, unless AIFLOW_ALLOW_NETWORK_FS=1 is in the environment (R-S3).
Result<void> requireLocalDisk(const std::filesystem::path& path);

} // namespace aiflow
