/* SPDX-License-Identifier: Apache-2.0
 *
 * Active steps: what the servers, the network and the names do. An action is carried out once, for all cursors that
 * stand at it; what each of them expects of it is its own.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

bool bj__is_active(bj_kind kind) {
    switch (kind) {
    case BJ_K_RESPOND:
    case BJ_K_PACK:
    case BJ_K_IGNORE:
    case BJ_K_RAW:
    case BJ_K_MESSAGE:
    case BJ_K_AGAIN:
    case BJ_K_FAULT:
    case BJ_K_NETWORK:
    case BJ_K_PORT:
    case BJ_K_RESTART:
    case BJ_K_DNS:
    case BJ_K_STOP:
    case BJ_K_INPUT:
    case BJ_K_START:
    case BJ_K_POWER_CUT:
    case BJ_K_DISK:
    case BJ_K_ALERT:
    case BJ_K_HANG_UP:
        return true;
    default:
        return bj__is_operation(kind);
    }
}

/* Is this field an expectation and no part of what is done? */
static bool expects(uint8_t kind, unsigned field) {
    switch (kind) {
    case BJ_K_MESSAGE:
        return field == BJ_F(MESSAGE, EXPECT) || field == BJ_F(MESSAGE, WITHIN);
    case BJ_K_AGAIN:
        return field == BJ_F(AGAIN, WITHIN);
    case BJ_K_POWER_CUT:
        return field == BJ_F(POWER_CUT, WITHIN);
    default:
        return bj__operation_expects(kind, field);
    }
}

enum { MOST_FIELDS = 64 };

/* `record` without its expectations, over `fields`. */
static bj_record action_of(const bj_record *record, const bj_value **fields) {
    bj_record action = *record;
    assert(record->field_limit <= MOST_FIELDS);
    for (unsigned f = 0; f < record->field_limit; f++) {
        fields[f] = expects(record->kind, f) ? NULL : record->fields[f];
    }
    action.fields = fields;
    return action;
}

bool bj__same_action(const bj_record *a, const bj_record *b) {
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    const bj_value *fields_a[MOST_FIELDS], *fields_b[MOST_FIELDS];
    bj_record action_a = action_of(a, fields_a), action_b = action_of(b, fields_b);
    return bj_record_equal(&action_a, &action_b);
}

bj__server *bj__step_server(bj_engine *e, const bj_record *record, unsigned field, const char *otherwise) {
    const char *name = bj_get_string(record, field, otherwise);
    bj__server *s = bj__server_named(e, name);
    if (!s) {
        bj__conclude_printf(e, BJ_ERROR, record->position, "there is no server '%s'", name);
    }
    return s;
}

/* --- replies --- */

static bj__exchange *exchange_to_answer(bj_engine *e, bj__thread *t) {
    const bj_value *name = t->step->kind == BJ_K_IGNORE ? NULL : bj_get(t->step, BJ_F(RESPOND, TO));
    uint64_t id = name ? 0 : t->exchange;
    for (unsigned i = 0; name && i < t->capture_count; i++) {
        const bj_string *known = &t->captures[i].name, *wanted = &name->as.string;
        if (known->length == wanted->length && !memcmp(known->bytes, wanted->bytes, known->length)) {
            id = t->captures[i].exchange;
        }
    }
    bj__exchange *x = bj__exchange_of(e, id);
    if (!x) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "there is no request to answer%s%s", name ? ": " : "",
                            name ? name->as.string.bytes : "");
    }
    t->exchange = id;
    return x;
}

static bool respond(bj_engine *e, bj__thread *t) {
    bj__exchange *x = exchange_to_answer(e, t);
    return x && bj__send_reply(e, t, x, t->step, t->begin_event, false);
}

static bool ignore(bj_engine *e, bj__thread *t) {
    bj__exchange *x = exchange_to_answer(e, t);
    if (x) {
        x->settled = true;
    }
    return x != NULL;
}

/* --- operations --- */

static bool operate(bj_engine *e, bj__thread *t) {
    const bj_record *step = t->step;
    bj__server *s = bj__step_server(e, step, BJ_F(WRITE, SERVER), "bs");
    bj__outbound *o = s ? bj__send_operation(e, t, s, step, t->begin_event) : NULL;
    t->outbound = o ? o->id : 0;
    return o != NULL;
}

static bool nothing_there(bj_engine *e, const bj__thread *t, const bj__server *s, const char *what) {
    bj__conclude_printf(e, BJ_ERROR, t->step->position, "the server '%s' has no %s with the client", s->name, what);
    return false;
}

static bool send_clear(bj_engine *e, bj__thread *t) {
    const bj__server *s = bj__step_server(e, t->step, BJ_F(RAW, SERVER), "bs");
    const bj_value *hex = bj_get(t->step, BJ_F(RAW, HEX));
    return s && (bj__secure_raw(e, s, (const uint8_t *) hex->as.string.bytes, hex->as.string.length, t->begin_event) ||
                 nothing_there(e, t, s, "handshake or session"));
}

static bool send_message(bj_engine *e, bj__thread *t) {
    bool raw = t->step->kind == BJ_K_RAW;
    if (raw && bj_get_bool(t->step, BJ_F(RAW, CLEAR), false)) {
        return send_clear(e, t);
    }
    bj__server *s = bj__step_server(e, t->step, raw ? BJ_F(RAW, SERVER) : BJ_F(MESSAGE, SERVER), "bs");
    if (!s) {
        return false;
    }
    bj__outbound *o =
        raw ? bj__send_raw(e, s, t->step, t->begin_event) : bj__send_message(e, t, s, t->step, t->begin_event);
    t->outbound = o ? o->id : 0;
    return o != NULL;
}

static bool again(bj_engine *e, bj__thread *t) {
    bj__server *s = bj__step_server(e, t->step, BJ_F(AGAIN, SERVER), "bs");
    bj__outbound *o = s ? bj__outbound_of(e, s->last_confirmable) : NULL;
    if (!s) {
        return false;
    }
    if (!o) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "the server '%s' has sent no confirmable request", s->name);
        return false;
    }
    bj__send_again(e, o, t->begin_event);
    t->outbound = o->id;
    return !e->done;
}

/* --- the network --- */

static uint8_t actor_named(bj_engine *e, const bj_record *step, unsigned field) {
    const char *name = bj_get_string(step, field, NULL);
    if (!name) {
        return BJ_ACTOR_WORLD;
    }
    if (!strcmp(name, "client")) {
        return BJ_ACTOR_CLIENT;
    }
    const bj__server *s = bj__step_server(e, step, field, name);
    return s ? (uint8_t) (BJ_ACTOR_SERVER_0 + s->index) : BJ_ACTOR_WORLD;
}

static bool fault(bj_engine *e, bj__thread *t) {
    const bj_record *step = t->step;
    if (bj_get_bool(step, BJ_F(FAULT, OFF), false)) {
        e->ops->clear_faults(e->world);
        return true;
    }
    uint32_t kind = bj_get_uint(step, BJ_F(FAULT, KIND), BJ_FAULT_DROP);
    uint32_t count = bj_get_uint(step, BJ_F(FAULT, COUNT), 1);
    bool timed = kind == BJ_FAULT_DELAY || kind == BJ_FAULT_DUPLICATE;
    const bj_value *bytes = bj_get(step, BJ_F(FAULT, BYTES));
    bj_fault f = { .kind = (uint8_t) kind,
                   .from = actor_named(e, step, BJ_F(FAULT, FROM)),
                   .to = actor_named(e, step, BJ_F(FAULT, TO)),
                   .skip = bj_get_uint(step, BJ_F(FAULT, SKIP), 0),
                   .count = count ? count : UINT32_MAX,
                   .amount = timed   ? bj_get_duration(step, BJ_F(FAULT, DELAY), 0)
                             : bytes ? bytes->as.uint
                                     : BJ_NEVER,
                   .position = step->position };
    if (kind == BJ_FAULT_TRUNCATE && !bytes) {
        f.amount = 0;
    }
    if (!e->done) {
        e->ops->add_fault(e->world, &f);
    }
    return !e->done;
}

static bool network(bj_engine *e, bj__thread *t) {
    bool one = bj_get(t->step, BJ_F(NETWORK, SERVER)) != NULL;
    bj__server *only = one ? bj__step_server(e, t->step, BJ_F(NETWORK, SERVER), "") : NULL;
    for (unsigned i = 0; i < e->server_count && !e->done; i++) {
        bj__server *s = &e->servers[i];
        if (!one || s == only) {
            bj__read_link(t->step, &s->link);
            e->ops->set_link(e->world, (uint8_t) (BJ_ACTOR_SERVER_0 + i), &s->link);
        }
    }
    return !e->done;
}

static bool names(bj_engine *e, bj__thread *t) {
    const bj_value *answers = bj_get(t->step, BJ_F(DNS, ANSWERS));
    if (answers) {
        bj__set_names(e, bj_get_string(t->step, BJ_F(DNS, NAME), ""), answers->as.records.items,
                      answers->as.records.count);
    }
    return true;
}

/* As the client's profile says, unless the step wants another signal than that of an orderly stop. */
static bool stop(bj_engine *e, bj__thread *t) {
    int number = (int) bj_get_uint(t->step, BJ_F(STOP, SIGNAL), SIGTERM);
    const bj_record *own = number == SIGTERM ? bj_get_record(e->profile, BJ_F(PROFILE, STOP)) : NULL;
    const bj_value *line = bj_get(own, BJ_F(STOPPING, INPUT));
    bool end = bj_get_bool(own, BJ_F(STOPPING, END), false);
    e->stopping = true;
    if (line || end) {
        return bj__life_type(e, t, line ? &line->as.string : NULL, end);
    }
    number = (int) bj_get_uint(own, BJ_F(STOPPING, SIGNAL), (uint32_t) number);
    int result = e->ops->client_signal(e->world, number);
    if (result < 0) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "the client cannot be stopped: %s", strerror(-result));
    }
    return result >= 0;
}

static bool on_server(bj_engine *e, bj__thread *t) {
    bool port = t->step->kind == BJ_K_PORT;
    bj__server *s = bj__step_server(e, t->step, port ? BJ_F(PORT, SERVER) : BJ_F(RESTART, SERVER), "bs");
    if (!s) {
        return false;
    }
    if (port) {
        return bj__port(e, s, bj_get_uint(t->step, BJ_F(PORT, STATE), 0));
    }
    bj__forget_server(e, s);
    return true;
}

/* --- sessions and connections --- */

static bool alert(bj_engine *e, bj__thread *t) {
    const bj__server *s = bj__step_server(e, t->step, BJ_F(ALERT, SERVER), "bs");
    uint32_t number = bj_get_uint(t->step, BJ_F(ALERT, WHICH), 0);
    uint32_t level = bj_get_uint(t->step, BJ_F(ALERT, LEVEL), number ? 2 : 1);
    if (!s) {
        return false;
    }
    return bj__secure_alert(e, s, (uint8_t) level, (uint8_t) number, t->begin_event) ||
           nothing_there(e, t, s, "handshake or session");
}

static bool hang_up(bj_engine *e, bj__thread *t) {
    const bj__server *s = bj__step_server(e, t->step, BJ_F(HANG_UP, SERVER), "bs");
    uint32_t how = bj_get_uint(t->step, BJ_F(HANG_UP, HOW), 1);
    if (!s) {
        return false;
    }
    if (how == 3) {
        return bj__secure_notify(e, s, t->begin_event) || nothing_there(e, t, s, "session");
    }
    return bj__stream_hang_up(e, s, how == 1) || nothing_there(e, t, s, "TCP connection");
}

bool bj__act(bj_engine *e, bj__thread *t) {
    switch (t->step->kind) {
    case BJ_K_RESPOND:
    case BJ_K_PACK:
        return respond(e, t);
    case BJ_K_IGNORE:
        return ignore(e, t);
    case BJ_K_RAW:
    case BJ_K_MESSAGE:
        return send_message(e, t);
    case BJ_K_AGAIN:
        return again(e, t);
    case BJ_K_FAULT:
        return fault(e, t);
    case BJ_K_NETWORK:
        return network(e, t);
    case BJ_K_PORT:
    case BJ_K_RESTART:
        return on_server(e, t);
    case BJ_K_DNS:
        return names(e, t);
    case BJ_K_STOP:
        return stop(e, t);
    case BJ_K_INPUT:
        return bj__life_input(e, t);
    case BJ_K_CANCEL:
        return bj__cancel(e, t);
    case BJ_K_START:
        return bj__life_start(e, t);
    case BJ_K_POWER_CUT:
        return bj__life_power_cut(e, t);
    case BJ_K_DISK:
        return bj__life_disk(e, t);
    case BJ_K_ALERT:
        return alert(e, t);
    case BJ_K_HANG_UP:
        return hang_up(e, t);
    default:
        return operate(e, t);
    }
}
