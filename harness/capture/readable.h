/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that came from a network, for people. Private to harness/ (capture/, cli/).
 */
#ifndef BJ_CAPTURE_READABLE_H
#define BJ_CAPTURE_READABLE_H

#include <stdio.h>

/* Prints the text; bytes that are not UTF-8, and control characters, as \x1b. */
void bj_print_readable(FILE *out, const char *text);

#endif
