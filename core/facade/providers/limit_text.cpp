#include "core/facade/providers/limit_text.h"

#include "core/base/text.h"

#include <vector>

namespace aiflow {

namespace {

std::string windowText(std::chrono::milliseconds window)
{
    using namespace std::chrono_literals;
    if (window == 1s) return "/s";
    if (window == 1min) return "/min";
    if (window == 1h) return "/h";
    if (window == 24h) return "/day";
    return " in " + std::to_string(window.count()) + " ms";
}

std::string unitText(LimitUnit unit)
{
    static constexpr const char* kWords[] = {" requests", " input tokens", " output tokens", " tokens", " images", ""};
    return kWords[static_cast<std::size_t>(unit)];
}

} // namespace

std::string limitsText(const LimitSet& limits)
{
    std::vector<std::string> parts;
    for (const WindowLimit& limit : limits.windows) {
        const std::string amount = limit.unit == LimitUnit::Money ? toText(Money{Nanos(limit.count), limits.currency})
                                                                  : std::to_string(limit.count);
        parts.push_back(amount + unitText(limit.unit) + windowText(limit.window));
    }
    if (limits.concurrency) parts.push_back(std::to_string(*limits.concurrency) + " at once");
    return join(parts, ", ");
}

std::string priceText(const Price& price)
{
    if (price.currency.empty()) return "unknown";
    std::vector<std::string> parts;
    const auto add = [&](Nanos amount, const char* of) {
        if (amount.count() > 0) parts.push_back(toText(Money{amount, price.currency}) + of);
    };
    add(price.inputPerMillion, "/M in");
    add(price.cachedInputPerMillion, "/M cached in");
    add(price.outputPerMillion, "/M out");
    add(price.perImage, " an image");
    add(price.perCall, " a call");
    return parts.empty() ? "free" : join(parts, ", ");
}

} // namespace aiflow
