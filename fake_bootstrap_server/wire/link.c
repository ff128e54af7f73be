/* SPDX-License-Identifier: Apache-2.0
 *
 * See link.h: RFC 6690 section 2, with the few liberties that LwM2M 1.0 peers take.
 */
#include "wire/link.h"

#include <string.h>

/* Text with a cursor; nothing is ever read at or behind `end`. */
typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool looking_at(const cursor *c, char wanted) {
    return c->at < c->end && *c->at == wanted;
}

static bool take(cursor *c, char wanted) {
    if (!looking_at(c, wanted)) {
        return false;
    }
    c->at++;
    return true;
}

static void skip_blanks(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n')) {
        c->at++;
    }
}

static bool is_one_of(char c, const char *set) {
    while (*set && *set != c) {
        set++;
    }
    return *set != '\0';
}

/* Moves to the first character of `stop` (or to the end); returns how far. */
static size_t run_until(cursor *c, const char *stop) {
    const char *start = c->at;
    while (c->at < c->end && !is_one_of(*c->at, stop)) {
        c->at++;
    }
    return (size_t) (c->at - start);
}

static bool read_quoted(cursor *c, bj_link_attr *attr, bj_text *why) {
    attr->quoted = true;
    attr->value = c->at;
    for (; c->at < c->end; c->at++) {
        if (*c->at == '"') {
            attr->value_length = (size_t) (c->at++ - attr->value);
            return true;
        }
        if (*c->at == '\\' && c->at + 1 < c->end) {
            c->at++;
        }
    }
    bj_text_printf(why, "the quotes of attribute %.*s do not end", (int) (attr->name_length & 0xFF), attr->name);
    return false;
}

static bool read_attr(cursor *c, bj_link_attr *attr, bj_text *why) {
    *attr = (bj_link_attr){ .name = c->at };
    attr->name_length = run_until(c, "=;,\"<> ");
    if (!attr->name_length) {
        bj_text_add(why, "an attribute without a name");
        return false;
    }
    if (!take(c, '=')) {
        return true;
    }
    if (take(c, '"')) {
        return read_quoted(c, attr, why);
    }
    attr->value = c->at;
    attr->value_length = run_until(c, ";,\"<> ");
    if (!attr->value_length) {
        bj_text_printf(why, "attribute %.*s has '=' and no value", (int) (attr->name_length & 0xFF), attr->name);
        return false;
    }
    return true;
}

/* Further attributes, each behind a semicolon. */
static bool read_attrs(cursor *c, bj_core_link *link, bj_text *why) {
    while (take(c, ';')) {
        if (link->attr_count == BJ_LINK_ATTRS) {
            bj_text_printf(why, "more than %d attributes", BJ_LINK_ATTRS);
            return false;
        }
        if (!read_attr(c, &link->attrs[link->attr_count++], why)) {
            return false;
        }
    }
    return true;
}

static bool read_target(cursor *c, bj_core_link *link, bj_text *why) {
    link->target = c->at;
    link->target_length = run_until(c, ">");
    if (!take(c, '>')) {
        bj_text_add(why, "a target without '>'");
        return false;
    }
    return true;
}

/* `lwm2m="1.0"` in place of a link: LwM2M TS 1.0 §5.2.7.3. */
static bool read_version_element(cursor *c, bj_core_link *link, bj_text *why) {
    if (looking_at(c, ',')) {
        bj_text_add(why, "a comma where a link should be");
        return false;
    }
    if (!read_attr(c, &link->attrs[0], why)) {
        return false;
    }
    link->attr_count = 1;
    if (link->attrs[0].name_length != 5 || memcmp(link->attrs[0].name, "lwm2m", 5) != 0 || !link->attrs[0].value) {
        bj_text_add(why, "a link without '<'");
        return false;
    }
    return true;
}

/* `attrs` beyond the count are not cleared: that takes longer than reading a link. */
static void clear(bj_core_link *link) {
    link->target = NULL;
    link->target_length = link->attr_count = 0;
}

static bool read_link(cursor *c, bj_core_link *link, bj_text *why) {
    clear(link);
    bool ok = take(c, '<') ? read_target(c, link, why) : read_version_element(c, link, why);
    return ok && read_attrs(c, link, why);
}

bool bj_link_next(const char **text, size_t *length, bj_core_link *link, bj_text *why) {
    static const char nothing[1];
    const char *start = *length ? *text : nothing;
    cursor c = { .at = start, .end = start + *length };
    skip_blanks(&c);
    if (c.at == c.end) {
        *length = 0;
        return false;
    }
    if (!read_link(&c, link, why)) {
        return false;
    }
    skip_blanks(&c);
    if (looking_at(&c, ',')) {
        /* A comma at the very end stays, so that the next call finds a link missing behind it. */
        cursor behind = { .at = c.at + 1, .end = c.end };
        skip_blanks(&behind);
        c = behind.at < behind.end ? behind : c;
    } else if (c.at < c.end) {
        bj_text_printf(why, "'%c' where a comma or a semicolon should be", *c.at > ' ' && *c.at < 0x7F ? *c.at : '?');
        return false;
    }
    *text = c.at;
    *length = (size_t) (c.end - c.at);
    return true;
}

/* --- matching ------------------------------------------------------------------------------------------------- */

static void drop_trailing_slash(const char *target, size_t *length) {
    if (*length > 1 && target[*length - 1] == '/') {
        --*length;
    }
}

/* Segment by segment; "*" in the pattern stands for one segment. */
static bool targets_match(const char *have, size_t have_length, const char *want, size_t want_length) {
    drop_trailing_slash(have, &have_length);
    drop_trailing_slash(want, &want_length);
    const char *have_end = have + have_length;
    const char *want_end = want + want_length;
    while (want < want_end && have < have_end) {
        if (*want == '*') {
            const char *start = have;
            while (have < have_end && *have != '/') {
                have++;
            }
            if (have == start) {
                return false;
            }
            want++;
        } else if (*want++ != *have++) {
            return false;
        }
    }
    return want == want_end && have == have_end;
}

/* One character of a value, backslashes resolved when it is quoted. */
static char value_char(const bj_link_attr *attr, size_t *at) {
    if (attr->quoted && attr->value[*at] == '\\' && *at + 1 < attr->value_length) {
        ++*at;
    }
    return attr->value[(*at)++];
}

static bool values_equal(const bj_link_attr *a, const bj_link_attr *b) {
    size_t i = 0;
    size_t j = 0;
    if (!a->value || !b->value) {
        return a->value == b->value;
    }
    while (i < a->value_length && j < b->value_length) {
        if (value_char(a, &i) != value_char(b, &j)) {
            return false;
        }
    }
    return i == a->value_length && j == b->value_length;
}

static bool has_attr(const bj_core_link *link, const bj_link_attr *wanted) {
    for (size_t i = 0; i < link->attr_count; i++) {
        const bj_link_attr *attr = &link->attrs[i];
        if (attr->name_length == wanted->name_length && !memcmp(attr->name, wanted->name, attr->name_length) &&
            (!wanted->value || values_equal(attr, wanted))) {
            return true;
        }
    }
    return false;
}

static bool link_matches(const bj_core_link *link, const bj_core_link *wanted) {
    /* The 1.0 element without a target says what </> says from 1.1 on. */
    const char *have = link->target ? link->target : "/";
    const char *want = wanted->target ? wanted->target : "/";
    if (!targets_match(have, link->target ? link->target_length : 1, want,
                       wanted->target ? wanted->target_length : 1)) {
        return false;
    }
    for (size_t i = 0; i < wanted->attr_count; i++) {
        if (!has_attr(link, &wanted->attrs[i])) {
            return false;
        }
    }
    return true;
}

/* A pattern is a link, or a bare target with attributes. */
static bool read_pattern(const char *pattern, bj_core_link *link) {
    BJ_TEXT(why, 64);
    cursor c = { .at = pattern, .end = pattern + strlen(pattern) };
    clear(link);
    if (*pattern == '/') {
        link->target = c.at;
        link->target_length = run_until(&c, ";");
        return read_attrs(&c, link, &why) && c.at == c.end;
    }
    return read_link(&c, link, &why) && c.at == c.end;
}

bool bj_links_have(const char *text, size_t length, const char *pattern) {
    BJ_TEXT(why, 64);
    bj_core_link wanted;
    bj_core_link link;
    if (!read_pattern(pattern, &wanted)) {
        return false;
    }
    while (bj_link_next(&text, &length, &link, &why)) {
        if (link_matches(&link, &wanted)) {
            return true;
        }
    }
    return false;
}
