# bench/*.c become programs in bench/ of the build folder, each linked with the rooms that it includes; built only when
# asked for, all by the target bench_programs.

add_custom_target(bench_programs)
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
foreach(file IN LISTS sources)
    get_filename_component(base ${file} NAME_WE)
    rooms_of(${file} included)
    add_executable(bench_${base} EXCLUDE_FROM_ALL ${file})
    set_target_properties(bench_${base} PROPERTIES OUTPUT_NAME ${base}
                                                   RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    target_include_directories(bench_${base} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(bench_${base} PRIVATE retort_flags ${included} m)
    target_link_options(bench_${base} PRIVATE ${kernel_link_options})
    add_dependencies(bench_programs bench_${base})
endforeach()
