/* SPDX-License-Identifier: Apache-2.0
 *
 * Files with keys: pre-shared keys with their identities, one a line, or a key log as SSLKEYLOGFILE has it. Private to
 * capture/.
 */
#ifndef BJ_CAPTURE_KEYS_H
#define BJ_CAPTURE_KEYS_H

#include "capture/unit.h"

/* Reads the file into the options. A line "IDENTITY:KEY" or "KEY" holds a key in hexadecimal; a file with a line of a
 * key log is one. false: *why says what is wrong, with the line. */
bool bj_keys_read(bj_unit_options *options, const char *file, bj_text *why);

#endif
