# SPDX-License-Identifier: Apache-2.0
# The template as the client of the session fuzz targets (docs/porting.md, BOOTJACK_FUZZ_CLIENT): copy it with the template, and
# name your client's sources, folders and options here, or add_subdirectory() its own build.
add_library(template_client STATIC ${CMAKE_CURRENT_LIST_DIR}/linked_template.c)
target_include_directories(template_client PRIVATE ${CMAKE_CURRENT_LIST_DIR}/..)
set(BOOTJACK_FUZZ_CLIENT_LIBRARIES template_client)
set(BOOTJACK_FUZZ_CLIENT_PROFILE ${CMAKE_CURRENT_LIST_DIR}/linked_template.yaml)
