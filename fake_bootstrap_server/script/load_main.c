/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack check` and `bootjack program`: what can be done with scenario files without running them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include "script/bytes.h"
#include "script/load.h"
#include "script/print.h"

enum { OK = 0, COULD_NOT = 2, USAGE = 64, BYTES_LIMIT = 4 << 20 };
static const size_t arena_size = (size_t) 256 << 20;

static void print_mistakes(const bj_mistakes *mistakes) {
    bj_mistakes_tell(mistakes);
    if (mistakes->count > BJ_MISTAKES) {
        fprintf(stderr, "%s: and %zu more\n", mistakes->items[0].file, mistakes->count - BJ_MISTAKES);
    }
}

/* A file that can be read more than once: what a pipe gives it gives once. */
static bool is_lasting(const char *file) {
    struct stat about;
    return stat(file, &about) == 0 && S_ISREG(about.st_mode);
}

/* A key at the top of a document, in FILE or FILE::CASE. */
static bool has_key(const char *name, const char *key) {
    const char *case_name;
    char *file = strndup(name, bj_case_split(name, &case_name));
    FILE *stream = file && is_lasting(file) ? fopen(file, "re") : NULL;
    char *line = NULL;
    size_t room = 0;
    size_t length = strlen(key);
    bool found = false;
    while (stream && !found && getline(&line, &room, stream) >= 0) {
        found = !strncmp(line, key, length) && line[length + strspn(line + length, " ")] == ':';
    }
    free(file);
    free(line);
    if (stream) {
        fclose(stream);
    }
    return found;
}

/* A profile of a client has a name and no steps. */
static bj_kind kind_of(const char *file) {
    return has_key(file, "name") && !has_key(file, "steps") && !has_key(file, "title") ? BJ_K_PROFILE : BJ_K_SCENARIO;
}

/* --- check ------------------------------------------------------------------------------------ */

static const char check_usage[] =
    "usage: bootjack check [-v | --list] [--profile] FILE|FILE::CASE|FOLDER...\n"
    "Reads scenarios and profiles of clients and says what is wrong with them, without running anything.\n"
    "Of a folder all files are read that end in .yaml and have `steps`; of a file with cases, every case.\n\n"
    "  -v         list the steps, with the time by which each must be done\n"
    "  --list     a JSON object a line for each scenario, with its title, rules and what it shows\n"
    "  --profile  the files are profiles of clients (left out: those with a `name` and no `steps` are)\n\n"
    "Exit status: 0 all files are fine, 2 there are mistakes, 64 wrong usage.\n";

typedef struct check_options {
    bool verbose;
    bool list;
    bool profile;
    size_t files; /* that were looked at */
    int status;
} check_options;

static bool ends_in(const char *path, const char *end) {
    size_t length = strlen(path);
    size_t end_length = strlen(end);
    return length >= end_length && !strcmp(path + length - end_length, end);
}

/* A request that says nothing about its time: verdicts.md, "Time in expectations". */
static const char *request_time(const bj_record *step) {
    const char *path = bj_get_string(step, BJ_F(REQUEST, PATH), "");
    if (bj_get(step, BJ_F(REQUEST, AT)) || bj_get(step, BJ_F(REQUEST, WITHIN))) {
        return NULL;
    }
    return ends_in(path, "/bs") ? "by due(holdoff)+1s" : "within 100s";
}

static const char *operation_time(const bj_record *step) {
    bool operation = bj_field_named(bj_record_def_of((bj_kind) step->kind), "empty-segment", 13) != NULL;
    return !operation || bj_get(step, BJ_F(WRITE, WITHIN)) || !bj_get_bool(step, BJ_F(WRITE, WAIT), true)
               ? NULL
               : "answer until the retransmissions end; acknowledged: within EXCHANGE_LIFETIME";
}

/* What holds where a step says nothing about time; NULL where there is nothing to add. */
static const char *default_time(const bj_record *step) {
    switch ((bj_kind) step->kind) {
    case BJ_K_REQUEST:
        return request_time(step);
    case BJ_K_NOTIFICATION:
        return bj_get(step, BJ_F(NOTIFICATION, AT)) || bj_get(step, BJ_F(NOTIFICATION, WITHIN)) ? NULL : "within 100s";
    case BJ_K_RETRANSMISSION:
        return bj_get(step, BJ_F(RETRANSMISSION, AT)) ? NULL : "at due(retransmit)";
    case BJ_K_DEPARTURE:
        return bj_get(step, BJ_F(DEPARTURE, AT)) || bj_get(step, BJ_F(DEPARTURE, WITHIN)) ? NULL : "within 100s";
    case BJ_K_RESET:
    case BJ_K_ACK:
    case BJ_K_AGAIN:
        return bj_get(step, BJ_F(RESET, WITHIN)) ? NULL : "within 10s";
    case BJ_K_EXIT:
        return bj_get(step, BJ_F(EXIT, WITHIN)) ? NULL : "within 100s";
    case BJ_K_POWER_CUT: {
        bool awaits = bj_get_uint(step, BJ_F(POWER_CUT, AT_OPERATION), 0) > 0;
        return awaits && !bj_get(step, BJ_F(POWER_CUT, WITHIN)) ? "within 100s" : NULL;
    }
    case BJ_K_HANDSHAKE:
        return bj_get(step, BJ_F(HANDSHAKE, WITHIN)) ? NULL : "within 100s";
    default:
        return operation_time(step);
    }
}

static void list_steps(const bj_record *record, unsigned depth) {
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    if (def->verb) {
        BJ_TEXT(line, 400);
        bj_step_line(&line, record);
        const char *time = default_time(record);
        printf("%6u  %*s%s%s%s\n", record->position.line, (int) (2 * depth), "", line.start, time ? "    # " : "",
               time ? time : "");
        depth++;
    }
    for (size_t i = 0; i < def->field_count; i++) {
        const bj_value *value = bj_get(record, def->fields[i].number);
        bool steps = def->fields[i].type == BJ_T_STEPS || def->fields[i].type == BJ_T_BRANCHES;
        const bj_string *name = NULL;
        const bj_string *last = NULL;
        const bj_record *inner;
        for (size_t j = 0; value && steps && (inner = bj_value_record(value, j, &name)); j++) {
            if (name != last) {
                printf("%*s%s:\n", (int) (8 + 2 * depth), "", name->bytes);
            }
            last = name;
            list_steps(inner, depth + (name != NULL));
        }
    }
}

static void list_member(bj_text *line, const char *name, const char *text) {
    bj_text_printf(line, ",\"%s\":", name);
    bj_text_json_string(line, text, strlen(text));
}

static void list_choice(bj_text *line, const char *name, const bj_record *root, unsigned field) {
    const bj_field_def *def = bj_field_numbered(bj_record_def_of(BJ_K_SCENARIO), field);
    const char *choice = bj_enum_name(def->values, bj_get_uint(root, field, 0));
    list_member(line, name, choice ? choice : "");
}

/* The scenario as a JSON object: what a program wants to know of it without running it. */
static void list_scenario(const char *name, const bj_record *root) {
    BJ_TEXT(line, 8000);
    const bj_value *rules = bj_get(root, BJ_F(SCENARIO, RULES));
    bj_text_add(&line, "{\"scenario\":");
    bj_text_json_string(&line, name, strlen(name));
    list_member(&line, "title", bj_get_string(root, BJ_F(SCENARIO, TITLE), ""));
    list_choice(&line, "shows", root, BJ_F(SCENARIO, SHOWS));
    list_choice(&line, "level", root, BJ_F(SCENARIO, LEVEL));
    list_member(&line, "description", bj_get_string(root, BJ_F(SCENARIO, DESCRIPTION), ""));
    bj_text_add(&line, ",\"rules\":[");
    for (size_t i = 0; rules && i < rules->as.strings.count; i++) {
        bj_text_add(&line, i ? "," : "");
        bj_text_json_string(&line, rules->as.strings.items[i].bytes, rules->as.strings.items[i].length);
    }
    printf("%s]}\n", line.start);
}

/* What all cases of a file have in common is said once: `said` holds the mistakes of the case before. */
static bool same_mistakes(const bj_mistakes *a, const bj_mistakes *b) {
    for (size_t i = 0; i < BJ_MISTAKES && i < a->count; i++) {
        if (a->count != b->count || a->items[i].position.line != b->items[i].position.line ||
            a->items[i].position.column != b->items[i].position.column ||
            strcmp(a->items[i].text, b->items[i].text) != 0) {
            return false;
        }
    }
    return a->count == b->count;
}

/* FILE or FILE::CASE. */
static void check_one(check_options *options, bj_arena *arena, const char *name, bj_kind kind, bj_mistakes *said) {
    bj_mistakes mistakes;
    const bj_record *root = bj_load_file(arena, kind, name, &mistakes);
    if (!root) {
        if (!same_mistakes(&mistakes, said)) {
            print_mistakes(&mistakes);
        }
        *said = mistakes;
        options->status = COULD_NOT;
    } else if (options->list && kind == BJ_K_SCENARIO) {
        list_scenario(name, root);
    } else if (!options->list) {
        printf("%s: ok\n", name);
    }
    if (root && options->verbose) {
        list_steps(root, 0);
    }
}

static void check_cases(check_options *options, bj_arena *arena, const char *file) {
    bj_mistakes mistakes = { 0 };
    const char **names;
    const char *given;
    size_t count = 0;
    bj_kind kind = options->profile ? BJ_K_PROFILE : kind_of(file);
    bj_case_split(file, &given);
    if (!given && kind == BJ_K_SCENARIO && is_lasting(file) && !bj_load_cases(arena, file, &names, &count, &mistakes)) {
        print_mistakes(&mistakes);
        options->status = COULD_NOT;
        return;
    }
    if (!count) {
        check_one(options, arena, file, kind, &mistakes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        BJ_TEXT(name, 4096);
        bj_text_printf(&name, "%s::%s", file, names[i]);
        check_one(options, arena, name.start, kind, &mistakes);
    }
}

static void check_file(check_options *options, const char *file) {
    bj_arena *arena = bj_arena_map(arena_size);
    if (!arena) {
        fprintf(stderr, "%s: error: %s\n", file, strerror(ENOMEM));
        options->status = COULD_NOT;
        return;
    }
    check_cases(options, arena, file);
    bj_arena_unmap(arena);
}

/* nftw() gives its callback no argument of ours. */
static check_options *walking;

static int visit(const char *path, const struct stat *about, int type, struct FTW *where) {
    size_t length = strlen(path);
    (void) about;
    if (type == FTW_F &&
        (!where->level || (length > 5 && !strcmp(path + length - 5, ".yaml") && has_key(path, "steps")))) {
        check_file(walking, path);
        walking->files++;
    } else if (type == FTW_DNR || type == FTW_NS) {
        fprintf(stderr, "%s: error: cannot be read\n", path);
        walking->status = COULD_NOT;
    }
    return 0;
}

static void check_path(check_options *options, const char *path) {
    const char *case_name;
    bj_case_split(path, &case_name);
    if (case_name) {
        check_file(options, path);
        return;
    }
    walking = options;
    options->files = 0;
    if (nftw(path, visit, 16, FTW_PHYS) != 0) {
        fprintf(stderr, "%s: error: cannot read the file: %s\n", path, strerror(errno));
        options->status = COULD_NOT;
    } else if (!options->files && options->status == OK) {
        fprintf(stderr, "%s: error: there is no scenario in this folder\n", path);
        options->status = COULD_NOT;
    }
    walking = NULL;
}

static int wrong_usage(const char *command, const char *what, const char *argument) {
    fprintf(stderr, "bootjack %s: %s%s\nTry 'bootjack %s --help'.\n", command, what, argument, command);
    return USAGE;
}

int bj_check_main(int argc, char **argv) {
    check_options options = { 0 };
    int files = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            fputs(check_usage, stdout);
            return OK;
        }
        if (!strcmp(argv[i], "-v") || !strcmp(argv[i], "--verbose")) {
            options.verbose = true;
        } else if (!strcmp(argv[i], "--list")) {
            options.list = true;
        } else if (!strcmp(argv[i], "--profile")) {
            options.profile = true;
        } else if (argv[i][0] == '-') {
            return wrong_usage("check", "unknown option ", argv[i]);
        } else {
            argv[1 + files++] = argv[i];
        }
    }
    if (!files) {
        return wrong_usage("check", "no file given", "");
    }
    if (options.list && options.verbose) {
        return wrong_usage("check", "--list and -v exclude each other", "");
    }
    for (int i = 0; i < files; i++) {
        check_path(&options, argv[1 + i]);
    }
    return options.status;
}

/* --- program ---------------------------------------------------------------------------------- */

static const char program_usage[] =
    "usage: bootjack program FILE|FILE::CASE [--print | --compile] [--bytes] [--profile] [--unchecked] [-o OUT]\n"
    "       bootjack program --schema | --reference [-o OUT]\n"
    "Turns a scenario from YAML into its byte form and back. Every byte string is the byte form of some program.\n\n"
    "  --print      write YAML in its canonical style (what is done when nothing else is said)\n"
    "  --compile    write the byte form\n"
    "  --schema     write the JSON Schema of scenarios\n"
    "  --reference  write the reference of the language, in Markdown\n"
    "  --bytes      FILE is in byte form (left out: files that do not end in .yaml or .yml are)\n"
    "  --profile    FILE is a profile of a client and not a scenario\n"
    "  --unchecked  check types only, not what steps mean to each other: for programs that were printed\n"
    "  -o OUT       write to OUT and not to standard output\n\n"
    "Exit status: 0 done, 2 mistakes in the file or it cannot be read or written, 64 wrong usage.\n";

/* What is written, and the option that asks for it. */
typedef enum program_form { PRINT, COMPILE, SCHEMA, REFERENCE, FORMS } program_form;
static const char *const form_options[FORMS] = { "--print", "--compile", "--schema", "--reference" };

typedef struct program_options {
    const char *file;
    const char *out;
    program_form form;
    bool form_given;
    bool bytes;
    bool unchecked;
    bool profile;
} program_options;

static bool is_yaml(const char *name) {
    const char *case_name;
    size_t length = bj_case_split(name, &case_name);
    return (length > 5 && !memcmp(name + length - 5, ".yaml", 5)) ||
           (length > 4 && !memcmp(name + length - 4, ".yml", 4));
}

/* The file's bytes in the arena, at most BYTES_LIMIT; NULL after a message. */
static const char *read_bytes(bj_arena *arena, const char *file, size_t *length) {
    FILE *stream = fopen(file, "re");
    char *bytes = bj_arena_alloc(arena, BYTES_LIMIT + 1);
    errno = 0;
    *length = stream ? fread(bytes, 1, BYTES_LIMIT + 1, stream) : 0;
    bool failed = !stream || ferror(stream);
    if (failed) {
        fprintf(stderr, "%s: error: cannot read the file: %s\n", file, strerror(errno ? errno : ENOENT));
    } else if (*length > BYTES_LIMIT) {
        fprintf(stderr, "%s: error: the file is larger than 4 MiB\n", file);
    }
    if (stream) {
        fclose(stream);
    }
    return failed || *length > BYTES_LIMIT ? NULL : bytes;
}

static const bj_record *read_program(bj_arena *arena, const program_options *options) {
    bj_mistakes mistakes = { 0 };
    size_t length;
    const bj_record *root;
    bool bytes = options->bytes || !is_yaml(options->file);
    bj_kind kind =
        options->profile || (!bytes && kind_of(options->file) == BJ_K_PROFILE) ? BJ_K_PROFILE : BJ_K_SCENARIO;
    if (bytes || options->unchecked) {
        const char *content = read_bytes(arena, options->file, &length);
        if (!content) {
            return NULL;
        }
        root = bytes ? bj_program_decode(arena, kind, content, length, NULL, 0)
                     : bj_load_unchecked(arena, kind, options->file, content, length, &mistakes);
    } else {
        root = bj_load_file(arena, kind, options->file, &mistakes);
    }
    if (!root) {
        print_mistakes(&mistakes);
    }
    return root;
}

static void write_program(bj_arena *arena, const program_options *options, const bj_record *root, FILE *out) {
    if (options->form == SCHEMA) {
        bj_schema_json(out);
    } else if (options->form == REFERENCE) {
        bj_reference_markdown(out);
    } else {
        bj_string text = options->form == COMPILE ? bj_program_encode(arena, root) : bj_program_print(arena, root);
        fwrite(text.bytes, 1, text.length, out);
    }
}

/* A part of a file is not left behind; a device or a pipe is not ours to remove. */
static void remove_part(const char *name) {
    struct stat about;
    if (lstat(name, &about) == 0 && S_ISREG(about.st_mode)) {
        remove(name);
    }
}

/* The file is opened when there is something to write: mistakes leave the one that is there as it is. */
static int write_out(bj_arena *arena, const program_options *options) {
    const bj_record *root = options->file ? read_program(arena, options) : NULL;
    if (options->file && !root) {
        return COULD_NOT;
    }
    FILE *out = options->out ? fopen(options->out, "we") : stdout;
    if (!out) {
        fprintf(stderr, "%s: error: cannot write the file: %s\n", options->out, strerror(errno));
        return COULD_NOT;
    }
    write_program(arena, options, root, out);
    bool written = !fflush(out) && !ferror(out);
    if (!written) {
        fprintf(stderr, "%s: error: cannot write: %s\n", options->out ? options->out : "standard output",
                strerror(errno));
    }
    if (options->out) {
        fclose(out);
    }
    if (options->out && !written) {
        remove_part(options->out);
    }
    return written ? OK : COULD_NOT;
}

/* -1: the argument is no option of that kind. */
static int take_form(program_options *options, const char *argument) {
    for (unsigned i = 0; i < FORMS; i++) {
        if (strcmp(argument, form_options[i]) != 0) {
            continue;
        }
        if (options->form_given && options->form != (program_form) i) {
            BJ_TEXT(what, 80);
            bj_text_printf(&what, "%s and %s", form_options[options->form], argument);
            return wrong_usage("program", what.start, " exclude each other");
        }
        options->form = (program_form) i;
        options->form_given = true;
        return OK;
    }
    return -1;
}

/* One argument; *index moves on where it takes the next one, too. Its exit status when it is wrong, else -1. */
static int take_argument(program_options *options, int argc, char **argv, int *index) {
    const char *argument = argv[*index];
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        { "--bytes", &options->bytes },
        { "--profile", &options->profile },
        { "--unchecked", &options->unchecked },
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (!strcmp(argument, flags[i].name)) {
            *flags[i].flag = true;
            return -1;
        }
    }
    int form = take_form(options, argument);
    if (form >= 0) {
        return form == OK ? -1 : form;
    }
    if (!strcmp(argument, "-o")) {
        options->out = ++*index < argc ? argv[*index] : NULL;
        return options->out ? -1 : wrong_usage("program", "-o needs a file", "");
    }
    if (argument[0] == '-') {
        return wrong_usage("program", "unknown option ", argument);
    }
    if (options->file) {
        return wrong_usage("program", "more than one file", "");
    }
    options->file = argument;
    return -1;
}

int bj_program_main(int argc, char **argv) {
    program_options options = { 0 };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            fputs(program_usage, stdout);
            return OK;
        }
        int status = take_argument(&options, argc, argv, &i);
        if (status >= 0) {
            return status;
        }
    }
    bool of_language = options.form == SCHEMA || options.form == REFERENCE; /* and of no file */
    if (!options.file && !of_language) {
        return wrong_usage("program", "no file given", "");
    }
    if (options.file && of_language) {
        return wrong_usage("program", form_options[options.form], " takes no file");
    }
    bj_arena *arena = bj_arena_map(arena_size);
    if (!arena) {
        fprintf(stderr, "bootjack program: %s\n", strerror(ENOMEM));
        return COULD_NOT;
    }
    int status = write_out(arena, &options);
    bj_arena_unmap(arena);
    return status;
}
