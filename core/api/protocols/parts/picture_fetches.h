// Pictures that an answer names by address: fetched one after the other, without the key, before anything else.
#pragma once

#include "core/api/protocols/parts/wire_answer.h"
#include "core/api/protocols/parts/wire_request.h"

#include <deque>

namespace aiflow {

// Collects an answer's pictures in their order, whether they are in it or elsewhere.
class PictureFetches {
public:
    explicit PictureFetches(const WirePlan& plan) : m_plan(plan) {}

    // Nothing: taken. A failure: it is no picture that could be taken.
    std::optional<Failure> add(FoundPicture picture);
    std::size_t count() const noexcept { return m_files.size(); }
    // The answer is read but for its pictures: it, or the first fetch.
    NextMove finish(ProtocolAnswer answer);

    bool under() const noexcept { return !m_waiting.empty(); } // a fetch is under way
    NextMove fetched(const ExchangeAnswer& answer);
    // After a fetch that did not end; nothing: it was tried often enough.
    std::optional<Exchange> again();

private:
    struct Waiting {
        std::size_t place;
        std::string url;
    };
    Exchange fetch(std::chrono::milliseconds after) const;
    NextMove goOn();

    const WirePlan& m_plan;
    std::vector<SpooledFile> m_files;
    std::deque<Waiting> m_waiting;
    ProtocolAnswer m_answer;
    int m_tries = 0;
};

} // namespace aiflow
