/* SPDX-License-Identifier: Apache-2.0
 *
 * A scenario as a tree, typed by the table of schema.h. Made by the loader (from YAML) or by the byte
 * decoder, read by the engine, the printer and the byte encoder. A tree lives in one arena and is never
 * changed once made.
 */
#ifndef BJ_SCRIPT_PROGRAM_H
#define BJ_SCRIPT_PROGRAM_H

#include "base/addr.h"
#include "base/arena.h"
#include "log/eventlog.h" /* bj_position */
#include "script/schema.h"

typedef struct bj_record bj_record;

/* What a program may hold. The loader refuses more, the byte decoder cuts, so that both give the same programs. */
enum {
    BJ_LIMIT_ITEMS = 65536, /* entries of all lists and maps together */
    BJ_LIMIT_DEPTH = 8,     /* records inside records: the scenario's own steps are at depth 1 */
    BJ_LIMIT_NODE_DEPTH = 4,
    BJ_LIMIT_NODES = 256, /* values beside each other */
    BJ_LIMIT_NAMES = 64,  /* names in one map */
};
#define BJ_DURATION_MAX ((bj_time) 36500 * 86400 * BJ_SECOND)

typedef struct bj_string {
    const char *bytes; /* a NUL stands behind them; there may be more inside */
    size_t length;
} bj_string;

/* A set of CoAP codes, one bit each. */
typedef struct bj_codes {
    uint64_t bits[4];
} bj_codes;

static inline bool bj_codes_has(const bj_codes *codes, uint8_t code) {
    return codes->bits[code >> 6] >> (code & 63) & 1;
}

/* The first of the set, 0 when it is empty: for fields that take one code. */
uint8_t bj_codes_first(const bj_codes *codes);

/* Points of time in expectations; verdicts.md, "Time in expectations". */
typedef enum bj_due {
    BJ_DUE_NONE = 0,       /* earliest and latest count from the end of the previous step */
    BJ_DUE_WAKE = 1,       /* the end of the client's present wait */
    BJ_DUE_FINISH = 2,     /* the client gives the session up: EXCHANGE_LIFETIME after the last command */
    BJ_DUE_RETRANSMIT = 3, /* the next retransmission of the client's last confirmable message */
    BJ_DUE_HOLDOFF = 4,    /* the next bootstrap attempt */
    BJ_DUE_LIFETIME = 5,   /* the registration ends unless updated */
    BJ_DUE_GIVEUP = 6,     /* the client's last request is given up: its last retransmission's time-out */
    BJ_DUE_UPDATE = 7,     /* the registration is updated: any time before its lifetime ends */
    BJ_DUE_QUEUE = 8,      /* queue mode: the client stops listening, MAX_TRANSMIT_WAIT after the last exchange */
    BJ_DUE_LAST = BJ_DUE_QUEUE,
} bj_due;

typedef struct bj_when {
    uint8_t due;      /* bj_due */
    int64_t earliest; /* us; with a due: added to its early end. "10s" has earliest = latest */
    int64_t latest;   /* us; with a due: added to its late end; INT64_MAX = open ("10s..") */
} bj_when;

/* Both ends are within BJ_DURATION_MAX of zero (but for an open latest), never reversed, and not negative where there
 * is no due. "..due(finish)", open at its early end, has earliest = -BJ_DURATION_MAX. */
#define BJ_WHEN_OPEN       INT64_MAX
#define BJ_WHEN_OPEN_EARLY (-(int64_t) BJ_DURATION_MAX)
/* Brings any *when into that form. */
void bj_when_tidy(bj_when *when);

/* LwM2M values under a path: what `tlv: {...}` holds. A node is a value or has children; what its id means (Object
 * Instance, Resource, Resource Instance) follows from the path of the operation and the depth. */
typedef enum bj_node_kind {
    BJ_N_TREE = 0,
    BJ_N_STRING = 1,
    BJ_N_INT = 2,
    BJ_N_BOOL = 3,
    BJ_N_FLOAT = 4,
    BJ_N_OPAQUE = 5,
    BJ_N_OBJLNK = 6, /* integer: (object id << 16) | instance id; YAML: !objlnk "3:0" */
    BJ_N_ANY = 7,    /* expectations only: the value is there, whatever it is; YAML: ~ */
} bj_node_kind;

typedef struct bj_node {
    uint16_t id;
    uint8_t kind; /* bj_node_kind */
    int64_t integer;
    double real;
    bj_string bytes; /* string, opaque */
    struct bj_node *children;
    size_t child_count;
} bj_node;

typedef struct bj_raw_option {
    uint32_t number;
    bj_string value;
} bj_raw_option;

typedef struct bj_named {
    bj_string name;
    const bj_record *const *records; /* NAMED: one; NAMED_LISTS: any; BRANCHES: the steps */
    size_t count;
} bj_named;

typedef struct bj_value {
    uint8_t type; /* bj_type */
    bj_position position;
    union {
        bool boolean;
        uint32_t uint; /* UINT, ENUM */
        bj_time duration;
        bj_when when;
        bj_codes codes;
        bj_string string; /* STRING, BYTES */
        struct {
            const bj_string *items;
            size_t count;
        } strings; /* STRINGS, QUERY */
        struct {
            const uint32_t *items;
            size_t count;
        } uints;
        struct {
            const bj_node *items;
            size_t count;
        } nodes; /* VALUES */
        struct {
            const bj_raw_option *items;
            size_t count;
        } options;
        struct {
            const bj_record *const *items;
            size_t count;
        } records; /* RECORD (one), RECORDS, STEPS */
        struct {
            const bj_named *items;
            size_t count;
        } named; /* NAMED, NAMED_LISTS, BRANCHES */
    } as;
} bj_value;

struct bj_record {
    uint8_t kind; /* bj_kind */
    bj_position position;
    const bj_value **fields; /* by field number; NULL = not given */
    uint8_t field_limit;     /* fields[0 .. field_limit-1] exist: of its kind */
    uint64_t given[2];       /* by bits: fields that may be given; all others are not: most of a kind's are not */
};
_Static_assert(BJ_LIMIT_FIELDS < 128, "a field is a bit");

/* The value of a field, NULL when it was not given (or `record` is NULL). */
const bj_value *bj_get(const bj_record *record, unsigned field);

/* The same, by type, with what to take when the field was not given. */
bool bj_get_bool(const bj_record *record, unsigned field, bool otherwise);
uint32_t bj_get_uint(const bj_record *record, unsigned field, uint32_t otherwise);
bj_time bj_get_duration(const bj_record *record, unsigned field, bj_time otherwise);
/* Never NULL unless `otherwise` is; a string that holds a NUL byte ends there for the caller. */
const char *bj_get_string(const bj_record *record, unsigned field, const char *otherwise);
const bj_record *bj_get_record(const bj_record *record, unsigned field);
/* A factor ("1.5") in millionths; `otherwise` is in millionths too, and also for what is none (bj_factor_parse()). */
uint64_t bj_get_factor(const bj_record *record, unsigned field, uint64_t otherwise);

/* Building trees (loader, byte decoder, capture importer). */
bj_record *bj_record_new(bj_arena *arena, bj_kind kind, bj_position position);
/* Sets a field to a value that is shared; NULL: it is not given. */
static inline void bj_share(bj_record *record, unsigned field, const bj_value *value) {
    record->fields[field] = value;
    record->given[field >> 6] |= UINT64_C(1) << (field & 63);
}
/* With the same values, which are shared: what is set in the copy changes nothing in the other. */
bj_record *bj_record_copy(bj_arena *arena, const bj_record *record);
/* Room for `count` records, for lists of them. */
const bj_record **bj_record_list(bj_arena *arena, size_t count);
/* Of the field's type, and empty: for who fills it where it is to stay, in record->fields. */
bj_value *bj_value_new(bj_arena *arena, const bj_field_def *field, bj_position position);
/* Takes a copy of *value. A field given twice: the last one stays. */
void bj_set(bj_arena *arena, bj_record *record, unsigned field, const bj_value *value);
/* A field that holds one record. */
void bj_set_record(bj_arena *arena, bj_record *record, unsigned field, const bj_record *inside);

/* A record inside a value: the index-th in the order of the byte form, with the name under which it stands (NULL
 * where it has none); NULL behind the last, and for types without records. For walks over a whole tree. */
const bj_record *bj_value_record(const bj_value *value, size_t index, const bj_string **name);

/* The same tree but for positions? For tests: parse(print(p)) = p, decode(encode(p)) = p. */
bool bj_record_equal(const bj_record *a, const bj_record *b);

/* The node of that id among `count` of one level, in which an id stands once; NULL when there is none. */
const bj_node *bj_node_find(const bj_node *nodes, size_t count, uint16_t id);

/* What one types for a command of that name (field `commands` of a profile), in *text; NULL: it has none. */
const bj_string *bj_profile_command(const bj_record *profile, const char *name, bj_string *text);

#endif
