/* SPDX-License-Identifier: Apache-2.0
 *
 * Device management: which requests of servers are exchanges that can be judged, and what must be refused, or cannot be
 * answered so, whatever the client holds (LwM2M Core 1.1 §6.3, Transport 1.1 §6.7).
 *
 * What a client does to a request that reaches it while another is under way is its own: such exchanges overlap, and
 * the model of its resources forgets what they are about.
 */
#include "oracle/management.h"

#include <string.h>

enum { FETCH = 5, IPATCH = 7, FORMAT_TEXT = 0, FORMAT_LINK = 40, FORMAT_NONE = 65536 };
enum { NOT_FOUND = BJ_COAP_CODE(4, 4), NOT_ALLOWED = BJ_COAP_CODE(4, 5) };

/* How long a client may take for an answer; what takes longer is not awaited any more. */
static const bj_time PATIENCE = 100 * BJ_SECOND;

void oracle_describe_managed(const oracle_managed *x, bj_text *out) {
    static const char *const names[] = { [FETCH] = "FETCH", [IPATCH] = "iPATCH" };
    if (x->request->code == FETCH || x->request->code == IPATCH) {
        bj_text_add(out, names[x->request->code]);
    } else {
        oracle_describe_foreign(x->f, out);
    }
    bj_text_add(out, " of ");
    bj_addr_print(out, &x->f->peer);
}

static void breaks(bj_oracle *o, const oracle_managed *x, bj_rule rule, const char *why) {
    BJ_TEXT(what, 200);
    BJ_TEXT(code, 16);
    oracle_describe_managed(x, &what);
    bj_coap_code_print(&code, x->s->m.code);
    oracle_break(o, rule, x->s->time, x->s->event->sequence, "%s is answered with %s: %s", what.start, code.start, why);
}

/* --- which operation ------------------------------------------------------------------------------------------ */

/* Segments that are no ids were passed over when it was read. */
static bool is_path(const oracle_foreign *f, const bj_coap *m) {
    BJ_TEXT(asked, 64);
    BJ_TEXT(read, 64);
    bj_coap_path(m, BJ_COAP_URI_PATH, &asked);
    bj_path_print(&read, &f->path);
    return asked.used == read.used && !memcmp(asked.start, read.start, read.used);
}

/* LwM2M Transport 1.1 §6.4.5, Table 6.4.5-1. */
static oracle_manages kind_of(const oracle_foreign *f, const bj_coap *m) {
    bool content = f->format != FORMAT_NONE;
    bool query = bj_coap_find(m, BJ_COAP_URI_QUERY, 0) != NULL;
    if (f->root_named || !is_path(f, m)) {
        return ORACLE_MANAGES_OTHER;
    }
    switch (m->code) {
    case 1:
        return f->has_accept && f->accept == FORMAT_LINK ? ORACLE_MANAGES_DISCOVER : ORACLE_MANAGES_READ;
    case 2:
        if (f->path.depth == 3 && (!content || f->format == FORMAT_TEXT)) {
            return ORACLE_MANAGES_EXECUTE;
        }
        if (f->path.depth == 3 && oracle_definition_of(&f->path).multiple) {
            return ORACLE_MANAGES_UPDATE;
        }
        return f->path.depth == 1              ? ORACLE_MANAGES_CREATE
               : f->path.depth == 2 && content ? ORACLE_MANAGES_UPDATE
                                               : ORACLE_MANAGES_OTHER;
    case 3:
        return content && !query                         ? ORACLE_MANAGES_REPLACE
               : !content && query && !m->payload_length ? ORACLE_MANAGES_ATTRIBUTES
                                                         : ORACLE_MANAGES_OTHER;
    case 4:
        return ORACLE_MANAGES_DELETE;
    case FETCH:
        return ORACLE_MANAGES_READ_COMPOSITE;
    case IPATCH:
        return ORACLE_MANAGES_WRITE_COMPOSITE;
    default:
        return ORACLE_MANAGES_OTHER;
    }
}

static bool is_plain(const bj_coap *m) {
    BJ_TEXT(why, 100);
    for (size_t i = 0; i < m->option_count; i++) {
        uint32_t number = m->options[i].number;
        bool usual = number == BJ_COAP_URI_PATH || number == BJ_COAP_URI_QUERY || number == BJ_COAP_CONTENT_FORMAT ||
                     number == BJ_COAP_ACCEPT || number == BJ_COAP_OBSERVE;
        if (!usual) {
            return false;
        }
    }
    return bj_coap_options_valid(m, &why);
}

static bool is_whole(const bj_coap *m) {
    uint32_t block;
    return !(bj_coap_find_uint(m, BJ_COAP_BLOCK2, &block) && (block >> 4 || block & 8));
}

/* --- what is refused whatever the client holds ---------------------------------------------------------------- */

static bool is_success(const oracle_managed *x) {
    return x->s->m.code >> 5 == 2;
}

static void secret_entry(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) o;
    unsigned *counts = context; /* of /0, of others */
    counts[entry->path.depth && entry->path.ids[0] == 0 ? 0 : 1]++;
}

/* LwM2M Core 1.1, Appendix E.1: 4.01. Other refusals have reasons that come before it. */
static void check_secrets(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 };
    unsigned counts[2] = { 0, 0 };
    bool reached = x->f->path.depth && x->f->path.depth < 4 && x->f->path.ids[0] == 0 && x->kind && !x->f->root_named;
    if (x->kind == ORACLE_MANAGES_WRITE_COMPOSITE && x->plain) {
        reached = oracle_entries_of(o, &root, x->request, secret_entry, counts) && counts[0] && !counts[1];
    }
    bool unknown = o->config.first_release && x->request->code >= FETCH;
    if (reached && !unknown && (x->s->m.code == NOT_FOUND || x->s->m.code == NOT_ALLOWED)) {
        breaks(o, x, BJ_RULE_MGMT_SECRETS, "operations on the Security Object are answered with 4.01");
    }
}

static void hidden_entry(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) o;
    bool *hidden = context;
    *hidden |= entry->path.depth > 0 && (entry->path.ids[0] == 0 || entry->path.ids[0] == 21);
}

static void check_composite(bj_oracle *o, const oracle_managed *x) {
    static const bj_path root = { .depth = 0 };
    bool hidden = false;
    oracle_entries_of(o, &root, &x->s->m, hidden_entry, &hidden);
    if (hidden) {
        breaks(o, x, BJ_RULE_SEC_OBJECT_CLOSED, "it shows the Security Object or the OSCORE Object");
    }
}

/* arglist = arg *( "," arg ), arg = DIGIT / DIGIT "=" "'" *CHAR "'" (LwM2M Core 1.1 §6.3.5). */
static bool are_arguments(const uint8_t *at, size_t length) {
    const uint8_t *end = at + length;
    for (;; at++) {
        if (at == end || *at < '0' || *at > '9') {
            return false;
        }
        if (++at < end && *at == '=') {
            const uint8_t *quote = at + 2 < end && at[1] == '\'' ? memchr(at + 2, '\'', (size_t) (end - at - 2)) : NULL;
            if (!quote) {
                return false;
            }
            at = quote + 1;
        }
        if (at == end || *at != ',') {
            return at == end;
        }
    }
}

static void check_execute(bj_oracle *o, const oracle_managed *x) {
    char operations = oracle_definition_of(&x->f->path).operations;
    if (operations && operations != 'E') {
        breaks(o, x, BJ_RULE_MGMT_EXECUTE, "that Resource is not executable");
    } else if (x->request->payload_length && !are_arguments(x->request->payload, x->request->payload_length)) {
        breaks(o, x, BJ_RULE_MGMT_EXECUTE, "its arguments are none");
    }
}

static void nested(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) o;
    oracle_definition d = oracle_definition_of(&entry->path);
    bool *found = context;
    *found |= entry->path.depth == 4 && d.operations && !d.multiple;
}

static void check_write(bj_oracle *o, const oracle_managed *x) {
    char operations = x->f->path.depth >= 3 ? oracle_definition_of(&x->f->path).operations : 0;
    bool several = false;
    if (operations && operations != 'W') {
        breaks(o, x, BJ_RULE_MGMT_WRITE, "servers cannot write that Resource");
    }
    if (oracle_entries_of(o, &x->f->path, x->request, nested, &several) && several) {
        breaks(o, x, BJ_RULE_OBJ_TYPES, "a Resource that is single is written with Resource Instances");
    }
}

/* What is written to /1, as far as the client has it, with values that every client takes. */
typedef struct ordinary {
    unsigned instance;
    uint32_t seen; /* by bits */
    bool good;
    int64_t periods[2]; /* /1/x/2, /1/x/3; -1: not given */
} ordinary;

/* A number that can be read in one way only. */
static bool is_clear(const bj_entry *entry, bool boolean) {
    bool digits = entry->kind == BJ_ENTRY_TEXT && entry->length && entry->length < 10 &&
                  (entry->bytes[0] != '0' || entry->length == 1);
    for (size_t i = 0; digits && i < entry->length; i++) {
        digits = entry->bytes[i] >= '0' && entry->bytes[i] <= '9';
    }
    bool bytes = entry->kind == BJ_ENTRY_RAW && (entry->length == 1 || (!boolean && entry->length <= 8));
    bool said = entry->kind == (boolean ? BJ_ENTRY_BOOL : BJ_ENTRY_INT);
    return said || digits || bytes;
}

/* LwM2M Core 1.1 E.2: Lifetime and Notification Storing every client has; both periods and the Disable Timeout those
 * whose profile says so. */
static bool has_setting(const bj_oracle *o, unsigned resource) {
    bool all = resource == 1 || resource == 6, some = resource == 2 || resource == 3 || resource == 5;
    return all || (some && o->config.server_resources >> resource & 1);
}

static void ordinary_entry(bj_oracle *o, void *context, const bj_entry *entry) {
    ordinary *w = context;
    unsigned resource = entry->path.ids[2];
    bool there = entry->path.depth == 3 && entry->path.ids[0] == 1 && entry->path.ids[1] == w->instance &&
                 resource < 8 && !(w->seen & UINT32_C(1) << resource);
    bool text = entry->kind == BJ_ENTRY_STRING || entry->kind == BJ_ENTRY_RAW || entry->kind == BJ_ENTRY_TEXT;
    bool udp = there && resource == 7 && text && entry->length == 1 && entry->bytes[0] == 'U';
    oracle_value value = oracle_value_of(entry, resource == 6 ? 'B' : 'I');
    bool number =
        there && has_setting(o, resource) && value.kind == ORACLE_VALUE_INTEGER && is_clear(entry, resource == 6);
    int64_t least = resource == 1 || resource == 3 ? 1 : 0, most = resource == 6 ? 1 : INT32_MAX;
    w->good &= udp || (number && value.integer >= least && value.integer <= most);
    w->seen |= there ? UINT32_C(1) << resource : 0;
    if (number && (resource == 2 || resource == 3)) {
        w->periods[resource - 2] = value.integer;
    }
}

/* A maximum below the minimum contradicts it; so may one of them with what was there before. */
static bool are_in_order(const ordinary *w) {
    return w->periods[0] < 0 && w->periods[1] < 0 ? true : w->periods[0] >= 0 && w->periods[1] >= w->periods[0];
}

/* An Instance that the factory gave a Binding that is none is not valid, whatever else is written to it. */
static bool has_odd_binding(const bj_oracle *o) {
    bool odd = false;
    for (unsigned i = 0; i < o->config.account_count; i++) {
        odd |= o->config.accounts[i].odd_binding;
    }
    return odd;
}

/* LwM2M Core 1.1 §6.3.3, E.2: each server may write Lifetime and Notification Storing of its own Instance, and a
 * partial update need not name more. */
static void check_refusal(bj_oracle *o, const oracle_managed *x) {
    const bj_path *path = &x->f->path;
    bool writes = (x->kind == ORACLE_MANAGES_REPLACE && path->depth == 3) ||
                  (x->kind == ORACLE_MANAGES_UPDATE && path->depth == 2);
    bool code = x->s->m.code == BJ_COAP_CODE(4, 0) || x->s->m.code == NOT_FOUND || x->s->m.code == NOT_ALLOWED;
    bool settled = o->attempt.phase != ORACLE_SESSION && o->attempt.phase != ORACLE_REQUESTED;
    ordinary w = { .instance = path->ids[1], .good = true, .periods = { -1, -1 } };
    bool queries = bj_coap_find(x->request, BJ_COAP_URI_QUERY, 0) != NULL; /* a Write has none to understand */
    if (!writes || !code || !settled || queries || has_odd_binding(o) || path->ids[0] != 1 ||
        oracle_only_instance(o, 1) != path->ids[1]) {
        return;
    }
    /* TLV of an Instance in an Instance, which a client need not take. */
    bool wrapped = x->f->format == 11542 && x->request->payload_length && x->request->payload[0] >> 6 != 3;
    bool read = !wrapped && oracle_entries_of(o, path, x->request, ordinary_entry, &w);
    if (path->depth == 3 && (path->ids[2] > 7 || w.seen != UINT32_C(1) << path->ids[2])) {
        return; /* it names others than its path does */
    }
    if (read && w.good && w.seen && are_in_order(&w)) {
        breaks(o, x, BJ_RULE_MGMT_WRITE, "every client takes those values, in part too");
    }
}

static void check_create(bj_oracle *o, const oracle_managed *x) {
    if (x->f->path.depth == 1 && oracle_is_single(x->f->path.ids[0])) {
        breaks(o, x, BJ_RULE_MGMT_CREATE, "that Object has a single Instance");
    }
}

static void check_delete(bj_oracle *o, const oracle_managed *x) {
    if (x->f->path.depth != 2 || x->f->path.ids[0] == 3) {
        breaks(o, x, BJ_RULE_MGMT_DELETE, "servers cannot remove that");
    }
}

static void check_success(bj_oracle *o, const oracle_managed *x) {
    switch (x->kind) {
    case ORACLE_MANAGES_EXECUTE:
        check_execute(o, x);
        break;
    case ORACLE_MANAGES_REPLACE:
    case ORACLE_MANAGES_UPDATE:
        check_write(o, x);
        break;
    case ORACLE_MANAGES_CREATE:
        check_create(o, x);
        break;
    case ORACLE_MANAGES_DELETE:
        check_delete(o, x);
        break;
    case ORACLE_MANAGES_READ_COMPOSITE:
        check_composite(o, x);
        break;
    default:
        break;
    }
}

/* --- Read ----------------------------------------------------------------------------------------------------- */

/* LwM2M Transport 1.1, Table 6.7-1: what is not there is 4.04, what is there and cannot be read 4.05. */
static void check_absent(bj_oracle *o, const oracle_managed *x) {
    const bj_path *path = &x->f->path;
    bool read = x->kind == ORACLE_MANAGES_READ && path->depth && path->depth < 4 && !x->f->observes;
    if (!read || x->s->m.code != NOT_ALLOWED || !bj_entries_known(x->f->has_accept ? x->f->accept : FORMAT_TEXT)) {
        return;
    }
    if (oracle_object_is_missing(o, path->ids[0])) {
        breaks(o, x, BJ_RULE_MGMT_READ, "the client has no such Object, for which the code is 4.04");
    } else if (path->depth > 1 && oracle_instance_presence(o, path->ids[0], path->ids[1]) == ORACLE_PRESENCE_DELETED) {
        breaks(o, x, BJ_RULE_MGMT_READ, "that Object Instance was removed, for which the code is 4.04");
    } else if (path->depth == 3 && (path->ids[0] == 1 || path->ids[0] == 3) && path->ids[2] > 200) {
        breaks(o, x, BJ_RULE_MGMT_READ, "the Object has no such Resource, for which the code is 4.04");
    }
}

/* --- releases ------------------------------------------------------------------------------------------------- */

typedef struct later {
    uint8_t release;
    bj_path found;
} later;

static void later_entry(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) o;
    later *l = context;
    if (entry->path.depth >= 3 && oracle_definition_of(&entry->path).since > l->release) {
        l->found = entry->path;
    }
}

/* LwM2M Core 1.1 §7.2.2: an Object that is registered without a version is that of the client's enabler release. */
static void check_release(bj_oracle *o, const oracle_managed *x) {
    later l = { .release = oracle_release_of(o, 1) };
    bool read = (x->kind == ORACLE_MANAGES_READ || x->kind == ORACLE_MANAGES_READ_COMPOSITE) && x->whole;
    bool write = x->kind == ORACLE_MANAGES_REPLACE && x->f->path.depth >= 3;
    if (!l.release || !is_success(x) || (!read && !write)) {
        return;
    }
    if (write && oracle_definition_of(&x->f->path).since > l.release) {
        breaks(o, x, BJ_RULE_OBJ_RELEASE, "that Resource is of a later release of the Object than the client's");
    }
    if (read) {
        oracle_entries_of(o, &x->f->path, &x->s->m, later_entry, &l);
    }
    if (l.found.depth) {
        BJ_TEXT(what, 100);
        bj_path_print(&what, &l.found);
        bj_text_add(&what, " is of a later release of the Object than the client's");
        breaks(o, x, BJ_RULE_OBJ_RELEASE, what.start);
    }
}

/* --- Write-Attributes ----------------------------------------------------------------------------------------- */

static bool is_digits(const char *text) {
    size_t digits = strspn(text, "0123456789");
    return digits && !text[digits];
}

static bool query_of(const bj_coap *m, const char *name, bj_text *value) {
    return bj_coap_query(m, name, value) && value->used;
}

/* LwM2M Core 1.1 §5.1.2, Table 5.1.2-1: periods are Integers, from 0 on. */
static void check_periods(bj_oracle *o, const oracle_managed *x) {
    static const char *const names[] = { "pmin", "pmax", "epmin", "epmax" };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        BJ_TEXT(value, 64);
        bool evaluation = i > 1;
        bool known = !evaluation || oracle_release_of(o, 0) >= 11;
        if (known && query_of(x->request, names[i], &value) && !is_digits(value.start)) {
            breaks(o, x, evaluation ? BJ_RULE_REP_EVALUATION : BJ_RULE_MGMT_ATTRIBUTES,
                   "a period is given that is no number of seconds");
        }
    }
}

/* --- Discover ------------------------------------------------------------------------------------------------- */

/* LwM2M Core 1.2 §6.3.2. */
static void check_depth(bj_oracle *o, const oracle_managed *x) {
    BJ_TEXT(depth, 8);
    if (oracle_release_of(o, 0) < 12 || !x->whole || !query_of(x->request, "depth", &depth) || depth.used != 1 ||
        depth.start[0] < '0' || depth.start[0] > '3') {
        return;
    }
    const char *text = (const char *) x->s->m.payload;
    size_t length = x->s->m.payload_length;
    unsigned most = x->f->path.depth + (unsigned) (depth.start[0] - '0');
    bj_core_link link;
    BJ_TEXT(why, 64);
    while (text && bj_link_next(&text, &length, &link, &why)) {
        bj_path path = oracle_path_of_link(&link);
        if (path.depth > most) {
            breaks(o, x, BJ_RULE_MGMT_DISCOVER, "it shows more than the depth that was asked for");
            return;
        }
    }
}

/* --- before the registration ---------------------------------------------------------------------------------- */

/* LwM2M Core 1.1 §6.2: what a server asks before its registration is accepted is ignored. */
static void check_registered(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    bool success = s->m.code >> 5 == 2 && s->m.code != BJ_COAP_CODE(2, 31); /* blocks may be put together before */
    if (p && p->registering && !p->ever && !p->doubtful && o->lives < 2 && !o->config.state_given && success &&
        !f->bootstrap && !oracle_is_bootstrap(o, &s->peer)) {
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_REG_BEFORE, s->time, s->event->sequence,
                     "%s of a server succeeds before the client is registered with it", what.start);
    }
}

/* --- Send ----------------------------------------------------------------------------------------------------- */

/* LwM2M Core 1.1, Appendix E.2: /1/x/23, Mute Send. */
static void check_send(bj_oracle *o, const oracle_seen *s) {
    BJ_TEXT(path, 64);
    int instance = oracle_only_instance(o, 1);
    bj_path muted = { .ids = { 1, (uint16_t) (instance < 0 ? 0 : instance), 23 }, .depth = 3 };
    const oracle_resource *r = instance < 0 ? NULL : oracle_resource_known(o, &muted);
    bj_coap_path(&s->m, BJ_COAP_URI_PATH, &path);
    bool known = r && (r->absent || (r->written && r->value.integer == 1)) && s->time > r->at;
    const oracle_own *own = s->stream ? NULL : oracle_own_with_mid(o, s);
    bj_time wait = own && r ? oracle_longest_wait(o, &s->peer, oracle_less(r->at, ORACLE_GRACE), own->event) : 0;
    bool fresh = own ? own->copies == 1 && wait < BJ_SECOND && r && s->time > r->at + wait : s->stream;
    uint32_t format = 0;
    bj_coap_find_uint(&s->m, BJ_COAP_CONTENT_FORMAT, &format);
    fresh &= s->m.payload_length != 0 && format != FORMAT_LINK; /* an Update may go there, too */
    if (known && s->m.code == 2 && !strcmp(path.start, "/dp") && fresh) {
        oracle_break(o, BJ_RULE_REP_SEND, s->time, s->event->sequence,
                     "the client sends data though /1/%d/23 (Mute Send) is %s", instance,
                     r->absent ? "not there" : "true");
    }
}

/* --- blocks --------------------------------------------------------------------------------------------------- */

/* RFC 7959 §2.4: a block with a number above 0 lies within what is asked for. */
static void check_blocks(bj_oracle *o, const oracle_managed *x) {
    uint32_t asked, block;
    if (x->kind == ORACLE_MANAGES_READ && x->s->m.code == BJ_COAP_CODE(2, 5) && !x->s->m.payload_length &&
        bj_coap_find_uint(x->request, BJ_COAP_BLOCK2, &asked) && asked >> 4 &&
        !(bj_coap_find_uint(&x->s->m, BJ_COAP_BLOCK2, &block) && !(block >> 4))) {
        breaks(o, x, BJ_RULE_REP_BLOCKS, "that block lies beyond the end, and is answered with nothing");
    }
}

/* --- the course of it ----------------------------------------------------------------------------------------- */

void oracle_management_forget(bj_oracle *o) {
    o->managed.outstanding = 0;
    o->managed.overlap = false;
    o->managed.round++;
    oracle_values_forget(o, &(bj_path){ .depth = 0 });
    oracle_instances_forget(o);
    oracle_attributes_forget(o);
    oracle_observations_forget(o);
}

static void judge(bj_oracle *o, const oracle_managed *x) {
    check_secrets(o, x);
    check_blocks(o, x);
    if (x->plain && is_success(x)) {
        check_success(o, x);
        check_release(o, x);
    }
    if (x->plain && x->kind == ORACLE_MANAGES_ATTRIBUTES && is_success(x)) {
        check_periods(o, x);
    }
    if (x->plain && x->kind == ORACLE_MANAGES_DISCOVER && is_success(x)) {
        check_depth(o, x);
    }
    if (x->plain && x->alone) {
        check_refusal(o, x);
        check_absent(o, x);
    }
    oracle_access_answered(o, x);
    oracle_instances_answered(o, x);
    oracle_values_answered(o, x);
    oracle_attributes_answered(o, x);
    oracle_observations_answered(o, x);
}

/* Any answer ends it; a Reset does, too, and nobody knows then what was done. */
static void ends(bj_oracle *o, oracle_foreign *f) {
    if (f->managed != o->managed.round || !o->managed.outstanding) {
        return;
    }
    f->managed = 0;
    if (!--o->managed.outstanding) {
        o->managed.overlap = false;
    }
}

static bool decode(const oracle_foreign *f, bj_coap *request) {
    return f->connection >= 0 ? bj_coap_tcp_decode(request, f->bytes, f->length) == BJ_COAP_OK
                              : bj_coap_decode(request, f->bytes, f->length) == BJ_COAP_OK;
}

/* An answer to the Bootstrap-Server. */
static void bootstrapped(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    bj_coap request;
    if (f->responses != 1 || f->acks > 1 || f->code == 1) {
        return;
    }
    if (!o->managed.outstanding || f->managed != o->managed.round || !decode(f, &request)) {
        oracle_values_forget(o, &(bj_path){ .depth = 0 });
        oracle_access_forget(o);
        return;
    }
    const oracle_managed x = { .plain = is_plain(&request), .whole = true, .f = f, .request = &request, .s = s };
    if (o->managed.overlap) {
        oracle_values_forget(o, &(bj_path){ .depth = 0 });
        oracle_access_forget(o);
    } else {
        oracle_values_bootstrapped(o, &x);
        oracle_access_bootstrapped(o, &x);
    }
    o->managed.bootstrapped = true;
}

static void managed(bj_oracle *o, const oracle_seen *s, oracle_foreign *f) {
    bj_coap request;
    if (!decode(f, &request) || s->m.type == BJ_COAP_RST || f->managed != o->managed.round) {
        oracle_values_forget(o, &(bj_path){ .depth = 0 });
        oracle_access_forget(o);
        return;
    }
    const oracle_managed x = { .kind = kind_of(f, &request),
                               .plain = is_plain(&request),
                               .whole = is_whole(&s->m),
                               .alone = o->managed.outstanding == 1 && !o->managed.overlap,
                               .f = f,
                               .request = &request,
                               .s = s };
    judge(o, &x);
}

/* It was asked before the registration was accepted, or in a session that has ended: what it changed nobody has
 * followed. */
static bool was_not_followed(const oracle_foreign *f, const oracle_seen *s) {
    bool success = s->m.code >> 5 == 2 && f->responses == 1 && f->acks < 2;
    return success && !f->managed && !f->bootstrap && f->code != 1 && f->code != FETCH;
}

static void answered(bj_oracle *o, const oracle_seen *s) {
    bool reset = !s->stream && s->m.type == BJ_COAP_RST;
    oracle_foreign *f = reset ? oracle_foreign_with_mid(o, s) : oracle_request_of(o, s);
    bool response = bj_coap_is_response(s->m.code);
    bool notification = response && bj_coap_find(&s->m, BJ_COAP_OBSERVE, 0) && f && !f->observes; /* of an older one */
    if (response && (!f || !f->managed || notification)) {
        oracle_observations_seen(o, s);
    }
    if (!f || !(reset || response) || f->malformed || notification) {
        return;
    }
    if (f->bootstrap && response) {
        bootstrapped(o, s, f);
    } else if (response && f->responses == 1 && f->acks < 2) {
        check_registered(o, s, f);
    }
    if (f->managed && !f->bootstrap) {
        managed(o, s, f);
    } else if (response && was_not_followed(f, s)) {
        oracle_management_forget(o);
        oracle_access_forget(o);
    }
    ends(o, f);
}

/* A Message ID that its server used not long ago: the client may take it for a repetition, and answer as it did then
 * (RFC 7252 §4.5). */
static bool is_used_again(bj_oracle *o, const oracle_foreign *f) {
    const oracle_foreign *other;
    for (uint64_t age = 1; f->connection < 0 && (other = oracle_foreign_at(o, age)); age++) {
        if (other->mid == f->mid && f->first - other->last < 2 * o->config.exchange_lifetime &&
            bj_addr_equal(&other->peer, &f->peer)) {
            return true;
        }
    }
    return false;
}

/* A server that the client is registered with asks for something. */
static void asked(bj_oracle *o, const oracle_seen *s) {
    const oracle_peer *p = oracle_peer_of(o, &s->peer, false);
    oracle_foreign *f = oracle_foreign_at(o, 0);
    bool fresh = f && f->copies == 1 && f->event == s->event->sequence && !f->managed;
    if (!fresh || f->malformed) {
        return;
    }
    bool bootstrap = f->bootstrap || oracle_is_bootstrap(o, &s->peer);
    if (bootstrap && !f->bootstrap && f->code != 1) {
        oracle_access_forget(o);
    }
    if (bootstrap && (!f->bootstrap || (f->code != 3 && f->operation != ORACLE_OP_FINISH && f->code != 1))) {
        oracle_management_forget(o);
    }
    if (bootstrap ? !f->bootstrap : !p || !p->registered) {
        return;
    }
    o->managed.ever_changed |= f->code != 1 && f->code != FETCH;
    bool again = is_used_again(o, f);
    if (again || (o->managed.outstanding && s->time > o->managed.since + PATIENCE)) {
        oracle_management_forget(o);
        oracle_access_forget(o);
    }
    if (again) {
        return;
    }
    o->managed.since = o->managed.outstanding ? o->managed.since : s->time;
    o->managed.overlap |= o->managed.outstanding > 0;
    o->managed.outstanding++;
    f->managed = o->managed.round;
}

/* A Register of the client was accepted. */
static void own_answered(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own = o->managed.registering ? oracle_own_with_token(o, s) : NULL;
    if (own && own->purpose == ORACLE_REGISTER && own->answered == s->time && own->answer == BJ_COAP_CODE(2, 1)) {
        oracle_peer *p = oracle_peer_of(o, &s->peer, false);
        oracle_observations_registered(o, &s->peer, s->time, p && p->placed);
        if (p) {
            oracle_access_registered(o, p);
        }
    }
}

/* A session that did not end with success left nothing that is known. */
static void registering(bj_oracle *o, bool anew) {
    if (o->managed.bootstrapped && o->attempt.phase != ORACLE_FINISHED) {
        oracle_values_forget(o, &(bj_path){ .depth = 0 });
        oracle_access_forget(o);
    }
    o->managed.bootstrapped = false;
    if (anew) {
        oracle_attributes_forget(o);
        o->managed.registering = true;
    }
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (s->fault != BJ_COAP_OK || !oracle_certain(o) || !o->config.exact) {
        return;
    }
    if (!s->from_client) {
        if (bj_coap_is_request(s->m.code) && (s->stream || s->m.type <= BJ_COAP_NON)) {
            asked(o, s);
        } else if (!s->stream && s->m.type == BJ_COAP_RST) {
            oracle_observations_reset(o, s);
        } else if (bj_coap_is_response(s->m.code)) {
            oracle_observations_response(o, s);
            own_answered(o, s);
        }
        return;
    }
    if (bj_coap_is_request(s->m.code)) {
        oracle_purpose purpose = oracle_purpose_of(&s->m);
        if (purpose == ORACLE_BOOTSTRAP || purpose == ORACLE_PACK) {
            oracle_management_forget(o);
            o->managed.rights_begun = false;
            if (purpose == ORACLE_PACK || o->managed.bootstrapped) {
                oracle_access_forget(o);
            }
        } else if (purpose == ORACLE_REGISTER || purpose == ORACLE_UPDATE) {
            registering(o, purpose == ORACLE_REGISTER);
            oracle_instances_registered(o, s);
        } else {
            check_send(o, s);
        }
    } else {
        answered(o, s);
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_CLIENT_START || e->kind == BJ_EV_CLIENT_EXIT || e->kind == BJ_EV_POWER_CUT) {
        oracle_management_forget(o);
        oracle_access_forget(o);
    }
}

static void init(bj_oracle *o) {
    o->managed.round = 1;
}

const oracle_def oracle_management = { .id = "management",
                                       .hears = ORACLE_HEARS(CLIENT_START) | ORACLE_HEARS(CLIENT_EXIT) |
                                                ORACLE_HEARS(POWER_CUT),
                                       .init = init,
                                       .event = event,
                                       .seen = seen };
