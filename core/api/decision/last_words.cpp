#include "core/api/decision/last_words.h"

#include <fmt/format.h>

namespace aiflow {
namespace {

std::string routeName(const ApiSettings& settings, const Call& call)
{
    return call.demand.route < settings.routes.size() ? settings.routes[call.demand.route].name : std::string("?");
}

std::string_view sentence(FailureClass failure)
{
    switch (failure) {
    case FailureClass::NotSent:
        return "could not be reached";
    case FailureClass::Throttled:
        return "refused the call as one too many";
    case FailureClass::QuotaExhausted:
        return "says that the account's balance or quota is used up";
    case FailureClass::KeyRefused:
        return "refused the key";
    case FailureClass::Outage:
        return "does not work at present";
    case FailureClass::ServerError:
        return "failed while working on the call";
    case FailureClass::TimedOut:
        return "did not answer in time";
    case FailureClass::Unknown:
        return "cut the connection before its answer was whole";
    case FailureClass::ContentRefused:
        return "refused the content";
    case FailureClass::BadRequest:
        return "refused the request as wrong";
    case FailureClass::TooLarge:
        return "refused the request, or we its answer, as too large";
    case FailureClass::CutOff:
        return "cut its answer off at the output limit";
    case FailureClass::Misfit:
        return "gave an answer that does not fit its schema";
    case FailureClass::LyingSuccess:
        return "reported success without an answer";
    case FailureClass::JobFailed:
        return "reported that its job failed";
    case FailureClass::Cancelled:
        return "was not waited for any longer: cancelled";
    }
    return "failed";
}

std::string_view wayOut(FailureClass failure)
{
    switch (failure) {
    case FailureClass::ContentRefused:
        return "Edit the prompt or the row, then: aiflow-cli retry JOB --failed";
    case FailureClass::BadRequest:
        return "Read what the provider says; correct the row or the step's request.";
    case FailureClass::TooLarge:
        return "Shorten the input, or use a model with a larger context.";
    case FailureClass::CutOff:
        return "Raise the step's max_output_tokens, or ask for less at once.";
    case FailureClass::Misfit:
        return "Look at the answer; simplify the schema or the prompt.";
    case FailureClass::TimedOut:
        return "Raise the timeout of the provider or step, then: aiflow-cli retry JOB --failed";
    case FailureClass::Cancelled:
        return "";
    default:
        return "When the provider is well again: aiflow-cli retry JOB --failed";
    }
}

std::string countsText(const CallStory& story)
{
    std::string text;
    for (const auto& [failure, count] : story.counts)
        text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", count, nameOf(failure));
    return text;
}

} // namespace

Error gaveUpError(const ApiSettings&, const Call& call, const Money& reserved, bool asks)
{
    const CallStory& story = *call.story;
    const Failure& last = story.last;
    std::string message = fmt::format("{} {}", story.where, sentence(last.failure));
    if (last.status != 0) message += fmt::format(" (HTTP {})", last.status);
    if (!last.message.empty()) message += ": " + last.message;
    message += fmt::format(" [attempts: {}; {}]", call.past.sends, countsText(story));
    std::string hint(wayOut(last.failure));
    if (asks) {
        const std::string cost = reserved.currency.empty() ? "an unknown price" : "up to " + toText(reserved);
        hint = fmt::format("The call may have been executed and charged. To pay again ({}): aiflow-cli retry JOB "
                           "--failed; to let it happen by itself, raise retry.unknown.ceiling_per_call",
                           cost);
    }
    return {reasonOf(last.failure), std::move(message), std::move(hint), std::nullopt};
}

Error tooDearError(const ApiSettings& settings, const Call& call)
{
    const BudgetSettings& budgets = settings.budgets;
    std::string caps;
    const auto cap = [&caps](std::string_view name, const std::optional<Money>& money) {
        if (money) caps += fmt::format("{}{} {}", caps.empty() ? "" : ", ", name, toText(*money));
    };
    cap("per call", budgets.perCall);
    cap("per item", budgets.perItem);
    cap("per day", budgets.perDay);
    cap("per month", budgets.perMonth);
    return {
        Reason::BudgetReached,
        fmt::format("a call of route {} could cost more than the budget leaves ({})", routeName(settings, call), caps),
        "Raise the budget in aiflow.yaml, or lower the step's max_output_tokens.", std::nullopt};
}

Error tooLargeError(const ApiSettings& settings, const Call& call)
{
    return {Reason::ConfigInvalid,
            fmt::format("a call of route {} needs more at once ({} input tokens, {} output tokens, {} images) than a "
                        "limit of its accounts allows in its whole window",
                        routeName(settings, call), call.demand.inputTokens, call.demand.maxOutputTokens,
                        call.demand.images),
            "Lower the step's max_output_tokens, shorten its input, or correct the limits in aiflow.yaml.",
            std::nullopt};
}

Error noAccountError(const ApiSettings& settings, const Call& call)
{
    return {Reason::ProviderAuth,
            fmt::format("no account can answer route {}: its models' providers have no account with a key",
                        routeName(settings, call)),
            "Name a key for one of them (key: env:NAME or file:PATH) in aiflow.yaml.", std::nullopt};
}

Error budgetError(const ApiSettings& settings, bool ofJob)
{
    const BudgetSettings& budgets = settings.budgets;
    if (ofJob)
        return {Reason::BudgetReached,
                fmt::format("the job's budget of {} is reached", budgets.perJob ? toText(*budgets.perJob) : "nothing"),
                "Raise it (--budget) and resume the job; what was answered is kept.", std::nullopt};
    const auto& cap = budgets.perDay ? budgets.perDay : budgets.perMonth;
    return {Reason::BudgetReached,
            fmt::format("the budget of {} per {} is reached", cap ? toText(*cap) : "nothing",
                        budgets.perDay ? "day" : "month"),
            "Resume the job when it is free again, or raise it; what was answered is kept.", std::nullopt};
}

} // namespace aiflow
