#include "cli/terminal/services.h"

#include "cli/terminal/cells.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

namespace aiflow::terminal {

namespace {

// All accounts of one service together.
struct Use {
    std::int64_t open = 0, sent = 0, limit = 0;
};

std::map<std::string, Use> usesOf(const JobSnapshot& job)
{
    std::map<std::string, Use> uses;
    for (const AccountSnapshot& account : job.accounts) {
        Use& use = uses[account.provider];
        use.open += account.open;
        use.sent += account.sentInMinute;
        use.limit += account.perMinute;
    }
    return uses;
}

// Its own pause, or that of its account which is asked again first when all of them are away.
std::optional<PauseSnapshot> pauseOf(const JobSnapshot& job, const std::string& provider)
{
    const auto named = [&job](const std::string& who) {
        const auto found = std::ranges::find(job.pauses, who, &PauseSnapshot::provider);
        return found != job.pauses.end() && isOutage(*found) ? std::optional(*found) : std::nullopt;
    };
    if (const auto own = named(provider)) return own;
    std::optional<PauseSnapshot> first;
    for (const AccountSnapshot& account : job.accounts) {
        if (account.provider != provider) continue;
        auto pause = named(account.account);
        if (!pause) return std::nullopt;
        if (!first || (pause->probe && (!first->probe || *pause->probe < *first->probe))) first = std::move(pause);
    }
    if (first) first->provider = provider;
    return first;
}

bool isFullForAMoment(const JobSnapshot& job, const AccountSnapshot& account)
{
    const auto pause = std::ranges::find(job.pauses, account.account, &PauseSnapshot::provider);
    return pause == job.pauses.end() ? account.state == "paused" : !isOutage(*pause);
}

// "0:06", "12:41".
std::string countdown(std::chrono::seconds left)
{
    char text[32];
    std::snprintf(text, sizeof text, "%lld:%02lld", static_cast<long long>(left.count() / 60),
                  static_cast<long long>(left.count() % 60));
    return text;
}

std::string pausedText(const PauseSnapshot& pause, const Look& look)
{
    std::string text = harmless(pause.provider);
    text.append(look.pick(" paused", " 已暂停"));
    if (!pause.probe) return text;
    const std::string when = countdown(*pause.probe);
    return text.append(look.pick(", probe in " + when, "，" + when + " 后探测"));
}

std::string useText(const std::string& provider, const Use& use, const Look& look)
{
    std::string text = harmless(provider) + ' ';
    if (use.limit > 0)
        return text.append(std::to_string(use.sent) + '/' + std::to_string(use.limit))
            .append(look.pick(" rpm", " 次/分"));
    if (use.open == 0) return {};
    return text.append(std::to_string(use.open)).append(look.pick(" open", " 个进行中"));
}

} // namespace

std::string noteOf(const JobSnapshot& job, const StepSnapshot& step, const Look& look)
{
    const auto uses = usesOf(job);
    std::string busiest;
    std::int64_t most = -1;
    for (const std::string& provider : step.providers) {
        const auto pause = pauseOf(job, provider);
        // The first choice is away: whoever stands in for it is second news.
        if (pause && provider == step.providers.front()) return pausedText(*pause, look);
        const auto use = uses.find(provider);
        if (pause || use == uses.end() || use->second.sent + use->second.open <= most) continue;
        most = use->second.sent + use->second.open;
        busiest = useText(provider, use->second, look);
    }
    return busiest.empty() ? harmless(step.note) : busiest;
}

std::string benchedText(const JobSnapshot& job, const Look& look)
{
    std::string text;
    for (const AccountSnapshot& account : job.accounts) {
        if (account.state.empty() || account.state == "ok" || isFullForAMoment(job, account)) continue;
        if (pauseOf(job, account.provider)) continue; // said beside the step
        text.append(text.empty() ? "" : look.pick(", ", "，")).append(harmless(account.account));
        text.append(account.state == "probing"  ? look.pick(" is tried again", " 正在重新尝试")
                    : account.state == "paused" ? look.pick(" pauses", " 暂停中")
                                                : look.pick(" benched", " 已停用"));
    }
    return text;
}

std::string spentText(const JobSnapshot& job, const Look& look)
{
    if (job.budget.currency.empty()) return moneyText(look, job.cost);
    if (!job.cost.currency.empty() && job.cost.currency != job.budget.currency) return moneyText(look, job.cost);
    char spent[32];
    std::snprintf(spent, sizeof spent, "%.2f/", job.cost.amount);
    return spent + moneyText(look, job.budget);
}

bool isOutage(const PauseSnapshot& pause) { return pause.reason != Reason::ProviderRateLimited; }

std::string ratesText(const JobSnapshot& job)
{
    std::string text;
    for (const auto& [provider, use] : usesOf(job))
        if (use.limit > 0)
            text += (text.empty() ? "" : ",") + harmless(provider) + ':' + std::to_string(use.sent) + '/' +
                    std::to_string(use.limit);
    return text;
}

} // namespace aiflow::terminal
