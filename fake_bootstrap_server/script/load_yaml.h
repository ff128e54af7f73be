/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the loader: a YAML document as plain nodes with positions, and the state of one loading.
 * Everything that knows libfyaml is in load_yaml.c.
 */
#ifndef BJ_SCRIPT_LOAD_YAML_H
#define BJ_SCRIPT_LOAD_YAML_H

#include "script/load.h"

typedef enum bj_yaml_kind {
    BJ_YAML_SCALAR,
    BJ_YAML_LIST,
    BJ_YAML_MAP,
} bj_yaml_kind;

typedef struct bj_yaml {
    uint8_t kind;  /* bj_yaml_kind */
    bool plain;    /* a scalar without quotes: its text decides its type */
    bj_string tag; /* "!hex"; length 0 = none */
    bj_position position;
    bj_string text;         /* of a scalar */
    struct bj_yaml **items; /* of a list; of a map the values */
    struct bj_yaml **keys;  /* of a map */
    size_t count;
} bj_yaml;

enum { BJ_DAMAGED = 2 * BJ_MISTAKES, BJ_SOURCES = 128 };

/* While a program is loaded, the upper bits of a line say in which of the sources it is; 0 = the file itself. */
#define BJ_SOURCE_SHIFT 24

/* A file that was included. */
typedef struct bj_source {
    const char *file;
    bj_position from; /* of the `include` in its includer, which may be a source itself */
} bj_source;

/* One loading. */
typedef struct bj_loading {
    bj_arena *arena;   /* where the program goes */
    bj_arena *scratch; /* what is needed only while loading */
    const char *file;
    const char *case_name; /* the one that is wanted; NULL = the only one */
    bj_source sources[BJ_SOURCES];
    unsigned source_count; /* those that are known: 1 .. source_count */
    unsigned source;       /* the one that is being read */
    size_t expanded;       /* values that were made for parameters and includes */
    bj_mistakes *mistakes;
    size_t items; /* that the program may still have */
    bool full;    /* it had more: said once */
    unsigned depth;
    uint64_t meant; /* fields (by index) of the present record that a wrong name was probably meant for */
    bool lost_step; /* a step could not be read: what depends on the order of steps is not checked */
    const bj_record *damaged[BJ_DAMAGED]; /* records with mistakes: not looked at again */
    size_t damaged_count;
} bj_loading;

/* Reports a mistake; `suggestion` may be NULL. Always returns false, for `return bj_mistake_at(...)`. */
bool bj_mistake_at(bj_loading *loading, bj_position position, const char *suggestion, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "expected WHAT, found 'text'" (or a map, a list, nothing). */
bool bj_mistake_expected(bj_loading *loading, const bj_yaml *found, const char *suggestion, const char *what);

/* The name among `names` (a NULL at the end) that `text` was probably meant to be, or NULL. */
const char *bj_nearest(const char *const *names, const char *text, size_t length);

/* The document in `bytes`, in loading->scratch; NULL after a mistake: not YAML, not UTF-8, none or several documents.
 */
bj_yaml *bj_yaml_read(bj_loading *loading, const char *bytes, size_t length);

/* `~`, `null`, or nothing at all. */
bool bj_yaml_is_null(const bj_yaml *yaml);
bool bj_yaml_is(const bj_yaml *yaml, const char *text);
bool bj_yaml_tagged(const bj_yaml *yaml, const char *tag);

/* Takes `count` of what a program may hold; false after a mistake. */
bool bj_take_items(bj_loading *loading, const bj_yaml *yaml, size_t count);

/* Values of fields that hold no records: load_values.c. `value->type` is set; false after a mistake. */
bool bj_load_scalar(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, bj_value *value);
/* Text of a scalar: plain, quoted, or !bytes in hexadecimal. */
bool bj_load_text(bj_loading *loading, const bj_yaml *yaml, const char *what, bj_string *out);

/* load_bytes.c: what the file that the scalar names holds, under the tag !file; PEM and hexadecimal decoded. */
bool bj_load_file_bytes(bj_loading *loading, const bj_yaml *yaml, bj_string *out);

/* load_check.c: what no type can say. */
void bj_check_program(bj_loading *loading, const bj_record *root);

#endif
