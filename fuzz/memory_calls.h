/* SPDX-License-Identifier: Apache-2.0
 *
 * malloc() and its like, from memory.h. In fuzzing builds what makes and frees many small blocks for an input is linked
 * in once more with its calls led here (CMakeLists.txt, by memory.symbols): malloc() under AddressSanitizer takes more
 * of such an input's time than all that is done with the blocks. Nothing is seen less: a block is of its own size,
 * poisoned around and when it was freed, never used again in the same input, and freed once.
 *
 * Takes and gives blocks of memory.h alone: code that frees what a library allocated must not be led here. A target
 * calls memory_done(), or memory_forget(), when an input is over.
 */
#ifndef BJ_FUZZ_MEMORY_CALLS_H
#define BJ_FUZZ_MEMORY_CALLS_H

#include <stdarg.h>
#include <stddef.h>

/* As the functions of libc whose names stand behind "memory_". */
void *memory_malloc(size_t size);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *block, size_t size);
void memory_free(void *block);
char *memory_strdup(const char *text);
int memory___vasprintf_chk(char **out, int flag, const char *format, va_list list)
    __attribute__((format(printf, 3, 0)));
int memory___asprintf_chk(char **out, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
