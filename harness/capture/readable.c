/* SPDX-License-Identifier: Apache-2.0
 *
 * See readable.h.
 */
#include "capture/readable.h"

#include <string.h>

#include "script/print.h"

void bj_print_readable(FILE *out, const char *text) {
    for (size_t left = strlen(text); left;) {
        size_t n = bj_utf8_sequence(text, left);
        unsigned char byte = (unsigned char) *text;
        if (!n || (n == 1 && (byte < 0x20 || byte == 0x7F))) {
            fprintf(out, "\\x%02x", byte);
            n = 1;
        } else {
            fwrite(text, 1, n, out);
        }
        text += n;
        left -= n;
    }
}
