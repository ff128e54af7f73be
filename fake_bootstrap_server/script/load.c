/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML to program: files, mistakes, and records by the table of schema.h. Values are in load_values.c, what no type can
 * say in load_check.c.
 */
#include "script/load.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/load_expand.h"

enum { FILE_LIMIT = 4 << 20, SCRATCH = 256 << 20, TEXT_ROOM = 600, FOUND_ROOM = 48 };

/* --- mistakes --------------------------------------------------------------------------------- */

bool bj_mistake_at(bj_loading *loading, bj_position position, const char *suggestion, const char *format, ...) {
    BJ_TEXT(text, TEXT_ROOM);
    bj_mistakes *mistakes = loading->mistakes;
    if (mistakes->count++ >= BJ_MISTAKES) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    unsigned source = position.line >> BJ_SOURCE_SHIFT;
    position.line &= (1u << BJ_SOURCE_SHIFT) - 1;
    mistakes->items[mistakes->count - 1] =
        (bj_mistake){ .file = source ? loading->sources[source].file : loading->file,
                      .position = position,
                      .text = bj_arena_strndup(loading->arena, text.start, text.used),
                      .suggestion = suggestion ? bj_arena_strdup(loading->arena, suggestion) : NULL };
    return false;
}

/* 'text', on one line and not too much of it. */
static void quote(bj_text *out, const bj_string *string) {
    BJ_TEXT(part, FOUND_ROOM);
    bj_text_add_bytes(&part, string->bytes, string->length);
    for (size_t i = 0; i < part.used; i++) {
        if ((unsigned char) part.start[i] < 0x20 || part.start[i] == 0x7F) {
            part.start[i] = ' ';
        }
    }
    bj_text_printf(out, "'%s'", part.start);
}

bool bj_mistake_expected(bj_loading *loading, const bj_yaml *found, const char *suggestion, const char *what) {
    BJ_TEXT(text, FOUND_ROOM + 80);
    if (found->kind != BJ_YAML_SCALAR) {
        bj_text_add(&text, found->kind == BJ_YAML_MAP ? "a map" : "a list");
    } else if (bj_yaml_is_null(found)) {
        bj_text_add(&text, "nothing");
    } else {
        quote(&text, &found->text);
        if (found->tag.length) {
            bj_text_printf(&text, " with the tag %.20s", found->tag.bytes);
        }
    }
    return bj_mistake_at(loading, found->position, suggestion, "expected %s, found %s", what, text.start);
}

void bj_mistake_print(bj_text *text, const bj_mistake *mistake) {
    bj_text_add(text, mistake->file);
    if (mistake->position.line) {
        bj_text_printf(text, ":%u:%u", mistake->position.line, mistake->position.column);
    }
    bj_text_printf(text, ": error: %s", mistake->text);
    if (mistake->suggestion) {
        bj_text_printf(text, " (did you mean '%s'?)", mistake->suggestion);
    }
}

void bj_mistakes_tell(const bj_mistakes *mistakes) {
    for (size_t i = 0; i < mistakes->count && i < BJ_MISTAKES; i++) {
        BJ_TEXT(line, 2048);
        bj_mistake_print(&line, &mistakes->items[i]);
        fprintf(stderr, "%s\n", line.start);
    }
}

/* In files by their place; those of included files before those of the file itself stay together. */
static int by_position(const void *a, const void *b) {
    const bj_mistake *x = a;
    const bj_mistake *y = b;
    if (x->file != y->file) {
        return strcmp(x->file, y->file);
    }
    if (x->position.line != y->position.line) {
        return x->position.line < y->position.line ? -1 : 1;
    }
    return x->position.column < y->position.column ? -1 : x->position.column > y->position.column;
}

/* --- names that were probably meant ------------------------------------------------------------ */

enum { LONGEST_NAME = 40 };

static unsigned lower(char c) {
    return (unsigned char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c == '_' ? '-' : c);
}

static void copy_lower(char *to, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        to[i] = (char) lower(text[i]);
    }
}

/* Edit distance where two letters that changed places are one edit. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                size_t swapped = rows[(i + 1) % 3][j - 2] + 1;
                best = swapped < best ? swapped : best;
            }
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

/* Which characters there are, as bits: two names that are some edits apart differ in no more of them. */
static uint64_t characters(const char *text, size_t length) {
    uint64_t all = 0;
    for (size_t i = 0; i < length; i++) {
        all |= UINT64_C(1) << (lower(text[i]) & 63);
    }
    return all;
}

/* Case is no edit. Most names have too many edits by their length or by their characters alone. */
const char *bj_nearest(const char *const *names, const char *text, size_t length) {
    const char *nearest = NULL;
    char wanted[LONGEST_NAME], name[LONGEST_NAME];
    size_t best = length / 3 + 1;
    if (!length || length > LONGEST_NAME) {
        return NULL;
    }
    copy_lower(wanted, text, length);
    uint64_t wanted_characters = characters(text, length);
    for (; *names; names++) {
        size_t name_length = strlen(*names), limit = best + !nearest;
        size_t fewest = name_length > length ? name_length - length : length - name_length;
        if (name_length > LONGEST_NAME || fewest >= limit) {
            continue;
        }
        uint64_t name_characters = characters(*names, name_length);
        if ((size_t) __builtin_popcountll(wanted_characters & ~name_characters) >= limit ||
            (size_t) __builtin_popcountll(name_characters & ~wanted_characters) >= limit) {
            continue;
        }
        copy_lower(name, *names, name_length);
        size_t edits = distance(wanted, length, name, name_length);
        if (edits < limit && edits < name_length && edits < length) {
            best = edits;
            nearest = *names;
        }
    }
    return nearest;
}

enum { MOST_NAMES = 128 };

static const char *nearest_verb(const bj_yaml *key) {
    const char *names[MOST_NAMES + 1] = { 0 };
    size_t count = 0;
    for (; count < bj_verb_count() && count < MOST_NAMES; count++) {
        names[count] = bj_verb_at(count)->name;
    }
    return bj_nearest(names, key->text.bytes, key->text.length);
}

static const char *nearest_field(const bj_record_def *def, const bj_yaml *key) {
    const char *names[MOST_NAMES + 1] = { 0 };
    for (size_t i = 0; i < def->field_count && i < MOST_NAMES; i++) {
        names[i] = def->fields[i].name;
    }
    return bj_nearest(names, key->text.bytes, key->text.length);
}

/* --- records ---------------------------------------------------------------------------------- */

static bj_record *load_record(bj_loading *loading, const bj_record_def *def, const bj_yaml *yaml);
static const bj_record *load_step(bj_loading *loading, const bj_yaml *yaml);

static const bj_field_def *field_of(const bj_record_def *def, const bj_yaml *key) {
    return key->kind == BJ_YAML_SCALAR ? bj_field_named(def, key->text.bytes, key->text.length) : NULL;
}

static bool one_record(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, const bj_record **out) {
    const bj_record_def *def = bj_record_def_of((bj_kind) field->kind);
    if (yaml->kind != BJ_YAML_MAP && !bj_yaml_is_null(yaml)) {
        return bj_mistake_expected(loading, yaml, NULL, "a map of fields");
    }
    *out = load_record(loading, def, yaml);
    return *out != NULL;
}

/* A list of records; a single map stands for a list of one. Steps stand in lists only. */
static bool load_list(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, const bj_record *const **out,
                      size_t *out_count) {
    bool steps = field->type == BJ_T_STEPS || field->type == BJ_T_BRANCHES;
    bool one = !steps && yaml->kind == BJ_YAML_MAP;
    size_t count = one ? 1 : yaml->count;
    if (!one && yaml->kind != BJ_YAML_LIST) {
        return bj_mistake_expected(loading, yaml, NULL, steps ? "a list of steps" : "a list of maps");
    }
    if (!bj_take_items(loading, yaml, count)) {
        return false;
    }
    const bj_record **records = bj_record_list(loading->arena, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const bj_yaml *item = one ? yaml : yaml->items[i];
        const bj_record *record = NULL;
        if (steps) {
            record = load_step(loading, item);
            loading->lost_step |= !record;
        } else {
            one_record(loading, field, item, &record);
        }
        if (record) {
            records[kept++] = record;
        }
    }
    *out = records;
    *out_count = kept;
    return kept == count;
}

static bool load_name(bj_loading *loading, const bj_yaml *key, bj_named *names, size_t index) {
    bj_string *name = &names[index].name;
    if (!bj_load_text(loading, key, "a name", name)) {
        return false;
    }
    for (size_t i = 0; i < index; i++) {
        if (names[i].name.length == name->length && !memcmp(names[i].name.bytes, name->bytes, name->length)) {
            return bj_mistake_at(loading, key->position, NULL, "the name '%.40s' is given twice", key->text.bytes);
        }
    }
    return true;
}

static bool load_named(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, bj_value *value) {
    bool fine = true;
    if (yaml->kind != BJ_YAML_MAP) {
        return bj_mistake_expected(loading, yaml, NULL,
                                   field->type == BJ_T_BRANCHES ? "a map from names to lists of steps"
                                                                : "a map from names to fields");
    }
    if (yaml->count > BJ_LIMIT_NAMES) {
        return bj_mistake_at(loading, yaml->position, NULL, "more than %d names in one map", BJ_LIMIT_NAMES);
    }
    if (!bj_take_items(loading, yaml, yaml->count)) {
        return false;
    }
    bj_named *names = bj_arena_calloc(loading->arena, yaml->count, sizeof *names);
    for (size_t i = 0; i < yaml->count; i++) {
        fine &= load_name(loading, yaml->keys[i], names, i);
        if (field->type == BJ_T_NAMED) {
            const bj_record **one = bj_record_list(loading->arena, 1);
            fine &= one_record(loading, field, yaml->items[i], one);
            names[i].records = one;
            names[i].count = *one != NULL;
        } else {
            fine &= load_list(loading, field, yaml->items[i], &names[i].records, &names[i].count);
        }
    }
    value->as.named.items = names;
    value->as.named.count = yaml->count;
    return fine;
}

static bool load_with_records(bj_loading *loading, const bj_field_def *field, const bj_yaml *yaml, bj_value *value) {
    switch ((bj_type) field->type) {
    case BJ_T_RECORD: {
        const bj_record **one = bj_record_list(loading->arena, 1);
        value->as.records.items = one;
        value->as.records.count = one_record(loading, field, yaml, one);
        return value->as.records.count;
    }
    case BJ_T_RECORDS:
    case BJ_T_STEPS:
        load_list(loading, field, yaml, &value->as.records.items, &value->as.records.count);
        return value->as.records.items;
    case BJ_T_NAMED:
    case BJ_T_NAMED_LISTS:
    case BJ_T_BRANCHES:
        return load_named(loading, field, yaml, value);
    default:
        return bj_load_scalar(loading, field, yaml, value);
    }
}

/* Reads one field into the record; false after a mistake in it. */
static bool load_field(bj_loading *loading, bj_record *record, const bj_field_def *field, const bj_yaml *yaml,
                       bj_position position) {
    bj_value value = { .type = field->type, .position = yaml->position };
    if (bj_get(record, field->number)) {
        return bj_mistake_at(loading, position, NULL, "the field '%s' is given twice", field->name);
    }
    if (!value.position.line) {
        value.position = position;
    }
    bool fine = load_with_records(loading, field, yaml, &value);
    bj_set(loading->arena, record, field->number, &value);
    return fine;
}

static bool unknown_field(bj_loading *loading, const bj_record_def *def, const bj_yaml *key) {
    if (key->kind != BJ_YAML_SCALAR) {
        return bj_mistake_expected(loading, key, NULL, "the name of a field");
    }
    if (def->verb && bj_verb_named(key->text.bytes, key->text.length)) {
        return bj_mistake_at(loading, key->position, NULL, "two verbs in one step: '%s' and '%s'", def->name,
                             key->text.bytes);
    }
    BJ_TEXT(name, FOUND_ROOM + 2);
    quote(&name, &key->text);
    const char *meant = nearest_field(def, key);
    if (meant) {
        loading->meant |= (uint64_t) 1 << (bj_field_named(def, meant, strlen(meant)) - def->fields);
    }
    return bj_mistake_at(loading, key->position, meant, "%s has no field %s", def->name, name.start);
}

/* All fields that stand in a map; `verb` is the key among them that is no field, or NULL. */
static bool load_fields(bj_loading *loading, bj_record *record, const bj_record_def *def, const bj_yaml *yaml,
                        const bj_yaml *verb) {
    bool fine = true;
    for (size_t i = 0; i < yaml->count; i++) {
        const bj_yaml *key = yaml->keys[i];
        const bj_field_def *field = field_of(def, key);
        if (key == verb) {
            continue;
        }
        fine &= field ? load_field(loading, record, field, yaml->items[i], key->position)
                      : unknown_field(loading, def, key);
    }
    return fine;
}

static bool has_required(bj_loading *loading, const bj_record *record, const bj_record_def *def) {
    bool fine = true;
    bool excused = loading->growing && def->kind == BJ_K_SCENARIO;
    for (size_t i = 0; i < def->field_count && !excused; i++) {
        bool meant = loading->meant >> i & 1;
        if ((def->fields[i].flags & BJ_REQUIRED) && !bj_get(record, def->fields[i].number) && !meant) {
            fine = bj_mistake_at(loading, record->position, NULL, "%s needs the field '%s'", def->name,
                                 def->fields[i].name);
        }
    }
    return fine;
}

static void mark_damaged(bj_loading *loading, const bj_record *record) {
    if (loading->damaged_count < BJ_DAMAGED) {
        loading->damaged[loading->damaged_count++] = record;
    }
}

static bool enter(bj_loading *loading, const bj_yaml *yaml) {
    if (loading->depth > BJ_LIMIT_DEPTH) {
        return bj_mistake_at(loading, yaml->position, NULL, "steps are nested deeper than %d", BJ_LIMIT_DEPTH - 1);
    }
    loading->depth++;
    return true;
}

static bj_record *load_record(bj_loading *loading, const bj_record_def *def, const bj_yaml *yaml) {
    if (!enter(loading, yaml)) {
        return NULL;
    }
    bj_record *record = bj_record_new(loading->arena, (bj_kind) def->kind, yaml->position);
    uint64_t meant_outside = loading->meant;
    loading->meant = 0;
    bool fine = load_fields(loading, record, def, yaml, NULL);
    if (!(fine & has_required(loading, record, def))) {
        mark_damaged(loading, record);
    }
    loading->meant = meant_outside;
    loading->depth--;
    return record;
}

/* Are all other keys of the step fields of this verb? */
static bool others_are_fields(const bj_yaml *yaml, const bj_record_def *def, size_t verb) {
    for (size_t i = 0; i < yaml->count; i++) {
        if (i != verb && !field_of(def, yaml->keys[i])) {
            return false;
        }
    }
    return true;
}

/* Which key is the verb: names of verbs may also be names of fields (`respond: 4.04` with `reset: true`). The first one
 * that makes sense of all others, or just the first one. */
static const bj_record_def *find_verb(const bj_yaml *yaml, size_t *index) {
    const bj_record_def *first = NULL;
    for (size_t i = 0; i < yaml->count; i++) {
        const bj_yaml *key = yaml->keys[i];
        const bj_record_def *def =
            key->kind == BJ_YAML_SCALAR ? bj_verb_named(key->text.bytes, key->text.length) : NULL;
        if (def && others_are_fields(yaml, def, i)) {
            *index = i;
            return def;
        }
        if (def && !first) {
            *index = i;
            first = def;
        }
    }
    return first;
}

/* What stands behind the verb: the value of its primary field, a map of fields, or nothing. */
static bool load_behind_verb(bj_loading *loading, bj_record *record, const bj_record_def *def, const bj_yaml *key,
                             const bj_yaml *yaml) {
    const bj_field_def *primary = bj_field_primary(def);
    bool takes_map = primary && (primary->type == BJ_T_BRANCHES || primary->type == BJ_T_VALUES ||
                                 primary->type == BJ_T_NAMED || primary->type == BJ_T_NAMED_LISTS);
    if (bj_yaml_is_null(yaml)) {
        return true;
    }
    if (yaml->kind == BJ_YAML_MAP && !takes_map) {
        return load_fields(loading, record, def, yaml, NULL);
    }
    if (!primary) {
        return bj_mistake_expected(loading, yaml, NULL, "a map of fields");
    }
    return load_field(loading, record, primary, yaml, key->position);
}

static bool is_field_of_a_verb(const bj_yaml *key) {
    for (size_t i = 0; i < bj_verb_count(); i++) {
        if (field_of(bj_verb_at(i), key)) {
            return true;
        }
    }
    return false;
}

static bool no_verb(bj_loading *loading, const bj_yaml *yaml) {
    if (yaml->kind != BJ_YAML_MAP || !yaml->count || yaml->keys[0]->kind != BJ_YAML_SCALAR) {
        return bj_mistake_expected(loading, yaml, NULL, "a step such as 'finish: {expect: 2.04}'");
    }
    const bj_yaml *shown = yaml->keys[0];
    for (size_t i = yaml->count; i-- > 0;) {
        if (yaml->keys[i]->kind == BJ_YAML_SCALAR && !is_field_of_a_verb(yaml->keys[i])) {
            shown = yaml->keys[i];
        }
    }
    BJ_TEXT(name, FOUND_ROOM + 2);
    quote(&name, &shown->text);
    return bj_mistake_at(loading, shown->position, nearest_verb(shown), "no verb in this step: %s is none", name.start);
}

static const bj_record *load_step(bj_loading *loading, const bj_yaml *yaml) {
    size_t verb = 0;
    const bj_record_def *def = yaml->kind == BJ_YAML_MAP ? find_verb(yaml, &verb) : NULL;
    if (!def) {
        no_verb(loading, yaml);
        return NULL;
    }
    if (!enter(loading, yaml)) {
        return NULL;
    }
    bj_record *record = bj_record_new(loading->arena, (bj_kind) def->kind, yaml->keys[verb]->position);
    uint64_t meant_outside = loading->meant;
    loading->meant = 0;
    bool fine = load_behind_verb(loading, record, def, yaml->keys[verb], yaml->items[verb]);
    fine &= load_fields(loading, record, def, yaml, yaml->keys[verb]);
    if (!(fine & has_required(loading, record, def))) {
        mark_damaged(loading, record);
    }
    loading->meant = meant_outside;
    loading->depth--;
    return record;
}

const bj_record **bj_load_step_list(bj_loading *loading, const bj_yaml *list, size_t *count) {
    const bj_record **steps = bj_record_list(loading->arena, list->count);
    *count = 0;
    loading->depth = 1; /* inside a scenario */
    for (size_t i = 0; i < list->count; i++) {
        const bj_record *step = load_step(loading, list->items[i]);
        loading->lost_step |= !step;
        if (step) {
            steps[(*count)++] = step;
        }
    }
    return steps;
}

/* --- documents -------------------------------------------------------------------------------- */

size_t bj_case_split(const char *name, const char **case_name) {
    const char *slash = strrchr(name, '/');
    const char *split = strstr(slash ? slash : name, "::");
    *case_name = split ? split + 2 : NULL;
    return split ? (size_t) (split - name) : strlen(name);
}

static bj_yaml *read_document(bj_loading *loading, const char *bytes, size_t length) {
    bj_yaml *document = bj_yaml_read(loading, bytes, length);
    if (!document) {
        return NULL;
    }
    if (bj_yaml_is_null(document)) {
        bj_mistake_at(loading, document->position, NULL, "the file is empty: expected a map of fields");
        return NULL;
    }
    if (document->kind != BJ_YAML_MAP) {
        bj_mistake_expected(loading, document, NULL, "a map of fields such as title and steps");
        return NULL;
    }
    return document;
}

bj_record *bj_load_document(bj_loading *loading, bj_kind kind, const char *bytes, size_t length) {
    const bj_record_def *def = bj_record_def_of(kind);
    assert(def);
    bj_yaml *document = read_document(loading, bytes, length);
    if (document && bj_yaml_member(document, "sequence") && !bj_yaml_member(document, "steps")) {
        bj_mistake_at(loading, document->keys[0]->position, NULL,
                      "this file holds a sequence of steps for `include`, and no scenario");
        return NULL;
    }
    document = document && kind == BJ_K_SCENARIO ? bj_pick_case(loading, document) : document;
    return document ? load_record(loading, def, document) : NULL;
}

/* --- positions of what was included ------------------------------------------------------------- */

/* Where the file itself includes what is at `position`. */
static bj_position in_file(const bj_loading *loading, bj_position position) {
    while (position.line >> BJ_SOURCE_SHIFT) {
        position = loading->sources[position.line >> BJ_SOURCE_SHIFT].from;
    }
    return position;
}

void bj_settle_positions(const bj_loading *loading, bj_record *record) {
    record->position = in_file(loading, record->position);
    for (unsigned i = 0; i < record->field_limit; i++) {
        if (!record->fields[i]) {
            continue;
        }
        bj_value *value = bj_arena_copy(loading->arena, record->fields[i], sizeof *value);
        value->position = in_file(loading, value->position);
        record->fields[i] = value;
        const bj_record *inner;
        const bj_string *name;
        for (size_t n = 0; (inner = bj_value_record(value, n, &name)); n++) {
            bj_settle_positions(loading, (bj_record *) inner);
        }
    }
}

/* --- files ------------------------------------------------------------------------------------ */

/* All bytes of a file, at most one more than FILE_LIMIT, to be freed; NULL with errno set. */
static char *read_file(const char *file, size_t *length) {
    FILE *stream = fopen(file, "rb");
    if (!stream) {
        return NULL;
    }
    char *bytes = malloc(FILE_LIMIT + 1);
    errno = 0;
    *length = bytes ? fread(bytes, 1, FILE_LIMIT + 1, stream) : 0;
    int error = bytes && !ferror(stream) ? 0 : errno ? errno : ENOMEM;
    fclose(stream);
    if (error) {
        free(bytes);
        errno = error;
        return NULL;
    }
    return bytes;
}

/* The path of `name` beside the file that names it. */
static const char *beside(bj_loading *loading, const bj_yaml *name) {
    unsigned source = name->position.line >> BJ_SOURCE_SHIFT;
    const char *from = source ? loading->sources[source].file : loading->file;
    const char *slash = strrchr(from, '/');
    if (!slash || name->text.bytes[0] == '/') {
        return name->text.bytes;
    }
    size_t room = (size_t) (slash - from) + name->text.length + 2;
    bj_text path = bj_text_over(bj_arena_alloc(loading->arena, room < 4 ? 4 : room), room < 4 ? 4 : room);
    bj_text_add_bytes(&path, from, (size_t) (slash + 1 - from));
    bj_text_add(&path, name->text.bytes);
    return path.start;
}

bj_yaml *bj_read_beside(bj_loading *loading, const bj_yaml *file) {
    if (file->kind != BJ_YAML_SCALAR || !file->text.length) {
        bj_mistake_expected(loading, file, NULL, "the path of a file with steps, from the folder of this file");
        return NULL;
    }
    if (loading->source_count + 1 >= BJ_SOURCES) {
        bj_mistake_at(loading, file->position, NULL, "more than %d includes: does a file include itself?",
                      BJ_SOURCES - 1);
        return NULL;
    }
    const char *path = beside(loading, file);
    size_t length = 0;
    char *bytes = read_file(path, &length);
    if (!bytes || length > FILE_LIMIT) {
        bj_mistake_at(loading, file->position, NULL, "cannot read the file %s: %s", path,
                      bytes ? "larger than 4 MiB" : strerror(errno));
        free(bytes);
        return NULL;
    }
    loading->source = ++loading->source_count;
    loading->sources[loading->source] =
        (bj_source){ .file = bj_arena_strdup(loading->arena, path), .from = file->position };
    bj_yaml *document = read_document(loading, bytes, length);
    free(bytes);
    return document;
}

/* --- loading ---------------------------------------------------------------------------------- */

bool bj_loading_begin(bj_loading *loading, bj_arena *arena, const char *name, size_t length, bj_mistakes *mistakes) {
    size_t file_length = bj_case_split(name, &loading->case_name);
    loading->arena = arena;
    loading->mapped = loading->scratch ? NULL : bj_arena_map(SCRATCH);
    loading->scratch = loading->scratch ? loading->scratch : loading->mapped;
    loading->file = bj_arena_strndup(arena, name, file_length);
    loading->mistakes = mistakes;
    loading->items = BJ_LIMIT_ITEMS;
    mistakes->count = 0;
    if (!loading->scratch) {
        return bj_mistake_at(loading, (bj_position){ 0 }, NULL, "no memory to load it");
    }
    return length <= FILE_LIMIT || bj_mistake_at(loading, (bj_position){ 0 }, NULL, "the file is larger than 4 MiB");
}

bool bj_loading_end(bj_loading *loading) {
    bj_mistakes *mistakes = loading->mistakes;
    bj_arena_unmap(loading->mapped);
    qsort(mistakes->items, mistakes->count < BJ_MISTAKES ? mistakes->count : BJ_MISTAKES, sizeof mistakes->items[0],
          by_position);
    return !mistakes->count;
}

bj_record *bj_load_within(bj_arena *scratch, bj_arena *arena, bj_kind kind, const char *name, const char *bytes,
                          size_t length, bj_mistakes *mistakes, bool check) {
    bj_loading loading = { .scratch = scratch };
    bj_record *root = bj_loading_begin(&loading, arena, name, length, mistakes)
                          ? bj_load_document(&loading, kind, bytes, length)
                          : NULL;
    if (root && check) {
        bj_check_program(&loading, root);
    }
    if (root && !mistakes->count && loading.source_count) {
        bj_settle_positions(&loading, root);
    }
    return bj_loading_end(&loading) ? root : NULL;
}

bj_record *bj_load_bytes(bj_arena *arena, bj_kind kind, const char *file, const char *bytes, size_t length,
                         bj_mistakes *mistakes) {
    return bj_load_within(NULL, arena, kind, file, bytes, length, mistakes, true);
}

bj_record *bj_load_unchecked(bj_arena *arena, bj_kind kind, const char *file, const char *bytes, size_t length,
                             bj_mistakes *mistakes) {
    return bj_load_within(NULL, arena, kind, file, bytes, length, mistakes, false);
}

/* The bytes of the file in FILE or FILE::CASE, to be freed; NULL after a mistake. */
static char *bytes_of(bj_arena *arena, const char *name, size_t *length, bj_mistakes *mistakes) {
    bj_loading loading = { .arena = arena, .mistakes = mistakes };
    loading.file = bj_arena_strndup(arena, name, bj_case_split(name, &loading.case_name));
    mistakes->count = 0;
    char *bytes = read_file(loading.file, length);
    if (!bytes) {
        bj_mistake_at(&loading, (bj_position){ 0 }, NULL, "cannot read the file: %s", strerror(errno));
    }
    return bytes;
}

bj_record *bj_load_file(bj_arena *arena, bj_kind kind, const char *file, bj_mistakes *mistakes) {
    size_t length = 0;
    char *bytes = bytes_of(arena, file, &length, mistakes);
    bj_record *root = bytes ? bj_load_bytes(arena, kind, file, bytes, length, mistakes) : NULL;
    free(bytes);
    return root;
}

bool bj_load_cases(bj_arena *arena, const char *file, const char ***names, size_t *count, bj_mistakes *mistakes) {
    bj_loading loading = { 0 };
    size_t length = 0;
    char *bytes = bytes_of(arena, file, &length, mistakes);
    *count = 0;
    if (!bytes) {
        return false;
    }
    const bj_yaml *document =
        bj_loading_begin(&loading, arena, file, length, mistakes) ? read_document(&loading, bytes, length) : NULL;
    if (document) {
        bj_list_cases(&loading, document, names, count);
    }
    free(bytes);
    return bj_loading_end(&loading);
}
