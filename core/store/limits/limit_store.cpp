#include "core/base/random.h"
#include "core/base/text.h"
#include "core/store/damaged_file.h"
#include "core/store/limits/limit_database.h"
#include "core/store/limits/limit_file.h"
#include "core/store/limits/limit_processes.h"
#include "core/store/limits/limit_reboot.h"
#include "core/store/limits/limit_rows.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <unordered_map>
#include <utility>

namespace aiflow {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr auto kKeptOneByOne = 3min;
constexpr auto kMarkEvery = 5s;
constexpr auto kTidyAgain = 100ms; // while much is left to tidy
constexpr auto kDayOfSlots = 25h;
constexpr auto kMonthOfDays = 24h * 40;
constexpr std::int64_t kLoadedAtOnce = 4096; // so that a newcomer keeps nobody waiting

std::string machineBootId()
{
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

constexpr unsigned kCountingBits = 28;

// 31 bits of the time and 5 of chance: no two processes of a host have the same, whatever becomes of the file.
std::int64_t freshNumber(WallTime now)
{
    SystemRandom random;
    constexpr std::int64_t kYear2020 = 1'577'836'800;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() - kYear2020;
    return ((seconds & 0x7FFF'FFFF) << 5U) | static_cast<std::int64_t>(random.next() & 0x1FU);
}

struct Turn {
    explicit Turn(LimitProcesses& all) : processes(all), taken(all.takeTurn()) {}
    ~Turn()
    {
        if (mine()) processes.endTurn();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool mine() const { return taken.has_value(); }

    LimitProcesses& processes;
    const Result<void> taken;
};

class SqliteLimitStore final : public LimitStore {
public:
    SqliteLimitStore(fs::path folder, const Clock& clock, std::string bootId)
        : m_path(std::move(folder) / "limits.db"), m_clock(clock), m_bootId(std::move(bootId))
    {
    }

    Result<void> open()
    {
        auto processes = LimitProcesses::open(fs::path(m_path).replace_extension(".alive"));
        if (!processes) return pass(processes);
        m_processes = std::move(*processes);
        auto opened = joinAgain();
        if (opened || !isDamage(opened.error())) return named(opened);
        setAsideDamaged(m_path, 0);
        return named(joinAgain());
    }

    std::uint64_t newId() override { return m_prefix.load() | (m_counter.fetch_add(1) + 1); }

    Result<void> exchange(const std::function<LimitChanges(const LimitNews&)>& decide) override
    {
        if (!m_file.isStillThere())
            if (auto again = joinAgain(); !again) return named(again);
        bool decided = false;
        auto done = exchangeOnce(decide, decided);
        if (done || decided || !isDamage(done.error())) return named(done);
        setAsideDamaged(m_path, 0);
        if (auto again = joinAgain(); !again) return named(again);
        return named(exchangeOnce(decide, decided));
    }

    bool hasNews() override
    {
        if (!m_backlog.empty()) return true;
        const auto version = m_file.dataVersion();
        return !version || *version != m_version ||
               !std::ranges::all_of(m_others, [this](std::int64_t other) { return m_processes->lives(other); });
    }

private:
    static Result<void> named(Result<void> done)
    {
        if (!done && done.error().reason == Reason::JobLocked) done.error().reason = Reason::Internal;
        return done;
    }

    // ---- becoming one of those who share the file

    Result<void> join()
    {
        const Turn turn(*m_processes);
        if (!turn.mine()) return turn.taken;
        auto file = LimitFile::open(m_path);
        if (!file) return pass(file);
        m_file = std::move(*file);
        m_own.clear();
        m_others.clear();
        m_demands.clear();
        m_marks.clear();
        m_tidyUpTo = m_tidiedUpTo = 0;
        auto done = m_file.begin();
        if (!done) return done;
        done = enroll();
        if (done) done = m_file.commit();
        if (!done) m_file.rollback();
        return done;
    }

    Result<void> joinAgain()
    {
        auto joined = join();
        return joined ? loadBacklog() : joined;
    }

    Result<void> enroll()
    {
        auto state = m_file.state();
        if (!state) return pass(state);
        if (!state->boot.empty() && state->boot != m_bootId)
            if (auto carried = carryOverReboot(m_file, *state, m_clock.boot(), m_clock.wall()); !carried)
                return carried;
        Result<void> added;
        // Somebody may have begun in the same second and drawn the same.
        for (int tries = 0; tries < 64; ++tries) {
            m_number = freshNumber(m_clock.wall() - std::chrono::seconds(tries / 8));
            added = m_processes->live(m_number);
            if (added) added = m_file.addProcess(m_number);
            if (added) break;
        }
        if (!added) return added;
        m_prefix = static_cast<std::uint64_t>(m_number) << kCountingBits;
        ++state->change;
        return writeState(*state);
    }

    Result<void> writeState(LimitFileState& state)
    {
        state.at = m_clock.boot();
        state.wall = m_clock.wall();
        state.boot = m_bootId;
        return m_file.setState(state);
    }

    Result<void> loadBacklog()
    {
        m_backlog.clear();
        m_seen = 0;
        const BootTime old = m_clock.boot() - kKeptOneByOne;
        for (bool more = true, oldOnes = true; more;) {
            const Turn turn(*m_processes);
            if (!turn.mine()) return turn.taken;
            if (auto begun = m_file.beginToRead(); !begun) return begun;
            auto uses = m_file.uses(m_seen, kLoadedAtOnce);
            more = uses && static_cast<std::int64_t>(uses->size()) == kLoadedAtOnce;
            auto sums = uses && !more ? m_file.sums() : Result<std::vector<LimitUse>>{};
            if (auto ended = m_file.commit(); !ended || !uses || !sums)
                return !uses ? pass(uses) : !sums ? pass(sums) : ended;
            for (StoredUse& stored : *uses) {
                m_seen = stored.change;
                oldOnes = oldOnes && stored.use.at < old;
                if (oldOnes) m_tidyUpTo = stored.change;
                m_backlog.push_back(std::move(stored.use));
            }
            for (LimitUse& sum : *sums) {
                sum.id = newId();
                m_backlog.push_back(std::move(sum));
            }
        }
        return {};
    }

    // ---- one exchange

    Result<void> exchangeOnce(const std::function<LimitChanges(const LimitNews&)>& decide, bool& decided)
    {
        const Turn turn(*m_processes);
        if (!turn.mine()) return turn.taken;
        if (auto begun = m_file.begin(); !begun) return begun;
        m_written.clear();
        auto done = decideAndWrite(decide, decided);
        if (done) done = m_file.commit();
        if (!done) {
            m_file.rollback();
            return done;
        }
        for (const auto& [id, change] : m_written) {
            if (change == 0)
                m_own.erase(id);
            else
                m_own[id] = change;
        }
        m_backlog.clear();
        m_noticesSeen = true;
        return {};
    }

    Result<void> decideAndWrite(const std::function<LimitChanges(const LimitNews&)>& decide, bool& decided)
    {
        const auto version = m_file.dataVersion();
        auto state = version ? m_file.state() : pass(version);
        if (!state) return pass(state);
        const std::int64_t before = state->change;
        LimitNews news;
        news.uses = m_backlog;
        if (auto gathered = gather(*state, news); !gathered) return gathered;
        news.demands = m_demands;
        decided = true;
        const LimitChanges changes = decide(news);
        if (auto written = write(changes, *state); !written) return written;
        const auto tidied = tidy(*state);
        if (!tidied) return pass(tidied);
        m_version = *version;
        m_seen = state->change;
        return state->change == before && !*tidied ? Result<void>{} : writeState(*state);
    }

    Result<void> gather(LimitFileState& state, LimitNews& news)
    {
        if (state.change != m_seen || !m_noticesSeen) {
            auto uses = m_file.uses(m_seen, -1);
            if (!uses) return pass(uses);
            for (StoredUse& stored : *uses)
                if (stored.process != m_number) news.uses.push_back(std::move(stored.use));
            auto notices = m_file.notices(m_noticesSeen ? m_seen : 0, m_number);
            auto demands = notices ? m_file.demands(m_number) : pass(notices);
            auto others = demands ? m_file.processes() : pass(demands);
            if (!others) return pass(others);
            news.notices = std::move(*notices);
            m_demands = std::move(*demands);
            m_others = std::move(*others);
            std::erase(m_others, m_number);
        }
        const auto others = m_others;
        for (const std::int64_t other : others)
            if (!m_processes->lives(other))
                if (auto buried = bury(other, state, news); !buried) return buried;
        return {};
    }

    // It may have sent what it had reserved, at any moment until now.
    Result<void> bury(std::int64_t process, LimitFileState& state, LimitNews& news)
    {
        auto reserved = m_file.reservedBy(process);
        if (!reserved) return pass(reserved);
        for (StoredUse& stored : *reserved) {
            stored.use.state = LimitUse::State::Sent;
            const auto open = stored.use.openUntil - stored.use.at;
            stored.use.at = m_clock.boot();
            stored.use.openUntil = stored.use.at + std::max(open, std::chrono::nanoseconds{0});
            if (auto removed = m_file.removeUse(stored.change); !removed) return removed;
            stored.change = ++state.change;
            if (auto added = m_file.addUse(stored); !added) return added;
            news.uses.push_back(std::move(stored.use));
        }
        ++state.change;
        std::erase(m_others, process);
        std::erase_if(m_demands,
                      [&](const LimitDemand& demand) { return demand.process == static_cast<std::uint64_t>(process); });
        return m_file.removeProcess(process);
    }

    Result<void> write(const LimitChanges& changes, LimitFileState& state)
    {
        for (const LimitUse& use : changes.uses) {
            if (const std::int64_t old = lastChangeOf(use.id); old != 0)
                if (auto removed = m_file.removeUse(old); !removed) return removed;
            if (auto added = m_file.addUse({++state.change, m_number, use}); !added) return added;
            const bool open = use.state == LimitUse::State::Reserved || use.state == LimitUse::State::Sent;
            m_written[use.id] = open ? state.change : 0;
        }
        for (const LimitNotice& notice : changes.notices)
            if (auto set = m_file.setNotice(notice, m_number, ++state.change); !set) return set;
        if (!changes.demands) return {};
        ++state.change;
        return m_file.setDemands(m_number, *changes.demands);
    }

    std::int64_t lastChangeOf(std::uint64_t id) const
    {
        if (const auto written = m_written.find(id); written != m_written.end()) return written->second;
        const auto own = m_own.find(id);
        return own == m_own.end() ? 0 : own->second;
    }

    // True: something was written.
    Result<bool> tidy(const LimitFileState& state)
    {
        const BootTime now = m_clock.boot();
        if (m_marks.empty() || now - m_marks.back().first >= kMarkEvery) m_marks.emplace_back(now, state.change);
        while (!m_marks.empty() && now - m_marks.front().first >= kKeptOneByOne) {
            m_tidyUpTo = std::max(m_tidyUpTo, m_marks.front().second);
            m_marks.pop_front();
        }
        if (m_tidyUpTo <= m_tidiedUpTo || now < m_nextTidy) return false;
        m_nextTidy = now + kTidyAgain;
        const auto finished = m_file.tidy(m_tidyUpTo, now, now - kDayOfSlots, now - kMonthOfDays);
        if (!finished) return pass(finished);
        if (*finished < LimitFile::kTidiedAtOnce) m_tidiedUpTo = m_tidyUpTo;
        return true;
    }

    const fs::path m_path;
    const Clock& m_clock;
    const std::string m_bootId;
    std::optional<LimitProcesses> m_processes;
    LimitFile m_file;
    std::int64_t m_number = 0;
    std::atomic<std::uint64_t> m_prefix{0};
    std::atomic<std::uint64_t> m_counter{0};

    std::int64_t m_seen = 0;    // changes up to here are known
    std::int64_t m_version = 0; // SQLite's, when they were
    bool m_noticesSeen = false;
    std::vector<LimitUse> m_backlog; // told with the first exchange
    std::vector<std::int64_t> m_others;
    std::vector<LimitDemand> m_demands;
    std::unordered_map<std::uint64_t, std::int64_t> m_own;     // our open uses and their last changes
    std::unordered_map<std::uint64_t, std::int64_t> m_written; // within the exchange; 0: not open any more
    std::deque<std::pair<BootTime, std::int64_t>> m_marks;     // which changes there were when
    std::int64_t m_tidyUpTo = 0, m_tidiedUpTo = 0;
    BootTime m_nextTidy{};
};

} // namespace

Result<std::unique_ptr<LimitStore>> openLimitStore(const fs::path& folder, const Clock& clock,
                                                   const LimitDatabaseSettings& settings)
{
    auto store =
        std::make_unique<SqliteLimitStore>(folder, clock, settings.bootId.empty() ? machineBootId() : settings.bootId);
    if (auto opened = store->open(); !opened) return pass(opened);
    return store;
}

} // namespace aiflow
