/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_client.h. The client that BOOTJACK_FUZZ_CLIENT names: BJ_FUZZ_CLIENT is its attachment, BJ_FUZZ_PROFILE a
 * file with the bytes of its profile and a zero (other_client/CMakeLists.txt). Its memory is its own affair, which
 * AddressSanitizer sees.
 */
#include "session_client.h"

extern const bootjack_linked_client BJ_FUZZ_CLIENT;

static const char profile[] = {
#include BJ_FUZZ_PROFILE
};

const session_client session_client_played = {
    .functions = &BJ_FUZZ_CLIENT,
    .profile = profile,
};
