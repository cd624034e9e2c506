#include "greedy_pool.h"

#include "tests/support/modelled_flows/modelled_flows.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::test;

namespace {

FlowEnd runGreedily(const NamedFlow& named, OrderPolicy policy, FlowWindow window = {})
{
    const auto shape = FlowShape::of(named.flow, named.settings);
    GreedyPool pool(10, 4, 60'000'000'000);
    return FlowRun(*shape, window, policy, 1, pool).run().value();
}

double seconds(Nanoseconds time) { return static_cast<double>(time) * 1e-9; }

} // namespace

class FlowRunTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theOldestItemFirstEndsTheHeroFlowWhenItMust()
    {
        // 40 prompts at 0, their pictures at 60, again at 120 and 180; the last 20 at 240 and 255; the device is idle
        // until 100 and between 200 and 220.
        const FlowEnd end = runGreedily(heroFlow(), OrderPolicy::ByItem);
        QCOMPARE(seconds(end.makespan), 385.0);
        QCOMPARE(end.calls, 200);
        QCOMPARE(seconds(end.busy[static_cast<std::size_t>(ModelledStep::Lane::Device)]), 250.0);
        QVERIFY(runGreedily(heroFlow(), OrderPolicy::BreadthFirst).makespan > end.makespan);
    }

    void aNarrowWayIntoTheCallsStartsTheDeviceEarlier()
    {
        QCOMPARE(seconds(runGreedily(heroFlow(), OrderPolicy::ByItem, {0, 24, 6, 0}).makespan), 352.5);
        QCOMPARE(seconds(runGreedily(heroFlow(), OrderPolicy::ByItem, {20, 0, 0, 0}).makespan), 410.0);
    }

    void everyCallOfAFanOutIsMadeBeforeTheNextStep()
    {
        const FlowEnd end = runGreedily(fanOutFlow(1), OrderPolicy::ByItem);
        QCOMPARE(end.calls, 6);
        QCOMPARE(seconds(end.makespan), 15.0 + 40 + 2 + 30 + 15);
    }

    void whatFollowsARefusedCallNeverRuns()
    {
        class Refusing final : public CallPool {
        public:
            void submit(const FlowTask& task, const TaskRank&, Nanoseconds) override { m_tasks.push_back(task); }
            void decide(Nanoseconds, Outcome& outcome) override
            {
                for (const FlowTask& task : m_tasks) {
                    if (task.item % 2 == 0)
                        outcome.refused.push_back(task);
                    else
                        outcome.started.push_back({task, 0, 0});
                }
                m_tasks.clear();
            }
            std::optional<Nanoseconds> nextDecision() const override { return std::nullopt; }
            void sent(const Started&, Nanoseconds) override {}
            void ended(const Started&, Nanoseconds, Nanoseconds) override {}

        private:
            std::vector<FlowTask> m_tasks;
        } pool;
        const NamedFlow hero = heroFlow(10);
        const auto shape = FlowShape::of(hero.flow, hero.settings);
        const auto end = FlowRun(*shape, {0, 2, 0, 0}, OrderPolicy::ByItem, 1, pool).run();
        QVERIFY(end.has_value());
        QCOMPARE(end->failed, 5);
        QCOMPARE(end->calls, 10);
        QCOMPARE(seconds(end->busy[static_cast<std::size_t>(ModelledStep::Lane::Cpu)]), 75.0);
    }

    void aFlowThatCannotRunSaysWhy()
    {
        const auto why = [](const std::function<void(NamedFlow&)>& spoil) {
            NamedFlow hero = heroFlow();
            spoil(hero);
            const auto shape = FlowShape::of(hero.flow, hero.settings);
            return shape ? std::string() : shape.error().message;
        };
        QCOMPARE(why([](NamedFlow&) {}), std::string());
        QVERIFY(why([](NamedFlow& f) { f.flow.steps[1].needs = {3}; }).starts_with("step picture: "));
        QVERIFY(why([](NamedFlow& f) { f.flow.steps[0].route = "word"; }).find("\"word\"") != std::string::npos);
        QVERIFY(why([](NamedFlow& f) { f.flow.cpuPlaces = 0; }) != "");
        QVERIFY(why([](NamedFlow& f) { f.flow.steps.clear(); }) != "");
        QVERIFY(why([](NamedFlow& f) {
                    for (AccountSettings& account : f.settings.providers[0].accounts)
                        account.limits.windows = {{LimitUnit::InputTokens, 300, std::chrono::minutes(1)}};
                }).starts_with("step prompt: no account"));
    }

    void durationsAreTheSameWhateverTheOrder()
    {
        NamedFlow hero = heroFlow();
        hero.flow.steps[0].duration.sigma = 0.4;
        const auto shape = FlowShape::of(hero.flow, hero.settings);
        double sum = 0;
        for (std::int32_t item = 0; item < 20'000; ++item) {
            const Nanoseconds duration = shape->duration({item, 0, 0}, 3);
            QVERIFY(duration >= shape->steps[0].least);
            QCOMPARE(duration, shape->duration({item, 0, 0}, 3));
            sum += std::log(seconds(duration) / 15);
        }
        QVERIFY(std::abs(sum / 20'000) < 0.02);
        QVERIFY(shape->duration({1, 0, 0}, 3) != shape->duration({2, 0, 0}, 3));
    }
};

QTEST_GUILESS_MAIN(FlowRunTest)
#include "flow_run_test.moc"
