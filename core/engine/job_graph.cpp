#include "core/engine/job_graph.h"

#include <atomic>
#include <deque>
#include <tuple>
#include <vector>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

namespace aiflow {

namespace {

namespace flow = oneapi::tbb::flow;

struct Turn {};

using Join = flow::multifunction_node<Token, std::tuple<Turn>, flow::lightweight>;
using Lane = flow::function_node<Turn>;
using Finish = flow::function_node<Token, flow::continue_msg, flow::lightweight>;
using Call = flow::async_node<Token, Turn>;
using Done = flow::broadcast_node<Token>;

} // namespace

struct JobGraph::Nodes {
    Nodes(int cores)
        // One place more than cores: the thread that feeds the graph sleeps, and must not cost a worker.
        : limit(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(cores) + 1),
          arena(cores, 0)
    {
    }

    void build(const Pipeline& pipeline, int cores, GraphBodies& bodies)
    {
        graph = std::make_unique<flow::graph>();
        source = std::make_unique<Done>(*graph);
        lane = std::make_unique<Lane>(*graph, static_cast<std::size_t>(cores), [this, &bodies](Turn) noexcept {
            if (open.load(std::memory_order_acquire)) bodies.work();
            worked.fetch_add(1, std::memory_order_release);
            return flow::continue_msg();
        });
        finish = std::make_unique<Finish>(*graph, flow::unlimited, [&bodies](const Token& token) noexcept {
            bodies.countDown(token);
            return flow::continue_msg();
        });
        for (std::size_t i = 0; i < pipeline.steps.size(); ++i) addStep(pipeline.steps[i], i, bodies);
        for (std::size_t i = 0; i < pipeline.steps.size(); ++i) connect(pipeline.steps[i], i);
    }

    void addStep(const Step& step, std::size_t position, GraphBodies& bodies)
    {
        const auto index = static_cast<std::int32_t>(position);
        joins.emplace_back(*graph, flow::unlimited,
                           [&bodies, index](Token token, Join::output_ports_type& ports) noexcept {
                               token.step = index;
                               token.element = -1;
                               if (bodies.arrive(token)) std::get<0>(ports).try_put(Turn{});
                           });
        flow::make_edge(flow::output_port<0>(joins.back()), *lane);
        done.emplace_back(*graph);
        calls.emplace_back();
        if (step.kind == StepKind::Op) return;
        calls.back() = std::make_unique<Call>(*graph, flow::unlimited,
                                              [&bodies](const Token& token, Call::gateway_type& gateway) noexcept {
                                                  gateway.reserve_wait();
                                                  bodies.call(token);
                                              });
        flow::make_edge(flow::output_port<0>(*calls.back()), *lane);
    }

    void connect(const Step& step, std::size_t position)
    {
        if (step.dependsOn.empty()) flow::make_edge(*source, joins[position]);
        for (const StepIndex user : step.usedBy)
            flow::make_edge(done[position], joins[static_cast<std::size_t>(user.value())]);
        flow::make_edge(done[position], *finish);
    }

    Call& callOf(const Token& token) { return *calls[static_cast<std::size_t>(token.step)]; }

    // oneTBB orders what happens before and after a body by itself; these say it in words that a thread sanitizer
    // reads.
    std::atomic<bool> open{false};
    std::atomic<std::uint64_t> worked{0};

    oneapi::tbb::global_control limit;
    oneapi::tbb::task_arena arena;
    std::unique_ptr<flow::graph> graph;
    std::unique_ptr<Done> source;
    std::unique_ptr<Lane> lane;
    std::unique_ptr<Finish> finish;
    std::deque<Join> joins;
    std::deque<Done> done;
    std::vector<std::unique_ptr<Call>> calls;
};

JobGraph::JobGraph(const Pipeline& pipeline, int cores, GraphBodies& bodies) : m_nodes(std::make_unique<Nodes>(cores))
{
    // The graph belongs to the arena in which it is made.
    m_nodes->arena.execute([&] { m_nodes->build(pipeline, cores, bodies); });
    m_nodes->open.store(true, std::memory_order_release);
}

JobGraph::~JobGraph() = default;

void JobGraph::begin(const Token& token) { m_nodes->source->try_put(token); }
void JobGraph::ended(const Token& token) { m_nodes->done[static_cast<std::size_t>(token.step)].try_put(token); }

void JobGraph::turn(std::int64_t count)
{
    for (; count > 0; --count) m_nodes->lane->try_put(Turn{});
}

void JobGraph::call(const Token& token) { m_nodes->callOf(token).try_put(token); }

void JobGraph::returned(const Token& token)
{
    auto& gateway = m_nodes->callOf(token).gateway();
    gateway.try_put(Turn{});
    m_nodes->worked.fetch_add(1, std::memory_order_release);
    gateway.release_wait();
}

void JobGraph::dropped(const Token& token)
{
    m_nodes->worked.fetch_add(1, std::memory_order_release);
    m_nodes->callOf(token).gateway().release_wait();
}

void JobGraph::hold() { m_nodes->graph->reserve_wait(); }
void JobGraph::letGo()
{
    m_nodes->worked.fetch_add(1, std::memory_order_release);
    m_nodes->graph->release_wait();
}

void JobGraph::wait()
{
    m_nodes->arena.execute([graph = m_nodes->graph.get()] { graph->wait_for_all(); });
    m_nodes->worked.load(std::memory_order_acquire);
}

} // namespace aiflow
