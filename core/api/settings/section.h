// One map of the merged configuration: typed reading that notes every mistake with its file, its line and the way out.
#pragma once

#include "core/api/settings/money.h"
#include "core/base/json_fwd.h"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

// The mistakes found so far, and where values stand.
class Findings {
public:
    explicit Findings(const std::map<std::string, std::string>& origins) : m_origins(origins) {}
    // ConfigInvalid at the place of `path`, or of the nearest known value within or around it.
    void add(const std::string& path, std::string message, std::string hint);
    void add(Error error) { m_errors.push_back(std::move(error)); }
    std::optional<SourcePosition> placeOf(const std::string& path) const;
    bool none() const noexcept { return m_errors.empty(); }
    const std::vector<Error>& errors() const noexcept { return m_errors; }

private:
    const std::map<std::string, std::string>& m_origins;
    std::vector<Error> m_errors;
};

// Reading an absent key gives the fallback; reading a wrong one notes it and gives the fallback.
class Section {
public:
    // `value` null or no object: an empty section (the latter is noted). `preset` answers for keys that it lacks.
    Section(const Json* value, std::string path, Findings& findings, const Json* preset = nullptr);

    const std::string& path() const noexcept { return m_path; }
    std::string pathOf(std::string_view key) const
    {
        return m_path.empty() ? std::string(key) : m_path + "." + std::string(key);
    }
    Findings& findings() const noexcept { return m_findings; }
    bool has(std::string_view key) const noexcept { return find(key) != nullptr; }
    const Json* find(std::string_view key) const noexcept; // its own, then the preset's; null: absent
    Section map(std::string_view key) const;
    Json merged(std::string_view key) const; // a map: the preset's entries with its own over them
    std::vector<std::string> keys() const;   // its own
    // Other keys are mistakes; the nearest allowed one is told.
    void allowOnly(std::initializer_list<std::string_view> keys) const;
    void wrong(std::string_view key, const std::string& message, const std::string& hint) const;

    std::string text(std::string_view key, std::string fallback = {}) const;
    std::string oneOf(std::string_view key, std::initializer_list<std::string_view> words, std::string fallback) const;
    bool flag(std::string_view key, bool fallback) const; // true/false, yes/no, on/off
    std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t lowest, std::int64_t highest) const;
    double number(std::string_view key, double fallback, double lowest, double highest) const;
    std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds fallback) const;
    std::optional<Money> money(std::string_view key) const;
    std::vector<std::string> texts(std::string_view key) const; // one text, or a list of texts

private:
    const Json* m_value;
    const Json* m_preset;
    std::string m_path;
    Findings& m_findings;
};

// "500ms", "30s", "2m", "1h"; nothing for anything else, for zero, and above a year.
std::optional<std::chrono::milliseconds> durationFrom(std::string_view text);

} // namespace aiflow
