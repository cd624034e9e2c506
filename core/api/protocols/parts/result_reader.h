// Inputs and results of services whose JSON has no form of its own: files in it, wherever they stand.
#pragma once

#include "core/api/protocols/parts/picture_fetches.h"

#include <functional>

namespace aiflow {

// The value with every file in it replaced by what `place` makes of its index among `files`.
Json withFiles(const Json& value, std::vector<RequestFile>& files, const std::function<Json(std::size_t)>& place);

// `form` with "$name" replaced by the request's field (files by their data: addresses), "$model" and "$reference" by
// what they say; entries whose field the request has not are left out.
Json filledForm(const Json& form, const WirePlan& plan, std::vector<RequestFile>& files);

// Every picture of a result: texts, objects with `url`, `b64_json`, ..., and lists of those. Nothing: taken.
std::optional<Failure> takePictures(const Json& result, SpooledAnswer& spooled, PictureFetches& pictures);
// Pictures within a service's object are taken, and {"file": N} stands in their place.
std::optional<Failure> liftPictures(Json& result, SpooledAnswer& spooled, PictureFetches& pictures);
// A text, an object's `text`, a list of texts as one, or the JSON of anything else; empty: there is none. `structured`:
// an object is wanted, so that one with more than `text` in it is the answer itself.
std::string textOfResult(const Json& result, bool structured);

} // namespace aiflow
