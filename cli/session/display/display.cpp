#include "cli/session/display/display.h"

#include "cli/session/display/block_display.h"
#include "cli/session/display/line_display.h"

namespace aiflow {

bool isWorthALine(const EventLine& event)
{
    if (event.type == "item_finished") return event.json.find(R"("state":"failed")") != std::string::npos;
    return event.type == "provider_paused" || event.type == "provider_resumed" || event.type == "job_paused" ||
           event.type == "job_resumed";
}

std::unique_ptr<Display> makeDisplay(Console& console, const RunOptions& options, Watched watched)
{
    switch (options.progress) {
    case terminal::Progress::Block:
        return makeBlockDisplay(console, std::move(watched));
    case terminal::Progress::Plain:
        return makePlainDisplay(console, options, std::move(watched));
    case terminal::Progress::Json:
        return makeJsonDisplay(console, options, std::move(watched));
    case terminal::Progress::None:
        break;
    }
    return makeSilentDisplay(console);
}

} // namespace aiflow
