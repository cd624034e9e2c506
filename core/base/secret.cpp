#include "core/base/secret.h"

#include "core/base/hash.h"
#include "core/base/json.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace aiflow {

namespace {

struct KnownForm {
    std::string text;
    std::string label;
    const void* owner;
};

// The redactor must know every living key wherever text leaves the process: the one table that is shared by design.
struct KnownSecrets {
    std::mutex mutex;
    std::vector<KnownForm> forms;
};

KnownSecrets& known()
{
    static KnownSecrets table;
    return table;
}

std::string base64(std::string_view text)
{
    std::string coded(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    coded.resize(static_cast<std::size_t>(size));
    while (!coded.empty() && coded.back() == '=') coded.pop_back();
    return coded;
}

std::string urlEscaped(std::string_view text)
{
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string coded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || std::strchr("-_.~", c) != nullptr) {
            coded.push_back(c);
        } else {
            coded += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
        }
    }
    return coded;
}

std::string jsonEscaped(std::string_view text)
{
    const std::string quoted = dumpJson(Json(std::string(text)));
    return quoted.substr(1, quoted.size() - 2);
}

constexpr std::size_t kShortestRedacted = 6; // shorter values would blank ordinary words

Result<std::string> readKeyFile(const std::string& alias, const std::string& path)
{
    const auto refuse = [&](const std::string& why, const std::string& hint) {
        return fail(Reason::ProviderAuth, "key of " + alias + ": " + path + " " + why, hint);
    };
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return refuse(std::string("cannot be read: ") + std::strerror(errno), "check the path in aiflow.yaml");
    struct stat status {};
    std::string text;
    const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    if (regular) {
        char buffer[16384];
        ssize_t count = 0;
        while ((count = ::read(file, buffer, sizeof buffer)) > 0 && text.size() < 65536)
            text.append(buffer, static_cast<std::size_t>(count));
        OPENSSL_cleanse(buffer, sizeof buffer);
    }
    ::close(file);
    if (!regular) return refuse("is not a regular file", "put the key into a file of its own");
    if (status.st_uid != ::geteuid()) return refuse("belongs to another user", "chown it to the user who runs AIFlow");
    if ((status.st_mode & 077U) != 0) return refuse("can be read by others", "chmod 600 " + path);
    while (!text.empty() && std::strchr(" \t\r\n", text.back()) != nullptr) text.pop_back();
    return text;
}

} // namespace

struct Secret::Value {
    std::string text;
    ~Value()
    {
        KnownSecrets& table = known();
        const std::lock_guard lock(table.mutex);
        std::erase_if(table.forms, [this](const KnownForm& form) { return form.owner == this; });
        OPENSSL_cleanse(text.data(), text.size());
    }
};

Secret::Secret(std::string alias, std::string value) : m_alias(std::move(alias)), m_value(std::make_shared<Value>())
{
    m_value->text = std::move(value);
    if (m_value->text.size() < kShortestRedacted) return;
    std::vector<std::string> forms{m_value->text, urlEscaped(m_value->text), base64(m_value->text),
                                   jsonEscaped(m_value->text)};
    KnownSecrets& table = known();
    const std::lock_guard lock(table.mutex);
    for (std::string& form : forms) table.forms.push_back({std::move(form), label(), m_value.get()});
    // Longer forms first: a key may be a part of its own escaped form.
    std::ranges::stable_sort(table.forms, std::greater<>{}, [](const KnownForm& form) { return form.text.size(); });
}

Secret::~Secret() = default;

std::string_view Secret::reveal() const noexcept { return m_value->text; }

std::string Secret::label() const { return m_alias + "#" + sha256(m_value->text).hex().substr(0, 4); }

Result<Secret> Secret::load(std::string alias, std::string_view source)
{
    std::string value;
    if (source.starts_with("env:")) {
        const std::string name(source.substr(4));
        const char* found = std::getenv(name.c_str());
        if (found == nullptr || *found == '\0')
            return fail(Reason::ProviderAuth, "no key for " + alias + ": the environment has no " + name,
                        "export " + name + "=...");
        value = found;
    } else if (source.starts_with("file:")) {
        auto text = readKeyFile(alias, std::string(source.substr(5)));
        if (!text) return tl::unexpected(text.error());
        value = std::move(*text);
    } else {
        return fail(Reason::ConfigInvalid, "the key of " + alias + " must be given as env:NAME or file:PATH",
                    "never write the key itself into a configuration file");
    }
    if (value.empty()) return fail(Reason::ProviderAuth, "the key of " + alias + " is empty");
    return Secret(std::move(alias), std::move(value));
}

std::string redact(std::string_view text)
{
    std::string clean(text);
    KnownSecrets& table = known();
    const std::lock_guard lock(table.mutex);
    for (const KnownForm& form : table.forms) {
        for (std::size_t at = clean.find(form.text); at != std::string::npos; at = clean.find(form.text, at)) {
            clean.replace(at, form.text.size(), form.label);
            at += form.label.size();
        }
    }
    return clean;
}

} // namespace aiflow
