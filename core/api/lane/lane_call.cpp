#include "core/api/lane/lane_call.h"

#include "core/base/json.h"

#include <utility>

namespace aiflow {

namespace {

// Providers keep prompts from some 1,000 tokens on; shorter beginnings are not worth one account.
constexpr std::size_t kFamilyBytes = 4096;

std::string_view textOf(const Json& request, const char* field)
{
    const auto found = request.find(field);
    return found != request.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                                        : std::string_view();
}

std::uint64_t promptFamily(const Json& request)
{
    const std::string_view system = textOf(request, "system");
    const std::string_view prompt = textOf(request, "prompt");
    if (system.size() + prompt.size() < kFamilyBytes) return 0;
    const std::string_view head = system.substr(0, kFamilyBytes);
    return (xxh3(head) ^ (xxh3(prompt.substr(0, kFamilyBytes - head.size())) * 31)) | 1U;
}

std::int64_t imagesAsked(RouteKind kind, const Json& request)
{
    if (kind != RouteKind::Image) return 0;
    const auto count = request.find("n");
    return count != request.end() && count->is_number_integer() ? std::max<std::int64_t>(1, count->get<std::int64_t>())
                                                                : 1;
}

CallDemand demandOf(const LaneCall& call, std::size_t route)
{
    CallDemand demand;
    demand.route = route;
    demand.priority = call.call.priority;
    demand.item = call.call.turn >= 0 ? ItemIndex(call.call.turn) : call.call.task.item;
    demand.stepFromEnd = call.call.stepFromEnd;
    demand.element = call.call.task.element;
    demand.itemHash = xxh3(call.call.itemId);
    demand.budgetItem = static_cast<std::uint64_t>(call.call.task.item.value()) + 1;
    demand.promptFamily = promptFamily(*call.request);
    demand.inputTokens = estimateInputTokens(*call.request, {});
    demand.images = imagesAsked(call.kind, *call.request);
    demand.timeout = call.call.timeout;
    return demand;
}

} // namespace

void LaneCall::tellSent()
{
    if (const auto sent = std::exchange(call.onSent, {})) sent();
    for (const auto& follower : followers) follower->tellSent();
}

std::unique_ptr<LaneCall> prepareCall(ApiCall call, ApiDone done, const ApiSettings& settings)
{
    auto made = std::make_unique<LaneCall>();
    made->call = std::move(call);
    made->done = std::move(done);
    const RouteSettings* route = settings.findRoute(made->call.route);
    if (route == nullptr) {
        made->problem = Error{Reason::UsageInvalid,
                              "there is no route \"" + made->call.route + "\"",
                              "name one of `routes:` in aiflow.yaml",
                              {}};
        return made;
    }
    made->kind = route->kind;
    auto request = parseJson(made->call.request, "request");
    if (!request || !request->is_object()) {
        made->problem =
            Error{Reason::Internal,
                  request ? "the request is not a JSON object" : "the request is not JSON: " + request.error().message,
                  {},
                  {}};
        return made;
    }
    made->requestHash = sha256(made->call.request);
    made->call.request = {};
    made->request = std::make_shared<const Json>(std::move(*request));
    made->demand = demandOf(*made, static_cast<std::size_t>(route - settings.routes.data()));
    for (const OpenAttempt& earlier : made->call.open) made->attempts = std::max(made->attempts, earlier.intent.number);
    return made;
}

} // namespace aiflow
