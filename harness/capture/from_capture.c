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

/* "scenario.yaml" for one client; for several "scenario-2.yaml". */
static void file_name(const converter *c, size_t number, bj_text *name) {
    const char *dot = strrchr(c->out, '.');
    size_t stem = dot && !strchr(dot, '/') ? (size_t) (dot - c->out) : strlen(c->out);
    if (!number) {
        bj_text_add(name, c->out);
        return;
    }
    bj_text_add_bytes(name, c->out, stem);
    bj_text_printf(name, "-%zu%s", number + 1, c->out + stem);
}

static bool write_out(const converter *c, size_t number, const bj_string *text) {
    if (!c->out) {
        return fwrite(text->bytes, 1, text->length, stdout) == text->length;
    }
    BJ_TEXT(name, 4096);
    file_name(c, number, &name);
    FILE *out = fopen(name.start, "w");
    bool good = out && fwrite(text->bytes, 1, text->length, out) == text->length;
    if ((out && fclose(out) != 0) || !good) {
        fprintf(stderr, "bootjack: %s: %s\n", name.start, strerror(errno));
        return false;
    }
    return true;
}

/* --- seeds ---------------------------------------------------------------------------------------------------- */

/* The byte form (script/bytes.h) of the scenario with these of its steps. */
static bool write_seed(const converter *c, bj_script *s, size_t number, const char *what, size_t from, size_t count) {
    BJ_TEXT(name, 4096);
    const char *file = strrchr(c->options.units.file, '/');
    bj_value steps = { .type = BJ_T_STEPS };
    steps.as.records.items = s->steps + from;
    steps.as.records.count = count;
    bj_set(s->arena, s->root, BJ_F(SCENARIO, STEPS), &steps);
    bj_string bytes = bj_program_encode(s->arena, s->root);
    bj_text_printf(&name, "%s/%s-%zu-%s", c->corpus, file ? file + 1 : c->options.units.file, number + 1, what);
    FILE *out = fopen(name.start, "wb");
    bool good = out && fwrite(bytes.bytes, 1, bytes.length, out) == bytes.length;
    if ((out && fclose(out) != 0) || !good) {
        fprintf(stderr, "bootjack: %s: %s\n", name.start, strerror(errno));
        return false;
    }
    return true;
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

static void print_help(FILE *out) {
    fprintf(
        out,
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

static int wrong_usage(const char *what, const char *about) {
    fprintf(stderr, "bootjack from-capture: %s%s\nTry 'bootjack from-capture --help'.\n", what, about);
    return BJ_FIELD_USAGE;
}

static int read_arguments(converter *c, int argc, char **argv) {
    BJ_TEXT(why, 300);
    for (int i = 1; i < argc; i++) {
        int taken = bj_field_option(&c->options, argc, argv, &i, &why);
        if (taken < 0) {
            return wrong_usage(why.start, "");
        }
        if (taken) {
            continue;
        }
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            print_help(stdout);
            return 0;
        }
        bool output = !strcmp(argv[i], "-o") || !strcmp(argv[i], "--output");
        if (output && i + 1 < argc) {
            c->out = argv[++i];
        } else if (!strcmp(argv[i], "--corpus") && i + 1 < argc) {
            c->corpus = argv[++i];
        } else if (!strcmp(argv[i], "--loose")) {
            c->loose = true;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return wrong_usage(output ? "a file is needed behind " : "unknown option ", argv[i]);
        } else if (c->options.units.file) {
            return wrong_usage("more than one file: ", argv[i]);
        } else {
            c->options.units.file = argv[i];
        }
    }
    return c->options.units.file ? -1 : wrong_usage("a capture file is needed", "");
}

int bj_from_capture_main(int argc, char **argv) {
    converter *c = calloc(1, sizeof *c);
    if (!c) {
        fputs("bootjack: out of memory\n", stderr);
        return BJ_FIELD_CANNOT;
    }
    bj_field_defaults(&c->options);
    int status = read_arguments(c, argc, argv);
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
