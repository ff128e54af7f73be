/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client was seen to do, in lines that say nothing of times, Message IDs, tokens, blocks and repetitions: its
 * answer to each bootstrap command, the accounts as Discover and Read show them, with whom it registers and how. For
 * runs that must go the same way.
 */
#include "oracle/internal.h"

static bj_text *out_of(const bj_oracle *o) {
    return o->config.visible;
}

static void values(bj_oracle *o, const oracle_foreign *f, const bj_coap *m) {
    uint32_t format = 65536;
    bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &format);
    if (format == 40) {
        bj_text_add_bytes(out_of(o), (const char *) m->payload, m->payload_length);
        return;
    }
    bj_path above = bj_entries_single(format) ? f->path : bj_path_above_resources(&f->path);
    BJ_TEXT(why, 100);
    bj_entries in;
    bj_entry entry;
    if (!bj_entries_known(format) || m->payload_length > ORACLE_ROOM) {
        return;
    }
    bj_entries_begin(&in, format, &above, m->payload, m->payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &entry, &why)) {
        /* The last alert and the time of the last bootstrap (/1/x/11, /1/x/12) are not of the configuration. */
        if (entry.path.depth > 2 && entry.path.ids[0] == 1 && (entry.path.ids[2] == 11 || entry.path.ids[2] == 12)) {
            continue;
        }
        bj_path_print(out_of(o), &entry.path);
        bj_text_add(out_of(o), "=");
        bj_entry_print(out_of(o), &entry);
        bj_text_add(out_of(o), " ");
    }
}

static void answered(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = oracle_request_of(o, s);
    bool interim = s->m.code == BJ_COAP_CODE(2, 31);
    if (!f || !f->operation || f->acks > 1 || f->responses != 1 || interim) {
        return;
    }
    oracle_describe_foreign(f, out_of(o));
    bj_text_add(out_of(o), ": ");
    bj_coap_code_print(out_of(o), s->m.code);
    bj_text_add(out_of(o), " ");
    if (s->m.code >> 5 == 2 && s->m.payload_length) {
        values(o, f, &s->m);
    }
    bj_text_add(out_of(o), "\n");
}

static void asked(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own = oracle_own_at(o, 0);
    const bj_coap_option *option;
    if (!own || own->copies > 1 || own->event != s->event->sequence) {
        return; /* a repetition */
    }
    bj_addr_print(out_of(o), &s->peer);
    bj_text_add(out_of(o), " is asked: ");
    if (own->purpose == ORACLE_UPDATE || own->purpose == ORACLE_DEREGISTER) { /* where is the server's choice */
        bj_text_add(out_of(o), own->purpose == ORACLE_UPDATE ? "Update" : "De-register");
    } else {
        oracle_describe(own, out_of(o));
    }
    for (size_t i = 0; (option = bj_coap_find(&s->m, BJ_COAP_URI_QUERY, i)); i++) {
        bj_text_add(out_of(o), i ? "&" : "?");
        bj_text_add_bytes(out_of(o), (const char *) option->value, option->length);
    }
    bj_text_add(out_of(o), " ");
    bj_text_add_bytes(out_of(o), s->m.payload_length ? (const char *) s->m.payload : "", s->m.payload_length);
    bj_text_add(out_of(o), "\n");
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (!out_of(o) || !s->from_client || s->fault != BJ_COAP_OK) {
        return;
    }
    if (bj_coap_is_response(s->m.code)) {
        answered(o, s);
    } else if (bj_coap_is_request(s->m.code)) {
        asked(o, s);
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    if (!out_of(o)) {
        return;
    }
    if (e->kind == BJ_EV_HEALED) {
        bj_text_add(out_of(o), "the script is over\n");
    } else if (e->kind == BJ_EV_CLIENT_EXIT) {
        bj_text_printf(out_of(o), "the client ends: %lld, %lld\n", (long long) e->number, (long long) e->other);
    } else if (e->kind == BJ_EV_RECOVERED) {
        bj_text_add(out_of(o), e->number ? "recovered\n" : "not recovered\n");
    }
}

const oracle_def oracle_visible = { .id = "visible",
                                    .hears = ORACLE_HEARS(HEALED) | ORACLE_HEARS(CLIENT_EXIT) | ORACLE_HEARS(RECOVERED),
                                    .event = event,
                                    .seen = seen };
