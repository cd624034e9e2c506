// What a person is told of a call that is given up: who, what, how often, and the way out.
#pragma once

#include "core/api/decision/call.h"

namespace aiflow {

// `attempts` were made; `asks`: paying again is left to the user.
Error gaveUpError(const ApiSettings& settings, const Call& call, const Money& reserved, bool asks);
Error tooDearError(const ApiSettings& settings, const Call& call);
Error tooLargeError(const ApiSettings& settings, const Call& call);
Error noAccountError(const ApiSettings& settings, const Call& call);
// `ofJob`: its own budget; else the day's or month's.
Error budgetError(const ApiSettings& settings, bool ofJob);

} // namespace aiflow
