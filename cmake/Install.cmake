# The shared library, and what `make install` puts where pkg-config and find_package look. Before 1.0 each minor version
# may change the interface, and so has a soname of its own.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(FILES ${PROJECT_SOURCE_DIR}/include/retort.h TYPE INCLUDE)
if(NOT TARGET libretort)
    return()
endif()

set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
add_library(retort_shared SHARED ${merged})
set_source_files_properties(${merged} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
set_target_properties(retort_shared PROPERTIES
    OUTPUT_NAME retort VERSION ${PROJECT_VERSION} SOVERSION ${soversion} LINKER_LANGUAGE C
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_link_libraries(retort_shared PRIVATE ${library_needs})
target_link_options(retort_shared PRIVATE ${kernel_link_options} -Wl,--no-undefined)
add_dependencies(retort_shared libretort)
install(TARGETS retort_shared LIBRARY)
install(FILES ${library} TYPE LIB)

# What a static library's user links as well, by name: its paths here are not its paths there.
set(config_libraries "")
foreach(needed IN LISTS library_needs)
    if(needed STREQUAL "Threads::Threads")
        set(needed pthread)
    else()
        get_filename_component(needed ${needed} NAME)
        string(REGEX REPLACE "^lib(.*)\\.(so|a)$" "\\1" needed ${needed})
    endif()
    list(APPEND config_libraries -l${needed})
endforeach()
if(kernel_link_options)
    list(APPEND config_libraries -lgomp)
endif()
list(REMOVE_DUPLICATES config_libraries)
string(REPLACE ";" " " pc_private "${config_libraries}")

set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/retort)
file(RELATIVE_PATH pc_to_prefix /prefix/${pc_folder} /prefix)
file(RELATIVE_PATH config_to_prefix /prefix/${config_folder} /prefix)
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
string(REGEX REPLACE "/$" "" config_to_prefix ${config_to_prefix})
configure_file(${PROJECT_SOURCE_DIR}/cmake/retort.pc.in ${PROJECT_BINARY_DIR}/install/retort.pc @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/cmake/retortConfig.cmake.in ${PROJECT_BINARY_DIR}/install/retortConfig.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/install/retortConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/install/retort.pc DESTINATION ${pc_folder})
install(FILES ${PROJECT_BINARY_DIR}/install/retortConfig.cmake
              ${PROJECT_BINARY_DIR}/install/retortConfigVersion.cmake DESTINATION ${config_folder})
