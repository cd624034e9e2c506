// Columns of text, as wide as their widest cell; Chinese counts two.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aiflow {

class Table {
public:
    enum class Align : bool { Left, Right };

    explicit Table(std::vector<std::string> heads) { m_rows.push_back(std::move(heads)); }
    void row(std::vector<std::string> cells) { m_rows.push_back(std::move(cells)); }
    void align(std::size_t column, Align align);
    // Lines with their ends; the last column is not padded.
    std::string text() const;
    // The same where every line fits; else each row as a block of its own, a line per cell under the first.
    std::string text(int columns) const;

private:
    std::vector<std::vector<std::string>> m_rows;
    std::vector<Align> m_align;
};

} // namespace aiflow
