/* SPDX-License-Identifier: Apache-2.0
 *
 * A capture from the field, as the commands that work on one open it: the file, its keys, its clients and the choice
 * among them. Private to harness/ (capture/, cli/).
 */
#ifndef BJ_CAPTURE_FIELD_H
#define BJ_CAPTURE_FIELD_H

#include "base/arena.h"
#include "capture/notes.h"
#include "capture/talk.h"
#include "oracle/oracle.h"

enum { BJ_FIELD_CANNOT = 2, BJ_FIELD_USAGE = 64, BJ_FIELD_BATCH = 64 };

/* What the command line says of the capture. */
typedef struct bj_field_options {
    bj_unit_options units;
    const char *client; /* NULL: the only one there is */
    const char *keys;
    bool all;
    bool packets_only; /* what a capture of a run says beside its packets is not read */
    bool at_client;    /* the capture was taken where the client is; else only if the addresses say so */
    int instance;      /* of the bootstrap account; -1: not told */
    bj_time holdoff;   /* /0/x/11 of it; BJ_NEVER: not told */
    bj_time tolerance;
    uint32_t until; /* the last frame that counts; 0: all */
} bj_field_options;

typedef struct bj_field {
    const bj_field_options *options;
    bj_units *units;
    bj_parties parties;
    bj_arena *arena; /* of what follows */
    bj_noted noted;  /* what a capture of a run says beside its packets; times count from the run's beginning then */
    uint32_t chosen[BJ_FIELD_BATCH * 16];
    size_t chosen_count;
} bj_field;

void bj_field_defaults(bj_field_options *options);
/* The help of those options. */
extern const char bj_field_help[];

/* A command that works on a capture. */
typedef struct bj_field_command {
    const char *name;
    void (*print_help)(void); /* on standard output */
    /* Takes the option at argv[*at] when it is one of the command's own; *at then is its last word. 1: taken; 0: it is
     * none of them; -1: *why says what is wrong with it. */
    int (*take)(void *context, int argc, char **argv, int *at, bj_text *why);
    void *context;
} bj_field_command;

/* Reads a command line: the command's own options, those above, one file. -1: go on; else the exit status: help was
 * printed, or what is wrong was said on standard error. */
int bj_field_read_arguments(bj_field_options *options, const bj_field_command *command, int argc, char **argv);

/* Opens and reads the capture, finds its clients and chooses. 0, or an exit status: what is wrong (or the list of the
 * clients among which nobody chose) was said on standard error. Warnings (damage, clocks that run backwards, what was
 * not understood) are said there, too. */
int bj_field_open(bj_field *field, bj_field_options *options);
void bj_field_close(bj_field *field);
/* The file for the number-th of the clients that were chosen: "field.yaml", "field-2.yaml", ... */
void bj_field_file(bj_text *out, const char *file, size_t number);
/* The conversation of one client, which the caller frees; the capture is at its beginning again. false: it was said
 * why. */
bool bj_field_talk(bj_field *field, uint32_t party, bj_talk *talk);

/* Was the capture taken where the client is, so that what it shows reached it? */
bool bj_field_at_client(const bj_field *field, uint32_t party);

/* What the oracles are told of a client of a capture. Texts are in the arena. */
void bj_field_oracle_config(const bj_field *field, uint32_t party, bj_arena *arena, bj_oracle_config *config);

/* A rule that the client of a capture broke, the first time. */
typedef struct bj_field_finding {
    bj_rule rule;
    uint32_t frame; /* 0: something did not come */
    bj_time time;
    const char *text; /* in the arena */
} bj_field_finding;
/* What the oracles find of one client, at most `room` of them; the capture is at its beginning again. */
size_t bj_field_findings(bj_field *field, uint32_t party, bj_arena *arena, bj_field_finding *out, size_t room);

/* `bootjack judge FILE`. */
int bj_judge_main(int argc, char **argv);

#endif
