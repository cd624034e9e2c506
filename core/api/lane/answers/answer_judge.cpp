#include "core/api/lane/answers/answer_judge.h"

#include "core/api/lane/answers/picture_check.h"
#include "core/api/lane/lane_attempt.h"
#include "core/api/protocols/answer_check.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>

namespace aiflow {

namespace {

// A complaint shows the model its own words; more of them than this teach it nothing and cost input.
constexpr std::size_t kShownAnswer = 8192;

Judgement bad(FailureClass failure, std::string message)
{
    Judgement judged;
    judged.failure = failureOf(failure, std::move(message));
    judged.failure->charged = true;
    return judged;
}

const std::string* textOf(const ProtocolAnswer& answer)
{
    if (!answer.body || !answer.body->is_object()) return nullptr;
    const auto found = answer.body->find("text");
    return found != answer.body->end() && found->is_string() ? &found->get_ref<const std::string&>() : nullptr;
}

// Whole characters, as the next request must be valid UTF-8.
std::string shortened(const std::string& text)
{
    if (text.size() <= kShownAnswer) return text;
    std::size_t end = kShownAnswer;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end);
}

// More room: twice as much, as far as the model's context leaves it.
std::optional<std::int64_t> moreRoom(const LaneCall& call, const ApiModel& model, std::int64_t room)
{
    std::int64_t most = room * 2;
    if (model.contextTokens > 0) most = std::min(most, model.contextTokens - call.demand.inputTokens);
    return most > room ? std::optional(most) : std::nullopt;
}

Judgement cutOff(const LaneCall& call, const ApiModel& model, std::int64_t room)
{
    Judgement judged =
        bad(FailureClass::CutOff, "the answer ended at the output limit of " + std::to_string(room) + " tokens");
    judged.maxOutputTokens = moreRoom(call, model, room);
    return judged;
}

Judgement judgeText(const LaneCall& call, const ProtocolAnswer& answer)
{
    const std::string* text = textOf(answer);
    if (text == nullptr) return bad(FailureClass::LyingSuccess, "the answer has no text");
    if (!answer.files.empty()) return bad(FailureClass::LyingSuccess, "asked for a text, a picture came");
    const auto schema = call.request->find("schema");
    if (schema == call.request->end() || schema->is_null()) {
        if (auto why = whyNoText(*text)) return bad(FailureClass::LyingSuccess, std::move(*why));
        Judgement good;
        good.body = dumpJson(*answer.body);
        return good;
    }
    CheckedAnswer checked = checkAnswer(*text, *schema);
    if (checked.value) {
        Judgement good;
        good.body = dumpJson(*checked.value);
        return good;
    }
    const std::string mistakes = join(checked.mistakes, "\n");
    Judgement judged = bad(FailureClass::Misfit, "the answer does not fit its schema: " + join(checked.mistakes, "; "));
    judged.complaint = Complaint{shortened(*text), mistakes};
    return judged;
}

Judgement judgePictures(const LaneCall& call, const ProtocolAnswer& answer)
{
    const auto asked = static_cast<std::size_t>(std::max<std::int64_t>(1, call.demand.images));
    if (answer.files.size() != asked)
        return bad(FailureClass::LyingSuccess, "asked for " + std::to_string(asked) + " pictures, " +
                                                   std::to_string(answer.files.size()) + " came");
    for (const SpooledFile& file : answer.files)
        if (auto why = whyNoPicture(file)) return bad(FailureClass::LyingSuccess, std::move(*why));
    Judgement good;
    good.body = dumpJson(Json{{"images", answer.files.size()}});
    return good;
}

} // namespace

Judgement judgeAnswer(const LaneCall& call, const ProtocolAnswer& answer, const ApiModel& model, std::int64_t room)
{
    if (answer.cutOff) return cutOff(call, model, room);
    if (call.kind == RouteKind::Text) return judgeText(call, answer);
    if (call.kind == RouteKind::Image) return judgePictures(call, answer);
    if (!answer.body || !answer.body->is_structured() || answer.body->empty())
        return bad(FailureClass::LyingSuccess, "the answer is empty");
    Judgement good;
    good.body = dumpJson(*answer.body);
    return good;
}

} // namespace aiflow
