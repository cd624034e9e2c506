# Fails when two headers define a class of the same name in the same program: the linker would silently take one of the
# two. Call: cmake -DROOT=<source tree> -P one_definition.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE headers RELATIVE ${ROOT} ${ROOT}/core/*.h)
set(problems "")
foreach(header IN LISTS headers)
  file(STRINGS ${ROOT}/${header} lines REGEX "^(class|struct|enum class) [A-Za-z]+( final)?( :.*)?( *{|$)")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^(class|struct|enum class) ([A-Za-z]+).*" "\\2" name "${line}")
    if(DEFINED defined_${name})
      list(APPEND problems "${name}: ${defined_${name}} and ${header}")
    endif()
    set(defined_${name} ${header})
  endforeach()
endforeach()

if(problems)
  list(JOIN problems "\n  " text)
  message(FATAL_ERROR "defined twice:\n  ${text}")
endif()
