/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M values whatever format carries them: one entry is a path and a typed value. A cursor reads TLV, SenML JSON,
 * SenML CBOR, LwM2M CBOR, LwM2M JSON and the formats of a single value; a writer makes all of them but TLV (tlv.h).
 * Nothing allocates: text that has to be decoded lands in the caller's room until the next entry is read.
 */
#ifndef BJ_WIRE_ENTRIES_H
#define BJ_WIRE_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "wire/reader.h"
#include "wire/tlv.h"

/* Object, Object Instance, Resource, Resource Instance: the first `depth` of them. */
typedef struct bj_path {
    uint16_t ids[4];
    uint8_t depth;
} bj_path;

typedef enum bj_entry_kind {
    BJ_ENTRY_NONE,   /* something without values: an Object Instance or a multiple Resource that is empty */
    BJ_ENTRY_STRING, /* bytes */
    BJ_ENTRY_INT,    /* integer */
    BJ_ENTRY_UINT,   /* above INT64_MAX: the bits of integer, unsigned */
    BJ_ENTRY_FLOAT,  /* real */
    BJ_ENTRY_BOOL,   /* integer: 0, 1 */
    BJ_ENTRY_OPAQUE, /* bytes */
    BJ_ENTRY_OBJLNK, /* integer: Object id << 16 | Object Instance id */
    BJ_ENTRY_RAW,    /* reading TLV: bytes without a type */
    BJ_ENTRY_TEXT,   /* reading text/plain: a text without a type */
} bj_entry_kind;

/* What a STRING could also be where a format has no type of its own for it. */
enum { BJ_ALSO_OBJLNK = 1, BJ_ALSO_OPAQUE = 2 };

typedef struct bj_entry {
    bj_path path;
    uint8_t kind; /* bj_entry_kind */
    uint8_t also; /* reading */
    int64_t integer;
    double real;
    const uint8_t *bytes; /* STRING, OPAQUE, RAW, TEXT */
    size_t length;
} bj_entry;

/* The path of "/1/0"; depth 0 for "/", NULL and what is no path of LwM2M. */
bj_path bj_path_of(const char *text);
/* Is `path` the same as `prefix`, or below it? */
bool bj_path_begins(const bj_path *path, const bj_path *prefix);
void bj_path_print(bj_text *out, const bj_path *path); /* "/1/0", "/" */
/* Under which path the values of an operation stand: its Object, or its Object Instance, whatever is below. */
bj_path bj_path_above_resources(const bj_path *target);

/* --- reading -------------------------------------------------------------------------------------------------- */

enum { BJ_NAME = 128, BJ_NESTING = 4 };

/* A cursor. Private but for `damaged`. */
typedef struct bj_entries {
    uint32_t format;
    bj_path base; /* of the operation; depth 0: not known */
    bj_reader r;
    uint8_t *room;
    size_t size;
    bool damaged; /* the payload broke a rule of its format: what was read before it stands */
    bool begun, over;
    unsigned levels;
    struct {
        bj_reader rest; /* TLV: behind the entry */
        bj_path path;
        uint64_t left; /* CBOR: so many more, unless open */
        bool open, empty;
    } level[BJ_NESTING];
    char name[BJ_NAME]; /* base name of SenML and LwM2M JSON */
    size_t name_length;
    bj_entry base_value; /* SenML; kind NONE: none */
} bj_entries;

/* Can entries of this Content-Format be read? */
bool bj_entries_known(uint32_t format);
/* Does a payload of it hold one value, and no path? */
bool bj_entries_single(uint32_t format);
/* Does a payload of it say the whole path of each value? */
bool bj_entries_name_paths(uint32_t format);

/* `path`: of the operation, whose values those of TLV and of single values are; others must lie in it. `room`: at least
 * as many bytes as the payload has. */
void bj_entries_begin(bj_entries *in, uint32_t format, const bj_path *path, const uint8_t *data, size_t length,
                      void *room, size_t size);
/* The next entry; false at the end, or at a mistake: then `damaged` is set and `why` says what is wrong. */
bool bj_entries_next(bj_entries *in, bj_entry *entry, bj_text *why);

/* --- comparing, printing -------------------------------------------------------------------------------------- */

/* Does what was read say what is wanted? Numbers are compared by value; where the format has no types, `wanted` says
 * which type the bytes are read as. Paths are not compared. */
bool bj_entry_same(const bj_entry *wanted, const bj_entry *seen);

/* The value as in TLV's lines: `101`, `"U"`, `true`, `0x00ff`, `<16 bytes>` for a secret (resources.h). */
void bj_entry_print(bj_text *out, const bj_entry *entry);
/* `{0: 101, 1: 86400}`, ids below the operation's path; false when the payload is damaged (`out` is of no use then). */
bool bj_entries_print(bj_text *out, bj_entries *in, const bj_path *target);
/* `[{"path":"/1/0/0","type":"integer","value":101}]`, and `,"values_fault":"..."` behind it when it is damaged. */
void bj_entries_json(bj_text *out, bj_entries *in);

/* --- writing -------------------------------------------------------------------------------------------------- */

typedef struct bj_entry_writer {
    uint32_t format;
    bj_path base; /* of the operation */
    bj_tlv_writer bytes;
    size_t count;
    unsigned levels; /* LwM2M CBOR: maps that are open */
    struct {
        size_t mark, count;
    } level[BJ_NESTING];
    bj_path last;
    bj_path named; /* the base name that stands */
} bj_entry_writer;

bool bj_entries_writable(uint32_t format);
/* Entries of one Object, Object Instance, Resource come one after the other. Formats of a single value take the first
 * and leave the rest out. */
void bj_entries_write_begin(bj_entry_writer *w, uint32_t format, const bj_path *path, uint8_t *out, size_t room);
void bj_entries_write(bj_entry_writer *w, const bj_entry *entry);
/* The length; 0 when there was not enough room. */
size_t bj_entries_write_end(bj_entry_writer *w);

#endif
