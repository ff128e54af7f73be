/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks at a program before it is started: is it there, can it be executed, can a library be preloaded into it?
 */
#ifndef BJ_ATTACH_PROGRAM_FILE_H
#define BJ_ATTACH_PROGRAM_FILE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"

/* The file that `name` means (by PATH when it holds no slash), in the arena; NULL and the reason. */
const char *bj_program_find(bj_arena *arena, const char *name, bj_text *reason);
/* Can the preload library be carried into it? false and the reason: it is static, of another architecture, on another
 * libc, a script of an interpreter of which that is true, or no program at all. */
bool bj_program_preloadable(const char *path, bj_text *reason);

#endif
