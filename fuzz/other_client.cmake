# SPDX-License-Identifier: Apache-2.0
# The targets of session/ for somebody else's client (docs/porting.md): BOOTJACK_FUZZ_CLIENT names what is linked in place of
# ours, which is then no part of them, nor are libcoap and GnuTLS. What plays against it is one object, PLAYER, that shows
# nothing but the functions of libc that it answers and those that engines call: a client's own mbedTLS, CoAP library or
# function of whatever name is not disturbed.
add_subdirectory(other_client)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
find_package(Threads REQUIRED)

set(server ${PROJECT_SOURCE_DIR}/fake_bootstrap_server)
set(harness ${PROJECT_SOURCE_DIR}/harness)
file(GLOB parts CONFIGURE_DEPENDS ${server}/base/*.c ${server}/log/*.c ${server}/wire/*.c ${server}/secure/*.c
     ${server}/script/*.c ${harness}/world/*.c ${harness}/libc/*.c ${harness}/oracle/*.c ${harness}/attach/linked_config.c
     ${harness}/attach/conversation.c)
list(FILTER session_support EXCLUDE REGEX "/session_(client_[^/]*|coap|gnutls)\\.c$")
add_library(bj_player OBJECT ${parts} ${session_support} fuzz.c program.c room.c memory.c)
set(player_includes ${server} ${harness} ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/client/include)
target_include_directories(bj_player PRIVATE ${player_includes})
target_link_libraries(bj_player PRIVATE PkgConfig::FYAML)
target_compile_options(bj_player PRIVATE -fno-sanitize=all -fvisibility=hidden)
file(GLOB parts CONFIGURE_DEPENDS ${harness}/libc/*.c)
set_source_files_properties(${parts} PROPERTIES COMPILE_OPTIONS "-fno-builtin;-U_FORTIFY_SOURCE")
if(BOOTJACK_FUZZ)
  set(uninstrumented ${CMAKE_COMMAND} -E env AFL_NOOPT=1) # for AFL++'s compiler, which heeds no -fno-sanitize
  set_property(TARGET bj_player PROPERTY C_COMPILER_LAUNCHER ${uninstrumented})
  add_library(bj_quiet_libc OBJECT quiet.c)
  set_property(TARGET bj_quiet_libc PROPERTY C_COMPILER_LAUNCHER ${uninstrumented})
  target_compile_options(bj_quiet_libc PRIVATE -fno-sanitize=all -fno-builtin -fvisibility=hidden)
  set(quiet --redefine-syms=${CMAKE_CURRENT_SOURCE_DIR}/quiet.symbols)
  set(quiet_object bj_quiet_libc)
endif()

get_target_property(archives bj_mbedtls INTERFACE_LINK_LIBRARIES)

# A program of that name: the sources, what plays, and the client. The folder of its executable, then sources, then libraries
# behind LIBRARIES.
function(bj_other_program name folder)
  cmake_parse_arguments(PARSE_ARGV 2 with "" "" "SOURCES;LIBRARIES")
  add_library(bj_other_${name} OBJECT ${with_SOURCES})
  target_include_directories(bj_other_${name} PRIVATE ${player_includes})
  target_compile_options(bj_other_${name} PRIVATE -fno-sanitize=all)
  target_link_libraries(bj_other_${name} PRIVATE PkgConfig::FYAML)
  set_property(TARGET bj_other_${name} PROPERTY C_COMPILER_LAUNCHER ${uninstrumented})
  set(player ${CMAKE_CURRENT_BINARY_DIR}/player_${name}.o)
  add_custom_command(
    OUTPUT ${player}
    COMMAND ${CMAKE_LINKER} -r -o ${player}.whole $<TARGET_OBJECTS:bj_other_${name}> $<TARGET_OBJECTS:bj_player>
            --start-group ${archives} --end-group
    COMMAND ${CMAKE_OBJCOPY} ${quiet} --localize-hidden -w "--localize-symbol=mbedtls_*" "--localize-symbol=psa_*"
            ${player}.whole ${player}
    DEPENDS bj_other_${name} bj_player $<TARGET_OBJECTS:bj_other_${name}> $<TARGET_OBJECTS:bj_player> quiet.symbols ${archives}
            bj_mbedtls_copies
    COMMAND_EXPAND_LISTS VERBATIM)
  add_executable(${name} session_client_other.c ${player})
  target_include_directories(${name} PRIVATE ${player_includes})
  target_compile_definitions(${name} PRIVATE BJ_FUZZ_CLIENT=${BOOTJACK_FUZZ_CLIENT_SYMBOL} BJ_FUZZ_PROFILE="${other_client_profile}")
  target_link_libraries(${name} PRIVATE ${quiet_object} ${BOOTJACK_FUZZ_CLIENT_LIBRARIES} ${with_LIBRARIES} PkgConfig::FYAML
                                        ${CMAKE_DL_LIBS} m Threads::Threads)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
endfunction()

file(GLOB targets CONFIGURE_DEPENDS session/*.c)
foreach(source ${targets})
  get_filename_component(name ${source} NAME_WE)
  if(NOT BOOTJACK_FUZZ)
    bj_other_program(fuzz_${name} fuzz SOURCES ${source} replay.c)
  else()
    if(name IN_LIST programs)
      bj_other_program(fuzz_${name} fuzz SOURCES ${source} mutator_faces/libfuzzer.c ${mutator})
    else()
      bj_other_program(fuzz_${name} fuzz SOURCES ${source})
    endif()
    target_link_options(fuzz_${name} PRIVATE ${engine_flag})
    target_link_libraries(fuzz_${name} PRIVATE ${engine_archive})
  endif()
endforeach()

# The program that plays findings again, and makes them small: against this client.
file(GLOB tool CONFIGURE_DEPENDS tool/*.c ${harness}/attach/*.c ${harness}/capture/*.c)
list(FILTER tool EXCLUDE REGEX "/attach/(preload[^/]*|linked_template|linked_bootjack|linked_config|conversation)\\.c$")
bj_other_program(bootjack-fuzz bin SOURCES ${tool} LIBRARIES pcap z)
target_compile_options(bj_other_bootjack-fuzz PRIVATE -fvisibility=hidden)
set_source_files_properties(tool/main.c PROPERTIES COMPILE_OPTIONS -fvisibility=default) # main() itself
target_link_options(bootjack-fuzz PRIVATE "LINKER:--defsym=bootjack_client_linked=${BOOTJACK_FUZZ_CLIENT_SYMBOL}") # it is who is `linked`
if(BOOTJACK_FUZZ)
  set_target_properties(bootjack-fuzz PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
