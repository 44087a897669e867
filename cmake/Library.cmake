# libretort.a, in which only the names of include/retort.h are global, and the program that stands on it.
# What is installed, the shared library among it, is in cmake/Install.cmake.

if(NOT TARGET retort_api)
    return()
endif()

set(library_rooms ${rooms_built})
list(REMOVE_ITEM library_rooms cli)
set(room_targets "")
set(room_archives "")
foreach(room IN LISTS library_rooms)
    list(APPEND room_targets retort_${room})
    list(APPEND room_archives $<TARGET_FILE:retort_${room}>)
endforeach()

# Names inside are short (node_new), and in a static library they would meet a user's own. So all objects are
# linked into one, whose other names become local. Sanitisers need their per-file metadata as it is, and are
# for our own tests only.
if(instruments)
    set(library_linked ${room_targets})
else()
    set(library ${PROJECT_BINARY_DIR}/libretort.a)
    set(merged ${PROJECT_BINARY_DIR}/retort-merged.o)
    add_custom_command(
        OUTPUT ${library} ${merged}
        COMMAND ${CMAKE_LINKER} -r -o ${merged} --whole-archive ${room_archives}
        COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=retort_*" ${merged}
        COMMAND ${CMAKE_COMMAND} -E rm -f ${library}
        COMMAND ${CMAKE_AR} rcs ${library} ${merged}
        DEPENDS ${room_targets} ${room_archives}
        COMMENT "Merging the rooms into libretort.a"
        VERBATIM)
    add_custom_target(libretort ALL DEPENDS ${library})
    # What the rooms link from outside, as libretort.a's users must.
    set(library_needs m Threads::Threads)
    foreach(room IN LISTS library_rooms)
        foreach(spec IN LISTS libraries_${room})
            string(REGEX REPLACE ":.*" "" name ${spec})
            list(APPEND library_needs ${LIBRARY_${name}})
        endforeach()
    endforeach()
    set(library_linked ${library} ${library_needs})
endif()

if(TARGET retort_cli)
    add_executable(retort $<TARGET_OBJECTS:retort_cli>)
    set_target_properties(retort PROPERTIES LINKER_LANGUAGE C RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    target_link_libraries(retort PRIVATE retort_flags ${library_linked})
    target_link_options(retort PRIVATE ${kernel_link_options})
    if(TARGET libretort)
        add_dependencies(retort libretort)
    endif()
    install(TARGETS retort)
endif()
