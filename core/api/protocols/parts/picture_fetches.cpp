#include "core/api/protocols/parts/picture_fetches.h"

#include "core/base/json.h"

#include <algorithm>

namespace aiflow {

namespace {

constexpr int kTries = 4; // the picture is paid: a moment's trouble must not lose it
constexpr std::chrono::milliseconds kPause{1000};
constexpr std::chrono::milliseconds kLongestFetch{120'000};

bool mayBeTriedAgain(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

} // namespace

std::optional<Failure> PictureFetches::add(FoundPicture picture)
{
    if (auto* failure = std::get_if<Failure>(&picture)) return std::move(*failure);
    if (auto* url = std::get_if<PictureUrl>(&picture)) {
        m_waiting.push_back({m_files.size(), std::move(url->url)});
        m_files.emplace_back();
    } else {
        m_files.push_back(std::move(std::get<SpooledFile>(picture)));
    }
    return std::nullopt;
}

NextMove PictureFetches::finish(ProtocolAnswer answer)
{
    m_answer = std::move(answer);
    return goOn();
}

NextMove PictureFetches::goOn()
{
    m_tries = 0;
    if (!m_waiting.empty()) return fetch(std::chrono::milliseconds{0});
    m_answer.files = std::move(m_files);
    return std::move(m_answer);
}

Exchange PictureFetches::fetch(std::chrono::milliseconds after) const
{
    Exchange made;
    made.after = after;
    made.picture = true;
    made.http.method = "GET";
    made.http.url = m_waiting.front().url;
    made.http.untrusted = true;
    made.http.plainAllowed = true; // no key goes with it
    made.http.trustedHosts = m_plan.provider().fetchHosts;
    made.http.caFile = m_plan.provider().caFile;
    made.http.answerCap = mebibytes(64);
    made.http.totalTimeout = std::min(m_plan.timeout(), kLongestFetch);
    return made;
}

NextMove PictureFetches::fetched(const ExchangeAnswer& answer)
{
    const int status = answer.end.status;
    if (mayBeTriedAgain(status))
        if (auto next = again()) return std::move(*next);
    if (status != 200)
        return lie("the picture's address does not answer with it any more: HTTP " + std::to_string(status));
    auto file = takeBody(answer.spooled, headerOf(answer.end, "content-type"));
    if (!file || file->size == 0) return lie("the picture's address answers with something that is no picture");
    m_files[m_waiting.front().place] = std::move(*file);
    m_waiting.pop_front();
    return goOn();
}

std::optional<Exchange> PictureFetches::again()
{
    if (m_waiting.empty() || ++m_tries >= kTries) return std::nullopt;
    return fetch(std::min(kPause, m_plan.timeout()) * (1 << (m_tries - 1)));
}

} // namespace aiflow
