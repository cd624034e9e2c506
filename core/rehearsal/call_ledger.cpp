#include "core/rehearsal/call_ledger.h"

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/rehearsal/world/world_file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace aiflow {

Result<std::unique_ptr<CallLedger>> CallLedger::open(const std::filesystem::path& file, bool keepEntries)
{
    std::unique_ptr<CallLedger> ledger(new CallLedger);
    ledger->m_keep = keepEntries;
    if (file.empty()) return ledger;
    ledger->m_file.reset(std::fopen(file.c_str(), "ae"));
    if (!ledger->m_file)
        return fail(Reason::OutputDenied,
                    "cannot write the ledger " + file.string() + ": " + std::generic_category().message(errno));
    return ledger;
}

void CallLedger::called(bool violates, bool refused, bool early)
{
    ++m_verdict.calls;
    if (violates) ++m_verdict.violations;
    if (refused) ++m_verdict.refusals;
    if (early) ++m_verdict.early;
}

void CallLedger::executed(const LedgerEntry& entry, const std::string& currency)
{
    ++m_verdict.executed;
    if (!currency.empty()) m_verdict.cost[currency] += entry.cost;
    const std::string body = entry.service + "\nbody\n" + entry.bodyHash;
    const std::string once = !entry.idempotencyKey.empty()  ? entry.service + "\nkey\n" + entry.idempotencyKey
                             : !entry.itemReference.empty() ? entry.service + "\nreference\n" + entry.itemReference
                                                            : body;
    if (!m_once.insert(xxh3(once)).second) ++m_verdict.paidTwice;
    if (!m_bodies.insert(xxh3(body)).second) ++m_verdict.sameBody;
}

void CallLedger::opened(const std::string& account, std::int64_t openOfAccount)
{
    m_verdict.highestConcurrency = std::max(m_verdict.highestConcurrency, ++m_open);
    std::int64_t& highest = m_verdict.concurrencyOf[account];
    highest = std::max(highest, openOfAccount);
}

void CallLedger::add(LedgerEntry entry)
{
    if (m_file) {
        const std::string line = dumpJson(ledgerLine(entry)) + '\n';
        std::fwrite(line.data(), 1, line.size(), m_file.get());
        std::fflush(m_file.get());
    }
    if (m_keep) m_entries.push_back(std::move(entry));
}

} // namespace aiflow
