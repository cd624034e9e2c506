# The house's measures: at most 12 sources in a folder, no file over 400 lines that is not one thing, every core folder a
# target, no tab, no word of unfinished work.
cmake_minimum_required(VERSION 3.25)

# Over 400 lines, and one thing each; the reason stands beside the name.
set(long_but_one_thing "")

file(GLOB_RECURSE files RELATIVE ${ROOT}
  ${ROOT}/core/*.h ${ROOT}/core/*.cpp ${ROOT}/cli/*.h ${ROOT}/cli/*.cpp ${ROOT}/gui/*.h ${ROOT}/gui/*.cpp
  ${ROOT}/jobs/*.h ${ROOT}/jobs/*.cpp)
set(problems "")
set(folders "")
foreach(file IN LISTS files)
  file(READ ${ROOT}/${file} text)
  string(REGEX MATCHALL "\n" breaks "${text}")
  list(LENGTH breaks lines)
  if(lines GREATER 400 AND NOT file IN_LIST long_but_one_thing)
    list(APPEND problems "${file} has ${lines} lines")
  endif()
  if(text MATCHES "TODO|FIXME|XXX")
    list(APPEND problems "${file} holds an open end (${CMAKE_MATCH_0})")
  endif()
  if(text MATCHES "\t")
    list(APPEND problems "${file} holds a tab")
  endif()
  if(file MATCHES "\\.h$" AND NOT text MATCHES "^//")
    list(APPEND problems "${file} does not open with a sentence that says what it is for")
  endif()
  if(file MATCHES "^(.*)/[^/]+\\.cpp$")
    list(APPEND folders "${CMAKE_MATCH_1}")
  endif()
endforeach()

list(REMOVE_DUPLICATES folders)
foreach(folder IN LISTS folders)
  file(GLOB sources ${ROOT}/${folder}/*.cpp)
  list(LENGTH sources count)
  if(count GREATER 12)
    list(APPEND problems "${folder} holds ${count} sources: split it")
  endif()
  if(folder MATCHES "^core/[^/]+$" AND NOT EXISTS ${ROOT}/${folder}/CMakeLists.txt)
    list(APPEND problems "${folder} is not a target")
  endif()
endforeach()

if(problems)
  list(JOIN problems "\n  " text)
  message(FATAL_ERROR "house rules:\n  ${text}")
endif()
