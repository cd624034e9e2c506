find_package(CURL REQUIRED)
add_executable(bench_transport ${CMAKE_CURRENT_LIST_DIR}/transport.cpp)
set_target_properties(bench_transport PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(bench_transport PRIVATE aiflow_api_transport CURL::libcurl aiflow_warnings)
