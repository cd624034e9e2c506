// A key that cannot be printed, copied or converted by accident.
#pragma once

#include "aiflow/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace aiflow {

// Owns the key's bytes and wipes them. While it lives, redact() knows it.
// Threads: immutable after construction; reveal() from any thread.
class Secret {
public:
    // `alias` is what people see instead, e.g. "openai/main".
    Secret(std::string alias, std::string value);
    ~Secret();
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&&) noexcept = default;
    Secret& operator=(Secret&&) = delete;

    // The key itself: for the header of the call that needs it, nowhere else.
    std::string_view reveal() const noexcept;
    // "openai/main#k7f2": the alias and four characters of the key's hash, so that two keys can be told apart.
    std::string label() const;

    // `source` is "env:NAME" or "file:PATH" (a regular file of this user, mode 0600 or stricter, no symbolic link).
    // ProviderAuth with the way out when it is missing, empty or too open.
    static Result<Secret> load(std::string alias, std::string_view source);

private:
    struct Value;
    std::string m_alias;
    std::shared_ptr<Value> m_value;
};

// `text` with every living Secret replaced by its label, in raw, URL-, base64- and JSON-escaped form.
std::string redact(std::string_view text);

} // namespace aiflow
