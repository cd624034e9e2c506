#include "core/api/lane/earlier_attempts.h"

#include <algorithm>

namespace aiflow {

namespace {

// Services that keep answers under an idempotency key do so for a day; a tenth of it is our margin.
constexpr std::int64_t kKeyKeptMs = 24LL * 3600 * 1000 * 9 / 10;

std::optional<std::size_t> modelOf(const AttemptIntent& intent, const ApiSettings& settings)
{
    for (std::size_t i = 0; i < settings.models.size(); ++i)
        if (settings.models[i].name == intent.model && settings.providerOf(i).name == intent.provider) return i;
    return std::nullopt;
}

std::optional<std::size_t> accountOf(const AttemptIntent& intent, const ProviderSettings& provider)
{
    const auto found = std::ranges::find(provider.accounts, intent.account, &AccountSettings::name);
    if (found == provider.accounts.end()) return std::nullopt;
    return static_cast<std::size_t>(found - provider.accounts.begin());
}

// The body that the journal kept, as if it had just come.
std::optional<SpooledAnswer> readAgain(const AttemptReport& answered, const std::filesystem::path& folder)
{
    const auto spool = AnswerSpool::create(folder, answered.attempt);
    const auto* first = reinterpret_cast<const std::byte*>(answered.body.data());
    Result<void> read = spool->begin(answered.status, {{"content-type", "application/json"}});
    if (read) read = spool->write({first, answered.body.size()});
    auto answer = read ? spool->take() : tl::unexpected(read.error());
    if (!answer) return std::nullopt;
    return std::move(*answer);
}

} // namespace

Settlement settlementOf(const OpenAttempt& open, const ApiSettings& settings, const std::filesystem::path& spoolFolder)
{
    Settlement settled;
    settled.attempt = &open;
    const auto model = modelOf(open.intent, settings);
    const auto account = model ? accountOf(open.intent, settings.providerOf(*model)) : std::nullopt;
    if (!model || !account) return settled;
    settled.model = *model;
    settled.account = *account;
    const ProviderSettings& provider = settings.providerOf(*model);
    const CapabilityClass capability = protocolOf(provider.protocol).capability(provider);
    if (open.remoteId.empty()) {
        if (open.answered && open.answered->bodyFile.empty()) {
            settled.answer = readAgain(*open.answered, spoolFolder);
            if (settled.answer) settled.way = SettleWay::Adopt;
            return settled;
        }
        if (auto answer = adoptSpooled(spoolFolder, open.intent.attempt); answer && *answer) {
            settled.answer = std::move(**answer);
            settled.way = SettleWay::Adopt;
            return settled;
        }
    }
    if (!open.remoteId.empty())
        settled.way = SettleWay::Resume;
    else if (capability == CapabilityClass::B)
        settled.way = SettleWay::LookUp;
    else if (capability == CapabilityClass::A && open.ageMs < kKeyKeptMs && !open.intent.idempotencyKey.empty())
        settled.way = SettleWay::Repeat;
    return settled;
}

std::optional<Error> refusalOf(const OpenAttempt& open, const UnknownSettings& settings)
{
    const Money& reserved = open.intent.reserved;
    const bool dear = reserved.amount > nanosOf(settings.ceilingPerCall);
    if (settings.policy == UnknownPolicy::RetryOnce && !dear) return std::nullopt;
    const std::string price = reserved.currency.empty() ? std::string("it may have been charged")
                                                        : "up to " + toText(reserved) + " may have been charged";
    return Error{Reason::ProviderTimeout,
                 "a call to " + open.intent.provider + " was open when the last process ended; " + price,
                 settings.policy == UnknownPolicy::Fail ? "on_unknown is fail; to send it again: aiflow-cli retry"
                                                        : "look at the provider's usage page; to send it again: "
                                                          "aiflow-cli retry",
                 {}};
}

} // namespace aiflow
