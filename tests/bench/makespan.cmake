add_executable(bench_makespan ${CMAKE_CURRENT_LIST_DIR}/makespan.cpp)
set_target_properties(bench_makespan PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(bench_makespan PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(bench_makespan PRIVATE aiflow_flow_jobs aiflow_warnings)
# A few seconds of it belong to the tests: whether real jobs keep the limits and the money exact, not how fast they are.
add_test(NAME makespan_smoke COMMAND bench_makespan --smoke --flow hero --items 8)
add_test(NAME makespan_smoke_kill COMMAND bench_makespan --smoke --kill --processes 2 --flow hero --items 8)
set_tests_properties(makespan_smoke makespan_smoke_kill PROPERTIES TIMEOUT 120)
