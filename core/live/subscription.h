// A handle that ends a subscription when it is destroyed.
#pragma once

#include <functional>
#include <utility>

namespace aiflow {

// Cuts when destroyed: afterwards the listener does not run.
class [[nodiscard]] Subscription {
public:
    Subscription() = default;
    explicit Subscription(std::function<void()> cut) : m_cut(std::move(cut)) {}
    ~Subscription() { reset(); }
    Subscription(Subscription&& other) noexcept : m_cut(std::move(other.m_cut)) { other.m_cut = nullptr; }
    Subscription& operator=(Subscription&& other) noexcept
    {
        if (this != &other) {
            reset();
            m_cut = std::move(other.m_cut);
            other.m_cut = nullptr;
        }
        return *this;
    }
    void reset()
    {
        if (m_cut) m_cut();
        m_cut = nullptr;
    }

private:
    std::function<void()> m_cut;
};

} // namespace aiflow
