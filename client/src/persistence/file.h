/* SPDX-License-Identifier: Apache-2.0
 *
 * A small file that is read and replaced as a whole. The system calls come from a table, so that a test can make each
 * of them fail, or be the last before the power goes.
 */
#ifndef BJC_PERSISTENCE_FILE_H
#define BJC_PERSISTENCE_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "util/memory.h"

typedef struct bjc_file_operations {
    int (*open)(void *context, const char *path, int flags, mode_t mode);
    int (*fstat)(void *context, int descriptor, struct stat *status);
    ssize_t (*read)(void *context, int descriptor, void *out, size_t length);
    ssize_t (*write)(void *context, int descriptor, const void *data, size_t length);
    int (*fsync)(void *context, int descriptor);
    int (*close)(void *context, int descriptor);
    int (*rename)(void *context, const char *from, const char *to);
    int (*unlink)(void *context, const char *path);
    void *context;
} bjc_file_operations;

/* The system's. */
extern const bjc_file_operations bjc_system_files;

/* Appends the whole file to `out`. `*exposed`: others than the owner may read or write it. BOOTJACK_ERR_NOT_FOUND,
 * BOOTJACK_ERR_FOREIGN (not a regular file), BOOTJACK_ERR_LIMIT, BOOTJACK_ERR_FILE, BOOTJACK_ERR_MEMORY. */
bootjack_error bjc_file_read(const bjc_file_operations *files, const char *path, size_t limit, bjc_buffer *out,
                             bool *exposed);

/* The three names that a replacement needs; made beforehand, so that saving needs no memory for them. */
typedef struct bjc_file_names {
    char *path, *temporary, *directory;
} bjc_file_names;

bootjack_error bjc_file_names_make(bjc_file_names *names, const bootjack_allocator *allocator, const char *path);
void bjc_file_names_free(bjc_file_names *names, const bootjack_allocator *allocator);

/* Writes the temporary file, brings it to the disk, renames it, brings the directory to the disk. BOOTJACK_ERR_FILE:
 * the old file is still there, or (when only the very last step failed) the new one. */
bootjack_error bjc_file_replace(const bjc_file_operations *files, const bjc_file_names *names, const uint8_t *data,
                                size_t length);

#endif
