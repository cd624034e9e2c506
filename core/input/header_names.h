// The names that shops give to the columns of their product lists, in English and Chinese.
#pragma once

#include <string>
#include <string_view>

namespace aiflow {

// The thing that a header or a field's name means: "price" for "售价(元)", "width" for "宽_cm"; empty when unknown.
// `plain` is a NameAndUnit's name.
std::string_view meaningOf(std::string_view plain) noexcept;

} // namespace aiflow
