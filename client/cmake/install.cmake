# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` gives: headers, both libraries, the program, a pkg-config file and a CMake package. Whatever the
# libraries are linked with (PkgConfig::NAME) is looked up again on the user's machine, by its module name here.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(BOOTJACK_MODULE_COAP libcoap-3-gnutls)
set(BOOTJACK_MODULE_CBOR libcbor)
set(BOOTJACK_MODULE_GNUTLS gnutls)

get_target_property(linked bootjack_client LINK_LIBRARIES)
set(BOOTJACK_LOOK_UPS "")
set(BOOTJACK_REQUIRES "")
foreach(target ${linked})
  if(target MATCHES "^PkgConfig::(.+)$")
    set(name ${CMAKE_MATCH_1})
    if(NOT BOOTJACK_MODULE_${name})
      message(FATAL_ERROR "client/cmake/install.cmake: which pkg-config module is ${target}?")
    endif()
    list(APPEND BOOTJACK_REQUIRES ${BOOTJACK_MODULE_${name}})
    string(APPEND BOOTJACK_LOOK_UPS
           "pkg_check_modules(${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${BOOTJACK_MODULE_${name}})\n")
  endif()
endforeach()
list(JOIN BOOTJACK_REQUIRES " " BOOTJACK_REQUIRES)

foreach(target bootjack_client bootjack_client_shared)
  set_target_properties(
    ${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
                         "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>;$<INSTALL_INTERFACE:include>")
endforeach()
set_target_properties(bootjack_client PROPERTIES EXPORT_NAME client)
set_target_properties(bootjack_client_shared PROPERTIES EXPORT_NAME client_shared)

install(TARGETS bootjack_client bootjack_client_shared EXPORT bootjack)
install(TARGETS bootjack-client)
install(DIRECTORY include/bootjack DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/bootjack)
configure_package_config_file(cmake/bootjackConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/bootjackConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/bootjackConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(EXPORT bootjack NAMESPACE bootjack:: FILE bootjackTargets.cmake DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bootjackConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/bootjackConfigVersion.cmake DESTINATION ${package})

# Relative to itself, so that the installed tree may be moved.
file(RELATIVE_PATH BOOTJACK_PREFIX_FROM_PC /x/${CMAKE_INSTALL_LIBDIR}/pkgconfig /x)
configure_file(cmake/bootjack-client.pc.in ${CMAKE_CURRENT_BINARY_DIR}/bootjack-client.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bootjack-client.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
