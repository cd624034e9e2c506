# Plants one wrong include after the other into a copy of the tree's sources and expects the boundary test to name it.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${SCRATCH})
file(COPY ${ROOT}/core/base ${ROOT}/core/include DESTINATION ${SCRATCH}/core)

function(expect_caught file include)
  file(WRITE ${SCRATCH}/${file} "#include ${include}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH} -P ${ROOT}/tests/architecture/module_boundaries.cmake
    RESULT_VARIABLE result ERROR_VARIABLE words OUTPUT_QUIET)
  file(REMOVE ${SCRATCH}/${file})
  if(result EQUAL 0 OR NOT words MATCHES "${file}")
    message(FATAL_ERROR "the boundary test let ${file} include ${include}")
  endif()
endfunction()

execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH} -P ${ROOT}/tests/architecture/module_boundaries.cmake
  RESULT_VARIABLE clean OUTPUT_QUIET)
if(NOT clean EQUAL 0)
  message(FATAL_ERROR "the untouched copy does not pass")
endif()

expect_caught(core/store/planted.cpp "\"core/engine/job_runner.h\"")
expect_caught(core/live/planted.h "\"core/store/journal.h\"")
expect_caught(core/engine/planted.cpp "\"core/input/record_reader.h\"")
expect_caught(core/base/planted.cpp "\"core/live/live_job.h\"")
expect_caught(core/pipeline/planted.cpp "\"jobs/hero_image/ops/compose.h\"")
expect_caught(core/engine/planted2.cpp "<QString>")
expect_caught(core/compute/planted.cpp "<opencv2/core.hpp>")
expect_caught(core/include/aiflow/planted.h "\"core/base/ids.h\"")
expect_caught(cli/planted.cpp "\"core/store/journal.h\"")
expect_caught(cli/planted2.cpp "<sqlite3.h>")
expect_caught(gui/planted.cpp "\"aiflow/engine.h\"")
expect_caught(gui/planted2.cpp "<tbb/flow_graph.h>")
expect_caught(cli/planted3.cpp "\"../core/base/ids.h\"")
message(STATUS "13 planted includes, all caught")
