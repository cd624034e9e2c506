// A provider's own words about an error, wherever its form keeps them, and what they say.
#pragma once

#include "core/api/protocols/protocol.h"

#include <optional>
#include <string>
#include <string_view>

namespace aiflow {

struct ErrorWords {
    std::string code;                              // the provider's own, "rate_limit_exceeded"
    std::string message;                           // for people; may be empty
    std::string all;                               // these and the error's type, in lower case: what is searched
    std::optional<std::chrono::milliseconds> hint; // when to come back

    bool sayQuota(ProtocolKind protocol) const; // the balance or quota is used up
    bool sayContent() const;                    // refused by policy
    bool sayLength() const;                     // more than the model's context takes
    bool sayKey() const;                        // the key is not good
    bool sayThrottled() const;                  // over a limit
    bool sayOneModel() const;                   // a limit or load of this model alone
};

// Of an error's body in any form: JSON objects of the known services, a web page's title, a plain text.
ErrorWords errorWordsOf(std::string_view body);
// Whether the value of an "error" member tells of one: not null, false or empty.
bool isTrouble(const Json& error);

} // namespace aiflow
