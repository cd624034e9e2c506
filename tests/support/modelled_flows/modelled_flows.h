// The flows that schedules are judged by: what they do, and the accounts that they call.
#pragma once

#include "core/forecast/virtual_run.h"

#include <string>
#include <vector>

namespace aiflow::test {

struct NamedFlow {
    std::string name;
    ModelledFlow flow;
    ApiSettings settings; // at life speed: one provider "studio", routes "text", "image" and "edit", a model for each
};

// hero: 100 items; a prompt of 15 s, a picture of 40 s, by 10 accounts at 4 requests a minute; detection of 0.5 s and
// segmentation of 2 s on one device; a composition of 15 s on 8 places.
NamedFlow heroFlow(std::int64_t items = 100);
// annotation: 100 items; four texts of 10 s and a picture of 40 s, one after the other, by the same accounts; 10 s of
// work on 8 places.
NamedFlow annotationFlow(std::int64_t items = 100);
// fan_out: 60 items; a plan of 15 s, four pictures of 40 s at once, a choice of 2 s on the device, an edit of 30 s, a
// composition of 15 s on 8 places.
NamedFlow fanOutFlow(std::int64_t items = 60);
// unequal: 150 items; a text of 12 s, a picture of 30 s, a composition of 8 s on 8 places; accounts of 2, 4 and 6
// requests a minute, of 12 a minute with 8 at once, of 5 in 20 s and of 8 in 30 s.
NamedFlow unequalFlow(std::int64_t items = 150);
std::vector<NamedFlow> benchFlows();

} // namespace aiflow::test
