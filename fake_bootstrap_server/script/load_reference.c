/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference of the scenario language as a Markdown page, from the table of schema.h: every verb, every other
 * record, every field.
 */
#include "script/load.h"

static const char *const type_texts[] = {
    [BJ_T_BOOL] = "true or false",
    [BJ_T_UINT] = "number",
    [BJ_T_ENUM] = "name",
    [BJ_T_STRING] = "text",
    [BJ_T_BYTES] = "bytes in hexadecimal, or `!text` and a text",
    [BJ_T_CODES] = "code, or list of codes",
    [BJ_T_DURATION] = "duration",
    [BJ_T_WHEN] = "time",
    [BJ_T_STRINGS] = "text, or list of texts",
    [BJ_T_UINTS] = "number, or list of numbers",
    [BJ_T_QUERY] = "map of query keys and values, or list of texts",
    [BJ_T_VALUES] = "LwM2M values by id",
    [BJ_T_OPTIONS] = "list of `{number: ..., hex: ...}`, or `text`, or `uint` in place of `hex`",
    [BJ_T_RECORD] = "",
    [BJ_T_RECORDS] = "list of ",
    [BJ_T_NAMED] = "map of names and ",
    [BJ_T_NAMED_LISTS] = "map of names and lists of ",
    [BJ_T_STEPS] = "list of steps",
    [BJ_T_BRANCHES] = "map of names and lists of steps",
};

static void print_type(FILE *out, const bj_field_def *field) {
    fputs(type_texts[field->type], out);
    if (field->kind) {
        fprintf(out, "`%s`", bj_record_def_of((bj_kind) field->kind)->name);
    }
    for (size_t i = 0; field->values && field->values[i].name; i++) {
        fprintf(out, i ? ", `%s`" : field->type == BJ_T_ENUM ? ": `%s`" : ", or `%s`", field->values[i].name);
    }
}

static void print_record(FILE *out, const bj_record_def *def) {
    fprintf(out, "\n### %s\n\n%s\n", def->name, def->doc);
    if (def->example) {
        fprintf(out, "\n```yaml\n- %s\n```\n", def->example); /* whose further lines are indented */
    }
    fputs("\n| field | value | meaning |\n|---|---|---|\n", out);
    for (size_t i = 0; i < def->field_count; i++) {
        const bj_field_def *field = &def->fields[i];
        fprintf(out, "| `%s`%s%s | ", field->name, field->flags & BJ_PRIMARY ? ", behind the verb" : "",
                field->flags & BJ_REQUIRED ? ", required" : "");
        print_type(out, field);
        fprintf(out, " | %s |\n", field->doc);
    }
}

/* What is done before a program is made, and so is in no table. */
static const char cases[] =
    "\n## Cases and includes\n\n"
    "A scenario file may stand for many scenarios, each called FILE::CASE.\n\n"
    "| at the top of a file | value | meaning |\n|---|---|---|\n"
    "| `cases` | map of names and maps of parameters and values | a scenario for each |\n"
    "| `parameters` | map of parameters and lists of values, or maps of names and values | a scenario for each "
    "combination, of each case; a case that gives a parameter itself does not vary it; a parameter with one value is "
    "no "
    "part of the name |\n\n"
    "`${name}` stands for the value: alone for a value of any kind, inside a text for its text. A list in a list is "
    "put "
    "in item by item. What is given the value `!none` is left out.\n\n"
    "| in place of a step | value | meaning |\n|---|---|---|\n"
    "| `include` | path of a file, from the folder of this one | the steps that stand there under `sequence` |\n"
    "| `with`, beside `include` | map of parameters and values | for the parameters of that file, which has under "
    "`parameters` what they are if not given (`~`: must be given) |\n";

void bj_reference_markdown(FILE *out) {
    fputs("# The scenario language: every field\n\nWritten by `bootjack program --reference`.\n", out);
    for (int verbs = 1; verbs >= 0; verbs--) {
        fputs(verbs ? "\n## Verbs\n" : "\n## Other records\n", out);
        for (size_t i = 0; i < bj_record_def_count(); i++) {
            if (bj_record_def_at(i)->verb == (verbs == 1)) {
                print_record(out, bj_record_def_at(i));
            }
        }
    }
    fputs(cases, out);
}
