add_executable(bench_csv ${CMAKE_CURRENT_LIST_DIR}/csv.cpp)
set_target_properties(bench_csv PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(bench_csv PRIVATE aiflow_input aiflow_warnings)
