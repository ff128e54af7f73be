/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack from-capture FILE`: a client of a capture as a scenario file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/script.h"
#include "script/bytes.h"

enum { ARENA = 256 << 20, WINDOW = 8 };

typedef struct converter {
    bj_field_options options;
    bj_field field;
    const char *out;
    const char *corpus; /* a folder */
    bool loose;
} converter;

static bool write_file(const char *name, const bj_string *content) {
    FILE *out = fopen(name, "w");
    bool good = out && fwrite(content->bytes, 1, content->length, out) == content->length;
    if ((out && fclose(out) != 0) || !good) {
        fprintf(stderr, "bootjack: %s: %s\n", name, strerror(errno));
        return false;
    }
    return true;
}

static bool write_out(const converter *c, size_t number, const bj_string *text) {
    if (!c->out) {
        return fwrite(text->bytes, 1, text->length, stdout) == text->length;
    }
    BJ_TEXT(name, 4096);
    bj_field_file(&name, c->out, number);
    return write_file(name.start, text);
}

/* --- seeds ---------------------------------------------------------------------------------------------------- */

/* The byte form (script/bytes.h) of the scenario with these of its steps. */
static bool write_seed(const converter *c, bj_script *s, size_t number, const char *what, size_t from, size_t count) {
    BJ_TEXT(name, 4096);
    const char *file = strrchr(c->options.units.source.name, '/');
    bj_value steps = { .type = BJ_T_STEPS };
    steps.as.records.items = s->steps + from;
    steps.as.records.count = count;
    bj_set(s->arena, s->root, BJ_F(SCENARIO, STEPS), &steps);
    bj_string bytes = bj_program_encode(s->arena, s->root);
    bj_text_printf(&name, "%s/%s-%zu-%s", c->corpus, file ? file + 1 : c->options.units.source.name, number + 1, what);
    return write_file(name.start, &bytes);
}

/* The whole session, and windows of it that overlap by half: what begins in the middle finds other states. */
static bool write_seeds(const converter *c, bj_script *s, size_t number) {
    size_t all = s->count;
    if (mkdir(c->corpus, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "bootjack: %s: %s\n", c->corpus, strerror(errno));
        return false;
    }
    bool good = write_seed(c, s, number, "whole", 0, all);
    for (size_t from = 0; good && all > WINDOW && from < all; from += WINDOW / 2) {
        BJ_TEXT(what, 40);
        bj_text_printf(&what, "from-%zu", from + 1);
        good = write_seed(c, s, number, what.start, from, all - from < WINDOW ? all - from : WINDOW);
    }
    return good;
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static bool convert(converter *c, size_t number) {
    bj_arena *arena = bj_arena_map(ARENA);
    bj_talk talk;
    bool good = arena && bj_field_talk(&c->field, c->field.chosen[number], &talk);
    if (good) {
        bj_script *script = bj_arena_alloc(arena, sizeof *script);
        bj_script_make(script, &c->field, &talk, arena, c->loose, false);
        bj_string text = bj_script_print(script);
        good = (c->corpus && !c->out) || write_out(c, number, &text);
        good = good && (!c->corpus || write_seeds(c, script, number));
    }
    if (arena) {
        bj_talk_free(&talk);
        bj_arena_unmap(arena);
    }
    return good;
}

static void print_help(void) {
    printf(
        "usage: bootjack from-capture [OPTION...] FILE\n"
        "\n"
        "Makes a scenario of what a client did in a capture: its servers do what they did there, and the client must "
        "do\n"
        "what it did. Comments name frames; assumptions stand at the top.\n"
        "\n"
        "  -o, --output FILE   the scenario; standard output if not given. With --all FILE, FILE-2, ...\n"
        "  --loose             order and codes only, and not the times\n"
        "  --corpus FOLDER     seeds for fuzzers: the scenario in byte form, whole, and windows of its steps\n"
        "%s"
        "  --help              this text\n"
        "\n"
        "Exit status: 0 done, 2 the file cannot be read or holds no client, or nobody said which of several; 64 wrong\n"
        "usage.\n",
        bj_field_help);
}

static int take_option(void *context, int argc, char **argv, int *at, bj_text *why) {
    converter *c = context;
    const char *word = argv[*at];
    bool output = !strcmp(word, "-o") || !strcmp(word, "--output");
    if (!strcmp(word, "--loose")) {
        c->loose = true;
    } else if (output && *at + 1 < argc) {
        c->out = argv[++*at];
    } else if (output) {
        bj_text_printf(why, "a file is needed behind %s", word);
        return -1;
    } else if (!strcmp(word, "--corpus") && *at + 1 < argc) {
        c->corpus = argv[++*at];
    } else {
        return 0;
    }
    return 1;
}

int bj_from_capture_main(int argc, char **argv) {
    converter *c = calloc(1, sizeof *c);
    if (!c) {
        fputs("bootjack: out of memory\n", stderr);
        return BJ_FIELD_CANNOT;
    }
    bj_field_command command = { "from-capture", print_help, take_option, c };
    int status = bj_field_read_arguments(&c->options, &command, argc, argv);
    if (status < 0) {
        status = bj_field_open(&c->field, &c->options);
        for (size_t i = 0; !status && i < c->field.chosen_count; i++) {
            status = convert(c, i) ? 0 : BJ_FIELD_CANNOT;
        }
        bj_field_close(&c->field);
    }
    free(c);
    return status;
}
