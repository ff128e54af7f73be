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
    bj_arena *mapped;  /* `scratch` where it is the loader's own */
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
    bool growing;   /* the head of a script that grows: it need not have a title and steps */
    bool lost_step; /* a step could not be read: what depends on the order of steps is not checked */
    const bj_record *damaged[BJ_DAMAGED]; /* records with mistakes: not looked at again */
    size_t damaged_count;
} bj_loading;

/* Reports a mistake; `suggestion` may be NULL. Always returns false, for `return bj_mistake_at(...)`. */
bool bj_mistake_at(bj_loading *loading, bj_position position, const char *suggestion, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "expected WHAT, found 'text'" (or a map, a list, nothing). */
bool bj_mistake_expected(bj_loading *loading, const bj_yaml *found, const char *suggestion, const char *what);

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

/* load.c. Begins a loading of that name, in an arena of its own where loading->scratch is NULL; false after a mistake.
 * bj_loading_end() belongs to it in any case: true when there was no mistake. */
bool bj_loading_begin(bj_loading *loading, bj_arena *arena, const char *name, size_t length, bj_mistakes *mistakes);
bool bj_loading_end(bj_loading *loading);
/* The document as a record of that kind; NULL after a mistake. */
bj_record *bj_load_document(bj_loading *loading, bj_kind kind, const char *bytes, size_t length);
/* Steps: a list. What could not be loaded is left out, after a mistake. In loading->arena. */
const bj_record **bj_load_step_list(bj_loading *loading, const bj_yaml *list, size_t *count);
/* A program knows positions of one file: what came from others is where they were included. */
void bj_settle_positions(const bj_loading *loading, bj_record *record);

/* load_check.c: what no type can say. */
void bj_check_program(bj_loading *loading, const bj_record *root);
/* load_profile.c: its part for a profile's root. */
void bj_check_profile(bj_loading *loading, const bj_record *root);
/* The same for a script that grows: what holds behind its head, in loading->arena; and its next steps, one loading for
 * each call. Behind a mistake holds what held before. */
typedef struct bj_checked bj_checked;
bj_checked *bj_check_head(bj_loading *loading, const bj_record *root);
void bj_check_steps(bj_checked *checked, bj_loading *loading, const bj_record *const *steps, size_t count);

#endif
