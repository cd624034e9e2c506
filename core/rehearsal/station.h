// One simulated service at work, and its remote jobs: the desk's own.
#pragma once

#include "core/rehearsal/service_desk.h"

namespace aiflow {

struct Station {
    Station(const SimulatedService& given, double speed, std::uint64_t seed);

    SimulatedService service;
    const Wire& wire;
    LimitJudge judge;
    FaultBook faults;
    std::unordered_map<std::string, std::size_t> accountOfKey;
    std::unordered_map<std::string, std::size_t> modelOfName;

    struct Answered { // by idempotency key, class A
        std::string bodyHash;
        std::int64_t endNs = 0;
        bool refused = false;
    };
    std::unordered_map<std::string, Answered> answered;
    struct Told { // that an account's model is to wait
        std::int64_t fromNs = 0, untilNs = 0;
    };
    std::map<std::pair<std::size_t, std::size_t>, Told> told;
    std::unordered_map<std::string, std::string> jobOfReference; // class B
};

struct SimulatedJob {
    ServedCall call; // of the submit; its entry goes to the ledger when the job is done and the submit answered
    std::int64_t submittedNs = 0, readyNs = 0;
    bool endless = false;
    bool done = false, answered = false;
};

std::string hexOf(std::uint64_t value);
// What a call will use, known when it arrives.
Usage usageOf(const Ask& ask, const SimulatedModel& model);
// Each kind of usage at its price, rounded up to a whole nano.
Nanos billOf(const Price& price, const Usage& usage);
// The text that a model gives to this question.
std::string textFor(const Ask& ask);
// As the fault wants it: fenced, cut, unfitting.
std::string spoiltText(const Ask& ask, std::string text, FaultKind kind);

} // namespace aiflow
