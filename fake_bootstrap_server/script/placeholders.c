/* SPDX-License-Identifier: Apache-2.0
 *
 * See placeholders.h.
 */
#include "script/placeholders.h"

#include <stdbool.h>
#include <string.h>

const char *const bj_placeholder_names[] = {
#define PLACEHOLDER_NAME(NAME, name, demand) name,
    BJ_PLACEHOLDERS(PLACEHOLDER_NAME)
#undef PLACEHOLDER_NAME
        NULL
};

size_t bj_placeholder_at(const char *at) {
    size_t length = *at == '{' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
    return length && at[1 + length] == '}' ? length + 2 : 0;
}

static bool is_known(const char *name, size_t length) {
    for (const char *const *known = bj_placeholder_names; *known; known++) {
        if (strlen(*known) == length && strncmp(*known, name, length) == 0) {
            return true;
        }
    }
    return false;
}

const char *bj_placeholder_unknown(const char *text, size_t *length) {
    for (const char *at = text; *at; at++) {
        *length = bj_placeholder_at(at);
        if (*length && !is_known(at + 1, *length - 2)) {
            return at;
        }
    }
    return NULL;
}
