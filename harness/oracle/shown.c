/* SPDX-License-Identifier: Apache-2.0
 *
 * What Bootstrap-Read and the first Register show of what was written: values of /1 as they were written, no optional
 * Resource that a Write of the instance left out, and every instance of every Object that a Write made.
 */
#include "oracle/management.h"

#include <string.h>

enum { MOST = sizeof((bj_oracle *) NULL)->commands.made / sizeof((bj_oracle *) NULL)->commands.made[0] };

/* --- instances of other Objects ------------------------------------------------------------------------------- */

void oracle_shown_session(bj_oracle *o) {
    o->commands.made_count = 0;
    o->commands.others = false;
}

static bool is_target(const bj_path *path, unsigned object, unsigned id) {
    return path->depth == 0 || (path->ids[0] == object && (path->depth == 1 || path->ids[1] == id));
}

static void deleted(bj_oracle *o, const bj_path *path) {
    unsigned kept = 0;
    for (unsigned i = 0; i < o->commands.made_count; i++) {
        if (!is_target(path, o->commands.made[i].object, o->commands.made[i].id)) {
            o->commands.made[kept++] = o->commands.made[i];
        }
    }
    o->commands.made_count = kept;
}

/* The credentials of OSCORE and of other carriers are the client's own, and hidden. */
static bool is_hidden(unsigned object) {
    return object == 21 || object == 23 || object == 24;
}

static void made(bj_oracle *o, const bj_path *path) {
    o->commands.others = true;
    if (path->depth < 2 || is_hidden(path->ids[0]) || o->commands.made_count == MOST) {
        return;
    }
    for (unsigned i = 0; i < o->commands.made_count; i++) {
        if (is_target(path, o->commands.made[i].object, o->commands.made[i].id)) {
            return;
        }
    }
    o->commands.made[o->commands.made_count].object = path->ids[0];
    o->commands.made[o->commands.made_count++].id = path->ids[1];
}

void oracle_shown_changed(bj_oracle *o, const oracle_foreign *f) {
    if (f->operation == ORACLE_OP_DELETE) {
        deleted(o, &f->path);
    } else if (f->operation == ORACLE_OP_WRITE && f->path.depth && f->path.ids[0] > 1) {
        made(o, &f->path);
    }
}

static bool lists(const bj_coap *m, unsigned object, unsigned id) {
    const char *text = (const char *) m->payload;
    size_t length = m->payload_length;
    bj_path path;
    while (oracle_next_target(&text, &length, &path)) {
        if (path.depth == 2 && path.ids[0] == object && path.ids[1] == id) {
            return true;
        }
    }
    return length > 0; /* not to be read to its end */
}

/* LwM2M TS 1.0, E.1.3: with the account of a server its rights go, and with them what only it could reach: also of one
 * that only the client knows of. */
static bool a_server_may_be_gone(const bj_oracle *o) {
    bool gone = o->accounts.vague || o->config.state_given || o->commands.lost_a_server;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        gone |= one->used && one->object == 1 && (one->alone || one->deleted || one->vague);
    }
    return gone;
}

/* LwM2M Core 1.1 §6.2.1: Register lists all instances. Only the first: later servers may have changed them. */
static void check_register(bj_oracle *o, const oracle_seen *s) {
    bool whole = !bj_coap_find(&s->m, BJ_COAP_BLOCK1, 0) && s->m.payload_length && !a_server_may_be_gone(o);
    for (unsigned i = 0; i < o->commands.made_count && whole; i++) {
        unsigned object = o->commands.made[i].object, id = o->commands.made[i].id;
        if (!lists(&s->m, object, id)) {
            oracle_break(o, BJ_RULE_BS_WRITE, s->time, s->event->sequence,
                         "/%u/%u was written with success, and the registration does not list it", object, id);
        }
    }
    o->commands.made_count = 0;
}

/* --- values --------------------------------------------------------------------------------------------------- */

/* LwM2M Core 1.1 E.2: mandatory ones a client may have by default, and two (11, 12) are its own. */
static bool is_optional(unsigned rid) {
    static const uint32_t not_optional = 1u << 0 | 1u << 1 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 11 | 1u << 12;
    return rid < ORACLE_SETTINGS && !(not_optional >> rid & 1);
}

/* An integer in TLV does not say whether it is one without a sign (LwM2M Core 1.1, Appendix C). */
static bool is_same_number(const bj_entry *e, int64_t shown, int64_t written) {
    bool raw = e->kind == BJ_ENTRY_RAW && e->length > 0 && e->length < 8 && shown < 0;
    return shown == written || (raw && shown + ((int64_t) 1 << (8 * e->length)) == written);
}

/* Another value may be the client's default. */
static bool is_left_over(const oracle_instance *one, const bj_entry *e) {
    int64_t value;
    return e->path.depth == 3 && e->kind != BJ_ENTRY_FLOAT && oracle_setting_of(e, &value) && value > 0 &&
           value == one->former[e->path.ids[2]];
}

static void tell_other(bj_oracle *o, const oracle_seen *s, const oracle_instance *one, const bj_entry *e,
                       int64_t value) {
    unsigned rid = e->path.ids[2];
    if (oracle_definition_of(&e->path).type == 'S') {
        oracle_break(o, BJ_RULE_BS_WRITE, s->time, s->event->sequence,
                     "/1/%u/%u was written as another text than a Read shows", one->id, rid);
    } else {
        oracle_break(o, BJ_RULE_BS_WRITE, s->time, s->event->sequence,
                     "/1/%u/%u was written as %lld, and a Read shows %lld", one->id, rid,
                     (long long) one->settings[rid], (long long) value);
    }
}

static void check_value(bj_oracle *o, const oracle_seen *s, const oracle_instance *one, const bj_entry *e) {
    unsigned rid = e->path.ids[2];
    uint32_t bit = rid < 31 ? UINT32_C(1) << rid : 0;
    int64_t value;
    if (is_optional(rid) && !(one->given & bit) && (one->earlier & bit) && is_left_over(one, e)) {
        oracle_break(o, BJ_RULE_BS_WRITE_REPLACES, s->time, s->event->sequence,
                     "/1/%u/%u has its value from before the Write that replaced the instance and did not name it",
                     one->id, rid);
    } else if (rid < ORACLE_SETTINGS && (one->given & bit) && one->settings[rid] >= 0 && rid != 11 && rid != 12 &&
               e->path.depth == 3 && e->kind != BJ_ENTRY_FLOAT && oracle_setting_of(e, &value) &&
               !is_same_number(e, value, one->settings[rid])) {
        tell_other(o, s, one, e, value);
    }
}

/* Those of the scope that were written as a whole show the Short Server ID and the lifetime that they were given. */
static void check_missing(bj_oracle *o, const oracle_seen *s, const bj_path *scope, const uint32_t *shown) {
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        bool judged = one->used && !one->deleted && !one->vague && !one->alone && one->whole && one->object == 1;
        uint32_t lacking = one->given & 3 & ~shown[i];
        if (judged && lacking && (scope->depth == 1 || one->id == scope->ids[1])) {
            oracle_break(o, BJ_RULE_BS_WRITE, s->time, s->event->sequence,
                         "/1/%u/%u was written with success, and a Read does not show it", one->id,
                         lacking & 1 ? 0 : 1);
        }
    }
}

static bool is_part(const bj_coap *m) {
    uint32_t block;
    return bj_coap_find_uint(m, BJ_COAP_BLOCK2, &block) && (block >> 4 || block & 8);
}

static void check_read(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    uint32_t format = 65536, shown[ORACLE_PLACES] = { 0 };
    bj_coap_find_uint(&s->m, BJ_COAP_CONTENT_FORMAT, &format);
    if (!bj_entries_known(format) || bj_entries_single(format) || is_part(&s->m) || s->m.payload_length > ORACLE_ROOM) {
        return;
    }
    BJ_TEXT(why, 100);
    bj_entries in;
    bj_entry e;
    bj_entries_begin(&in, format, &f->path, s->m.payload, s->m.payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &e, &why)) {
        const oracle_instance *one = e.path.depth >= 3 ? oracle_instance_of(&o->accounts, 1, e.path.ids[1]) : NULL;
        if (one && !one->deleted && !one->vague && one->whole) {
            check_value(o, s, one, &e);
            shown[one - o->accounts.items] |= e.path.ids[2] < 31 ? UINT32_C(1) << e.path.ids[2] : 0;
        }
    }
    if (!in.damaged) {
        check_missing(o, s, &f->path, shown);
    }
}

/* ------------------------------------------------------------------------------------------------------------- */

static void answered(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = s->m.code == BJ_COAP_CODE(2, 5) && !o->accounts.vague ? oracle_request_of(o, s) : NULL;
    if (f && f->bootstrap && f->operation == ORACLE_OP_READ && f->copies == 1 && !f->root_named && !f->reused &&
        f->path.depth && f->path.depth < 3 && f->path.ids[0] == 1 && o->attempt.phase == ORACLE_SESSION &&
        oracle_certain_of(o, f)) {
        check_read(o, s, f);
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (!s->from_client || s->fault != BJ_COAP_OK) {
        return;
    }
    if (bj_coap_is_response(s->m.code)) {
        answered(o, s);
    } else if (o->commands.made_count && s->m.code == 2 && oracle_purpose_of(&s->m) == ORACLE_REGISTER &&
               o->attempt.phase == ORACLE_FINISHED) {
        check_register(o, s);
    }
}

/* Another life, and who manages the client, may have changed them. */
static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_CLIENT_START || e->kind == BJ_EV_POWER_CUT) {
        oracle_shown_session(o);
    }
}

const oracle_def oracle_showing = {
    .id = "shown", .hears = ORACLE_HEARS(CLIENT_START) | ORACLE_HEARS(POWER_CUT), .event = event, .seen = seen
};
