// Unix sockets at paths of any length, and who sits at the other end.
#pragma once

#include "aiflow/result.h"

#include <filesystem>
#include <string>
#include <utility>

namespace aiflow {

// A descriptor that closes itself.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int value) : m_value(value) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : m_value(std::exchange(other.m_value, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(m_value, other.m_value);
        return *this;
    }
    int get() const noexcept { return m_value; }
    int release() noexcept { return std::exchange(m_value, -1); }

private:
    int m_value = -1;
};

// A socket's address holds 107 bytes of path; while this lives, path() names the same file through its opened folder.
class ShortPath {
public:
    static Result<ShortPath> of(const std::filesystem::path& socket);
    const std::string& path() const noexcept { return m_path; }

private:
    Descriptor m_folder;
    std::string m_path;
};

// A listening socket, mode 0600, in place of what a dead process left there. OutputDenied when it cannot.
Result<Descriptor> listenAt(const std::filesystem::path& socket);
// JobNotFound when nobody listens there.
Result<Descriptor> connectTo(const std::filesystem::path& socket);
// Whether the other end runs as this process's user.
bool peerIsSameUser(int descriptor) noexcept;
void removeSocket(const std::filesystem::path& socket) noexcept;

} // namespace aiflow
