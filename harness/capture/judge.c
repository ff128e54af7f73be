/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack judge FILE`: the oracles over a capture, with no client at all. What they find broken is told with the
 * frame that broke it, behind what the conversation shows.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/field.h"
#include "capture/readable.h"
#include "capture/story.h"

enum { ARENA = 16 << 20 };

/* One client while the capture is read. */
typedef struct defendant {
    uint32_t party;
    bj_arena *arena;
    bj_oracle *oracle;
    bj_story story;
    bj_talk talk;
    size_t findings;
    uint32_t frames[BJ_RULES]; /* of the findings */
} defendant;

typedef struct judge {
    bj_field_options options;
    bj_field field;
    bool json, quiet;
    unsigned broken; /* MUSTs */
    unsigned should;
} judge;

/* --- reading -------------------------------------------------------------------------------------------------- */

/* New findings are of the frame that is read now; those of the end have none. */
static void note_findings(defendant *d, uint32_t frame) {
    bj_finding *findings;
    size_t count = bj_oracle_findings(d->oracle, &findings);
    for (; d->findings < count; d->findings++) {
        d->frames[d->findings] = frame;
    }
}

static void take_event(void *context, const bj_event *event, const bj_unit *unit) {
    defendant *d = context;
    bj_oracle_event(d->oracle, event);
    note_findings(d, unit->frame);
}

static bool begin(bj_field *f, defendant *d, uint32_t party) {
    bj_oracle_config config;
    *d = (defendant){ .party = party, .arena = bj_arena_map(ARENA) };
    if (!d->arena) {
        return false;
    }
    bj_field_oracle_config(f, party, d->arena, &config);
    d->oracle = bj_oracle_new(d->arena, &config);
    bj_story_begin(&d->story, &f->parties, party, take_event, d);
    bj_talk_begin(&d->talk, &f->parties, party);
    return true;
}

static void end(defendant *d) {
    bj_story_end(&d->story);
    bj_talk_free(&d->talk);
    if (d->arena) {
        bj_arena_unmap(d->arena);
    }
}

/* The client whose unit this is; NULL: none of these. Answers of name servers are for all. */
static defendant *owner_of(const bj_field *field, defendant *all, size_t count, const bj_unit *unit) {
    const bj_flow *f = bj_parties_flow(&field->parties, unit);
    for (size_t i = 0; f && i < count; i++) {
        if (all[i].party == f->party) {
            return &all[i];
        }
    }
    return NULL;
}

static bool give(const bj_field *f, defendant *all, size_t count, const bj_unit *unit) {
    bool good = true;
    if (unit->kind == BJ_UNIT_DNS) {
        for (size_t i = 0; i < count; i++) {
            bj_story_take(&all[i].story, unit);
        }
        return true;
    }
    defendant *d = owner_of(f, all, count, unit);
    if (d) {
        bj_story_take(&d->story, unit);
        good = bj_talk_take(&d->talk, unit);
    }
    return good;
}

static bool read_capture(bj_field *f, defendant *all, size_t count) {
    bj_unit unit;
    BJ_TEXT(why, 300);
    uint32_t until = f->options->until;
    while (bj_units_next(f->units, &unit, &why) == 1 && (!until || unit.frame <= until)) {
        if (!give(f, all, count, &unit)) {
            fputs("bootjack: out of memory\n", stderr);
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        bj_oracle_end(all[i].oracle);
        note_findings(&all[i], 0);
    }
    return true;
}

size_t bj_field_findings(bj_field *f, uint32_t party, bj_arena *arena, bj_field_finding *out, size_t room) {
    defendant d;
    size_t count = 0;
    bj_finding *findings;
    BJ_TEXT(why, 300);
    if (begin(f, &d, party) && read_capture(f, &d, 1)) {
        size_t found = bj_oracle_findings(d.oracle, &findings);
        for (; count < found && count < room; count++) {
            out[count] = (bj_field_finding){ .rule = findings[count].rule,
                                             .frame = d.frames[count],
                                             .time = findings[count].time,
                                             .text = bj_arena_strdup(arena, findings[count].text) };
        }
    }
    end(&d);
    bj_units_rewind(f->units, &why);
    return count;
}

/* --- telling -------------------------------------------------------------------------------------------------- */

/* Which message answers which, by frames: for programs that compare. */
static void tell_exchanges(const bj_talk *t) {
    const char *separator = "";
    printf(",\"exchanges\":[");
    for (size_t i = 0; i < t->count; i++) {
        const bj_message *m = &t->messages[i];
        if (m->kind == BJ_TALK_RESPONSE && m->repeats == BJ_TALK_NONE && m->request != BJ_TALK_NONE) {
            printf("%s[%" PRIu32 ",%" PRIu32 "]", separator, t->messages[m->request].frame, m->frame);
            separator = ",";
        }
    }
    putchar(']');
}

static void tell_json(const judge *j, const defendant *d) {
    const bj_party *one = &j->field.parties.all[d->party];
    bj_finding *findings;
    size_t count = bj_oracle_findings(d->oracle, &findings);
    BJ_TEXT(text, 400);
    bj_addr_print(&text, &one->host);
    printf("{\"file\":");
    BJ_TEXT(quoted, 4096);
    bj_text_json_string(&quoted, j->options.units.source.name, strlen(j->options.units.source.name));
    printf("%s,\"client\":\"%s\",\"endpoint\":", quoted.start, text.start);
    BJ_TEXT(name, 900);
    bj_text_json_string(&name, one->endpoint, strlen(one->endpoint));
    printf("%s,\"first_frame\":%" PRIu32 ",\"last_frame\":%" PRIu32 ",\"broken\":[", name.start, one->first_frame,
           one->last_frame);
    for (size_t i = 0; i < count; i++) {
        BJ_TEXT(what, 4096);
        bj_text_json_string(&what, findings[i].text, strlen(findings[i].text));
        printf("%s{\"rule\":\"%s\",\"level\":\"%s\",\"frame\":%" PRIu32 ",\"time\":%.6f,\"count\":%u,\"text\":%s}",
               i ? "," : "", bj_rule_id(findings[i].rule),
               bj_rule_level(findings[i].rule) == BJ_LEVEL_MUST ? "MUST" : "SHOULD", d->frames[i],
               (double) findings[i].time / 1e6, findings[i].count, what.start);
    }
    putchar(']');
    if (!j->quiet) {
        tell_exchanges(&d->talk);
    }
    puts("}");
}

static void tell_finding(const bj_finding *f, uint32_t frame) {
    const char *level = bj_rule_level(f->rule) == BJ_LEVEL_MUST ? "MUST" : "SHOULD";
    printf("  BROKEN  %s (%s), ", bj_rule_id(f->rule), level);
    if (frame) {
        printf("frame %" PRIu32 ", ", frame);
    }
    printf("%.3f s: ", (double) f->time / 1e6);
    bj_print_readable(stdout, f->text);
    putchar('\n');
    if (f->count > 1) {
        printf("          %u times in all\n", f->count);
    }
}

static void tell_text(const judge *j, const defendant *d) {
    const bj_party *one = &j->field.parties.all[d->party];
    bj_finding *findings;
    size_t count = bj_oracle_findings(d->oracle, &findings);
    BJ_TEXT(text, 400);
    bj_party_print(&text, one);
    printf("%s: client ", j->options.units.source.name);
    bj_print_readable(stdout, text.start);
    printf(", frames %" PRIu32 " to %" PRIu32 "\n", one->first_frame, one->last_frame);
    if (!j->quiet) {
        bj_talk_print_facts(&d->talk, stdout);
    }
    for (size_t i = 0; i < count; i++) {
        tell_finding(&findings[i], d->frames[i]);
    }
    if (!count) {
        puts("  no rule is broken, as far as the capture shows");
    }
}

static void tell(judge *j, const defendant *d) {
    bj_finding *findings;
    size_t count = bj_oracle_findings(d->oracle, &findings);
    for (size_t i = 0; i < count; i++) {
        bool must = bj_rule_level(findings[i].rule) == BJ_LEVEL_MUST;
        j->broken += must;
        j->should += !must;
    }
    if (j->json) {
        tell_json(j, d);
    } else {
        tell_text(j, d);
    }
}

static bool judge_batch(judge *j, const uint32_t *parties, size_t count) {
    defendant *all = calloc(count, sizeof *all);
    bool good = all != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = begin(&j->field, &all[i], parties[i]);
    }
    good = good && read_capture(&j->field, all, count);
    for (size_t i = 0; all && i < count; i++) {
        if (good) {
            tell(j, &all[i]);
        }
        end(&all[i]);
    }
    free(all);
    return good;
}

/* All clients: as many at a time as memory allows, each time from the beginning. */
static int judge_all(judge *j) {
    BJ_TEXT(why, 300);
    for (size_t at = 0; at < j->field.chosen_count; at += BJ_FIELD_BATCH) {
        size_t left = j->field.chosen_count - at;
        if (at && !bj_units_rewind(j->field.units, &why)) {
            fprintf(stderr, "bootjack: %s\n", why.start);
            return BJ_FIELD_CANNOT;
        }
        if (!judge_batch(j, j->field.chosen + at, left < BJ_FIELD_BATCH ? left : BJ_FIELD_BATCH)) {
            return BJ_FIELD_CANNOT;
        }
    }
    return j->broken ? 1 : 0;
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static void print_help(void) {
    printf(
        "usage: bootjack judge [OPTION...] FILE\n"
        "\n"
        "Judges a client by a capture alone (pcap or pcapng, gzip or not): what the conversation shows, and which\n"
        "rules the client broke, by which frame. There is no client and no scenario; what a capture cannot show is\n"
        "held against nobody.\n"
        "\n"
        "%s"
        "  --json              one JSON object a line for each client\n"
        "  -q, --quiet         rules only, and not what the conversation shows\n"
        "  --help              this text\n"
        "\n"
        "Exit status: 0 no MUST is broken, 1 some are, 2 the file cannot be read or holds no client, or nobody said\n"
        "which of several; 64 wrong usage.\n",
        bj_field_help);
}

static int take_option(void *context, int argc, char **argv, int *at, bj_text *why) {
    judge *j = context;
    (void) argc;
    (void) why;
    if (!strcmp(argv[*at], "--json")) {
        j->json = true;
    } else if (!strcmp(argv[*at], "-q") || !strcmp(argv[*at], "--quiet")) {
        j->quiet = true;
    } else {
        return 0;
    }
    return 1;
}

int bj_judge_main(int argc, char **argv) {
    judge *j = calloc(1, sizeof *j);
    if (!j) {
        fputs("bootjack: out of memory\n", stderr);
        return BJ_FIELD_CANNOT;
    }
    bj_field_command command = { "judge", print_help, take_option, j };
    int status = bj_field_read_arguments(&j->options, &command, argc, argv);
    if (status < 0) {
        status = bj_field_open(&j->field, &j->options);
        status = status ? status : judge_all(j);
        bj_field_close(&j->field);
    }
    free(j);
    return status;
}
