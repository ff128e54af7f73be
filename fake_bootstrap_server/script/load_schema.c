/* SPDX-License-Identifier: Apache-2.0
 *
 * A JSON Schema of scenario files, so that editors complete and check them. It is a little more lenient than the
 * loader: what depends on other parts of a file is left to `bootjack check`.
 */
#include <stdio.h>
#include <string.h>

#include "script/load.h"

static void print_text(FILE *out, const char *text) {
    BJ_TEXT(json, 1000);
    bj_text_json_string(&json, text, strlen(text));
    fputs(json.start, out);
}

static const char code_schema[] =
    "{\"anyOf\": [{\"type\": \"string\", \"pattern\": \"^[0-7]\\\\.([0-2][0-9]|3[01]|xx)$\"}, {\"type\": \"number\"}, "
    "{\"$ref\": \"#/$defs/parameter\"}]}";
static const char duration_schema[] = "{\"anyOf\": [{\"type\": \"string\", \"pattern\": "
                                      "\"^([0-9]+(\\\\.[0-9]+)?(us|ms|s|m|h|d))+$|^0$\"}, {\"const\": 0}]}";
static const char when_schema[] =
    "{\"anyOf\": [{\"type\": \"string\", "
    "\"pattern\": \"^(\\\\.\\\\. "
    "?)?(wake|due\\\\((finish|retransmit|holdoff|lifetime|giveup|update|queue)\\\\)|[0-9])\"}, "
    "{\"const\": 0}]}";

/* Definitions that fields refer to, in the order of their types; NULL where a field says more itself. */
static void print_types(FILE *out) {
    fprintf(out, "  \"text\": {\"type\": [\"string\", \"number\", \"boolean\"]},\n");
    fprintf(out, "  \"bytes\": {\"type\": [\"string\", \"number\"], \"description\": \"hexadecimal\"},\n");
    fprintf(out, "  \"code\": %s,\n", code_schema);
    fprintf(out, "  \"codes\": {\"anyOf\": [{\"$ref\": \"#/$defs/code\"}, "
                 "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/code\"}, \"minItems\": 1}]},\n");
    fprintf(out, "  \"duration\": %s,\n", duration_schema);
    fprintf(out, "  \"when\": %s,\n", when_schema);
    fprintf(out, "  \"texts\": {\"anyOf\": [{\"$ref\": \"#/$defs/text\"}, "
                 "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/text\"}}]},\n");
    fprintf(out, "  \"numbers\": {\"anyOf\": [{\"type\": [\"integer\", \"string\"]}, "
                 "{\"type\": \"array\", \"items\": {\"type\": [\"integer\", \"string\"]}}]},\n");
    fprintf(out, "  \"query\": {\"anyOf\": [{\"$ref\": \"#/$defs/texts\"}, {\"type\": \"object\", "
                 "\"additionalProperties\": {\"type\": [\"string\", \"number\", \"boolean\", \"null\"]}}]},\n");
    fprintf(out, "  \"values\": {\"anyOf\": [{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/value\"}}, "
                 "{\"type\": \"object\", \"patternProperties\": "
                 "{\"^([0-9]{1,5}|[$][{][^}]*[}])$\": {\"$ref\": \"#/$defs/value\"}}, "
                 "\"additionalProperties\": false}]},\n");
    fprintf(out, "  \"value\": {\"anyOf\": [{\"type\": [\"string\", \"number\", \"boolean\", \"null\"]}, "
                 "{\"$ref\": \"#/$defs/values\"}]},\n");
    fprintf(out, "  \"option\": {\"type\": \"object\", \"required\": [\"number\"], \"additionalProperties\": false, "
                 "\"properties\": {\"number\": {\"type\": [\"integer\", \"string\"]}, "
                 "\"hex\": {\"$ref\": \"#/$defs/bytes\"}, \"text\": {\"$ref\": \"#/$defs/text\"}, "
                 "\"uint\": {\"anyOf\": [{\"type\": \"integer\"}, {\"$ref\": \"#/$defs/parameter\"}]}}},\n");
    fprintf(out, "  \"options\": {\"anyOf\": [{\"$ref\": \"#/$defs/option\"}, "
                 "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/option\"}}]},\n");
    fprintf(out, "  \"steps\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/step\"}},\n");
    fprintf(out, "  \"parameter\": {\"type\": \"string\", \"pattern\": \"[$][{][^}]+[}]\", "
                 "\"description\": \"what a parameter of the case, or of the included file, stands for\"},\n");
    fprintf(out, "  \"include\": {\"type\": \"object\", \"required\": [\"include\"], \"additionalProperties\": false, "
                 "\"properties\": {\"include\": {\"type\": \"string\", "
                 "\"description\": \"A file with a sequence of steps, from the folder of this file.\"}, "
                 "\"with\": {\"type\": \"object\", \"description\": \"Parameters of that file.\"}}},\n");
    fprintf(out, "  \"branches\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/steps\"}},\n");
}

static const char *const type_names[] = {
    [BJ_T_STRING] = "text",   [BJ_T_BYTES] = "bytes",     [BJ_T_CODES] = "codes",   [BJ_T_DURATION] = "duration",
    [BJ_T_WHEN] = "when",     [BJ_T_STRINGS] = "texts",   [BJ_T_UINTS] = "numbers", [BJ_T_QUERY] = "query",
    [BJ_T_VALUES] = "values", [BJ_T_OPTIONS] = "options", [BJ_T_STEPS] = "steps",   [BJ_T_BRANCHES] = "branches",
};

static void print_enum(FILE *out, const bj_enum_value *values) {
    fputs("\"enum\": [", out);
    for (size_t i = 0; values[i].name; i++) {
        fputs(i ? ", " : "", out);
        if (!strcmp(values[i].name, "null")) {
            fputs("null", out); /* so a YAML reader takes it */
        } else {
            print_text(out, values[i].name);
        }
    }
    fputs("]", out);
}

static void print_number(FILE *out, const bj_field_def *field) {
    static const char number[] = "\"type\": \"integer\", \"minimum\": 0, \"maximum\": 4294967295";
    if (!field->values) {
        fputs(number, out);
        return;
    }
    fprintf(out, "\"anyOf\": [{%s}, {", number);
    print_enum(out, field->values);
    fputs("}]", out);
}

static void print_records(FILE *out, const bj_field_def *field) {
    const char *kind = bj_record_def_of((bj_kind) field->kind)->name;
    switch ((bj_type) field->type) {
    case BJ_T_RECORD:
        fprintf(out, "\"$ref\": \"#/$defs/%s\"", kind);
        break;
    case BJ_T_RECORDS:
        fprintf(out,
                "\"anyOf\": [{\"$ref\": \"#/$defs/%s\"}, {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/%s\"}}]",
                kind, kind);
        break;
    case BJ_T_NAMED:
        fprintf(out, "\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/%s\"}", kind);
        break;
    default:
        fprintf(out,
                "\"type\": \"object\", \"additionalProperties\": {\"anyOf\": [{\"$ref\": \"#/$defs/%s\"}, "
                "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/%s\"}}]}",
                kind, kind);
        break;
    }
}

/* The members of a field's schema, without its braces, for what is written out. */
static void print_written(FILE *out, const bj_field_def *field) {
    const char *name = field->type < sizeof type_names / sizeof type_names[0] ? type_names[field->type] : NULL;
    if (name) {
        fprintf(out, "\"$ref\": \"#/$defs/%s\"", name);
    } else if (field->type == BJ_T_BOOL) {
        fputs("\"type\": \"boolean\"", out);
    } else if (field->type == BJ_T_UINT) {
        print_number(out, field);
    } else if (field->type == BJ_T_ENUM) {
        print_enum(out, field->values);
    } else {
        print_records(out, field);
    }
}

/* The same, with a parameter in place of it. Texts may hold one anyway. */
static void print_field_type(FILE *out, const bj_field_def *field) {
    if (field->type == BJ_T_STRING) {
        print_written(out, field);
        return;
    }
    fputs("\"anyOf\": [{", out);
    print_written(out, field);
    fputs("}, {\"$ref\": \"#/$defs/parameter\"}]", out);
}

static void print_properties(FILE *out, const bj_record_def *def) {
    for (size_t i = 0; i < def->field_count; i++) {
        const bj_field_def *field = &def->fields[i];
        fprintf(out, i ? ",\n      \"%s\": {" : "\n      \"%s\": {", field->name);
        print_field_type(out, field);
        if (*field->doc) {
            fputs(", \"description\": ", out);
            print_text(out, field->doc);
        }
        fputs("}", out);
    }
}

static void print_required(FILE *out, const bj_record_def *def) {
    const char *separator = "";
    fputs("\"required\": [", out);
    for (size_t i = 0; i < def->field_count; i++) {
        if (def->fields[i].flags & BJ_REQUIRED) {
            fprintf(out, "%s\"%s\"", separator, def->fields[i].name);
            separator = ", ";
        }
    }
    fputs("]", out);
}

static bool needs_a_field(const bj_record_def *def) {
    for (size_t i = 0; i < def->field_count; i++) {
        if (def->fields[i].flags & BJ_REQUIRED) {
            return true;
        }
    }
    return false;
}

/* What a scenario file has besides the fields of a scenario. */
static const char cases_properties[] =
    ",\n      \"cases\": {\"type\": \"object\", \"additionalProperties\": {\"type\": [\"object\", \"null\"]}, "
    "\"description\": \"One scenario for each: names of cases, and what their parameters are.\"},\n"
    "      \"parameters\": {\"type\": \"object\", \"additionalProperties\": {\"type\": [\"array\", \"object\"]}, "
    "\"description\": \"One scenario for each combination: parameters, and the values that each takes in turn.\"}";

/*
 * A record that stands by itself: its fields, and nothing else. One that needs no field may be `~`. A parameter may
 * stand for all of it, but not for the scenario, which declares the parameters.
 */
static void print_record(FILE *out, const bj_record_def *def) {
    bool scenario = def->kind == BJ_K_SCENARIO;
    fprintf(out, "  \"%s\": {%s\"type\": %s, \"additionalProperties\": false, ", def->name,
            scenario ? "" : "\"anyOf\": [{\"$ref\": \"#/$defs/parameter\"}, {",
            needs_a_field(def) ? "\"object\"" : "[\"object\", \"null\"]");
    print_required(out, def);
    fputs(", \"description\": ", out);
    print_text(out, def->doc);
    fputs(",\n    \"properties\": {", out);
    print_properties(out, def);
    fputs(scenario ? cases_properties : "", out);
    fputs(scenario ? "}},\n" : "}}]},\n", out);
}

/* A step: the verb with its primary value, a map of fields, or nothing; and fields beside it. */
static void print_step(FILE *out, const bj_record_def *def) {
    const bj_field_def *primary = bj_field_primary(def);
    fprintf(out,
            "    {\"type\": \"object\", \"required\": [\"%s\"], \"additionalProperties\": false, \"properties\": {\n",
            def->name);
    fprintf(out, "      \"%s\": {\"anyOf\": [", def->name);
    if (primary) {
        fputs("{", out);
        print_field_type(out, primary);
        fputs("}, ", out);
    }
    if (!primary || primary->type != BJ_T_BRANCHES) {
        fputs("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
        print_properties(out, def);
        fputs("}}, ", out);
    }
    fputs("{\"type\": \"null\"}], \"description\": ", out);
    print_text(out, def->doc);
    fputs("},", out);
    print_properties(out, def);
    fputs("}}", out);
}

void bj_schema_json(FILE *out) {
    const bj_record_def *root = bj_record_def_of(BJ_K_SCENARIO);
    const char *separator = "";
    fputs("{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n\"title\": \"Bootjack scenario\",\n",
          out);
    fprintf(out, "\"$ref\": \"#/$defs/%s\",\n\"$defs\": {\n", root->name);
    print_types(out);
    for (size_t i = 0; i < bj_record_def_count(); i++) {
        if (!bj_record_def_at(i)->verb) {
            print_record(out, bj_record_def_at(i));
        }
    }
    fputs("  \"step\": {\"anyOf\": [\n", out);
    for (size_t i = 0; i < bj_verb_count(); i++) {
        fputs(separator, out);
        print_step(out, bj_verb_at(i));
        separator = ",\n";
    }
    fputs(",\n    {\"$ref\": \"#/$defs/include\"},\n    {\"$ref\": \"#/$defs/parameter\"}\n  ]}\n}\n}\n", out);
}
