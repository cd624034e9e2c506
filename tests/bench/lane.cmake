add_executable(bench_lane ${CMAKE_CURRENT_LIST_DIR}/lane.cpp)
set_target_properties(bench_lane PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(bench_lane PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(bench_lane PRIVATE aiflow_flow_jobs aiflow_warnings)
