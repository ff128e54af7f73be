/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a scenario: handshakes that come to nothing, and connections that end.
 */
#include "capture/script_internal.h"

enum {
    PORT_OPEN = 0,
    PORT_CLOSED = 1,
    PORT_SILENT = 2,
    ENDS_ESTABLISHED = 1,
    ENDS_REFUSED = 2,
    ENDS_REJECTED = 3,
    ENDS_GIVEN_UP = 5
};
enum { CLOSE_NOTIFY = 0, HANGS_RESET = 1, HANGS_CLOSE = 2 };

/* What is to be seen of a handshake. Places of messages; BJ_TALK_NONE: there is none. */
typedef struct contact {
    int last;    /* of the client */
    int refused; /* the server's alert in clear */
    int rejected;
    bool data, met_closed_port;
} contact;

static bool same_session(const bj_message *a, const bj_message *b) {
    return a->server == b->server && bj_addr_equal(&a->client, &b->client);
}

static void see_record(contact *c, const bj_message *m, int index) {
    bool ends = m->record == BJ_RECORD_ALERT && !m->encrypted && m->alert != CLOSE_NOTIFY && !c->data &&
                c->refused == BJ_TALK_NONE && c->rejected == BJ_TALK_NONE;
    c->last = m->by_client ? index : c->last;
    c->data |= m->record == BJ_RECORD_DATA;
    c->met_closed_port |= m->unreachable && m->by_client;
    c->refused = ends && !m->by_client ? index : c->refused;
    c->rejected = ends && m->by_client ? index : c->rejected;
}

/* Another ClientHello of a handshake that has not ended repeats it; behind an alert, or on another port, one begins. */
static bool see_session(bj_script *s, int index, contact *c) {
    const bj_message *m = script_message(s, index);
    *c = (contact){ .last = index, .refused = BJ_TALK_NONE, .rejected = BJ_TALK_NONE };
    for (int i = index; i < (int) s->talk->count; i++) {
        const bj_message *o = script_message(s, i);
        if (!same_session(o, m)) {
            continue;
        }
        if (o->kind != BJ_TALK_RECORD && o->kind != BJ_TALK_OPEN && o->kind != BJ_TALK_CLOSE && o->secure) {
            return false; /* what is in it says all */
        }
        if (o->kind == BJ_TALK_RECORD) {
            see_record(c, o, i);
        }
    }
    return true;
}

/* Does something that no packet shows happen before the client begins anew? A step that awaits the end of this
 * handshake would be over after that only. */
static bool is_interrupted(const bj_script *s, const bj_message *m) {
    uint32_t next = UINT32_MAX;
    for (size_t i = 0; i < s->talk->count && next == UINT32_MAX; i++) {
        const bj_message *o = &s->talk->messages[i];
        bool anew = o > m && o->by_client && o->server == m->server && !same_session(o, m);
        next = anew ? o->frame : next;
    }
    return s->next_note < s->noted.count && s->noted.steps[s->next_note].frame <= next;
}

static void finish_session(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    for (int i = index; i < (int) s->talk->count; i++) {
        const bj_message *o = script_message(s, i);
        s->done[i] |= same_session(o, m) && (o->kind == BJ_TALK_RECORD || o->kind == BJ_TALK_CLOSE);
    }
}

/* A connection and a handshake have the same fields: when the client begins, and how that ends. The first is begun when
 * the client likes. */
static bj_record *contact_step(bj_script *s, const bj_message *m, bj_kind kind, uint32_t ends) {
    bool first = m == s->talk->messages;
    bool attempt = s->talk->servers[m->server].bootstrap && s->count && script_since(s, m->time) >= BJ_SECOND;
    bj_record *r = script_step(s, kind);
    script_set_text(s, r, BJ_F(CLIENT_HELLO, TO), script_name_of(s, m));
    if (ends) {
        script_set_uint(s, r, BJ_F(CLIENT_HELLO, ENDS), BJ_T_ENUM, ends);
    }
    if (s->loose || s->follows || !(first || attempt)) {
        script_put_window(s, r, BJ_F(CLIENT_HELLO, AT), BJ_F(CLIENT_HELLO, WITHIN), m->time);
    } else if (!first) {
        script_put_when(s, r, BJ_F(CLIENT_HELLO, AT), (bj_when){ .due = BJ_DUE_HOLDOFF });
    }
    return r;
}

static bj_record *client_hello(bj_script *s, const bj_message *m, uint32_t ends) {
    return contact_step(s, m, BJ_K_CLIENT_HELLO, ends);
}

static void refuse(bj_script *s, const bj_message *m, const bj_message *alert) {
    script_set_port(s, m, PORT_OPEN);
    script_say(s, "frame %u, %.3f s: a handshake", m->frame, (double) m->time / 1e6);
    client_hello(s, m, 0);
    script_say(s, "frame %u", alert->frame);
    bj_record *r = script_step(s, BJ_K_ALERT);
    script_set_uint(s, r, BJ_F(ALERT, WHICH), BJ_T_UINT, alert->alert);
    script_set_text(s, r, BJ_F(ALERT, SERVER), script_name_of(s, m));
    script_end_with(s, m);
}

static void reject(bj_script *s, const bj_message *m, const bj_message *alert) {
    script_set_port(s, m, PORT_OPEN);
    script_say(s, "frame %u, %.3f s: a handshake, rejected in frame %u", m->frame, (double) m->time / 1e6,
               alert->frame);
    bj_record *r = client_hello(s, m, ENDS_REJECTED);
    script_set_uint(s, r, BJ_F(CLIENT_HELLO, ALERT), BJ_T_UINT, alert->alert);
    script_end_with(s, alert);
}

/* Nobody says why: a server that does not answer leads to the same. */
static void give_up(bj_script *s, const bj_message *m, const contact *c) {
    script_set_port(s, m, c->met_closed_port ? PORT_CLOSED : PORT_SILENT);
    script_say(s, "frame %u, %.3f s: a handshake that comes to nothing", m->frame, (double) m->time / 1e6);
    bool interrupted = is_interrupted(s, m);
    client_hello(s, m, interrupted ? 0 : ENDS_GIVEN_UP);
    script_end_with(s, script_message(s, c->last));
    s->base = interrupted ? m->time : s->base;
}

void script_handshake(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    contact c;
    if (!see_session(s, index, &c)) {
        return;
    }
    finish_session(s, index);
    if (c.refused != BJ_TALK_NONE) {
        refuse(s, m, script_message(s, c.refused));
    } else if (c.rejected != BJ_TALK_NONE) {
        reject(s, m, script_message(s, c.rejected));
    } else if (c.data) {
        script_set_port(s, m, PORT_OPEN);
        script_say(s, "frame %u, %.3f s: a handshake behind which nothing is decrypted", m->frame,
                   (double) m->time / 1e6);
        client_hello(s, m, ENDS_ESTABLISHED);
        script_end_with(s, m);
    } else {
        give_up(s, m, &c);
    }
}

/* A connection that carries no message: nobody listens, or the server ends it. */
void script_connection(bj_script *s, int index) {
    const bj_message *m = script_message(s, index), *closed = NULL;
    bool signalled = false;
    for (int i = index + 1; i < (int) s->talk->count; i++) {
        const bj_message *o = script_message(s, i);
        if (!same_session(o, m)) {
            continue;
        }
        bool too_late = o->by_client && closed && !closed->by_client;
        if (o->kind != BJ_TALK_CLOSE && o->kind != BJ_TALK_SIGNAL && !too_late) {
            return;
        }
        signalled |= o->kind == BJ_TALK_SIGNAL;
        closed = closed || o->kind == BJ_TALK_SIGNAL ? closed : o;
    }
    if (!closed || closed->by_client) {
        return;
    }
    bool refused = closed->reset && !signalled;
    script_set_port(s, m, refused ? PORT_CLOSED : PORT_OPEN);
    script_say(s, "frame %u, %.3f s: a connection that carries nothing", m->frame, (double) m->time / 1e6);
    bool interrupted = refused && is_interrupted(s, m);
    contact_step(s, m, BJ_K_CONNECTION, interrupted ? 0 : refused ? ENDS_REFUSED : ENDS_ESTABLISHED);
    script_end_with(s, refused ? closed : m);
    s->base = interrupted ? m->time : s->base;
    for (int i = index + 1; refused && i < (int) s->talk->count; i++) {
        s->done[i] |= script_message(s, i)->kind == BJ_TALK_CLOSE && same_session(script_message(s, i), m);
    }
}

/* A server that ends a connection first; one that ends behind the last message is none of the subject. */
void script_hang_up(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    bool more = false;
    for (size_t i = (size_t) index + 1; i < s->talk->count; i++) {
        const bj_message *o = &s->talk->messages[i];
        more |= o->kind == BJ_TALK_REQUEST;
        s->done[i] |= o->kind == BJ_TALK_CLOSE && same_session(o, m);
    }
    const bj_record *last = s->count ? s->steps[s->count - 1] : NULL;
    bool alerted = last && last->kind == BJ_K_ALERT; /* which ends the connection with the session */
    if (m->by_client || !more || s->done[index] || alerted) {
        return;
    }
    script_say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
    bj_record *r = script_step(s, BJ_K_HANG_UP);
    script_set_uint(s, r, BJ_F(HANG_UP, HOW), BJ_T_ENUM, m->reset ? HANGS_RESET : HANGS_CLOSE);
    script_set_text(s, r, BJ_F(HANG_UP, SERVER), script_name_of(s, m));
    script_put_moment(s, r, BJ_F(HANG_UP, AT), m->time);
    script_end_with(s, m);
}
