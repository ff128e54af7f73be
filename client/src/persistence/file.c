/* SPDX-License-Identifier: Apache-2.0
 *
 * A small file that is read and replaced as a whole.
 */
#define _GNU_SOURCE
#include "persistence/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- the system's operations ------------------------------------------------------------------------------------ */

static int system_open(void *context, const char *path, int flags, mode_t mode) {
    (void) context;
    return open(path, flags, mode);
}

static int system_fstat(void *context, int descriptor, struct stat *status) {
    (void) context;
    return fstat(descriptor, status);
}

static ssize_t system_read(void *context, int descriptor, void *out, size_t length) {
    (void) context;
    return read(descriptor, out, length);
}

static ssize_t system_write(void *context, int descriptor, const void *data, size_t length) {
    (void) context;
    return write(descriptor, data, length);
}

static int system_fsync(void *context, int descriptor) {
    (void) context;
    return fsync(descriptor);
}

static int system_close(void *context, int descriptor) {
    (void) context;
    return close(descriptor);
}

static int system_rename(void *context, const char *from, const char *to) {
    (void) context;
    return rename(from, to);
}

static int system_unlink(void *context, const char *path) {
    (void) context;
    return unlink(path);
}

const bjc_file_operations bjc_system_files = { system_open,  system_fstat,  system_read,   system_write, system_fsync,
                                               system_close, system_rename, system_unlink, NULL };

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bootjack_error read_all(const bjc_file_operations *files, int descriptor, size_t limit, bjc_buffer *out) {
    uint8_t chunk[512];
    bootjack_error error = BOOTJACK_OK;
    ssize_t count = 1;
    while (!error && count != 0) {
        count = files->read(files->context, descriptor, chunk, sizeof chunk);
        if (count < 0) {
            error = errno == EINTR ? BOOTJACK_OK : BOOTJACK_ERR_FILE;
        } else if (out->length + (size_t) count > limit) {
            error = BOOTJACK_ERR_LIMIT;
        } else if (!bjc_buffer_append(out, chunk, (size_t) count)) {
            error = BOOTJACK_ERR_MEMORY;
        }
    }
    explicit_bzero(chunk, sizeof chunk);
    return error;
}

bootjack_error bjc_file_read(const bjc_file_operations *files, const char *path, size_t limit, bjc_buffer *out,
                             bool *exposed) {
    struct stat status;
    /* O_NONBLOCK: something that is no regular file must not keep the client waiting. */
    int descriptor = files->open(files->context, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (descriptor < 0) {
        return errno == ENOENT ? BOOTJACK_ERR_NOT_FOUND : BOOTJACK_ERR_FILE;
    }
    bootjack_error error = BOOTJACK_ERR_FILE;
    if (files->fstat(files->context, descriptor, &status) == 0) {
        *exposed = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
        error = S_ISREG(status.st_mode) ? read_all(files, descriptor, limit, out) : BOOTJACK_ERR_FOREIGN;
    }
    files->close(files->context, descriptor);
    return error;
}

/* --- names ------------------------------------------------------------------------------------------------------ */

bootjack_error bjc_file_names_make(bjc_file_names *names, const bootjack_allocator *allocator, const char *path) {
    size_t length = strlen(path);
    *names = (bjc_file_names){ bjc_copy_text(allocator, path), bjc_allocate(allocator, length + sizeof ".new"),
                               bjc_allocate(allocator, length + sizeof ".") };
    if (!names->path || !names->temporary || !names->directory) {
        bjc_file_names_free(names, allocator);
        return BOOTJACK_ERR_MEMORY;
    }
    const char *slash = strrchr(path, '/');
    int parent = slash == path ? 1 : slash ? (int) (slash - path) : 0;
    snprintf(names->temporary, length + sizeof ".new", "%s.new", path);
    snprintf(names->directory, length + sizeof ".", "%.*s", parent ? parent : 1, parent ? path : ".");
    return BOOTJACK_OK;
}

void bjc_file_names_free(bjc_file_names *names, const bootjack_allocator *allocator) {
    bjc_release(allocator, names->path);
    bjc_release(allocator, names->temporary);
    bjc_release(allocator, names->directory);
    *names = (bjc_file_names){ 0 };
}

/* --- replacing -------------------------------------------------------------------------------------------------- */

static bool write_all(const bjc_file_operations *files, int descriptor, const uint8_t *data, size_t length) {
    while (length > 0) {
        ssize_t count = files->write(files->context, descriptor, data, length);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        if (count > 0) {
            assert((size_t) count <= length);
            data += count;
            length -= (size_t) count;
        }
    }
    return true;
}

static bool sync_and_close(const bjc_file_operations *files, int descriptor, bool good) {
    good = good && files->fsync(files->context, descriptor) == 0;
    return files->close(files->context, descriptor) == 0 && good;
}

/* What an earlier crash left under the name is removed first: its mode may be anything. */
static bool write_new(const bjc_file_operations *files, const char *path, const uint8_t *data, size_t length) {
    files->unlink(files->context, path);
    int descriptor = files->open(files->context, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return descriptor >= 0 && sync_and_close(files, descriptor, write_all(files, descriptor, data, length));
}

/* The rename itself is on the disk only after this. */
static bool sync_directory(const bjc_file_operations *files, const char *path) {
    int descriptor = files->open(files->context, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    return descriptor >= 0 && sync_and_close(files, descriptor, true);
}

bootjack_error bjc_file_replace(const bjc_file_operations *files, const bjc_file_names *names, const uint8_t *data,
                                size_t length) {
    if (!write_new(files, names->temporary, data, length) ||
        files->rename(files->context, names->temporary, names->path) != 0) {
        int cause = errno;
        files->unlink(files->context, names->temporary);
        errno = cause;
        return BOOTJACK_ERR_FILE;
    }
    return sync_directory(files, names->directory) ? BOOTJACK_OK : BOOTJACK_ERR_FILE;
}
