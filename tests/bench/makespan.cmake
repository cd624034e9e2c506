add_executable(bench_makespan ${CMAKE_CURRENT_LIST_DIR}/makespan.cpp)
set_target_properties(bench_makespan PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(bench_makespan PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(bench_makespan PRIVATE aiflow_flow_jobs aiflow_warnings)
