#include "core/store/limits/limit_file.h"
#include "core/store/limits/limit_rows.h"

#include <utility>

namespace aiflow {

namespace {

constexpr std::int64_t kSlot = 5'000'000'000;           // ns
constexpr std::int64_t kDay = 24LL * 3'600'000'000'000; // ns

} // namespace

Result<StoredUse> LimitFile::useFrom(const SqliteStatement& row)
{
    StoredUse stored;
    stored.change = row.integer(0);
    stored.process = row.integer(2);
    LimitUse& use = stored.use;
    use.id = static_cast<std::uint64_t>(row.integer(1));
    use.state = static_cast<LimitUse::State>(row.integer(3));
    use.at = timeOf(row.integer(5));
    use.openUntil = timeOf(row.integer(6));
    use.requests = row.integer(7);
    use.inputTokens = row.integer(8);
    use.outputTokens = row.integer(9);
    use.images = row.integer(10);
    use.nanos = row.integer(11);
    const auto names = namesOf(row.integer(4));
    if (!names) return pass(names);
    std::tie(use.scope, use.organisation, use.provider, use.model, use.currency) = **names;
    return stored;
}

Result<std::vector<StoredUse>> LimitFile::uses(std::int64_t after, std::int64_t limit)
{
    std::vector<StoredUse> found;
    auto read = eachRow(m_uses.bind(1, after).bind(2, limit), [&](const SqliteStatement& row) -> Result<void> {
        auto stored = useFrom(row);
        if (!stored) return pass(stored);
        found.push_back(std::move(*stored));
        return {};
    });
    if (!read) return pass(read);
    return found;
}

Result<std::vector<StoredUse>> LimitFile::reservedBy(std::int64_t process)
{
    std::vector<StoredUse> found;
    auto read = eachRow(m_reserved.bind(1, process), [&](const SqliteStatement& row) -> Result<void> {
        auto stored = useFrom(row);
        if (!stored) return pass(stored);
        found.push_back(std::move(*stored));
        return {};
    });
    if (!read) return pass(read);
    return found;
}

Result<void> LimitFile::addUse(const StoredUse& stored)
{
    const LimitUse& use = stored.use;
    const auto names = numberOf(use);
    if (!names) return pass(names);
    return m_addUse.bind(1, stored.change)
        .bind(2, static_cast<std::int64_t>(use.id))
        .bind(3, stored.process)
        .bind(4, static_cast<std::int64_t>(use.state))
        .bind(5, *names)
        .bind(6, nanosecondsOf(use.at))
        .bind(7, nanosecondsOf(use.openUntil))
        .bind(8, use.requests)
        .bind(9, use.inputTokens)
        .bind(10, use.outputTokens)
        .bind(11, use.images)
        .bind(12, use.nanos)
        .run();
}

Result<void> LimitFile::removeUse(std::int64_t change) { return m_removeUse.bind(1, change).run(); }

Result<std::vector<LimitUse>> LimitFile::sums()
{
    std::vector<LimitUse> found;
    auto read = eachRow(m_sums, [&](const SqliteStatement& row) -> Result<void> {
        LimitUse& use = found.emplace_back();
        use.state = LimitUse::State::Done;
        use.at = use.openUntil = timeOf(row.integer(1));
        use.requests = row.integer(2);
        use.inputTokens = row.integer(3);
        use.outputTokens = row.integer(4);
        use.images = row.integer(5);
        use.nanos = row.integer(6);
        const auto names = namesOf(row.integer(0));
        if (!names) return pass(names);
        std::tie(use.scope, use.organisation, use.provider, use.model, use.currency) = **names;
        return {};
    });
    if (!read) return pass(read);
    return found;
}

Result<void> LimitFile::addSum(const LimitUse& use, bool ofDay)
{
    const auto names = numberOf(use);
    if (!names) return pass(names);
    const std::int64_t at = nanosecondsOf(use.at);
    return m_addSum.bind(1, std::int64_t{ofDay})
        .bind(2, at / (ofDay ? kDay : kSlot))
        .bind(3, *names)
        .bind(4, at)
        .bind(5, ofDay ? 0 : use.requests)
        .bind(6, ofDay ? 0 : use.inputTokens)
        .bind(7, ofDay ? 0 : use.outputTokens)
        .bind(8, ofDay ? 0 : use.images)
        .bind(9, use.nanos)
        .run();
}

Result<std::int64_t> LimitFile::tidy(std::int64_t upTo, BootTime now, BootTime day, BootTime month)
{
    std::vector<StoredUse> finished;
    auto read =
        eachRow(m_finished.bind(1, upTo).bind(2, nanosecondsOf(now)), [&](const SqliteStatement& row) -> Result<void> {
            auto stored = useFrom(row);
            if (!stored) return pass(stored);
            finished.push_back(std::move(*stored));
            return {};
        });
    for (const StoredUse& stored : finished) {
        if (read && stored.use.state != LimitUse::State::Released) read = addSum(stored.use, false);
        if (read) read = removeUse(stored.change);
    }
    if (!read) return pass(read);
    const std::string slot = std::to_string(nanosecondsOf(day) / kSlot);
    auto folded = m_database.execute(
        "INSERT INTO sum SELECT 1, at / " + std::to_string(kDay) +
        ", names, max(at), 0, 0, 0, 0, sum(nanos) FROM sum WHERE of_day = 0 AND slot < " + slot +
        " AND nanos <> 0 GROUP BY 2, 3 ON CONFLICT DO UPDATE SET at = max(at, excluded.at), "
        "nanos = nanos + excluded.nanos;"
        "DELETE FROM sum WHERE of_day = 0 AND slot < " +
        slot + ";DELETE FROM sum WHERE of_day = 1 AND slot < " + std::to_string(nanosecondsOf(month) / kDay));
    if (!folded) return pass(folded);
    return static_cast<std::int64_t>(finished.size());
}

Result<std::int64_t> LimitFile::numberOf(const LimitUse& use)
{
    if (m_lastNames.first != nullptr &&
        *m_lastNames.first == std::tie(use.scope, use.organisation, use.provider, use.model, use.currency))
        return m_lastNames.second;
    Names names{use.scope, use.organisation, use.provider, use.model, use.currency};
    if (const auto known = m_numbers.find(names); known != m_numbers.end()) {
        m_lastNames = {&known->first, known->second};
        return known->second;
    }
    std::int64_t number = 0;
    auto added = eachRow(m_addNames.bind(1, std::string_view(use.scope))
                             .bind(2, std::string_view(use.organisation))
                             .bind(3, std::string_view(use.provider))
                             .bind(4, std::string_view(use.model))
                             .bind(5, std::string_view(use.currency)),
                         [&](const SqliteStatement& row) -> Result<void> {
                             number = row.integer(0);
                             return {};
                         });
    if (!added) return pass(added);
    const auto place = m_numbers.insert_or_assign(std::move(names), number).first;
    m_byNumber[number] = &place->first;
    return number;
}

// The same names may stand under several numbers, one of each process that met them first.
Result<const LimitFile::Names*> LimitFile::namesOf(std::int64_t number)
{
    if (const auto known = m_byNumber.find(number); known != m_byNumber.end()) return known->second;
    Names names;
    auto read = eachRow(m_names.bind(1, number), [&](const SqliteStatement& row) -> Result<void> {
        names = {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4)};
        return {};
    });
    if (!read) return pass(read);
    const auto place = m_numbers.try_emplace(std::move(names), number).first;
    m_byNumber[number] = &place->first;
    return &place->first;
}

} // namespace aiflow
