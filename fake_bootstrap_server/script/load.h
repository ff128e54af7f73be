/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML to program. Only the parent process loads YAML; it is on libfyaml and malloc().
 */
#ifndef BJ_SCRIPT_LOAD_H
#define BJ_SCRIPT_LOAD_H

#include <stdio.h>

#include "script/program.h"

/* One mistake in a file. Texts live in the arena that was given to the loader. */
typedef struct bj_mistake {
    const char *file;
    bj_position position;
    const char *text;       /* "expected a duration such as 10s, found 'ten'" */
    const char *suggestion; /* "write", or NULL */
} bj_mistake;

enum { BJ_MISTAKES = 20 };

typedef struct bj_mistakes {
    size_t count; /* all that were found; at most BJ_MISTAKES are kept */
    bj_mistake items[BJ_MISTAKES];
} bj_mistakes;

/* Loads a document of the record kind `kind` (BJ_K_SCENARIO, BJ_K_PROFILE) from a file, or from bytes with `file` as
 * its name in messages. NULL when there was a mistake (all of them are in *mistakes) or the file cannot be read
 * (one mistake with position 0). The loader checks everything that can be known without running: types, names of
 * servers and captures, required fields, due times that cannot be reached, field combinations that exclude each other.
 */
/* A scenario of a file with `cases` or `parameters` is named FILE::CASE, in `file`, too. */
bj_record *bj_load_file(bj_arena *arena, bj_kind kind, const char *file, bj_mistakes *mistakes);
bj_record *bj_load_bytes(bj_arena *arena, bj_kind kind, const char *file, const char *bytes, size_t length,
                         bj_mistakes *mistakes);

/* The same without what only a file of a user must keep to: types, names of fields and required fields are checked,
 * what one step means to another is not. For programs that were printed from their byte form. */
bj_record *bj_load_unchecked(bj_arena *arena, bj_kind kind, const char *file, const char *bytes, size_t length,
                             bj_mistakes *mistakes);
/* Either (`check`: the former), with an empty arena of the caller's for what is needed only while loading, which stays
 * there. NULL: an arena is mapped and unmapped, which takes as long as loading a short text does. */
bj_record *bj_load_within(bj_arena *scratch, bj_arena *arena, bj_kind kind, const char *file, const char *bytes,
                          size_t length, bj_mistakes *mistakes, bool check);

/* A script that grows while it runs (harness/cli/control.c): the head of a scenario, which may have steps but need not
 * have a title or any, and then its steps. Everything is checked as in a file, each step by what was given before. */
typedef struct bj_script bj_script;
/* `name` is the file's that it would be: includes and `!file` are found beside it. All lies in the arena. NULL after
 * mistakes. */
bj_script *bj_script_begin(bj_arena *arena, const char *name, const char *bytes, size_t length, bj_mistakes *mistakes);
/* One step (a map) or several (a list), in YAML or JSON: a BJ_K_SCENARIO record that has only them. They stand at
 * `position`, whichever that is for the caller; line 0: where they stand in `bytes`. NULL after mistakes: the script is
 * as it was. */
const bj_record *bj_script_take(bj_script *script, const char *bytes, size_t length, bj_position position,
                                bj_mistakes *mistakes);
/* The scenario so far: its head, and all steps. A new record in the arena, but for what it holds. */
bj_record *bj_script_whole(const bj_script *script);

/* The length of FILE in FILE::CASE, and CASE; NULL where the name is one of a file. */
size_t bj_case_split(const char *name, const char **case_name);
/* The names of the cases of a scenario file; *count is 0 where it has none. The names are in the arena. false: the file
 * cannot be read, or has mistakes that all of its cases share. */
bool bj_load_cases(bj_arena *arena, const char *file, const char ***names, size_t *count, bj_mistakes *mistakes);

/* "file:line:column: error: text (did you mean 'x'?)" */
void bj_mistake_print(bj_text *text, const bj_mistake *mistake);
/* All that are kept, a line each, on standard error. */
void bj_mistakes_tell(const bj_mistakes *mistakes);

/* The name among `names` (a NULL at the end) that `text` was probably meant to be, or NULL. */
const char *bj_nearest(const char *const *names, const char *text, size_t length);

/* Writes a JSON Schema (draft 2020-12) of scenario files, made from the table of schema.h, for editors. */
void bj_schema_json(FILE *out);
/* Writes the reference of the language as Markdown. */
void bj_reference_markdown(FILE *out);

/* The subcommands `bootjack check FILE...` and `bootjack program FILE...`; they return the exit status: 0, 2 for
 * mistakes in a file, 64 for wrong usage. argv[0] is the subcommand. */
int bj_check_main(int argc, char **argv);
int bj_program_main(int argc, char **argv);

#endif
