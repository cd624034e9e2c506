// Certificates for a test's server: good ones, and each kind of bad one.
#pragma once

#include <memory>
#include <string>

namespace aiflow::peers {

struct Identity {
    std::string certificatePem;
    std::string keyPem;
};

// A certificate authority that nobody knows.
class Authority {
public:
    Authority();
    ~Authority();
    // Valid for `name` (a host name or an address) from `fromDays` to `toDays` from now.
    Identity issue(const std::string& name, int fromDays = -1, int toDays = 30) const;
    const std::string& certificatePem() const noexcept;

private:
    struct State;
    std::unique_ptr<State> m_state;
};
Identity selfSigned(const std::string& name);

} // namespace aiflow::peers
