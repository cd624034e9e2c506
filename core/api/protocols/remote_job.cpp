#include "core/api/protocols/wire_protocols.h"

#include "core/api/protocols/parts/result_reader.h"
#include "core/api/protocols/parts/retry_hints.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

using std::chrono::milliseconds;

constexpr int kMisreadings = 3; // answers to a poll, one after the other, that are borne though they make no sense
constexpr milliseconds kLongestExchange{120'000};
constexpr std::size_t kLongestId = 512;

constexpr std::array kDone{"done", "succeeded", "success", "completed", "complete", "finished"};
constexpr std::array kFailed{"failed", "failure", "error", "canceled", "cancelled", "expired", "rejected"};
constexpr std::array kRunning{"queued",  "pending", "running",   "processing", "in_progress", "starting",
                              "started", "created", "submitted", "waiting",    "accepted"};

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

template <std::size_t N>
bool isOneOf(const std::string& word, const std::vector<std::string>& told, const std::array<const char*, N>& usual)
{
    if (told.empty()) return std::ranges::find(usual, word) != usual.end();
    return std::ranges::any_of(told, [&](const std::string& one) { return lower(one) == word; });
}

std::string scalarFrom(const Json* value)
{
    if (value == nullptr || value->is_structured()) return {};
    return value->is_string() ? value->get<std::string>() : dumpJson(*value);
}

std::string replaced(std::string text, const std::string& name, const std::string& value)
{
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size()))
        text.replace(at, name.size(), value);
    return text;
}

bool passesByItself(int status)
{
    return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

// Submit, poll until it is done, fetch. After the submit nothing is ever paid again.
class RemoteJobConversation final : public WireConversation {
public:
    enum class Stage : std::uint8_t { Submit, LookUp, Poll, Fetch };

    RemoteJobConversation(AttemptPlan plan, Stage stage, std::string id)
        : WireConversation(ProtocolKind::RemoteJob, std::move(plan)), m_stage(stage), m_id(std::move(id)),
          m_interval(wire().options().duration("interval", milliseconds(2000)))
    {
    }

    Result<Exchange> first() override;
    NextMove next(const ExchangeAnswer& answer) override;
    std::optional<Exchange> again(const HttpEnd& end) override;
    void calledBack() override { m_calledBack = true; }

private:
    Json form(std::vector<RequestFile>& files) const;
    Exchange submit() const;
    Exchange get(const std::string& option, const std::string& fallback, milliseconds after);
    Exchange asked(milliseconds after); // the stage's own question
    milliseconds pause(const HttpEnd& end);
    NextMove askAgain(const HttpEnd& end, const std::string& why);

    NextMove submitted(const ExchangeAnswer& answer);
    NextMove lookedUp(const ExchangeAnswer& answer);
    NextMove polled(const ExchangeAnswer& answer);
    NextMove fetched(const ExchangeAnswer& answer);
    NextMove misread(const ExchangeAnswer& answer, Failure failure);
    NextMove notReady(const ExchangeAnswer& answer, const std::string& word);
    NextMove read(const Json& body, const ExchangeAnswer& answer) override;
    Failure failed(const Json& body) const;
    NextMove kept(std::string id, milliseconds after);

    Stage m_stage;
    std::string m_id;
    milliseconds m_interval;
    milliseconds m_elapsed{0};                  // of all pauses and exchanges
    std::optional<milliseconds> m_unknownSince; // on m_elapsed
    milliseconds m_lastPause{0};
    int m_misread = 0;
    bool m_calledBack = false;
};

Json RemoteJobConversation::form(std::vector<RequestFile>& files) const
{
    const WireOptions options = wire().options();
    const AttemptPlan& plan = wire().plan();
    Json body;
    if (const Json* own = options.find("body"); own != nullptr && own->is_object()) {
        body = filledForm(*own, wire(), files);
    } else {
        body["model"] = wire().model().remoteName;
        body["input"] = withFiles(*plan.request, files, [](std::size_t index) { return fileMark(index, true); });
    }
    if (const std::string field = options.text("reference"); !field.empty()) body[field] = plan.attemptId;
    const std::string callBack = options.text("webhook_url");
    if (const std::string field = options.text("webhook"); !field.empty() && !callBack.empty()) body[field] = callBack;
    return body;
}

Exchange RemoteJobConversation::submit() const
{
    std::vector<RequestFile> files;
    Json body = form(files);
    Exchange made = wire().post(wire().options().text("submit", "/jobs"), {}, std::move(body), files);
    made.http.totalTimeout = std::min(wire().timeout(), kLongestExchange);
    return made;
}

Exchange RemoteJobConversation::get(const std::string& option, const std::string& fallback, milliseconds after)
{
    std::string path = wire().options().text(option.c_str(), fallback);
    path = replaced(std::move(path), "{id}", urlSegment(m_id));
    path = replaced(std::move(path), "{reference}", urlSegment(wire().plan().attemptId));
    Exchange made = wire().call("GET", path, {});
    made.http.totalTimeout = std::min(wire().timeout(), kLongestExchange);
    made.after = after;
    m_lastPause = after;
    return made;
}

Exchange RemoteJobConversation::asked(milliseconds after)
{
    if (m_stage == Stage::LookUp) return get("lookup", "", after);
    if (m_stage == Stage::Fetch) return get("fetch", "", after);
    return get("poll", "/jobs/{id}", after);
}

Result<Exchange> RemoteJobConversation::first()
{
    if (m_stage != Stage::Submit) return asked(milliseconds{0});
    if (!wire().plan().request || !wire().plan().request->is_object() || wire().plan().request->empty())
        return fail(Reason::UsageInvalid, "the request has no fields", "give the step a prompt: or a request:");
    return submit();
}

// As the provider says, else growing by half each time.
milliseconds RemoteJobConversation::pause(const HttpEnd& end)
{
    if (std::exchange(m_calledBack, false)) return milliseconds{0};
    if (const auto hint = hintOf(end)) return *hint;
    const milliseconds now = m_interval;
    const milliseconds longest = wire().options().duration("longest_interval", milliseconds(15'000));
    m_interval = std::max(m_interval, std::min(longest, m_interval + m_interval / 2));
    return now;
}

NextMove RemoteJobConversation::askAgain(const HttpEnd& end, const std::string& why)
{
    const milliseconds after = pause(end);
    if (m_elapsed + after < wire().timeout()) return asked(after);
    Failure failure;
    failure.failure = FailureClass::TimedOut;
    failure.message = "the remote job " + cutToWidth(m_id, 60) + " has not ended in time; last: " + why;
    failure.status = end.status;
    failure.charged = true;
    return failure;
}

NextMove RemoteJobConversation::next(const ExchangeAnswer& answer)
{
    if (pictures().under()) return WireConversation::next(answer);
    m_elapsed += m_lastPause + std::chrono::duration_cast<milliseconds>(answer.end.latency);
    switch (m_stage) {
    case Stage::Submit:
        return submitted(answer);
    case Stage::LookUp:
        return lookedUp(answer);
    case Stage::Poll:
        return polled(answer);
    case Stage::Fetch:
        return fetched(answer);
    }
    return lie("the remote job is in no state that is known");
}

std::optional<Exchange> RemoteJobConversation::again(const HttpEnd& end)
{
    if (pictures().under()) return WireConversation::again(end);
    if (m_stage == Stage::Submit || end.ending == HttpEnding::Cancelled || end.ending == HttpEnding::TooLarge ||
        end.ending == HttpEnding::SinkFailed)
        return std::nullopt;
    m_elapsed += m_lastPause + std::chrono::duration_cast<milliseconds>(end.latency);
    NextMove move = askAgain(end, end.error);
    auto* exchange = std::get_if<Exchange>(&move);
    return exchange != nullptr ? std::optional(std::move(*exchange)) : std::nullopt;
}

NextMove RemoteJobConversation::kept(std::string id, milliseconds after)
{
    if (id.empty() || id.size() > kLongestId || id == "." || id == "..")
        return lie("the service's answer has no usable id of the job");
    m_id = std::move(id);
    m_stage = Stage::Poll;
    return KeepRemoteId{m_id, asked(after)};
}

NextMove RemoteJobConversation::submitted(const ExchangeAnswer& answer)
{
    if (auto failure = classifyAnswer(ProtocolKind::RemoteJob, answer.end, answer.spooled.text))
        return std::move(*failure);
    auto body = parseAnswer(answer.spooled.text);
    if (auto* failure = std::get_if<Failure>(&body)) return std::move(*failure);
    return kept(scalarFrom(atPointer(std::get<Json>(body), wire().options().text("id", "/id"))), pause(answer.end));
}

NextMove RemoteJobConversation::lookedUp(const ExchangeAnswer& answer)
{
    const auto unknown = [&] {
        Failure failure;
        failure.failure = FailureClass::NotSent;
        failure.message = "the provider knows no job of this attempt";
        failure.status = answer.end.status;
        return failure;
    };
    if (answer.end.status == 404) return unknown();
    if (passesByItself(answer.end.status)) return askAgain(answer.end, "HTTP " + std::to_string(answer.end.status));
    if (auto failure = classifyAnswer(ProtocolKind::RemoteJob, answer.end, answer.spooled.text))
        return std::move(*failure);
    const auto body = parseJson(answer.spooled.text);
    if (!body) return lie("the answer about our jobs cannot be read");
    const std::string told = wire().options().text("lookup_id");
    for (const std::string& pointer : told.empty()
                                          ? std::vector<std::string>{"/id", "/jobs/0/id", "/data/0/id", "/0/id"}
                                          : std::vector<std::string>{told})
        if (std::string id = scalarFrom(atPointer(*body, pointer)); !id.empty())
            return kept(std::move(id), milliseconds{0});
    return unknown();
}

// A gateway between us and the job may talk nonsense for a moment; the job is paid and goes on.
NextMove RemoteJobConversation::misread(const ExchangeAnswer& answer, Failure failure)
{
    if (++m_misread >= kMisreadings) return failure;
    return askAgain(answer.end, failure.message);
}

NextMove RemoteJobConversation::polled(const ExchangeAnswer& answer)
{
    const int status = answer.end.status;
    if (passesByItself(status)) return askAgain(answer.end, "HTTP " + std::to_string(status));
    if (status < 200 || status >= 300) {
        Failure failure = classifyAnswer(ProtocolKind::RemoteJob, answer.end, answer.spooled.text).value_or(lie("?"));
        failure.charged = true;
        if (status == 404) {
            failure.failure = FailureClass::JobFailed;
            return misread(answer, std::move(failure));
        }
        if (failure.failure == FailureClass::BadRequest) failure.failure = FailureClass::JobFailed;
        return failure;
    }
    auto body = parseAnswer(answer.spooled.text);
    if (auto* failure = std::get_if<Failure>(&body)) return misread(answer, std::move(*failure));
    const Json& json = std::get<Json>(body);
    const WireOptions options = wire().options();
    const std::string word = lower(scalarFrom(atPointer(json, options.text("status", "/status"))));
    if (isOneOf(word, options.texts("failed"), kFailed)) return failed(json);
    if (word.empty())
        return misread(answer, classifyAnswer(ProtocolKind::RemoteJob, answer.end, answer.spooled.text)
                                   .value_or(lie("the answer does not say how the job stands")));
    m_misread = 0;
    if (!isOneOf(word, options.texts("done"), kDone)) return notReady(answer, word);
    if (options.text("fetch").empty()) return read(json, answer);
    m_stage = Stage::Fetch;
    return asked(milliseconds{0});
}

NextMove RemoteJobConversation::notReady(const ExchangeAnswer& answer, const std::string& word)
{
    if (isOneOf(word, wire().options().texts("running"), kRunning))
        m_unknownSince.reset();
    else if (!m_unknownSince)
        m_unknownSince = m_elapsed;
    const milliseconds patience = wire().options().duration("patience", std::chrono::minutes(10));
    if (m_unknownSince && m_elapsed - *m_unknownSince >= patience)
        return lie("the job stands in a way that is not known: " + cutToWidth(word, 60));
    return askAgain(answer.end, word);
}

NextMove RemoteJobConversation::fetched(const ExchangeAnswer& answer)
{
    const int status = answer.end.status;
    if (passesByItself(status)) return askAgain(answer.end, "HTTP " + std::to_string(status));
    if (status == 404) return misread(answer, lie("the job's result is not there"));
    if (auto failure = classifyAnswer(ProtocolKind::RemoteJob, answer.end, answer.spooled.text)) {
        failure->charged = true;
        return std::move(*failure);
    }
    if (wire().plan().kind == RouteKind::Image)
        if (auto file = takeBody(answer.spooled, headerOf(answer.end, "content-type"))) {
            if (auto failure = pictures().add(std::move(*file))) return std::move(*failure);
            return finishPictures(ProtocolAnswer{});
        }
    auto body = parseAnswer(answer.spooled.text);
    if (auto* failure = std::get_if<Failure>(&body)) return misread(answer, std::move(*failure));
    return read(std::get<Json>(body), answer);
}

NextMove RemoteJobConversation::read(const Json& body, const ExchangeAnswer& answer)
{
    const WireOptions options = wire().options();
    const std::string pointer = options.text("result", "/output");
    const Json* result = atPointer(body, pointer);
    if (result == nullptr) return lie("the job is done, but its answer has nothing at " + pointer);
    ProtocolAnswer made;
    made.requestId = m_id;
    made.model = textAt(body, {"model"});
    const auto input = countFrom(atPointer(body, options.text("input_tokens", "/usage/input_tokens")));
    const auto output = countFrom(atPointer(body, options.text("output_tokens", "/usage/output_tokens")));
    made.usage.inputTokens = input.value_or(0);
    made.usage.outputTokens = output.value_or(0);
    made.usageKnown = input.has_value();
    return readResult(*result, body, answer.spooled, std::move(made));
}

Failure RemoteJobConversation::failed(const Json& body) const
{
    const Json* error = atPointer(body, wire().options().text("error", "/error"));
    // The words decide as they do in any other answer; a job that failed for no reason that is known is just that.
    HttpEnd end;
    end.status = 400;
    const std::string words = dumpJson(Json{{"error", error != nullptr ? *error : Json("no reason given")}});
    Failure failure = classifyAnswer(ProtocolKind::RemoteJob, end, words).value_or(Failure{});
    if (failure.failure != FailureClass::ContentRefused && failure.failure != FailureClass::QuotaExhausted &&
        failure.failure != FailureClass::TooLarge)
        failure.failure = FailureClass::JobFailed;
    if (failure.message.starts_with("HTTP 400: "))
        failure.message = "the remote job failed: " + failure.message.substr(10);
    failure.status = 200;
    failure.charged = true;
    return failure;
}

class RemoteJobProtocol final : public WireProtocol {
public:
    using Stage = RemoteJobConversation::Stage;
    RemoteJobProtocol() : WireProtocol(ProtocolKind::RemoteJob) {}
    Result<std::unique_ptr<Conversation>> begin(AttemptPlan plan) const override
    {
        return started(std::make_unique<RemoteJobConversation>(std::move(plan), Stage::Submit, ""));
    }
    std::unique_ptr<Conversation> resume(AttemptPlan plan, std::string remoteId) const override
    {
        return std::make_unique<RemoteJobConversation>(std::move(plan), Stage::Poll, std::move(remoteId));
    }
    std::unique_ptr<Conversation> lookUp(AttemptPlan plan) const override
    {
        if (WireOptions(plan.settings.providerOf(plan.model), nullptr).text("lookup").empty()) return nullptr;
        return std::make_unique<RemoteJobConversation>(std::move(plan), Stage::LookUp, "");
    }
    // A job that cannot be: 404 says that the key is good.
    Result<Exchange> probe(const ProviderSettings& provider, std::size_t account) const override
    {
        const WireOptions options(provider, nullptr);
        const std::string poll = replaced(options.text("poll", "/jobs/{id}"), "{id}", "aiflow-probe");
        return probeOf(provider, account, options.text("probe", poll), {});
    }
};

} // namespace

const Protocol& remoteJobProtocol()
{
    static const RemoteJobProtocol protocol;
    return protocol;
}

} // namespace aiflow
