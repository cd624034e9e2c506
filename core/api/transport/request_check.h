// What is refused before anything is opened: headers that could smuggle, and URLs that a request may not have.
#pragma once

#include "core/api/transport/curl_library.h"
#include "core/api/transport/http_transport.h"

#include <string>
#include <vector>

namespace aiflow {

// The URL that `request` asks for, allowed. Errors: InputFieldBad (an untrusted fetch), ConfigInvalid (else).
Result<curl::Url> checkUrl(const HttpRequest& request, const std::string& url, const std::string& base = {});
// "Name: value" lines with the key's among them. Error: InputFieldBad; it names the header, never its value.
Result<std::vector<std::string>> headerLines(const HttpRequest& request);
// Method, body and versions. Error: Internal: our own mistake.
Result<void> checkForm(const HttpRequest& request);

} // namespace aiflow
