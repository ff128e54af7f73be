/* SPDX-License-Identifier: Apache-2.0
 *
 * The accounts that the client must have by now: those of the factory, and what commands of bootstrap sessions made of
 * them that the client answered with success. Payloads are read in every format; what cannot be read makes the model
 * vague, and what is vague is held against nobody.
 */
#include "oracle/management.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    URI = 0,
    BOOTSTRAP = 1,
    MODE = 2,
    IDENTITY = 3,
    SERVER_KEY = 4,
    KEY = 5,
    SSID = 10,
    HOLDOFF = 11,
    TIMEOUT = 12,
    SNI = 14,
    CERTIFICATE_USAGE = 15
};
enum {
    SERVER_SSID = 0,
    LIFETIME = 1,
    MINIMUM_PERIOD = 2,
    MAXIMUM_PERIOD = 3,
    DISABLE_TIMEOUT = 5,
    BINDING = 7,
    ALERT_CODE = 11,
    RETURNS = 16
};

/* --- instances ------------------------------------------------------------------------------------------------ */

oracle_instance *oracle_instance_of(oracle_accounts *a, unsigned object, unsigned id) {
    for (unsigned i = 0; i < a->count; i++) {
        if (a->items[i].used && a->items[i].object == object && a->items[i].id == id) {
            return &a->items[i];
        }
    }
    return NULL;
}

oracle_instance *oracle_bootstrap_account(oracle_accounts *a) {
    for (unsigned i = 0; i < a->count; i++) {
        oracle_instance *one = &a->items[i];
        if (one->used && !one->deleted && one->object == 0 && one->bootstrap == 1) {
            return one;
        }
    }
    return NULL;
}

static bool may_be_used(const oracle_instance *one, unsigned object) {
    return one->used && !one->deleted && one->object == object;
}

static bool may_lead_to(const bj_oracle *o, const oracle_instance *security, const bj_addr *address) {
    /* That of the factory, at a place that nobody knows, is gone or is what it was. */
    bool bootstrap = security->bootstrap == 1 || (security->id == ORACLE_ANYWHERE && security->bootstrap != 0);
    return !bootstrap && (security->vague || !*security->uri || oracle_uri_leads_to(o, security->uri, address) != 0);
}

bool oracle_account_at(bj_oracle *o, const bj_addr *address, const oracle_instance **security,
                       const oracle_instance **server, unsigned *count) {
    const oracle_accounts *a = &o->accounts;
    unsigned found = 0;
    bool vague = a->vague;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &a->items[i];
        bool leads = may_be_used(one, 0) && may_lead_to(o, one, address);
        for (unsigned n = 0; leads && n < o->accounts.count; n++) {
            const oracle_instance *other = &a->items[n];
            if (may_be_used(other, 1) && (one->vague || other->vague || one->ssid == other->ssid)) {
                found++;
                vague |= one->vague || other->vague || !*one->uri;
                *security = one;
                *server = other;
            }
        }
    }
    if (count) {
        *count = found;
    }
    return found == 1 && !vague;
}

bool oracle_may_share_account(const bj_oracle *o, const bj_addr *one, const bj_addr *other) {
    const oracle_accounts *a = &o->accounts;
    bool shared = a->vague;
    for (unsigned i = 0; i < a->count; i++) {
        const oracle_instance *here = &a->items[i];
        bool leads = may_be_used(here, 0) && may_lead_to(o, here, one);
        for (unsigned n = 0; leads && n < a->count; n++) {
            const oracle_instance *there = &a->items[n];
            bool same = here->vague || there->vague || here->ssid == there->ssid;
            shared |= same && may_be_used(there, 0) && may_lead_to(o, there, other);
        }
    }
    return shared;
}

static void blank(oracle_instance *one, unsigned object, unsigned id) {
    *one = (oracle_instance){
        .used = true,
        .object = (uint8_t) object,
        .id = (uint16_t) id,
        .bootstrap = -1,
        .lifetime = -1,
        .returns = 1,
        .mode = -1,
    };
    memset(one->settings, 0xff, sizeof one->settings);
    memset(one->former, 0xff, sizeof one->former);
}

/* What is replaced, where it is known, and what that had replaced before. */
static void keep_former(const oracle_instance *replaced, int64_t former[ORACLE_SETTINGS]) {
    for (unsigned i = 0; i < ORACLE_SETTINGS; i++) {
        former[i] = !replaced || replaced->deleted ? -1
                    : replaced->settings[i] >= 0   ? replaced->settings[i]
                                                   : replaced->former[i];
    }
}

static oracle_instance *make(oracle_accounts *a, unsigned object, unsigned id) {
    oracle_instance *one = oracle_instance_of(a, object, id);
    unsigned born = one && !one->deleted ? one->born : ++a->births;
    uint32_t earlier = one && !one->deleted ? one->given | one->earlier : 0;
    bool settled = one && !one->deleted && one->settled;
    int64_t former[ORACLE_SETTINGS];
    keep_former(one, former);
    for (unsigned i = 0; !one && i < a->count; i++) {
        one = a->items[i].used ? NULL : &a->items[i];
    }
    if (!one && a->count == ORACLE_PLACES) {
        a->vague = true;
        return NULL;
    }
    one = one ? one : &a->items[a->count++];
    blank(one, object, id);
    one->born = born;
    one->earlier = earlier;
    one->settled = settled;
    memcpy(one->former, former, sizeof one->former);
    return one;
}

static void factory_account(bj_oracle *o, const bj_oracle_account *given) {
    unsigned id = given->instance < 0 ? ORACLE_ANYWHERE : (unsigned) given->instance;
    if (oracle_instance_of(&o->accounts, 0, id)) {
        o->accounts.vague = true; /* two at places that nobody knows */
        return;
    }
    oracle_instance *security = make(&o->accounts, 0, id);
    oracle_instance *server = given->bootstrap ? NULL : make(&o->accounts, 1, id);
    snprintf(security->uri, sizeof security->uri, "%s", given->uri);
    security->bootstrap = given->bootstrap;
    security->ssid = given->ssid;
    security->timeout = given->timeout;
    security->vague = given->contradicts && !given->bootstrap; /* a client may leave it alone */
    if (server) {
        server->ssid = given->ssid;
        server->lifetime = given->lifetime_s;
        bool fits =
            strlen(given->binding) < sizeof server->binding; /* else it is none, and what is said of it is not known */
        snprintf(server->binding, sizeof server->binding, "%s", fits ? given->binding : "");
    }
}

/* Nothing is known: places that were not taken hold anything. */
static void forget(oracle_accounts *a) {
    memset(a, 0, offsetof(oracle_accounts, items));
    a->vague = true;
}

/* No number of a birth or of a Write is given twice, whatever is rolled back. */
static void copy(oracle_accounts *to, const oracle_accounts *from) {
    unsigned births = to->births > from->births ? to->births : from->births;
    memcpy(to, from, offsetof(oracle_accounts, items) + from->count * sizeof from->items[0]);
    to->births = births;
}

/* What is there is there to stay, until a later session takes it away. */
static void settle(oracle_accounts *a) {
    for (unsigned i = 0; i < a->count; i++) {
        a->items[i].settled |= !a->items[i].deleted;
    }
}

static void init(bj_oracle *o) {
    forget(&o->accounts);
    o->accounts.vague = !o->config.known;
    for (unsigned i = 0; i < o->config.account_count; i++) {
        factory_account(o, &o->config.accounts[i]);
    }
    settle(&o->accounts);
    copy(&o->before, &o->accounts);
}

/* --- values --------------------------------------------------------------------------------------------------- */

bool oracle_number_of(const bj_entry *e, int64_t *number) {
    switch (e->kind) {
    case BJ_ENTRY_INT:
    case BJ_ENTRY_BOOL:
        *number = e->integer;
        return true;
    case BJ_ENTRY_FLOAT:
        *number = (int64_t) e->real;
        return e->real > -9e15 && e->real < 9e15;
    case BJ_ENTRY_RAW: {
        bj_tlv entry = { .value = e->bytes, .length = e->length };
        return bj_tlv_int(&entry, number);
    }
    case BJ_ENTRY_TEXT: {
        char text[32];
        int end = 0;
        long long read;
        snprintf(text, sizeof text, "%.*s", (int) (e->length > 30 ? 30 : e->length), (const char *) e->bytes);
        bool good = sscanf(text, "%lld%n", &read, &end) == 1 && (size_t) end == e->length;
        *number = read;
        return good;
    }
    default:
        return false;
    }
}

static bool text_of(const bj_entry *e, char *text, size_t room) {
    bool text_kind = e->kind == BJ_ENTRY_STRING || e->kind == BJ_ENTRY_RAW || e->kind == BJ_ENTRY_TEXT;
    if (!text_kind || e->length >= room || memchr(e->bytes, 0, e->length)) {
        return false;
    }
    memcpy(text, e->bytes, e->length);
    text[e->length] = '\0';
    return true;
}

/* LwM2M Core 1.1 E.1, E.2: what no release allows. */
static bool is_beyond(unsigned object, unsigned resource, int64_t number) {
    switch (object << 8 | resource) {
    case MODE:
        return number < 0 || number > 4;
    case HOLDOFF:
    case TIMEOUT:
        return number < 0;
    case CERTIFICATE_USAGE:
        return number < 0 || number > 3;
    case 1 << 8 | LIFETIME:
    case 1 << 8 | MINIMUM_PERIOD:
    case 1 << 8 | MAXIMUM_PERIOD:
    case 1 << 8 | DISABLE_TIMEOUT:
        return number < 0;
    default:
        return false;
    }
}

static void note_range(oracle_instance *one, const bj_entry *e) {
    int64_t number;
    unsigned resource = e->path.ids[2];
    if (e->path.depth == 3 && resource < 64 && (!one->beyond || one->beyond == resource + 1) &&
        oracle_number_of(e, &number)) {
        one->beyond = is_beyond(one->object, resource, number) ? (uint8_t) (resource + 1) : 0;
    }
}

static void security_value(bj_oracle *o, oracle_instance *one, const bj_entry *e) {
    int64_t number = 0;
    bool known = true;
    switch (e->path.ids[2]) {
    case URI:
        known = text_of(e, one->uri, sizeof one->uri);
        oracle_told_uri(o, known ? one->uri : "");
        break;
    case BOOTSTRAP:
        known = oracle_number_of(e, &number);
        one->bootstrap = known ? number != 0 : -1;
        break;
    case MODE:
        known = oracle_number_of(e, &number);
        one->mode = known && number >= 0 && number < 16 ? (int8_t) number : -1;
        o->told.certificates |= one->mode != 0 && one->mode != 3;
        break;
    case KEY:
        oracle_secret_written(o, e->bytes, e->kind == BJ_ENTRY_TEXT ? 0 : e->length);
        one->keys[2] = oracle_mark(e->bytes, e->length);
        break;
    case IDENTITY:
        one->keys[0] = oracle_mark(e->bytes, e->length);
        oracle_told_identity(o, e->bytes, e->length);
        break;
    case SERVER_KEY:
        one->keys[1] = oracle_mark(e->bytes, e->length);
        break;
    case SNI:
        o->told.names |= e->length > 0;
        break;
    case SSID:
        known = oracle_number_of(e, &one->ssid);
        break;
    case TIMEOUT:
        known = oracle_number_of(e, &number) && number >= 0 && number <= INT32_MAX;
        one->timeout = known ? (bj_time) number * BJ_SECOND : 0;
        break;
    default:
        break;
    }
    one->vague |= !known;
    o->told.incomplete |= !known;
}

static void server_value(oracle_instance *one, const bj_entry *e) {
    int64_t number = 1;
    bool known = true;
    if (e->path.ids[2] < ORACLE_SETTINGS) {
        one->settings[e->path.ids[2]] = oracle_setting_of(e, &number) ? number : -1;
    }
    switch (e->path.ids[2]) {
    case RETURNS:
        known = oracle_number_of(e, &number);
        one->returns = number != 0;
        break;
    case SERVER_SSID:
        known = oracle_number_of(e, &one->ssid);
        break;
    case LIFETIME:
        known = oracle_number_of(e, &one->lifetime);
        break;
    case BINDING:
        known = text_of(e, one->binding, sizeof one->binding);
        break;
    default:
        break;
    }
    one->vague |= !known;
}

/* --- Write ---------------------------------------------------------------------------------------------------- */

typedef struct written {
    const bj_path *target;
    bool replaced[ORACLE_PLACES]; /* by their place: a Write on their level or above begins them anew */
    bool holdoff_given;
    int64_t holdoff;
} written;

static void entry(bj_oracle *o, written *w, const bj_entry *e) {
    oracle_accounts *a = &o->accounts;
    if (e->path.depth < 2 || e->path.ids[0] > 1) {
        return;
    }
    oracle_instance *one = oracle_instance_of(a, e->path.ids[0], e->path.ids[1]);
    bool fresh = !one || one->deleted || one->alone || (w->target->depth < 3 && !w->replaced[one - a->items]);
    if (fresh) {
        one = make(a, e->path.ids[0], e->path.ids[1]);
        if (!one) {
            return;
        }
        one->vague = w->target->depth >= 3; /* the rest of it is not known */
        one->whole = !one->vague;
    }
    w->replaced[one - a->items] = true;
    o->growth.rewritten |= one->object == 0 && one->bootstrap != 0 && w->target->depth > 2;
    if (e->path.depth < 3) {
        return;
    }
    o->told.secured |= one->object == 1 && e->path.ids[2] == ALERT_CODE; /* it shows what nobody sent */
    one->given |= UINT32_C(1) << (e->path.ids[2] < 31 ? e->path.ids[2] : 31);
    note_range(one, e);
    if (one->object == 0) {
        security_value(o, one, e);
    } else {
        server_value(one, e);
        o->recovery.resting |= !one->returns;
    }
    if (one->object == 0 && e->path.ids[2] == HOLDOFF) {
        w->holdoff_given = oracle_number_of(e, &w->holdoff) && w->holdoff >= 0;
    }
}

/* Where nobody knows at which place the factory's account is, a Write may have struck it. */
static void unsettle_factory(bj_oracle *o, const oracle_instance *struck) {
    oracle_instance *somewhere = oracle_instance_of(&o->accounts, struck->object, ORACLE_ANYWHERE);
    if (somewhere && somewhere != struck) {
        somewhere->vague = true;
        somewhere->bootstrap = somewhere->bootstrap == 1 ? -1 : somewhere->bootstrap;
    }
}

/* Of all instances of /0 that were struck it is known that they are no bootstrap accounts: there must be another. */
void oracle_model_asked(bj_oracle *o) {
    oracle_instance *somewhere = oracle_instance_of(&o->accounts, 0, ORACLE_ANYWHERE);
    bool doubtful = somewhere && !somewhere->deleted && somewhere->bootstrap < 0 && !o->accounts.vague;
    for (unsigned i = 0; i < o->accounts.count && doubtful; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        bool struck = one->used && one->object == 0 && one != somewhere;
        doubtful = !struck || (!one->deleted && !one->vague && one->bootstrap == 0);
    }
    if (doubtful) {
        somewhere->bootstrap = 1;
        somewhere->vague = false;
        o->attempt.holdoff = o->config.holdoff;
        o->growth.rewritten = false;
    }
}

static void find_place(oracle_accounts *a, unsigned id) {
    oracle_instance *somewhere = oracle_instance_of(a, 1, ORACLE_ANYWHERE);
    if (somewhere && !oracle_instance_of(a, 1, id)) {
        somewhere->id = (uint16_t) id;
    }
}

void oracle_model_listed(bj_oracle *o, unsigned id) {
    if (!o->accounts.vague) {
        find_place(&o->accounts, id);
        find_place(&o->before, id);
    }
}

/* LwM2M Core 1.1 §6.1.2: one bootstrap account at most, judged on the state after the whole Write. */
static void check_one_account(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    const oracle_instance *found[2] = { NULL, NULL };
    unsigned count = 0;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (one->used && !one->deleted && one->object == 0 && one->bootstrap == 1 && !one->vague) {
            found[count % 2] = one;
            count++;
        }
    }
    if (count > 1) {
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_BS_ONE_ACCOUNT, s->time, s->event->sequence,
                     "%s is accepted, and leaves two bootstrap accounts: /0/%u and /0/%u", what.start, found[0]->id,
                     found[1]->id);
        o->accounts.vague = true;
    }
}

static void note_holdoff(bj_oracle *o, const written *w) {
    oracle_attempt *at = &o->attempt;
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    bool struck = account && w->replaced[account - o->accounts.items];
    if (struck && (w->holdoff_given || w->target->depth < 3)) {
        int64_t seconds = w->holdoff_given ? w->holdoff : 0;
        at->holdoff_pending = (bj_time) (seconds > INT32_MAX ? INT32_MAX : seconds) * BJ_SECOND;
    } else if (w->holdoff_given) { /* of an account that may be it: the smaller of both */
        at->holdoff_pending = oracle_min(at->holdoff, (bj_time) w->holdoff * BJ_SECOND);
    } else if (w->target->depth < 3) {
        at->holdoff_pending = o->accounts.vague || !account || account->vague ? 0 : at->holdoff_pending;
    }
}

static void not_readable(bj_oracle *o, const bj_path *target) {
    o->told.incomplete |= target->ids[0] == 0;
    if (target->depth == 1) { /* any instance of the object may be another by now, or be there again */
        o->accounts.vague = true;
        for (unsigned i = 0; i < o->accounts.count; i++) {
            oracle_instance *one = &o->accounts.items[i];
            bool meant = one->object == target->ids[0];
            one->vague |= meant;
            one->used &= !meant || !one->deleted;
        }
    } else {
        oracle_instance *one = make(&o->accounts, target->ids[0], target->ids[1]);
        if (one) {
            one->vague = true;
            unsettle_factory(o, one);
        }
    }
    o->attempt.holdoff_pending = target->ids[0] == 0 ? 0 : o->attempt.holdoff_pending;
}

static void apply_write(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, uint32_t format,
                        const uint8_t *bytes, size_t length) {
    written w = { .target = &f->path };
    bj_path above = bj_entries_single(format) ? f->path : bj_path_above_resources(&f->path);
    o->accounts.written = true;
    if (f->path.ids[0] > 1) {
        return;
    }
    if (!bj_entries_known(format) || length > ORACLE_ROOM) {
        not_readable(o, &f->path);
        return;
    }
    BJ_TEXT(why, 100);
    bj_entries in;
    bj_entry e;
    if (f->path.depth == 2) { /* also one without any resource */
        oracle_instance *one = make(&o->accounts, f->path.ids[0], f->path.ids[1]);
        if (one) {
            one->whole = true;
            w.replaced[one - o->accounts.items] = true;
        }
    }
    bj_entries_begin(&in, format, &above, bytes, length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &e, &why)) {
        entry(o, &w, &e);
    }
    for (unsigned i = 0; i < o->accounts.count; i++) {
        if (w.replaced[i]) {
            o->accounts.items[i].vague |= in.damaged;
            o->accounts.items[i].edition = ++o->accounts.births;
            unsettle_factory(o, &o->accounts.items[i]);
        }
    }
    if (f->path.ids[0] == 0) {
        note_holdoff(o, &w);
        check_one_account(o, f, s);
    }
}

/* RFC 7959 §2.5: blocks in order, each answered with 2.31 but the last. */
/* RFC 9175 §3.3: what has another Request-Tag belongs to another transfer. */
static uint64_t tag_of(const bj_coap *request) {
    const bj_coap_option *option = bj_coap_find(request, BJ_COAP_REQUEST_TAG, 0);
    uint64_t tag = option ? 1 : 0;
    for (size_t i = 0; option && i < option->length; i++) {
        tag = tag * UINT64_C(1099511628211) + option->value[i] + 1;
    }
    return tag;
}

static void block(bj_oracle *o, const oracle_foreign *f, const bj_coap *request, const oracle_seen *s,
                  uint32_t option) {
    struct oracle_block *b = &o->block;
    size_t offset = (size_t) (option >> 4) << ((option & 7) + 4);
    if (offset == 0) {
        b->length = 0;
        b->good = true;
        b->peer = f->peer;
        b->path = f->path;
        b->tag = tag_of(request);
    }
    b->good = b->good && offset == b->length && b->tag == tag_of(request) && bj_addr_equal(&b->peer, &f->peer) &&
              bj_path_begins(&b->path, &f->path) && b->path.depth == f->path.depth;
    if (b->length + request->payload_length > b->room) {
        b->room = (b->length + request->payload_length) * 2;
        b->bytes = bj_arena_realloc(o->arena, b->bytes, b->room);
    }
    if (request->payload_length) {
        memcpy(b->bytes + b->length, request->payload, request->payload_length);
    }
    b->length += request->payload_length;
    if (s->m.code != BJ_COAP_CODE(2, 4)) {
        return;
    }
    if (b->good) {
        apply_write(o, f, s, f->format, b->bytes, b->length);
    } else {
        not_readable(o, &f->path);
    }
}

static void answered_write(bj_oracle *o, const oracle_foreign *f, const bj_coap *request, const oracle_seen *s) {
    uint32_t option;
    bool success = s->m.code == BJ_COAP_CODE(2, 4);
    if (f->block1 && bj_coap_find_uint(request, BJ_COAP_BLOCK1, &option)) {
        if (success || s->m.code == BJ_COAP_CODE(2, 31)) {
            block(o, f, request, s, option);
        }
    } else if (success && f->path.depth) {
        apply_write(o, f, s, f->format, request->payload, request->payload_length);
    }
}

/* --- Delete --------------------------------------------------------------------------------------------------- */

/* LwM2M Core 1.1 §6.1.7.6: the bootstrap account survives every Delete. */
static void answered_delete(bj_oracle *o, const oracle_foreign *f) {
    oracle_accounts *a = &o->accounts;
    a->written = true;
    for (unsigned i = 0; i < a->count; i++) {
        oracle_instance *one = &a->items[i];
        bool named =
            f->path.depth == 0 || (one->object == f->path.ids[0] && (f->path.depth == 1 || one->id == f->path.ids[1]));
        bool may_survive = one->object == 0 && one->bootstrap != 0;
        if (one->used && named && may_survive && one->bootstrap < 0 && one->id != ORACLE_ANYWHERE) {
            one->used = false; /* whether it is the bootstrap account was not written: nor is it known what it is now */
            a->vague = true;
        } else if (one->used && named && !may_survive) {
            one->deleted = true;
        }
    }
    for (unsigned object = 0; object < 2 && f->path.depth < 2; object++) {
        a->emptied[object] |= f->path.depth == 0 || f->path.ids[0] == object;
    }
    bool one = f->path.depth == 2 && f->path.ids[0] < 2 && !oracle_instance_of(a, f->path.ids[0], f->path.ids[1]);
    if (one) { /* of the factory, or one that was never there: it is not there now */
        oracle_instance *gone = make(a, f->path.ids[0], f->path.ids[1]);
        if (gone) {
            gone->deleted = true;
            gone->vague = true;
        }
    }
}

void oracle_model_forget(bj_oracle *o) {
    o->told.incomplete = true;
    forget(&o->accounts);
    forget(&o->before);
    o->account_changes++;
}

void oracle_model_doubt(bj_oracle *o) {
    o->accounts.vague = o->before.vague = true;
}

/* --- management ----------------------------------------------------------------------------------------------- */

enum { FORMAT_TEXT = 0, FORMAT_NONE = 65536 };

/* Whether this request of a server leaves every account as it is: it executes, or writes attributes. What can be
 * executed holds no value, whatever comes with the POST; to a Resource that does, a client may write what is posted
 * (LwM2M Core 1.1 §6.3.3, a partial update). */
static bool changes_nothing(const oracle_foreign *f, const bj_coap *request) {
    bool bare = f->format == FORMAT_NONE && !request->payload_length;
    bool executes = f->code == 2 && f->path.depth == 3 && (bare || oracle_definition_of(&f->path).operations == 'E');
    bool attributes = f->code == 3 && !request->payload_length && bj_coap_find(request, BJ_COAP_URI_QUERY, 0) &&
                      !bj_coap_find(request, BJ_COAP_CONTENT_FORMAT, 0);
    return f->code == 1 || f->code == 5 || executes || attributes;
}

/* Whether it writes values beside those that are there: of a resource, of several of an instance, of several paths.
 * Text that is posted to a Resource is the arguments of an Execute (§6.3.5); who takes it may have written it. */
static bool writes_beside(const oracle_foreign *f) {
    bool posted = f->code == 2 && f->path.depth == 3 && f->format != FORMAT_TEXT;
    bool resource = (f->code == 3 && f->path.depth >= 3) || posted;
    bool instance = f->code == 2 && f->path.depth == 2;
    bool composite = f->code == 7 && f->path.depth == 0;
    return (resource || instance || composite) && !f->block1 && bj_entries_known(f->format);
}

static void write_beside(bj_oracle *o, const oracle_foreign *f, const bj_coap *request) {
    static const bj_path beside = { .depth = 3 };
    written w = { .target = &beside };
    bj_path above = bj_entries_single(f->format) ? f->path : bj_path_above_resources(&f->path);
    BJ_TEXT(why, 100);
    bj_entries in;
    bj_entry e;
    bj_entries_begin(&in, f->format, &above, request->payload, request->payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &e, &why)) {
        if (e.path.depth && e.path.ids[0] == 1) {
            entry(o, &w, &e);
        }
    }
    for (unsigned i = 0; i < o->accounts.count; i++) {
        if (w.replaced[i]) {
            unsettle_factory(o, &o->accounts.items[i]);
        }
    }
    o->accounts.vague |= in.damaged;
}

/* Management may change a server account, create or delete one. Values that are written are followed, the rest is not,
 * nor what is done while the accounts are being written, nor a command of the Bootstrap-Server that reached the client
 * just before it sent the request for its session, or in one that only the client knows of. */
static void managed(bj_oracle *o, const oracle_foreign *f, const bj_coap *request, const oracle_seen *s) {
    bool success = s->m.code >> 5 == 2 && s->m.code != BJ_COAP_CODE(2, 31);
    const oracle_peer *p = oracle_peer_of(o, &f->peer, false);
    bool early = oracle_is_bootstrap(o, &f->peer) && (f->path.ids[0] == 0 || !p || !p->registered);
    bool concerns = f->path.ids[0] == 1 || early || (f->code == 7 && f->path.depth == 0);
    if (!success || !concerns || f->code == 1 || (!early && changes_nothing(f, request))) {
        return;
    }
    bool certain = !f->secure || o->lossless;
    if (!early && certain && o->attempt.phase != ORACLE_SESSION && writes_beside(f) &&
        request->payload_length <= ORACLE_ROOM) {
        write_beside(o, f, request);
    } else {
        oracle_model_doubt(o);
    }
}

/* What a Write that is not followed made of /0/x/11 is not known, if the session that it came in ends well. */
static void lose_holdoff(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    bool struck = f->operation == ORACLE_OP_WRITE && f->path.depth && f->path.ids[0] == 0 && s->m.code >> 5 == 2;
    if (struck && oracle_is_bootstrap(o, &f->peer)) {
        o->attempt.holdoff_pending = 0;
    }
}

void oracle_model_answered(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    bj_coap request;
    bool good = f->connection >= 0 ? bj_coap_tcp_decode(&request, f->bytes, f->length) == BJ_COAP_OK
                                   : bj_coap_decode(&request, f->bytes, f->length) == BJ_COAP_OK;
    if (!good) {
        return;
    }
    o->account_changes++;
    bool refused = f->bootstrap && f->operation == ORACLE_OP_WRITE && s->m.code >> 5 >= 4 && f->path.depth;
    if (refused && f->path.ids[0] < 2) {
        o->accounts.refused[f->path.ids[0]] = true;
    }
    bool unasked = o->attempt.unasked && oracle_is_bootstrap(o, &f->peer); /* whether it stays is not followed */
    /* It came beside the refusal of a pack, and was read when the client had asked for a session already. */
    bool beside = !f->bootstrap && f->operation && o->attempt.phase == ORACLE_REQUESTED &&
                  bj_addr_equal(&o->attempt.peer, &f->peer);
    bool strange = unasked || beside || (f->reused && f->operation);
    if (strange || !f->bootstrap || o->attempt.phase == ORACLE_FAILED) {
        lose_holdoff(o, f, s);
    }
    if (strange) {
        oracle_model_forget(o); /* was it done, or taken for a repetition of something else? */
    } else if (!f->bootstrap) {
        managed(o, f, &request, s);
    } else if (o->attempt.phase == ORACLE_FAILED) {
        return; /* a refusal came in the same moment, and the session is undone */
    } else if (f->operation == ORACLE_OP_WRITE) {
        answered_write(o, f, &request, s);
    } else if (f->operation == ORACLE_OP_DELETE && s->m.code == BJ_COAP_CODE(2, 2) && !f->root_named) {
        answered_delete(o, f);
    }
}

/* --- sessions ------------------------------------------------------------------------------------------------- */

/* What became of other objects is the client's own; its bootstrap account is as it was (§6.1.3.3). */
static void forget_session(bj_oracle *o) {
    forget(&o->accounts);
    for (unsigned i = 0; i < o->before.count; i++) {
        const oracle_instance *one = &o->before.items[i];
        if (one->used && !one->deleted && one->object == 0 && one->bootstrap == 1) {
            o->accounts.items[o->accounts.count++] = *one;
        }
    }
}

static bool has_security(const oracle_accounts *a, const oracle_instance *server) {
    for (unsigned i = 0; i < a->count; i++) {
        const oracle_instance *one = &a->items[i];
        if (one->used && !one->deleted && !one->vague && one->object == 0 && one->bootstrap == 0 &&
            one->ssid == server->ssid) {
            return true;
        }
    }
    return false;
}

/* Of an instance of /1 whose server has none of /0 the specification does not say what becomes. */
static void mark_alone(oracle_accounts *a) {
    for (unsigned i = 0; i < a->count; i++) {
        oracle_instance *one = &a->items[i];
        one->alone |= one->used && !one->deleted && one->object == 1 && (one->vague || !has_security(a, one));
    }
}

static bool has_server(const oracle_accounts *a, int64_t ssid) {
    for (unsigned i = 0; i < a->count; i++) {
        const oracle_instance *one = &a->items[i];
        if (one->used && !one->deleted && one->object == 1 && one->ssid == ssid) {
            return true;
        }
    }
    return false;
}

/* Is a server of before the session gone, even where its instance has only got another Short Server ID? */
static bool lost_a_server(const bj_oracle *o) {
    for (unsigned i = 0; i < o->before.count; i++) {
        const oracle_instance *one = &o->before.items[i];
        if (one->used && !one->deleted && one->object == 1 && !has_server(&o->accounts, one->ssid)) {
            return true;
        }
    }
    return false;
}

void oracle_model_refused(bj_oracle *o) {
    mark_alone(&o->accounts);
}

void oracle_model_session(bj_oracle *o, bool begins, bool kept) {
    o->account_changes++;
    if (kept) {
        o->commands.lost_a_server = lost_a_server(o);
        mark_alone(&o->accounts);
        settle(&o->accounts);
    }
    if (begins || kept) {
        o->accounts.written = o->accounts.written && !begins;
        if (begins) {
            o->accounts.refused[0] = o->accounts.refused[1] = false;
            oracle_shown_session(o);
        }
        copy(&o->before, &o->accounts);
    } else if (o->config.transactional || !o->accounts.written) {
        copy(&o->accounts, &o->before); /* §6.1.3.3, and what the profile says of the other objects */
    } else {
        forget_session(o);
    }
}

/* Did a Bootstrap-Finish reach the client that it has not answered? */
static bool finishes(bj_oracle *o) {
    const oracle_foreign *f;
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        if (f->operation == ORACLE_OP_FINISH && !f->responses) {
            return true;
        }
    }
    return false;
}

/* A session that was open is over. Where nothing is known of a state file, or the disk failed, the client may have
 * forgotten everything. */
static void restarted(bj_oracle *o) {
    if (o->attempt.phase == ORACLE_SESSION) {
        oracle_model_session(o, false, false);
        o->attempt.holdoff_pending = BJ_NEVER;
    }
    if (!o->config.persistent || o->disk_strange) {
        oracle_model_forget(o);
        o->attempt.holdoff = oracle_min(o->attempt.holdoff, o->config.holdoff);
    }
}

/* What the client's disk kept is not known: the accounts of before, or those of a session that had just finished. */
static void event(bj_oracle *o, const bj_event *e) {
    oracle_attempt *at = &o->attempt;
    if (e->kind == BJ_EV_POWER_CUT) {
        oracle_model_forget(o);
        at->ever_finished |= finishes(o);
        at->holdoff = oracle_min(at->holdoff, at->holdoff_pending);
        at->holdoff_pending = BJ_NEVER;
    } else if (e->kind == BJ_EV_CLIENT_START && o->lives > 1) {
        restarted(o);
    }
}

const oracle_def oracle_model = {
    .id = "model", .hears = ORACLE_HEARS(POWER_CUT) | ORACLE_HEARS(CLIENT_START), .init = init, .event = event
};
