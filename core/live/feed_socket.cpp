#include "core/live/feed_socket.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace aiflow {

namespace {

std::string because(int error) { return std::generic_category().message(error); }

Descriptor openSocket() { return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

sockaddr_un addressOf(const ShortPath& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.path().c_str(), path.path().size() + 1);
    return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

} // namespace

Descriptor::~Descriptor()
{
    if (m_value >= 0) ::close(m_value);
}

Result<ShortPath> ShortPath::of(const std::filesystem::path& socket)
{
    const std::filesystem::path folder = socket.has_parent_path() ? socket.parent_path() : ".";
    ShortPath made;
    made.m_folder = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (made.m_folder.get() < 0) return fail(Reason::OutputDenied, folder.string() + ": " + because(errno));
    made.m_path = "/proc/self/fd/" + std::to_string(made.m_folder.get()) + '/' + socket.filename().string();
    if (made.m_path.size() >= sizeof(sockaddr_un::sun_path))
        return fail(Reason::OutputDenied, socket.string() + ": the file name is too long for a socket");
    return made;
}

Result<Descriptor> listenAt(const std::filesystem::path& socket)
{
    const auto refuse = [&](int error) {
        return fail(Reason::OutputDenied, "cannot serve the job at " + socket.string() + ": " + because(error));
    };
    const auto path = ShortPath::of(socket);
    if (!path) return tl::unexpected(path.error());
    removeSocket(socket);
    Descriptor listener = openSocket();
    if (listener.get() < 0) return refuse(errno);
    const sockaddr_un address = addressOf(*path);
    if (::bind(listener.get(), generic(address), sizeof address) != 0) return refuse(errno);
    // Before listen() nobody can connect, so that there is no moment with wider rights.
    if (::chmod(path->path().c_str(), S_IRUSR | S_IWUSR) != 0) return refuse(errno);
    if (::listen(listener.get(), 64) != 0) return refuse(errno);
    return listener;
}

Result<Descriptor> connectTo(const std::filesystem::path& socket)
{
    const auto absent = [&] { return fail(Reason::JobNotFound, "no running job answers at " + socket.string()); };
    const auto path = ShortPath::of(socket);
    if (!path) return absent();
    Descriptor connection = openSocket();
    if (connection.get() < 0) return fail(Reason::Internal, "cannot make a socket: " + because(errno));
    const sockaddr_un address = addressOf(*path);
    int status = 0;
    do {
        status = ::connect(connection.get(), generic(address), sizeof address);
    } while (status != 0 && errno == EINTR);
    if (status == 0) return connection;
    if (errno == EACCES || errno == EPERM)
        return fail(Reason::OutputDenied, socket.string() + ": " + because(errno),
                    "ask as the user who started the job");
    return absent();
}

bool peerIsSameUser(int descriptor) noexcept
{
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

void removeSocket(const std::filesystem::path& socket) noexcept
{
    struct stat status {};
    if (::lstat(socket.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(socket.c_str());
}

} // namespace aiflow
