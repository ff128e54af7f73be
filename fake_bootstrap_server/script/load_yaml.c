/* SPDX-License-Identifier: Apache-2.0
 *
 * libfyaml's events to nodes with positions. Aliases share the node of their anchor; what a program may hold is
 * limited elsewhere, so that they cannot blow it up.
 */
#include "script/load_yaml.h"

#include <libfyaml.h>
#include <string.h>

#include "script/print.h"

enum { DEPTH = 40, ANCHORS = 64, NODES = 4 * BJ_LIMIT_ITEMS };

typedef struct anchor {
    bj_string name;
    bj_yaml *node;
} anchor;

typedef struct yaml_reader {
    bj_loading *loading;
    struct fy_parser *parser;
    struct fy_diag *diag;
    anchor anchors[ANCHORS];
    size_t anchor_count;
    size_t nodes;
    unsigned depth;
    bj_position last; /* of the last event that had one */
} yaml_reader;

bool bj_yaml_is(const bj_yaml *yaml, const char *text) {
    return yaml->kind == BJ_YAML_SCALAR && yaml->text.length == strlen(text) &&
           !memcmp(yaml->text.bytes, text, yaml->text.length);
}

bool bj_yaml_is_null(const bj_yaml *yaml) {
    return yaml->kind == BJ_YAML_SCALAR && yaml->plain && !yaml->tag.length &&
           (!yaml->text.length || bj_yaml_is(yaml, "~") || bj_yaml_is(yaml, "null"));
}

bool bj_yaml_tagged(const bj_yaml *yaml, const char *tag) {
    return yaml->tag.length == strlen(tag) && !memcmp(yaml->tag.bytes, tag, yaml->tag.length);
}

/* A parser that keeps its messages to itself. */
static bool open_parser(yaml_reader *reader, const char *bytes, size_t length) {
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = NULL;
    reader->diag = fy_diag_create(&diag_cfg);
    if (!reader->diag) {
        return false;
    }
    fy_diag_set_collect_errors(reader->diag, true);
    const struct fy_parse_cfg cfg = { .flags = FYPCF_COLLECT_DIAG, .diag = reader->diag };
    reader->parser = fy_parser_create(&cfg);
    return reader->parser && !fy_parser_set_string(reader->parser, bytes, length);
}

static void close_parser(yaml_reader *reader) {
    if (reader->parser) {
        fy_parser_destroy(reader->parser);
    }
    if (reader->diag) {
        fy_diag_destroy(reader->diag);
    }
}

static bj_position in_source(const bj_loading *loading, uint32_t line, uint32_t column) {
    return (bj_position){ line | loading->source << BJ_SOURCE_SHIFT, column };
}

/* The next event, or NULL at the end or after a syntax error. */
static struct fy_event *next(yaml_reader *reader) {
    struct fy_event *event = fy_parser_parse(reader->parser);
    const struct fy_mark *mark = event ? fy_event_start_mark(event) : NULL;
    if (mark) {
        reader->last = in_source(reader->loading, (uint32_t) mark->line + 1, (uint32_t) mark->column + 1);
    }
    return event;
}

static void syntax_error(yaml_reader *reader) {
    void *cursor = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(reader->diag, &cursor);
    bj_position position = reader->last;
    if (error && error->line > 0) {
        position = in_source(reader->loading, (uint32_t) error->line, error->column > 0 ? (uint32_t) error->column : 1);
    }
    bj_mistake_at(reader->loading, position, NULL, "this is not YAML: %s",
                  error && error->msg ? error->msg : "it cannot be parsed");
}

static bj_string token_text(yaml_reader *reader, struct fy_token *token) {
    size_t length = 0;
    const char *text = token ? fy_token_get_text(token, &length) : NULL;
    if (!text || !length) {
        return (bj_string){ .bytes = "", .length = 0 };
    }
    return (bj_string){ .bytes = bj_arena_strndup(reader->loading->scratch, text, length), .length = length };
}

static bj_yaml *new_node(yaml_reader *reader, struct fy_event *event, bj_yaml_kind kind) {
    bj_yaml *node = bj_arena_alloc(reader->loading->scratch, sizeof *node);
    node->kind = (uint8_t) kind;
    node->tag = token_text(reader, fy_event_get_tag_token(event));
    node->position = reader->last;
    return node;
}

static bj_yaml *read_scalar(yaml_reader *reader, struct fy_event *event) {
    bj_yaml *node = new_node(reader, event, BJ_YAML_SCALAR);
    struct fy_token *token = fy_event_get_token(event);
    enum fy_scalar_style style = token ? fy_scalar_token_get_style(token) : FYSS_PLAIN;
    node->plain = style == FYSS_PLAIN || style == FYSS_ANY;
    node->text = token_text(reader, token);
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && node->position.column > 1) {
        node->position.column--; /* libfyaml marks what is behind the quote */
    }
    return node;
}

static bj_yaml *read_node(yaml_reader *reader, struct fy_event *event);

/* Reads the next node of a collection. false at its end, or when there was a mistake (*item is NULL in both cases). */
static bool read_item(yaml_reader *reader, enum fy_event_type end, bj_yaml **item, bool *failed) {
    struct fy_event *event = next(reader);
    *item = NULL;
    if (!event) {
        syntax_error(reader);
        *failed = true;
        return false;
    }
    bool at_end = event->type == end;
    if (!at_end) {
        *item = read_node(reader, event);
        *failed = !*item;
    }
    fy_parser_event_free(reader->parser, event);
    return !at_end && *item;
}

static bj_yaml **grown(yaml_reader *reader, bj_yaml **list, size_t count) {
    if (count & (count - 1)) {
        return list; /* room is always a power of two */
    }
    return bj_arena_realloc(reader->loading->scratch, list, (count ? 2 * count : 1) * sizeof(void *));
}

static bool read_collection(yaml_reader *reader, bj_yaml *node) {
    bool map = node->kind == BJ_YAML_MAP;
    enum fy_event_type end = map ? FYET_MAPPING_END : FYET_SEQUENCE_END;
    bool failed = false;
    bj_yaml *first;
    while (read_item(reader, end, &first, &failed)) {
        bj_yaml *value = first;
        if (map && !read_item(reader, FYET_NONE, &value, &failed)) {
            return false;
        }
        node->items = grown(reader, node->items, node->count);
        node->items[node->count] = value;
        if (map) {
            node->keys = grown(reader, node->keys, node->count);
            node->keys[node->count] = first;
        }
        node->count++;
    }
    return !failed;
}

static bj_yaml *find_anchor(yaml_reader *reader, const bj_string *name) {
    for (size_t i = reader->anchor_count; i-- > 0;) {
        const bj_string *known = &reader->anchors[i].name;
        if (known->length == name->length && !memcmp(known->bytes, name->bytes, name->length)) {
            return reader->anchors[i].node;
        }
    }
    bj_position position = reader->last;
    position.column -= position.column > 1; /* libfyaml marks what is behind the star */
    bj_mistake_at(reader->loading, position, NULL, "there is no anchor '&%.*s' before this",
                  (int) (name->length < 64 ? name->length : 64), name->bytes);
    return NULL;
}

static bj_yaml *keep_anchor(yaml_reader *reader, bj_yaml *node, const bj_string *name) {
    if (reader->anchor_count == ANCHORS) {
        bj_mistake_at(reader->loading, node->position, NULL, "more than %d anchors", ANCHORS);
        return NULL;
    }
    reader->anchors[reader->anchor_count++] = (anchor){ .name = *name, .node = node };
    return node;
}

static bj_yaml *read_any(yaml_reader *reader, struct fy_event *event) {
    if (event->type == FYET_SCALAR) {
        return read_scalar(reader, event);
    }
    if (event->type == FYET_ALIAS) {
        bj_string name = token_text(reader, fy_event_get_token(event));
        return find_anchor(reader, &name);
    }
    bj_yaml *node = new_node(reader, event, event->type == FYET_MAPPING_START ? BJ_YAML_MAP : BJ_YAML_LIST);
    if (!read_collection(reader, node)) {
        return NULL;
    }
    if (node->kind == BJ_YAML_MAP && node->count && node->position.line == node->keys[0]->position.line &&
        node->position.column > node->keys[0]->position.column) {
        node->position = node->keys[0]->position; /* `[a: b]`: libfyaml marks the colon */
    }
    return node;
}

static bj_yaml *read_node(yaml_reader *reader, struct fy_event *event) {
    if (++reader->nodes > NODES || reader->depth >= DEPTH) {
        bj_mistake_at(reader->loading, reader->last, NULL,
                      reader->depth >= DEPTH ? "nested too deeply" : "the file holds too many values");
        return NULL;
    }
    struct fy_token *token = fy_event_get_anchor_token(event);
    bj_string name = token_text(reader, token);
    reader->depth++;
    bj_yaml *node = read_any(reader, event);
    reader->depth--;
    return node && token ? keep_anchor(reader, node, &name) : node;
}

/* The stream: one document, and nothing but it. */
static bj_yaml *read_stream(yaml_reader *reader) {
    bj_yaml *document = NULL;
    unsigned documents = 0;
    bool ended = false;
    for (struct fy_event *event; (event = next(reader)); fy_parser_event_free(reader->parser, event)) {
        bool failed = false;
        ended = event->type == FYET_STREAM_END;
        if (event->type == FYET_DOCUMENT_START && documents++) {
            bj_mistake_at(reader->loading, reader->last, NULL, "a second document: a file holds one");
            failed = true;
        } else if (event->type >= FYET_MAPPING_START && event->type != FYET_MAPPING_END &&
                   event->type != FYET_SEQUENCE_END) {
            document = read_node(reader, event);
            failed = !document;
        }
        if (failed) {
            fy_parser_event_free(reader->parser, event);
            return NULL;
        }
    }
    if (!ended) {
        syntax_error(reader);
        return NULL;
    }
    if (!document) {
        bj_mistake_at(reader->loading, in_source(reader->loading, 1, 1), NULL,
                      "the file is empty: expected a map of fields");
    }
    return document;
}

/* Checked here so that strings of programs are UTF-8 unless they are written as !bytes. */
static bool is_utf8(bj_loading *loading, const char *bytes, size_t length) {
    bj_position position = in_source(loading, 1, 1);
    for (size_t i = 0; i < length;) {
        size_t size = bj_utf8_sequence(bytes + i, length - i);
        if (!size || !bytes[i]) {
            return bj_mistake_at(loading, position, NULL, "this is not UTF-8 text: byte 0x%02x",
                                 (unsigned) (unsigned char) bytes[i]);
        }
        position.column++;
        if (bytes[i] == '\n') {
            position = (bj_position){ position.line + 1, 1 };
        }
        i += size;
    }
    return true;
}

/* Does a line begin with the sign of an explicit key, or have one behind the dashes of lists? */
static bool has_explicit_key(const char *bytes, size_t length) {
    bool begins = true;
    for (size_t i = 0; i < length; i++) {
        if (begins && bytes[i] == '?') {
            return true;
        }
        begins = bytes[i] == '\n' || bytes[i] == '\r' ||
                 (begins && (bytes[i] == ' ' || bytes[i] == '-' || bytes[i] == '\t'));
    }
    return false;
}

/* libfyaml 0.7.12 follows a pointer that is none when it is done with a tab behind an explicit key: `? a:<tab>- `, or
 * with the tab some lines below. Nothing in our language has a key that needs one, so that such a file is refused. */
static bool is_for_the_parser(bj_loading *loading, const char *bytes, size_t length) {
    const char *tab = length ? memchr(bytes, '\t', length) : NULL;
    if (!tab || !has_explicit_key(bytes, length)) {
        return true;
    }
    bj_position position = in_source(loading, 1, 1);
    for (const char *at = bytes; at < tab; at++) {
        position.line += *at == '\n' || (*at == '\r' && at[1] != '\n');
    }
    return bj_mistake_at(loading, position, NULL, "a tab in a file with an explicit key ('?'): write spaces");
}

bj_yaml *bj_yaml_read(bj_loading *loading, const char *bytes, size_t length) {
    if (!is_utf8(loading, bytes, length) || !is_for_the_parser(loading, bytes, length)) {
        return NULL;
    }
    yaml_reader *reader = bj_arena_alloc(loading->scratch, sizeof *reader);
    reader->loading = loading;
    reader->last = in_source(loading, 1, 1);
    bj_yaml *document = NULL;
    if (open_parser(reader, bytes, length)) {
        document = read_stream(reader);
    } else {
        bj_mistake_at(loading, reader->last, NULL, "the YAML parser could not start");
    }
    close_parser(reader);
    return document;
}
