/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client's messages carry: a payload keeps the rules of the format that it names, Discover answers in
 * CoRE Link Format as RFC 6690 has it, and codes are those of the operation (LwM2M Transport 1.1 §6.7).
 */
#include "oracle/internal.h"

#include <string.h>

#include "wire/link.h"

enum { FORMAT_TEXT = 0, FORMAT_LINK = 40, FORMAT_NONE = 65536 };

static uint32_t format_of(const bj_coap *m) {
    uint32_t format = FORMAT_NONE;
    bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &format);
    return format;
}

/* One block of several: what it carries is read by nobody alone. */
static bool is_part(const bj_coap *m) {
    uint32_t block;
    bool part2 = bj_coap_find_uint(m, BJ_COAP_BLOCK2, &block) && (block >> 4 || block & 8);
    bool part1 =
        bj_coap_find_uint(m, BJ_COAP_BLOCK1, &block) && bj_coap_is_request(m->code) && (block >> 4 || block & 8);
    return part1 || part2;
}

/* --- link format ---------------------------------------------------------------------------------------------- */

/* RFC 6690 §2 has no blanks between links, and no link without a target. */
static const char *loose(const char *text, size_t length) {
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) {
            quoted = !quoted;
        } else if (!quoted && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r')) {
            return "a blank between links or attributes";
        }
    }
    return length && text[length - 1] == ',' ? "a comma without a link behind it" : NULL;
}

static bool links_valid(const char *text, size_t length, bool strict, bj_text *why) {
    const char *mistake = strict ? loose(text, length) : NULL;
    if (mistake) {
        bj_text_add(why, mistake);
        return false;
    }
    bj_core_link link;
    for (bool first = true; bj_link_next(&text, &length, &link, why); first = false) {
        /* LwM2M 1.0 §5.2.7.3 begins its Discover with `lwm2m="1.0"`. */
        if (!link.target && !first) {
            bj_text_add(why, "a link without a target");
            return false;
        }
    }
    return length == 0;
}

static void links(bj_oracle *o, const oracle_seen *s, bj_rule rule) {
    BJ_TEXT(why, 200);
    const char *text = s->m.payload ? (const char *) s->m.payload : "";
    if (!links_valid(text, s->m.payload_length, rule == BJ_RULE_BS_DISCOVER_FORMAT, &why)) {
        oracle_break(o, rule, s->time, s->event->sequence, "a payload in link format is not: %s", why.start);
    }
}

/* --- values --------------------------------------------------------------------------------------------------- */

static void values(bj_oracle *o, const oracle_seen *s, uint32_t format, const bj_path *path) {
    bj_path above = bj_entries_single(format) ? *path : bj_path_above_resources(path);
    if (!bj_entries_known(format) || s->m.payload_length > ORACLE_ROOM) {
        return;
    }
    BJ_TEXT(why, 200);
    bj_entries in;
    bj_entry entry;
    bj_entries_begin(&in, format, &above, s->m.payload, s->m.payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &entry, &why)) {
    }
    if (in.damaged) {
        oracle_break(o, BJ_RULE_COAP_PAYLOAD, s->time, s->event->sequence,
                     "a payload breaks the rules of its format (%u): %s", format, why.start);
    }
}

static void content(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    uint32_t format = format_of(&s->m);
    if (is_part(&s->m)) {
        return;
    }
    if (s->m.payload_length && format == FORMAT_NONE) {
        oracle_break(o, BJ_RULE_COAP_PAYLOAD, s->time, s->event->sequence, "a payload without a Content-Format");
    } else if (f->operation == ORACLE_OP_DISCOVER && format != FORMAT_LINK) {
        oracle_break(o, BJ_RULE_COAP_PAYLOAD, s->time, s->event->sequence,
                     "the answer to Discover is not in link format (Content-Format %u)", format);
    } else if (f->operation == ORACLE_OP_DISCOVER) {
        links(o, s, f->bootstrap ? BJ_RULE_BS_DISCOVER_FORMAT : BJ_RULE_COAP_PAYLOAD);
    } else if (f->has_accept && format != f->accept) {
        oracle_break(o, BJ_RULE_COAP_PAYLOAD, s->time, s->event->sequence,
                     "the answer is in format %u, the request accepts %u", format, f->accept);
    } else {
        values(o, s, format, &f->path);
    }
}

/* --- codes ---------------------------------------------------------------------------------------------------- */

/* LwM2M Transport 1.1, Table 6.7-1, the Bootstrap interface; 5.00 stands for what a row cannot express. */
static bool on_table(const oracle_foreign *f, uint8_t code) {
    static const uint8_t rows[][8] = {
        [ORACLE_OP_NONE] = { 0 },
        [ORACLE_OP_WRITE] = { 0x44, 0x80, 0x8F },
        [ORACLE_OP_READ] = { 0x45, 0x80, 0x81, 0x84, 0x85, 0x86 },
        [ORACLE_OP_DISCOVER] = { 0x45, 0x80, 0x84 },
        [ORACLE_OP_DELETE] = { 0x42, 0x80 },
        [ORACLE_OP_FINISH] = { 0x44, 0x80, 0x86 },
    };
    bool blocks =
        f->block1 && (code == BJ_COAP_CODE(2, 31) || code == BJ_COAP_CODE(4, 8) || code == BJ_COAP_CODE(4, 13));
    if (f->operation == ORACLE_OP_NONE || code == BJ_COAP_CODE(5, 0) || code == BJ_COAP_CODE(4, 2) || blocks ||
        oracle_does_not_forward(f, code)) {
        return true; /* 4.02: RFC 7252 §5.4.1; blocks: RFC 7959 §2.9 */
    }
    for (unsigned i = 0; rows[f->operation][i]; i++) {
        if (rows[f->operation][i] == code) {
            return true;
        }
    }
    return false;
}

/* A response that is not piggybacked may be that of another request with the same token. */
static bool is_alone(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    const oracle_foreign *other;
    bool alone = true;
    bool piggybacked = !s->stream && s->m.type == BJ_COAP_ACK;
    for (uint64_t age = 0; !piggybacked && alone && (other = oracle_foreign_at(o, age)); age++) {
        alone = other == f || !bj_coap_is_request(other->code) || other->token_length != f->token_length ||
                memcmp(other->token, f->token, f->token_length) != 0 || !bj_addr_equal(&other->peer, &f->peer);
    }
    return alone;
}

static void code_of(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    if (f->bootstrap && !on_table(f, s->m.code) && is_alone(o, s, f)) {
        BJ_TEXT(code, 16);
        BJ_TEXT(what, 200);
        bj_coap_code_print(&code, s->m.code);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_BS_CODES, s->time, s->event->sequence,
                     "%s is answered with %s, which is not in its row of the table", what.start, code.start);
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (!s->from_client || s->fault != BJ_COAP_OK) {
        return;
    }
    if (bj_coap_is_response(s->m.code)) {
        const oracle_foreign *f = oracle_request_of(o, s);
        /* Else it may be the answer to another one; a notification is of what was asked for, which may have been
         * damaged. */
        bool sure = f && !f->reused && !(o->damages && f->observes);
        if (sure && s->m.code == BJ_COAP_CODE(2, 5)) {
            content(o, s, f);
        }
        if (sure) {
            code_of(o, s, f);
        }
    } else if (bj_coap_is_request(s->m.code) && s->m.payload_length && !is_part(&s->m) &&
               format_of(&s->m) == FORMAT_LINK) {
        links(o, s, BJ_RULE_COAP_PAYLOAD);
    }
}

const oracle_def oracle_payload = { .id = "payload", .seen = seen };
