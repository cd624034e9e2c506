add_executable(bench_live ${CMAKE_CURRENT_LIST_DIR}/live.cpp)
set_target_properties(bench_live PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(bench_live PRIVATE aiflow_live aiflow_warnings)
