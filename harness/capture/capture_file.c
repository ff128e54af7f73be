/* SPDX-License-Identifier: Apache-2.0
 *
 * See capture_file.h. Bytes in memory that are not compressed are read where they are; all others pass a buffer.
 */
#define _GNU_SOURCE
#include "capture/capture_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BUFFER = 1 << 16 };

/* What gzip has packed, on its way. */
typedef struct packed {
    z_stream z;
    bool ended;      /* what follows, if anything, is not gzip's */
    uint8_t bytes[]; /* BUFFER of them, where they come from a file */
} packed;

struct bj_capture_file {
    const uint8_t *at; /* the next bytes, as far as they are there */
    size_t left;
    FILE *file; /* NULL: it lies in memory */
    packed *packed;
    bool damaged;
    uint8_t *buffer; /* NULL: it lies in memory as it is */
    size_t room;
};

/* --- what gzip has packed ------------------------------------------------------------------------------------- */

/* RFC 1952 2.3.1 */
static bool is_packed(const uint8_t *bytes, size_t length) {
    return length >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

/* Are there so many bytes to be unpacked? They stand together then. */
static bool has_packed(bj_capture_file *f, size_t wanted) {
    z_stream *z = &f->packed->z;
    if (z->avail_in < wanted && f->file) {
        uint8_t *bytes = f->packed->bytes;
        size_t left = z->avail_in;
        if (left) {
            memmove(bytes, z->next_in, left);
        }
        left += fread(bytes + left, 1, BUFFER - left, f->file);
        z->next_in = bytes;
        z->avail_in = (unsigned) left;
    }
    return z->avail_in >= wanted;
}

/* A file may have several members, one behind the other (RFC 1952 2.2). */
static void end_member(bj_capture_file *f) {
    z_stream *z = &f->packed->z;
    f->packed->ended = !has_packed(f, 2) || !is_packed(z->next_in, 2) || inflateReset(z) != Z_OK;
}

/* A file that is cut ends there. */
static size_t unpack(bj_capture_file *f, uint8_t *into, size_t size) {
    z_stream *z = &f->packed->z;
    z->next_out = into;
    z->avail_out = (unsigned) size;
    while (z->avail_out && !f->damaged && !f->packed->ended && has_packed(f, 1)) {
        int got = inflate(z, Z_NO_FLUSH);
        f->damaged = got != Z_OK && got != Z_STREAM_END;
        if (got == Z_STREAM_END) {
            end_member(f);
        }
    }
    return size - z->avail_out;
}

/* What is there of the capture so far is to be unpacked. */
static bool begin_unpacking(bj_capture_file *f) {
    enum { WINDOW = 15, GZIP = 16 }; /* as inflateInit2() takes them */
    packed *p = malloc(sizeof *p + (f->file ? BUFFER : 0));
    if (!p) {
        return false;
    }
    p->ended = false;
    p->z = (z_stream){ .next_in = (unsigned char *) (uintptr_t) f->at, .avail_in = (unsigned) f->left };
    if (f->file) {
        memcpy(p->bytes, f->at, f->left);
        p->z.next_in = p->bytes;
    }
    if (inflateInit2(&p->z, WINDOW + GZIP) != Z_OK) {
        free(p);
        return false;
    }
    f->packed = p;
    f->left = 0;
    return true;
}

/* --- bytes ---------------------------------------------------------------------------------------------------- */

static size_t read_more(bj_capture_file *f, uint8_t *into, size_t size) {
    return f->packed ? unpack(f, into, size) : f->file ? fread(into, 1, size, f->file) : 0;
}

/* Twice as much, or as much as is there at first. */
static bool grow(bj_capture_file *f) {
    size_t room = f->room ? 2 * f->room : BUFFER;
    uint8_t *grown = realloc(f->buffer, room);
    if (grown) {
        f->buffer = grown;
        f->room = room;
    }
    return grown != NULL;
}

/* Reads on until there are so many; what was not taken comes to the front of the buffer. */
static bool fill(bj_capture_file *f, size_t wanted) {
    if (!f->file && !f->packed) {
        return false;
    }
    if (f->left) {
        memmove(f->buffer, f->at, f->left);
    }
    while (f->left < wanted) {
        size_t got = f->left < f->room || grow(f) ? read_more(f, f->buffer + f->left, f->room - f->left) : 0;
        if (!got) {
            break;
        }
        f->left += got;
    }
    f->at = f->buffer;
    return f->left >= wanted;
}

const uint8_t *bj_capture_file_peek(bj_capture_file *f, size_t length) {
    return f->left >= length || fill(f, length) ? f->at : NULL;
}

const uint8_t *bj_capture_file_take(bj_capture_file *f, size_t length) {
    const uint8_t *bytes = bj_capture_file_peek(f, length);
    if (bytes) {
        f->at += length;
        f->left -= length;
    }
    return bytes;
}

bool bj_capture_file_at_end(bj_capture_file *f) {
    return !bj_capture_file_peek(f, 1) && !f->damaged;
}

bool bj_capture_file_damaged(const bj_capture_file *f) {
    return f->damaged;
}

/* --- opening -------------------------------------------------------------------------------------------------- */

bj_capture_file *bj_capture_file_open(const bj_capture_source *source, bj_text *why) {
    FILE *file = source->bytes ? NULL : fopen(source->name, "rb");
    if (!file && !source->bytes) {
        bj_text_printf(why, "%s: %s", source->name, strerror(errno));
        return NULL;
    }
    bj_capture_file *f = calloc(1, sizeof *f);
    if (f) {
        f->file = file;
        f->at = source->bytes;
        f->left = source->bytes ? source->length : 0;
    } else if (file) {
        fclose(file);
    }
    const uint8_t *first = f ? bj_capture_file_peek(f, 2) : NULL;
    if (!f || (first && is_packed(first, 2) && !begin_unpacking(f))) {
        bj_text_printf(why, "%s: no memory to read it", source->name);
        bj_capture_file_close(f);
        return NULL;
    }
    return f;
}

void bj_capture_file_close(bj_capture_file *f) {
    if (f) {
        if (f->packed) {
            inflateEnd(&f->packed->z);
            free(f->packed);
        }
        if (f->file) {
            fclose(f->file);
        }
        free(f->buffer);
        free(f);
    }
}
