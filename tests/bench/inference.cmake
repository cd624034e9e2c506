add_executable(bench_inference ${CMAKE_CURRENT_LIST_DIR}/inference.cpp)
set_target_properties(bench_inference PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_compile_definitions(bench_inference PRIVATE
  AIFLOW_MODELS_DIR="${PROJECT_SOURCE_DIR}/resources/models" AIFLOW_MODULE_DIR="${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
target_link_libraries(bench_inference PRIVATE aiflow_inference aiflow_warnings)
if(TARGET aiflow_torch)
  add_dependencies(bench_inference aiflow_torch)
endif()
