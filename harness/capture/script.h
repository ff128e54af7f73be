/* SPDX-License-Identifier: Apache-2.0
 *
 * A conversation of a capture as a scenario: what the servers did is what they do in it, what the client did is what it
 * must do. Tokens, Message IDs and ports are nobody's business: the engine has its own. Private to harness/ (capture/,
 * cli/).
 */
#ifndef BJ_CAPTURE_SCRIPT_H
#define BJ_CAPTURE_SCRIPT_H

#include "capture/field.h"
#include "script/program.h"
#include "wire/entries.h"

enum { BJ_SCRIPT_ASSUMPTIONS = 24, BJ_SCRIPT_LEARNT = 64, BJ_SCRIPT_RAW_MIDS = 256 };

/* A Security account that a server wrote. */
typedef struct bj_script_learnt {
    bj_string uri, identity, key;
    int at; /* the message */
} bj_script_learnt;

typedef struct bj_script_server {
    char name[40];      /* in the scenario */
    char host[256];     /* its name in the network; "": not known */
    bj_addr seen, here; /* its address in the capture, and in the scenario */
    uint32_t initial;   /* as it is given */
    uint32_t port;      /* BJ_ENUM_PORT, at this point of the walk; then as it is from the start */
    bool met;           /* a step named it, or its port is known from the start */
    bool named;         /* a step named it */
    unsigned same;      /* the first of the places that are addresses of the same server */
    bool given;         /* the capture says what it is */
} bj_script_server;

typedef struct bj_script {
    const bj_field *field;
    const bj_talk *talk;
    bj_arena *arena;
    bool loose;     /* order and codes, no times */
    bj_noted noted; /* the field's, where it is about this client */
    size_t next_note;
    bool follows; /* for a comparison: what the client does is awaited, and not demanded */
    bj_script_server servers[BJ_TALK_SERVERS];
    bj_record *root;
    const bj_record **steps;
    const char **comments; /* of each step; NULL */
    size_t count, room;
    const char *assumptions[BJ_SCRIPT_ASSUMPTIONS];
    size_t assumption_count;
    bj_text comment; /* of the next step */
    char comment_room[1600];
    bj_time base;          /* when the last step ended, in the capture */
    bj_time latency;       /* one way */
    int awaited;           /* the request of the client that a `request` awaited last */
    bool *done;            /* messages that steps before say already */
    unsigned *observation; /* of each message that begins one: its number; 0 */
    unsigned observations;
    bool strangers[BJ_TALK_SERVERS]; /* servers that the client never speaks to */
    const char **kept;               /* names of requests that are answered later than others; NULL */
    unsigned kept_count;
    int current; /* the message whose steps are made */
    bj_script_learnt learnt[BJ_SCRIPT_LEARNT];
    size_t learnt_count;
    bool assumed_keys;
    uint16_t raw_mids[BJ_SCRIPT_RAW_MIDS];
    unsigned raw_mid_count;
    bj_time holdoff, holdoff_cap; /* as the conversation shows it; BJ_NEVER: it does not */
    unsigned raw;                 /* messages that only bytes say */
    unsigned unsaid;              /* messages that no step says: in comments */
} bj_script;

/* Makes the scenario; what it points to must outlive it. */
void bj_script_make(bj_script *script, const bj_field *field, const bj_talk *talk, bj_arena *arena, bool loose,
                    bool follows);
/* The file: assumptions at the top, comments with frame numbers. In the arena. */
bj_string bj_script_print(bj_script *script);

/* A URI of the capture as the scenario has it: addresses that the simulated world has another use for are others. */
void bj_script_uri(const bj_script *script, const char *uri, size_t length, bj_text *out);

/* LwM2M values of a payload as nodes; false: something in it has no place there. *tlv_exact: written in TLV again they
 * give the same bytes. */
bool bj_script_values(const bj_script *script, uint32_t format, const bj_path *target, const uint8_t *data,
                      size_t length, bj_value *values, bool *tlv_exact);

/* `bootjack from-capture FILE`. */
int bj_from_capture_main(int argc, char **argv);

#endif
