add_executable(bench_engine ${CMAKE_CURRENT_LIST_DIR}/engine.cpp)
set_target_properties(bench_engine PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(bench_engine PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(bench_engine PRIVATE aiflow_engine_graph aiflow_warnings)
