// Flows whose point is not their makespan: storms, outages, jobs that share accounts.
#pragma once

#include "tests/support/modelled_flows/modelled_flows.h"

namespace aiflow::test {

// storm: two texts of 15 s one after the other by 10 accounts at 12 a minute.
NamedFlow stormFlow(std::int64_t items);
// outage: one text of 15 s by either of two providers, "studio" and "atelier", of 5 accounts at 12 a minute each.
NamedFlow outageFlow(std::int64_t items);
// One text of 15 s by 10 accounts at 12 a minute; `model` tells the jobs apart: "express" or "patient".
NamedFlow sharedFlow(const std::string& model, std::int64_t items);
// The same by 4 accounts of 5 calls at once, each given up after 30 s.
NamedFlow placesFlow(const std::string& model, std::int64_t items);

} // namespace aiflow::test
