#include "core/store/limits/limit_database.h"
#include "core/store/limits/limit_reboot.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace aiflow;
using namespace std::chrono_literals;

using State = LimitUse::State;

class LimitStoreTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    int m_states = 0;
    ManualClock m_clock;

    std::filesystem::path newState()
    {
        const auto state = std::filesystem::path(m_folder.path().toStdString()) / std::to_string(m_states++);
        std::filesystem::create_directories(state);
        return state;
    }

    static std::unique_ptr<LimitStore> open(const std::filesystem::path& state, const Clock& clock,
                                            const std::string& boot = "boot-1")
    {
        auto store = openLimitStore(state, clock, {boot});
        if (!store) qFatal("%s", store.error().text().c_str());
        return std::move(*store);
    }

    static LimitUse use(LimitStore& store, const Clock& clock, State state = State::Reserved)
    {
        LimitUse made;
        made.id = store.newId();
        made.state = state;
        made.scope = "api.example#1";
        made.provider = "example";
        made.model = "small";
        made.currency = "USD";
        made.at = clock.boot();
        made.openUntil = made.at + 60s;
        made.inputTokens = 100;
        made.nanos = 7;
        return made;
    }

    static LimitNews tell(LimitStore& store, LimitChanges changes = {})
    {
        LimitNews heard;
        const auto done = store.exchange([&](const LimitNews& news) {
            heard = news;
            return std::move(changes);
        });
        if (!done) qFatal("%s", done.error().text().c_str());
        return heard;
    }

    static LimitChanges uses(std::vector<LimitUse> list) { return {std::move(list), {}, {}}; }

    // Runs `act` in a process of its own; waits until it has begun to sleep, or has ended.
    template <typename Act> static pid_t inAnotherProcess(Act act)
    {
        int ready[2] = {};
        if (::pipe(ready) != 0) qFatal("no pipe");
        const pid_t child = ::fork();
        if (child == 0) {
            act();
            std::ignore = ::write(ready[1], "x", 1);
            ::pause();
            ::_exit(0);
        }
        char byte = 0;
        std::ignore = ::read(ready[0], &byte, 1);
        ::close(ready[0]);
        ::close(ready[1]);
        return child;
    }

    static void killHard(pid_t child)
    {
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
    }

private Q_SLOTS:
    void oneHearsWhatAnotherChangedAndNotItsOwn()
    {
        const auto state = newState();
        auto a = open(state, m_clock), b = open(state, m_clock);
        QVERIFY(tell(*a).uses.empty());
        QVERIFY(tell(*b).uses.empty());
        LimitUse call = use(*a, m_clock);
        QVERIFY(tell(*a, uses({call})).uses.empty());
        QVERIFY(b->hasNews());
        auto heard = tell(*b).uses;
        QCOMPARE(heard.size(), std::size_t{1});
        QCOMPARE(heard[0].id, call.id);
        QCOMPARE(heard[0].scope, call.scope);
        QCOMPARE(heard[0].openUntil, call.openUntil);
        QCOMPARE(heard[0].inputTokens, 100);
        QVERIFY(!b->hasNews());
        QVERIFY(tell(*a).uses.empty());
        call.state = State::Sent;
        tell(*a, uses({call}));
        call.state = State::Done;
        call.inputTokens = 80;
        tell(*a, uses({call}));
        heard = tell(*b).uses;
        QCOMPARE(heard.size(), std::size_t{1}); // the last state alone
        QCOMPARE(heard[0].state, State::Done);
        QCOMPARE(heard[0].inputTokens, 80);
    }

    void newcomerHearsOfEveryoneAndOfItsEarlierSelf()
    {
        const auto state = newState();
        {
            auto gone = open(state, m_clock);
            LimitUse sent = use(*gone, m_clock);
            tell(*gone, uses({sent, use(*gone, m_clock)}));
            sent.state = State::Sent;
            tell(*gone, uses({sent}));
        }
        auto heard = tell(*open(state, m_clock)).uses;
        std::map<State, int> states;
        std::map<std::uint64_t, State> last;
        for (const LimitUse& known : heard) last[known.id] = known.state;
        for (const auto& [id, known] : last) ++states[known];
        QCOMPARE(states[State::Sent], 2); // what the dead had reserved may have been sent
        QCOMPARE(states[State::Reserved], 0);
    }

    void demandsAndNoticesReachTheOthers()
    {
        const auto state = newState();
        auto a = open(state, m_clock), b = open(state, m_clock);
        LimitChanges changes;
        changes.demands = {{"api.example#1", 1, 40, m_clock.boot(), 0}};
        changes.notices = {{"api.example#1", "small", "pause", 5, m_clock.boot() + 9s}};
        tell(*a, changes);
        auto heard = tell(*b);
        QCOMPARE(heard.demands.size(), std::size_t{1});
        QCOMPARE(heard.demands[0].waiting, 40);
        QVERIFY(heard.demands[0].process != 0);
        QCOMPARE(heard.notices.size(), std::size_t{1});
        QCOMPARE(heard.notices[0].until, m_clock.boot() + 9s);
        heard = tell(*b);
        QCOMPARE(heard.demands.size(), std::size_t{1}); // as they stand
        QVERIFY(heard.notices.empty());
        changes = {};
        changes.demands.emplace();
        tell(*a, changes);
        QVERIFY(tell(*b).demands.empty());
    }

    void placesAndDemandsOfAKilledProcessAreRecognisedAtOnce()
    {
        const auto state = newState();
        auto mine = open(state, m_clock);
        tell(*mine);
        const pid_t other = inAnotherProcess([&] {
            auto theirs = open(state, m_clock);
            LimitChanges changes = uses({use(*theirs, m_clock), use(*theirs, m_clock, State::Sent)});
            changes.demands = {{"api.example#1", 1, 40, m_clock.boot(), 0}};
            tell(*theirs, changes);
            theirs.release(); // it lives until it is killed
        });
        QCOMPARE(tell(*mine).demands.size(), std::size_t{1});
        QVERIFY(!mine->hasNews());
        m_clock.advance(10s);
        killHard(other);
        QVERIFY(mine->hasNews());
        const auto heard = tell(*mine);
        QVERIFY(heard.demands.empty());
        QCOMPARE(heard.uses.size(), std::size_t{1});
        QCOMPARE(heard.uses[0].state, State::Sent);
        QCOMPARE(heard.uses[0].at, m_clock.boot());
        QCOMPARE(heard.uses[0].openUntil, m_clock.boot() + 60s); // it may still run at the provider
        QVERIFY(tell(*mine).uses.empty());
    }

    void idsAreUniqueOverProcessesAndFiles()
    {
        const auto state = newState();
        std::set<std::uint64_t> ids;
        for (int round = 0; round < 20; ++round) {
            auto store = open(state, m_clock);
            for (int i = 0; i < 100; ++i) QVERIFY(ids.insert(store->newId()).second);
            store.reset();
            m_clock.advance(1s);
            if (round % 5 == 4) std::filesystem::remove(state / "limits.db");
        }
    }

    // Each may reserve while fewer than 200 are known: with all of them hammering, and some killed, 200 it stays.
    void togetherTheyNeverReserveMoreThanTheLimit()
    {
        constexpr int kLimit = 200;
        const auto state = newState();
        SystemClock clock;
        std::vector<pid_t> children;
        for (int child = 0; child < 4; ++child) {
            const pid_t pid = ::fork();
            if (pid == 0) {
                auto store = open(state, clock);
                std::set<std::uint64_t> known;
                for (int round = 0; static_cast<int>(known.size()) < kLimit; ++round) {
                    std::ignore = store->exchange([&](const LimitNews& news) {
                        for (const LimitUse& other : news.uses) known.insert(other.id);
                        LimitChanges changes;
                        while (static_cast<int>(known.size()) < kLimit && changes.uses.size() < 2) {
                            changes.uses.push_back(use(*store, clock));
                            known.insert(changes.uses.back().id);
                        }
                        return changes;
                    });
                    if (child == 3 && round == 9) ::kill(::getpid(), SIGKILL);
                }
                ::_exit(0);
            }
            children.push_back(pid);
        }
        for (const pid_t child : children) ::waitpid(child, nullptr, 0);
        std::map<std::uint64_t, State> last;
        for (const LimitUse& known : tell(*open(state, clock)).uses) last[known.id] = known.state;
        QCOMPARE(last.size(), std::size_t{kLimit});
        QVERIFY(std::ranges::all_of(last, [](const auto& entry) { return entry.second == State::Sent; }));
    }

    void killedWithinAnExchangeTheFileStaysWhole()
    {
        const auto state = newState();
        SystemClock clock;
        for (int round = 0; round < 40; ++round) {
            const pid_t child = ::fork();
            if (child == 0) {
                auto store = open(state, clock);
                for (int i = 0;; ++i) {
                    tell(*store, uses({use(*store, clock, State::Sent), use(*store, clock)}));
                    if (i == round) ::alarm(1); // should the kill below be lost
                }
            }
            // Hears of its first uses, then kills it at whatever moment this is.
            auto store = open(state, clock);
            while (tell(*store).uses.empty() && ::waitpid(child, nullptr, WNOHANG) == 0) {
            }
            killHard(child);
            tell(*store, uses({use(*store, clock)}));
        }
        QVERIFY(!std::filesystem::exists(state / "limits.db.damaged-1"));
    }

    void oldUsesBecomeSumsAndKeepTheirWeight()
    {
        const auto state = newState();
        auto writer = open(state, m_clock);
        for (int i = 0; i < 1500; ++i) {
            tell(*writer, uses({use(*writer, m_clock, State::Done)}));
            if (i % 100 == 0) m_clock.advance(1s);
        }
        for (int i = 0; i < 20; ++i) {
            m_clock.advance(20s);
            tell(*writer);
        }
        const auto heard = tell(*open(state, m_clock)).uses;
        QVERIFY2(heard.size() < 10, std::to_string(heard.size()).c_str());
        std::int64_t requests = 0, nanos = 0;
        for (const LimitUse& sum : heard) {
            requests += sum.requests;
            nanos += sum.nanos;
            QCOMPARE(sum.scope, std::string("api.example#1"));
        }
        QCOMPARE(requests, 1500);
        QCOMPARE(nanos, 1500 * 7);
        // After a day only the money is left, for the month.
        m_clock.advance(26h);
        for (int i = 0; i < 3; ++i) {
            m_clock.advance(200s);
            tell(*writer, uses({use(*writer, m_clock, State::Done)}));
            tell(*writer);
        }
        requests = nanos = 0;
        for (const LimitUse& sum : tell(*open(state, m_clock)).uses) {
            requests += sum.requests;
            nanos += sum.nanos;
        }
        QCOMPARE(requests, 3);
        QCOMPARE(nanos, 1503 * 7);
    }

    void openUsesAreNeverSummedAway()
    {
        const auto state = newState();
        auto writer = open(state, m_clock);
        LimitUse long_ = use(*writer, m_clock, State::Sent);
        long_.openUntil = m_clock.boot() + 1h;
        tell(*writer, uses({long_}));
        for (int i = 0; i < 100; ++i) {
            m_clock.advance(10s);
            tell(*writer, uses({use(*writer, m_clock, State::Done)}));
        }
        const auto heard = tell(*open(state, m_clock)).uses;
        QCOMPARE(std::ranges::count(heard, long_.id, &LimitUse::id), 1);
    }

    void afterARebootWhatMayLieWithinAWindowCountsAsNow()
    {
        QCOMPARE(agoAfterReboot(500ms), 0ns);
        QCOMPARE(agoAfterReboot(30s), std::chrono::nanoseconds(3s));
        QCOMPARE(agoAfterReboot(10min), std::chrono::nanoseconds(65s));
        QCOMPARE(agoAfterReboot(5h), std::chrono::nanoseconds(1h + 2min));
        QCOMPARE(agoAfterReboot(48h), std::chrono::nanoseconds(48h));
        const auto state = newState();
        ManualClock before;
        before.advance(100h);
        {
            auto store = open(state, before, "boot-1");
            tell(*store, uses({use(*store, before, State::Done)}));
            before.advance(10min);
            LimitUse sent = use(*store, before, State::Sent);
            sent.openUntil = sent.at + 10min;
            LimitChanges changes = uses({sent});
            changes.notices = {{"api.example#1", "", "pause", 0, before.boot() + 3min}};
            tell(*store, changes);
        }
        // A minute later by the wall clock; boot time begins anew.
        ManualClock after(before.wall() + 60s);
        after.advance(20s);
        const auto heard = tell(*open(state, after, "boot-2"));
        QCOMPARE(heard.uses.size(), std::size_t{2});
        for (const LimitUse& known : heard.uses) {
            const auto ago = after.boot() - known.at;
            if (known.state == State::Sent) {
                QCOMPARE(ago, std::chrono::nanoseconds(65s)); // 80 s ago: out of a minute's window, in an hour's
                QCOMPARE(known.openUntil - known.at, std::chrono::nanoseconds(10min));
            } else {
                QCOMPARE(known.state, State::Done);
                QCOMPARE(ago, std::chrono::nanoseconds(65s));
            }
        }
        QCOMPARE(heard.notices.size(), std::size_t{1});
        QCOMPARE(heard.notices[0].until, after.boot() + 100s);
    }

    void afterARebootWithAClockThatWentBackEverythingCountsAsNow()
    {
        const auto state = newState();
        ManualClock before;
        {
            auto store = open(state, before, "boot-1");
            tell(*store, uses({use(*store, before, State::Done)}));
            before.advance(10h);
            tell(*store, uses({use(*store, before, State::Done)}));
        }
        ManualClock after(before.wall() - 1h);
        const auto heard = tell(*open(state, after, "boot-2"));
        std::int64_t requests = 0;
        for (const LimitUse& known : heard.uses) {
            QCOMPARE(known.at, after.boot());
            requests += known.requests;
        }
        QCOMPARE(requests, 2);
    }

    void wallClockThatIsSetChangesNothingWithinABoot()
    {
        const auto state = newState();
        ManualClock clock;
        auto a = open(state, clock), b = open(state, clock);
        tell(*a, uses({use(*a, clock, State::Sent)}));
        clock.setWall(clock.wall() - 24h);
        tell(*a, uses({use(*a, clock, State::Sent)}));
        for (const LimitUse& known : tell(*b).uses) QCOMPARE(known.at, clock.boot());
        clock.setWall(clock.wall() + 240h);
        QCOMPARE(tell(*open(state, clock)).uses.size(), std::size_t{2});
    }

    void damagedFileIsSetAsideAndAFreshOneBegins()
    {
        const auto state = newState();
        FILE* file = std::fopen((state / "limits.db").c_str(), "w");
        std::fputs("this is no database, however long one looks at it, and it never was one", file);
        std::fclose(file);
        auto store = open(state, m_clock);
        tell(*store, uses({use(*store, m_clock)}));
        QVERIFY(std::filesystem::exists(state / "limits.db.damaged-1"));
    }

    void fileThatWasSetAsideByAnotherIsLeftByEverybody()
    {
        const auto state = newState();
        auto a = open(state, m_clock);
        tell(*a);
        std::filesystem::rename(state / "limits.db", state / "limits.db.damaged-1");
        auto b = open(state, m_clock);
        tell(*b, uses({use(*b, m_clock)}));
        QCOMPARE(tell(*a).uses.size(), std::size_t{1});
    }
};

QTEST_GUILESS_MAIN(LimitStoreTest)
#include "limit_store_test.moc"
