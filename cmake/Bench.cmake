# bench/*.c without a header of their name become programs in bench/ of the build folder, each linked with the rooms that
# it includes and with the files of bench/ and tests/support/ whose headers it includes; built only when asked for, all by
# the target bench_programs.

add_custom_target(bench_programs)
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
foreach(file IN LISTS sources)
    get_filename_component(base ${file} NAME_WE)
    if(EXISTS ${PROJECT_SOURCE_DIR}/bench/${base}.h)
        continue()
    endif()
    set(files ${file})
    file(STRINGS ${file} includes REGEX "^#include \"bench/")
    foreach(include IN LISTS includes)
        string(REGEX REPLACE "^#include \"(bench/.*)\\.h\"" "\\1" beside "${include}")
        list(APPEND files ${PROJECT_SOURCE_DIR}/${beside}.c ${PROJECT_SOURCE_DIR}/${beside}.h)
    endforeach()
    file(STRINGS ${file} includes REGEX "^#include \"support/")
    foreach(include IN LISTS includes)
        string(REGEX REPLACE "^#include \"(support/.*)\\.h\"" "\\1" support "${include}")
        list(APPEND files ${PROJECT_SOURCE_DIR}/tests/${support}.c ${PROJECT_SOURCE_DIR}/tests/${support}.h)
    endforeach()
    rooms_of("${files}" included)
    add_executable(bench_${base} EXCLUDE_FROM_ALL ${files})
    set_target_properties(bench_${base} PROPERTIES OUTPUT_NAME ${base}
                                                   RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    target_include_directories(bench_${base} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src
                                                       ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(bench_${base} PRIVATE retort_flags ${included} m)
    target_link_options(bench_${base} PRIVATE ${kernel_link_options})
    add_dependencies(bench_programs bench_${base})
endforeach()
