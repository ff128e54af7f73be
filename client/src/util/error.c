/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts of bootjack_error.
 */
#include "bootjack/error.h"

#define TEXT(name, text) text,
static const char *const texts[] = { BOOTJACK_ERRORS(TEXT) };
#undef TEXT

const char *bootjack_error_text(bootjack_error error) {
    return (unsigned) error < BOOTJACK_ERROR_COUNT ? texts[error] : "unknown error";
}
