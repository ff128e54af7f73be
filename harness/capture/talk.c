/* SPDX-License-Identifier: Apache-2.0
 *
 * See talk.h.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/grow.h"
#include "capture/talk.h"
#include "wire/entries.h"

/* RFC 7252 §4.8.2; how many messages back a partner is looked for. */
static const bj_time EXCHANGE_LIFETIME = 247 * BJ_SECOND;
enum { BACK = 4000 };

/* --- building ------------------------------------------------------------------------------------------------- */

void bj_talk_begin(bj_talk *t, const bj_parties *parties, uint32_t party) {
    *t = (bj_talk){ .parties = parties, .party = party };
}

void bj_talk_free(bj_talk *t) {
    for (size_t i = 0; i < t->count; i++) {
        free((void *) (uintptr_t) t->messages[i].bytes);
    }
    free(t->messages);
    free(t->names);
    *t = (bj_talk){ .parties = NULL };
}

static uint8_t server_of(bj_talk *t, const bj_flow *f) {
    for (unsigned i = 0; i < t->server_count; i++) {
        if (bj_addr_equal(&t->servers[i].address, &f->server) && t->servers[i].stream == f->stream) {
            t->servers[i].bootstrap |= f->bootstrap;
            return (uint8_t) i;
        }
    }
    if (t->server_count == BJ_TALK_SERVERS) {
        return BJ_TALK_SERVERS - 1;
    }
    t->servers[t->server_count] =
        (bj_talk_server){ .address = f->server, .bootstrap = f->bootstrap, .stream = f->stream, .secure = f->secure };
    return (uint8_t) t->server_count++;
}

static bj_message *add(bj_talk *t, const bj_flow *f, const bj_unit *unit, bj_talk_kind kind) {
    if (t->count == BJ_TALK_MOST) {
        t->left_out++;
        return NULL;
    }
    bj_message *messages = bj_grown(t->messages, t->count, &t->room, sizeof *messages, 64);
    if (!messages) {
        return NULL;
    }
    t->messages = messages;
    uint8_t *copy = malloc(unit->length + 1);
    if (!copy) {
        return NULL;
    }
    if (unit->length) {
        memcpy(copy, unit->bytes, unit->length);
    }
    bj_message *m = &t->messages[t->count];
    *m = (bj_message){ .kind = (uint8_t) kind,
                       .frame = unit->frame,
                       .time = unit->time,
                       .by_client = bj_addr_equal(&unit->from, &f->client),
                       .stream = unit->stream,
                       .secure = unit->secure,
                       .cut = unit->cut,
                       .server = server_of(t, f),
                       .client = f->client,
                       .bytes = copy,
                       .length = unit->length,
                       .repeats = BJ_TALK_NONE,
                       .last_copy = (int) t->count,
                       .copies = 1,
                       .request = BJ_TALK_NONE,
                       .copy = BJ_TALK_NONE,
                       .answer = BJ_TALK_NONE,
                       .ack = BJ_TALK_NONE,
                       .about = BJ_TALK_NONE,
                       .record = unit->record,
                       .alert = unit->alert,
                       .encrypted = unit->encrypted,
                       .reset = unit->reset };
    t->count++;
    return m;
}

/* --- pairing -------------------------------------------------------------------------------------------------- */

static bool same_flow(const bj_message *a, const bj_message *b) {
    return a->server == b->server && bj_addr_equal(&a->client, &b->client) && a->stream == b->stream;
}

static bool same_token(const bj_message *a, const bj_message *b) {
    return a->token_length == b->token_length && !memcmp(a->token, b->token, a->token_length);
}

/* The index where looking back from message `index` ends. */
static int far_back(int index) {
    return index > BACK ? index - BACK : 0;
}

static void pair_copy(bj_talk *t, int index) {
    bj_message *m = &t->messages[index];
    for (int i = index - 1; i >= far_back(index) && !m->stream; i--) {
        bj_message *o = &t->messages[i];
        if (m->time - o->time >= EXCHANGE_LIFETIME) {
            return;
        }
        if (o->by_client == m->by_client && o->mid == m->mid && o->type == m->type && o->kind == m->kind &&
            o->repeats == BJ_TALK_NONE && same_flow(o, m)) {
            if (o->length == m->length && !memcmp(o->bytes, m->bytes, m->length)) {
                m->repeats = i;
                o->last_copy = index;
                o->copies++;
            }
            return;
        }
    }
}

/* The message of the other side with this Message ID. */
static int with_mid(const bj_talk *t, int index) {
    const bj_message *m = &t->messages[index];
    for (int i = index - 1; i >= far_back(index); i--) {
        const bj_message *o = &t->messages[i];
        bool coap = o->kind >= BJ_TALK_REQUEST && o->kind <= BJ_TALK_EMPTY;
        if (coap && o->by_client != m->by_client && o->mid == m->mid && o->type <= BJ_COAP_NON && same_flow(o, m)) {
            return o->repeats == BJ_TALK_NONE ? i : o->repeats;
        }
    }
    return BJ_TALK_NONE;
}

static int with_token(const bj_talk *t, int index) {
    const bj_message *m = &t->messages[index];
    for (int i = index - 1; i >= 0; i--) {
        const bj_message *o = &t->messages[i];
        if (o->kind == BJ_TALK_REQUEST && o->by_client != m->by_client && o->repeats == BJ_TALK_NONE &&
            same_token(o, m) && same_flow(o, m)) {
            return i;
        }
    }
    return BJ_TALK_NONE;
}

static void answer(bj_talk *t, int index, int request) {
    bj_message *m = &t->messages[index];
    if (request == BJ_TALK_NONE || t->messages[request].kind != BJ_TALK_REQUEST) {
        return;
    }
    bj_message *r = &t->messages[request];
    bj_coap decoded;
    m->request = request;
    m->copy = r->last_copy;
    m->wrong_token = !same_token(m, r);
    m->notifies = r->answer != BJ_TALK_NONE && bj_message_decode(m, &decoded) == BJ_COAP_OK &&
                  (bj_coap_find(&decoded, BJ_COAP_OBSERVE, 0) || (m->code >> 5 > 2 && m->type <= BJ_COAP_NON));
    r->answer = r->answer == BJ_TALK_NONE ? index : r->answer;
}

static void pair_acknowledgement(bj_talk *t, int index) {
    bj_message *m = &t->messages[index];
    int of = with_mid(t, index);
    m->repeats = BJ_TALK_NONE; /* an answer to a copy is one of its own */
    m->last_copy = index;
    if (of == BJ_TALK_NONE) {
        return;
    }
    bj_message *o = &t->messages[of];
    o->ack = o->ack == BJ_TALK_NONE ? index : o->ack;
    m->copy = o->last_copy;
    if (m->kind == BJ_TALK_RESPONSE) {
        answer(t, index, of);
    } else {
        m->request = of;
    }
}

static void pair(bj_talk *t, int index) {
    bj_message *m = &t->messages[index];
    bool acknowledges = !m->stream && m->type >= BJ_COAP_ACK;
    if (acknowledges) {
        pair_acknowledgement(t, index);
        return;
    }
    pair_copy(t, index);
    if (m->repeats == BJ_TALK_NONE && m->kind == BJ_TALK_RESPONSE) {
        answer(t, index, with_token(t, index));
    }
}

/* --- units ---------------------------------------------------------------------------------------------------- */

static bj_talk_kind kind_of(const bj_unit *unit) {
    uint8_t code = unit->m.code;
    if (unit->fault != BJ_COAP_OK || unit->cut) {
        return BJ_TALK_BROKEN;
    }
    return bj_coap_is_request(code)    ? BJ_TALK_REQUEST
           : bj_coap_is_response(code) ? BJ_TALK_RESPONSE
           : code >> 5 == 7            ? BJ_TALK_SIGNAL
           : code                      ? BJ_TALK_BROKEN
                                       : BJ_TALK_EMPTY;
}

static bool take_coap(bj_talk *t, const bj_flow *f, const bj_unit *unit) {
    bj_message *m = add(t, f, unit, kind_of(unit));
    if (!m) {
        return t->count == BJ_TALK_MOST;
    }
    m->type = unit->m.type;
    m->code = unit->m.code;
    m->mid = unit->m.mid;
    m->token_length = unit->m.token_length;
    memcpy(m->token, unit->m.token, sizeof m->token);
    if (m->kind <= BJ_TALK_EMPTY) {
        pair(t, (int) t->count - 1);
    }
    return true;
}

/* The newest message that the error quotes: by the header, which is always quoted (RFC 792). */
static bool take_icmp(bj_talk *t, const bj_flow *f, const bj_unit *unit) {
    bj_message *m = add(t, f, unit, BJ_TALK_ICMP);
    for (int i = (int) t->count - 2; m && i >= 0; i--) {
        bj_message *o = &t->messages[i];
        size_t quoted = unit->length < o->length ? unit->length : o->length;
        if (o->by_client == m->by_client && same_flow(o, m) && quoted && !memcmp(o->bytes, unit->bytes, quoted)) {
            m->about = i;
            o->unreachable = true;
            break;
        }
    }
    return m || t->count == BJ_TALK_MOST;
}

static bool take_name(bj_talk *t, const bj_unit *unit) {
    if (!bj_addr_same_host(&unit->to, &t->parties->all[t->party].host)) {
        return true;
    }
    for (unsigned i = 0; i < unit->address_count && t->name_count < 256; i++) {
        bj_talk_name *grown = realloc(t->names, (t->name_count + 1) * sizeof *grown);
        if (!grown) {
            return false;
        }
        t->names = grown;
        snprintf(grown[t->name_count].name, sizeof grown->name, "%s", unit->name);
        grown[t->name_count++].address = unit->addresses[i];
    }
    return true;
}

bool bj_talk_take(bj_talk *t, const bj_unit *unit) {
    if (unit->kind == BJ_UNIT_DNS) {
        return take_name(t, unit);
    }
    const bj_flow *f = unit->kind == BJ_UNIT_OTHER ? NULL : bj_parties_flow(t->parties, unit);
    if (!f || f->party != t->party) {
        return true;
    }
    switch (unit->kind) {
    case BJ_UNIT_COAP:
        return take_coap(t, f, unit);
    case BJ_UNIT_ICMP:
        return take_icmp(t, f, unit);
    case BJ_UNIT_RECORD:
        return add(t, f, unit, BJ_TALK_RECORD) || t->count == BJ_TALK_MOST;
    case BJ_UNIT_OPEN:
        return add(t, f, unit, BJ_TALK_OPEN) || t->count == BJ_TALK_MOST;
    case BJ_UNIT_CLOSE:
        return add(t, f, unit, BJ_TALK_CLOSE) || t->count == BJ_TALK_MOST;
    default:
        return true;
    }
}

/* --- what requests are ---------------------------------------------------------------------------------------- */

bj_coap_fault bj_message_decode(const bj_message *message, bj_coap *m) {
    return message->stream ? bj_coap_tcp_decode(m, message->bytes, message->length)
                           : bj_coap_decode(m, message->bytes, message->length);
}

static bool ends_with(const bj_text *path, const char *end) {
    size_t n = strlen(end);
    return path->used >= n && !strcmp(path->start + path->used - n, end);
}

static bj_request_kind clients_request(const bj_coap *m, const bj_text *path) {
    if (m->code == 1) {
        return ends_with(path, "/bspack") ? BJ_REQ_PACK : BJ_REQ_OTHER;
    }
    bool registered = !strncmp(path->start, "/rd/", 4) || strstr(path->start, "/rd/");
    if (m->code == 4) {
        return registered ? BJ_REQ_DEREGISTER : BJ_REQ_OTHER;
    }
    if (m->code != 2) {
        return BJ_REQ_OTHER;
    }
    return ends_with(path, "/bs")   ? BJ_REQ_BOOTSTRAP
           : ends_with(path, "/rd") ? BJ_REQ_REGISTER
           : ends_with(path, "/dp") ? BJ_REQ_SEND
           : registered             ? BJ_REQ_UPDATE
                                    : BJ_REQ_OTHER;
}

/* Is the path one of Objects, their instances, resources ("/", "/1/0")? */
static bool is_lwm2m_path(const bj_text *path, bj_path *parsed) {
    *parsed = bj_path_of(path->start);
    return parsed->depth || !strcmp(path->start, "/");
}

static bj_request_kind servers_get(const bj_coap *m) {
    uint32_t accept = 65536, observe = 2;
    bj_coap_find_uint(m, BJ_COAP_ACCEPT, &accept);
    bj_coap_find_uint(m, BJ_COAP_OBSERVE, &observe);
    return observe == 0 ? BJ_REQ_OBSERVE : observe == 1 ? BJ_REQ_CANCEL : accept == 40 ? BJ_REQ_DISCOVER : BJ_REQ_READ;
}

/* POST to a resource: Execute, with arguments as text if any; a Write of instances of it has values (LwM2M Core 1.1
 * §6.3.4, §6.3.5). */
static bj_request_kind posted_to_resource(const bj_coap *m) {
    uint32_t format = 0;
    bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &format);
    return format ? BJ_REQ_PARTIAL_WRITE : BJ_REQ_EXECUTE;
}

static bj_request_kind servers_request(const bj_coap *m, const bj_text *path, bool bootstrap) {
    bj_path p;
    uint32_t observe;
    if (m->code == 2 && !strcmp(path->start, "/bs")) {
        return BJ_REQ_FINISH;
    }
    if (!is_lwm2m_path(path, &p)) {
        return BJ_REQ_OTHER;
    }
    switch (m->code) {
    case 1:
        return servers_get(m);
    case 2:
        return p.depth == 1                 ? BJ_REQ_CREATE
               : p.depth == 2               ? BJ_REQ_PARTIAL_WRITE
               : p.depth == 3 && !bootstrap ? posted_to_resource(m)
                                            : BJ_REQ_OTHER;
    case 3:
        return !m->payload_length && bj_coap_find(m, BJ_COAP_URI_QUERY, 0) ? BJ_REQ_WRITE_ATTRIBUTES : BJ_REQ_WRITE;
    case 4:
        return BJ_REQ_DELETE;
    case 5:
        return !bj_coap_find_uint(m, BJ_COAP_OBSERVE, &observe) ? BJ_REQ_READ_COMPOSITE
               : observe == 0                                   ? BJ_REQ_OBSERVE_COMPOSITE
                                                                : BJ_REQ_CANCEL;
    case 7:
        return BJ_REQ_WRITE_COMPOSITE;
    default:
        return BJ_REQ_OTHER;
    }
}

bj_request_kind bj_request_kind_of(const bj_talk *t, const bj_message *message) {
    bj_coap m;
    BJ_TEXT(path, 300);
    if (message->kind != BJ_TALK_REQUEST || bj_message_decode(message, &m) != BJ_COAP_OK) {
        return BJ_REQ_OTHER;
    }
    bj_coap_path(&m, BJ_COAP_URI_PATH, &path);
    return message->by_client ? clients_request(&m, &path)
                              : servers_request(&m, &path, t->servers[message->server].bootstrap);
}

void bj_request_name(bj_text *out, const bj_talk *t, const bj_message *message) {
    static const char *const names[] = { NULL,
                                         "Bootstrap-Request",
                                         "Bootstrap-Pack-Request",
                                         "Register",
                                         "Update",
                                         "De-register",
                                         "Send",
                                         "Finish",
                                         "Write",
                                         "Write (partial)",
                                         "Delete",
                                         "Discover",
                                         "Read",
                                         "Observe",
                                         "Cancel Observation",
                                         "Execute",
                                         "Create",
                                         "Write-Attributes",
                                         "Read-Composite",
                                         "Observe-Composite",
                                         "Write-Composite" };
    bj_request_kind kind = bj_request_kind_of(t, message);
    bj_coap m;
    bool pathless = kind >= BJ_REQ_BOOTSTRAP && kind <= BJ_REQ_FINISH;
    const char *method = bj_coap_method_name(message->code);
    bj_message_decode(message, &m);
    bj_text_add(out, names[kind] ? names[kind] : method ? method : "a request");
    if (!pathless) {
        bj_text_add(out, " ");
        bj_coap_path(&m, BJ_COAP_URI_PATH, out);
    }
}
