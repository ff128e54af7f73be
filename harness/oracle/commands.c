/* SPDX-License-Identifier: Apache-2.0
 *
 * What a Bootstrap-Server's commands must be answered with, as far as command and session alone say: what may never
 * succeed (a Read of what is secret, a Finish with a payload, a payload that is damaged, a command when the session is
 * over), and what may not be refused (a Delete of all, a Write that has nothing wrong in it).
 *
 * Which code a refusal has is payload.c's to judge. A refusal with 5.00 is the client's own: it may have no room.
 */
#include "oracle/internal.h"

#include <string.h>

enum { TLV = 11542, SENML_JSON = 110, SENML_CBOR = 112 };

/* --- what was asked ------------------------------------------------------------------------------------------- */

static bool decode(const oracle_foreign *f, bj_coap *m) {
    return f->connection >= 0 ? bj_coap_tcp_decode(m, f->bytes, f->length) == BJ_COAP_OK
                              : bj_coap_decode(m, f->bytes, f->length) == BJ_COAP_OK;
}

/* Was all seen that passed between the client and that server? */
bool oracle_certain_of(const bj_oracle *o, const oracle_foreign *f) {
    return o->config.exact && oracle_certain(o) && (!f->secure || o->lossless);
}

static bool is_attempts(const bj_oracle *o, const oracle_foreign *f) {
    return o->attempt.any && bj_addr_equal(&o->attempt.peer, &f->peer);
}

/* Did it come in a session that is open for the client, too? */
static bool in_open_session(const bj_oracle *o, const oracle_foreign *f) {
    const oracle_attempt *a = &o->attempt;
    bool here = f->bootstrap || (is_attempts(o, f) && oracle_in_session(o, &f->peer));
    return here && a->phase == ORACLE_SESSION && !a->excused && !a->overtaken && oracle_certain_of(o, f);
}

static void reproach(bj_oracle *o, bj_rule rule, const oracle_foreign *f, const oracle_seen *s, const char *why) {
    BJ_TEXT(what, 200);
    BJ_TEXT(code, 16);
    oracle_describe_foreign(f, &what);
    bj_coap_code_print(&code, s->m.code);
    oracle_break(o, rule, s->time, s->event->sequence, "%s is answered with %s: %s", what.start, code.start, why);
}

/* A segment that has something else than digits: a path of no Object, whatever a client takes for a number. */
static bool names_no_object(const bj_coap *m) {
    const bj_coap_option *segment;
    for (size_t i = 0; (segment = bj_coap_find(m, BJ_COAP_URI_PATH, i)); i++) {
        for (size_t n = 0; n < segment->length; n++) {
            if (segment->value[n] < '0' || segment->value[n] > '9') {
                return true;
            }
        }
    }
    return false;
}

/* Its path is that of an Object or below, from the root, or the root itself, and written as everybody writes it. */
static bool is_rooted(const oracle_foreign *f, const bj_coap *m) {
    size_t count = 0, leading = 0;
    const bj_coap_option *segment, *only = NULL;
    for (; (segment = bj_coap_find(m, BJ_COAP_URI_PATH, count)); count++) {
        only = segment;
        leading += !segment->length || (segment->length > 1 && segment->value[0] == '0');
    }
    bool root = !f->path.depth && (!count || (count == 1 && !only->length));
    return root || (f->path.depth && f->path.depth == count && !leading && !names_no_object(m));
}

static bool ends_below_bs(const bj_coap *m) {
    const bj_coap_option *segment, *last = NULL;
    size_t count = 0;
    for (; (segment = bj_coap_find(m, BJ_COAP_URI_PATH, count)); count++) {
        last = segment;
    }
    return count > 1 && last->length == 2 && !memcmp(last->value, "bs", 2);
}

/* --- what may not succeed ------------------------------------------------------------------------------------- */

/* LwM2M Core 1.1 §6.1.7.4: /1 and /2 can be read, and nothing else; of /0 E.1 says that nobody reads it. */
static void read_succeeded(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    uint32_t format = 65536;
    bool links = bj_coap_find_uint(&s->m, BJ_COAP_CONTENT_FORMAT, &format) && format == 40;
    if (s->m.code != BJ_COAP_CODE(2, 5) || links || !f->path.depth) {
        return;
    }
    if (f->path.ids[0] == 0) {
        reproach(o, BJ_RULE_BS_SECRETS, f, s, "the Security Object cannot be read");
    } else if (f->path.ids[0] > 2) {
        reproach(o, BJ_RULE_BS_READ, f, s, "only /1 and /2 can be read by a Bootstrap-Server");
    }
}

static void delete_succeeded(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    if (f->path.depth > 2 || (!f->path.depth && names_no_object(m))) {
        reproach(o, BJ_RULE_BS_DELETE_BAD, f, s, "a Bootstrap-Delete has no such target");
    }
}

/* Formats in which some client may read values: those of all releases, and what some used before they had numbers. */
static bool may_carry_values(uint32_t format) {
    static const uint32_t formats[] = { 0, 42, 50, 60, 110, 112, 1541, 1542, 1543, 11542, 11543, 11544 };
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i] == format) {
            return true;
        }
    }
    return false;
}

/* RFC 8428 §4.2: a record has a value. One without any may be taken for the word that an Object Instance is there, and
 * one of which no field is known for nothing. */
static bool says_little(const char *why) {
    return strstr(why, "a record has no value") || strstr(why, "a record has neither name nor value");
}

/* LwM2M Core 1.1 E.1, E.2: mandatory, so that every client reads what its value says. */
static bool everybody_has(const bj_path *path) {
    enum {
        OF_SECURITY = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5,
        OF_SERVER = 1 << 0 | 1 << 1 | 1 << 6 | 1 << 7
    };
    unsigned mandatory = path->ids[0] == 0 ? OF_SECURITY : path->ids[0] == 1 ? OF_SERVER : 0;
    return path->depth > 2 && path->ids[2] < 8 && mandatory >> path->ids[2] & 1;
}

/* Core §6.1.7.5: Resources that the client does not have are passed over, and so may be whether a text is the Object
 * Link or the base64url that its field says. `e`: where reading ended. */
static bool may_go_unread(const bj_entry *e, const bj_path *above, const char *why) {
    return strstr(why, "the value is no ") && bj_path_begins(&e->path, above) && !everybody_has(&e->path);
}

/* Of a whole payload. */
static void payload_taken(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    BJ_TEXT(why, 200);
    bj_entries in;
    bj_entry entry;
    if (!may_carry_values(f->format) && m->payload_length) {
        reproach(o, BJ_RULE_BS_WRITE_FORMAT, f, s, "its Content-Format is none that carries values of LwM2M");
    }
    if (!bj_entries_known(f->format) || bj_entries_single(f->format) || m->payload_length > ORACLE_ROOM) {
        return;
    }
    bj_path above = bj_path_above_resources(&f->path);
    bj_entries_begin(&in, f->format, &above, m->payload, m->payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &entry, &why)) {
    }
    if (in.damaged && strstr(why.start, "Object Instances are due")) {
        reproach(o, BJ_RULE_BS_WRITE_INSTANCE_IDS, f, s, "its Resources belong to no Object Instance");
    } else if (in.damaged && !says_little(why.start) && !may_go_unread(&entry, &above, why.start)) {
        reproach(o, BJ_RULE_BS_WRITE_FORMAT, f, s, why.start);
    }
}

static void write_succeeded(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    if (!f->path.depth && (is_rooted(f, m) || names_no_object(m))) {
        reproach(o, BJ_RULE_BS_TARGETS, f, s, "a Bootstrap-Write has no such target");
    } else if (!f->block1 && f->path.depth && f->format < 65536) {
        payload_taken(o, f, s, m);
    }
}

/* LwM2M Transport 1.1 §6.4.2: POST /bs, from the root. That it has no payload says nothing of one that has: a client
 * may pass it over. */
static void post_succeeded(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    if (f->operation != ORACLE_OP_FINISH && ends_below_bs(m)) {
        reproach(o, BJ_RULE_BS_ROOTED, f, s, "the path of Bootstrap-Finish begins at the root");
    } else if (f->operation != ORACLE_OP_FINISH && names_no_object(m)) {
        reproach(o, BJ_RULE_BS_TARGETS, f, s, "the Bootstrap interface has no such target");
    }
}

static void command_succeeded(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    bool below = f->path.depth && names_no_object(m);
    if (below && f->operation != ORACLE_OP_NONE) {
        reproach(o, BJ_RULE_BS_ROOTED, f, s, "the paths of the Bootstrap interface begin at the root");
    } else if (f->operation == ORACLE_OP_READ) {
        read_succeeded(o, f, s);
    } else if (f->operation == ORACLE_OP_DELETE) {
        delete_succeeded(o, f, s, m);
    } else if (f->operation == ORACLE_OP_WRITE) {
        write_succeeded(o, f, s, m);
    } else if (f->code == 2) {
        post_succeeded(o, f, s, m);
    }
}

/* --- when no session is open ---------------------------------------------------------------------------------- */

static const oracle_own *latest_request(bj_oracle *o) {
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (own->purpose == ORACLE_BOOTSTRAP || own->purpose == ORACLE_PACK) {
            return own;
        }
    }
    return NULL;
}

/* The Bootstrap-Request was refused, and the client knew it when the command came. */
static bool was_refused(bj_oracle *o, const oracle_foreign *f) {
    const oracle_own *own = latest_request(o);
    return own && own->purpose == ORACLE_BOOTSTRAP && own->exact && own->answered < f->first && own->answer >= 0x80;
}

/* Commands and the Finish overtook the answer to the Bootstrap-Request: what it then begins nobody knows. */
static bool was_answered_late(bj_oracle *o) {
    const oracle_own *own = latest_request(o);
    return own && own->answered != BJ_NEVER && own->answered > o->attempt.finished_at;
}

/* LwM2M Core 1.1 §6.1.3.3, §6.1.4. The server may be one that manages the client besides. */
static void success_without_session(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    const oracle_attempt *a = &o->attempt;
    const oracle_peer *p = oracle_peer_of(o, &f->peer, false);
    bool apart = is_attempts(o, f) && oracle_certain_of(o, f) && f->operation && !f->bootstrap && !o->config.legacy &&
                 p && !p->registered && !oracle_is_server_too(o, &f->peer);
    if (apart && a->phase == ORACLE_FINISHED && !a->pack && f->first > a->finished_at && !was_answered_late(o)) {
        reproach(o, BJ_RULE_BS_SESSION_OVER, f, s, "the session ended with the Finish before");
    } else if (apart && a->phase == ORACLE_FAILED && was_refused(o, f)) {
        reproach(o, BJ_RULE_BS_NO_SESSION, f, s, "the Bootstrap-Request was refused, and there is no session");
    }
}

/* --- what may not be refused ---------------------------------------------------------------------------------- */

typedef struct writing {
    const oracle_foreign *f;
    unsigned instances; /* different ones, about */
    int last;
    uint8_t seen;   /* a bit for each Resource below 8 that was named */
    bool plain;     /* nothing is wrong with it, in any client */
    bool strangers; /* it has Resources that no client has */
    bool account;   /* /0/x/1 is given */
} writing;

static bool in_range(const bj_entry *e, int64_t least, int64_t most) {
    bool number = e->kind == BJ_ENTRY_INT;
    int64_t value = e->integer;
    if (e->kind == BJ_ENTRY_RAW) {
        bj_tlv entry = { .value = e->bytes, .length = e->length };
        number = bj_tlv_int(&entry, &value);
    }
    return number && value >= least && value <= most;
}

static bool is_boolean(const bj_entry *e) {
    return e->kind == BJ_ENTRY_BOOL || (e->kind == BJ_ENTRY_RAW && e->length == 1 && e->bytes[0] <= 1);
}

/* LwM2M Core 1.1 E.2: what every client has, and values that any takes. */
static bool server_value_is_plain(const bj_entry *e) {
    bool text = e->kind == BJ_ENTRY_STRING || e->kind == BJ_ENTRY_RAW;
    switch (e->path.ids[2]) {
    case 0:
        return in_range(e, 1, 65534);
    case 1:
        return in_range(e, 1, INT32_MAX);
    case 6:
        return is_boolean(e);
    case 7:
        return text && e->length == 1 && e->bytes[0] == 'U';
    default:
        return false;
    }
}

/* coap://name: letters, digits, points and dashes. */
static bool is_plain_uri(const bj_entry *e) {
    static const char scheme[] = "coap://", plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    const size_t begin = sizeof scheme - 1;
    bool good = e->length > begin && e->length < 100 && !memcmp(e->bytes, scheme, begin) && e->bytes[begin] >= 'a';
    for (size_t i = begin; good && i < e->length; i++) {
        good = memchr(plain, e->bytes[i], sizeof plain - 1) != NULL;
    }
    return good;
}

/* LwM2M Core 1.1 E.1: an account without security. */
static bool security_value_is_plain(writing *w, const bj_entry *e) {
    bool text = e->kind == BJ_ENTRY_STRING || e->kind == BJ_ENTRY_RAW;
    bool bytes = e->kind == BJ_ENTRY_OPAQUE || e->kind == BJ_ENTRY_RAW;
    switch (e->path.ids[2]) {
    case 0:
        return text && is_plain_uri(e);
    case 1:
        w->account = is_boolean(e) && (e->kind == BJ_ENTRY_BOOL ? e->integer : e->bytes[0]) == 1;
        return is_boolean(e);
    case 2:
        return in_range(e, 3, 3);
    case 3:
    case 4:
    case 5:
        return bytes && !e->length;
    case 11:
    case 12:
        return in_range(e, 0, 86400);
    default:
        return false;
    }
}

/* Numbers that neither E.2 nor any release since gives to a Resource. */
static bool is_nobodys(unsigned rid) {
    return rid >= 200 && rid < 2000;
}

static void look_at(writing *w, const bj_entry *e) {
    bool deep = e->path.depth == 3;
    if (e->path.depth >= 2 && (int) e->path.ids[1] != w->last) {
        w->last = e->path.ids[1];
        w->instances++;
    }
    if (deep && is_nobodys(e->path.ids[2]) && w->f->path.depth < 3) {
        w->strangers = true;
    } else {
        uint8_t bit = deep && e->path.ids[2] < 8 ? (uint8_t) (1u << e->path.ids[2]) : 0;
        w->plain &= deep && e->path.ids[1] < 65535 && bj_path_begins(&e->path, &w->f->path) &&
                    (w->f->path.ids[0] ? server_value_is_plain(e) : security_value_is_plain(w, e)) && !(w->seen & bit);
        w->seen |= bit;
    }
}

/* The bootstrap account where it stands (/0/x), or what stands under /1. */
static bool is_target(bj_oracle *o, const oracle_foreign *f) {
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    bool own = f->path.depth == 2 && f->path.ids[0] == 0 && account && !account->vague && !o->accounts.vague &&
               account->id == f->path.ids[1];
    return own || (f->path.depth && f->path.depth < 4 && f->path.ids[0] == 1);
}

/* Is it a Write in one message, with nothing in it that a client could lawfully refuse? */
static bool reads_plainly(bj_oracle *o, writing *w, const bj_coap *m) {
    const oracle_foreign *f = w->f;
    bool format = f->format == TLV || f->format == SENML_JSON || f->format == SENML_CBOR;
    bool here = f->operation == ORACLE_OP_WRITE && is_target(o, f);
    BJ_TEXT(why, 200);
    bj_entries in;
    bj_entry entry;
    if (!here || !format || !m->payload_length || m->payload_length > 512) {
        return false;
    }
    if (f->format == TLV && f->path.depth > 1 && m->payload[0] >> 6 == BJ_TLV_INSTANCE) {
        return false; /* an instance's header that need not be there (Core §7.4.3) is not read by all */
    }
    bj_path above = bj_path_above_resources(&f->path);
    bj_entries_begin(&in, f->format, &above, m->payload, m->payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &entry, &why)) {
        look_at(w, &entry);
    }
    enum { URI_BOOTSTRAP_MODE = 7 };
    bool whole = f->path.ids[0] == 1 || (w->account && (w->seen & URI_BOOTSTRAP_MODE) == URI_BOOTSTRAP_MODE);
    return w->plain && !in.damaged && w->instances == 1 && whole;
}

/* Nothing but its path and its format. */
static bool has_plain_options(const bj_coap *m) {
    for (size_t i = 0; i < m->option_count; i++) {
        bool format = m->options[i].number == BJ_COAP_CONTENT_FORMAT && m->options[i].length <= 2;
        if (m->options[i].number != BJ_COAP_URI_PATH && !format) {
            return false;
        }
    }
    return true;
}

static bool finish_was_refused(bj_oracle *o, const oracle_foreign *command) {
    const oracle_foreign *f;
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)); age++) {
        if (f->bootstrap && f->operation == ORACLE_OP_FINISH && f->first < command->first &&
            bj_addr_equal(&f->peer, &command->peer)) {
            return f->response == BJ_COAP_CODE(4, 6);
        }
    }
    return false;
}

static void write_refused(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    writing w = { .f = f, .last = -1, .plain = true };
    if (!reads_plainly(o, &w, m)) {
        return;
    }
    const oracle_instance *one = oracle_instance_of(&o->accounts, 1, f->path.ids[1]);
    if (f->path.ids[0] == 0) {
        reproach(o, BJ_RULE_BS_ACCOUNT_REPLACED, f, s, "the Bootstrap-Server may write its own account anew");
    } else if (w.strangers) {
        reproach(o, BJ_RULE_BS_WRITE_UNKNOWN_OPTIONAL, f, s, "Resources that a client does not have are no error");
    } else if (finish_was_refused(o, f)) {
        reproach(o, BJ_RULE_BS_FINISH_CORRECTION, f, s, "after a Finish that was refused the session is open");
    } else if (f->path.depth == 3 && (!one || one->deleted)) {
        reproach(o, BJ_RULE_BS_WRITE_REGARDLESS, f, s, "whether the instance is there does not matter");
    } else {
        reproach(o, BJ_RULE_BS_WRITE, f, s, "nothing is wrong with it");
    }
}

static void delete_refused(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    if (f->path.depth > 1 || m->payload_length || (f->path.depth && f->path.ids[0] > 1)) {
        return;
    }
    reproach(o, finish_was_refused(o, f) ? BJ_RULE_BS_FINISH_CORRECTION : BJ_RULE_BS_DELETE, f, s,
             "there is such a target in every client, whether or not anything is in it");
}

/* Those of a target or a payload that is wrong; others may have reasons of their own. */
static bool is_reproof(uint8_t code) {
    return code == BJ_COAP_CODE(4, 0) || code == BJ_COAP_CODE(4, 4) || code == BJ_COAP_CODE(4, 5);
}

static void command_refused(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    if (f->operation == ORACLE_OP_FINISH && s->m.code == BJ_COAP_CODE(4, 6) && !m->payload_length &&
        has_plain_options(m)) {
        oracle_finish_refused(o, f, s);
    }
    if (!is_reproof(s->m.code) || !has_plain_options(m) || !is_rooted(f, m)) {
        return;
    }
    if (f->operation == ORACLE_OP_DELETE) {
        delete_refused(o, f, s, m);
    } else if (f->operation == ORACLE_OP_WRITE) {
        write_refused(o, f, s, m);
    }
}

/* --- conditions ----------------------------------------------------------------------------------------------- */

/* RFC 7252 §5.10.8.1: executed only when one of its ETags is the target's, and the client has told of none. */
static bool has_unmet_condition(const bj_oracle *o, const bj_coap *m) {
    const bj_coap_option *option;
    bool any = false, empty = false;
    for (size_t i = 0; (option = bj_coap_find(m, BJ_COAP_IF_MATCH, i)); i++) {
        any = true;
        empty |= !option->length || option->length > 8;
    }
    return any && !empty && !o->commands.tagged;
}

static void check_condition(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    o->commands.tagged |= bj_coap_find(&s->m, BJ_COAP_ETAG, 0) != NULL;
    if (s->m.code >> 5 == 2 && has_unmet_condition(o, m)) {
        reproach(o, BJ_RULE_COAP_CRITICAL_OPTION, f, s,
                 "it has an If-Match option with an ETag that the client never told");
    }
}

/* --- commands that overtake the answer to the Bootstrap-Request ----------------------------------------------- */

/* RFC 7252 §4.2, §5.2.2: it came while the client waited for its answer, which shows that the request had arrived. */
static bool overtook(bj_oracle *o, const oracle_foreign *f) {
    const oracle_own *own = latest_request(o);
    bj_time patience = o->config.ack_timeout * (((bj_time) 2 << o->config.max_retransmit) - 1);
    return own && own->purpose == ORACLE_BOOTSTRAP && own->exact && is_attempts(o, f) && oracle_certain_of(o, f) &&
           f->operation && !f->malformed && !f->reused && own->first < f->first && f->first < own->answered &&
           f->first < own->first + patience && !o->attempt.excused;
}

/* Nothing in it can be refused: a Delete of all, a Write of /1 that has nothing wrong in it. */
static bool cannot_be_refused(bj_oracle *o, const oracle_foreign *f, const bj_coap *m) {
    writing w = { .f = f, .last = -1, .plain = true };
    bool all = f->operation == ORACLE_OP_DELETE && !f->path.depth && !m->payload_length;
    return has_plain_options(m) && is_rooted(f, m) && (all || (reads_plainly(o, &w, m) && !w.strangers));
}

/* A client may say that it is in no session yet, unless its profile says that it takes such commands. */
static void overtaking_refused(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m) {
    if ((is_reproof(s->m.code) || s->m.code == BJ_COAP_CODE(5, 0)) && o->config.overtaking &&
        o->attempt.phase == ORACLE_SESSION && overtook(o, f) && f->type == BJ_COAP_CON && cannot_be_refused(o, f, m)) {
        reproach(o, BJ_RULE_BS_OVERTAKING, f, s,
                 "that it overtook the answer to the Bootstrap-Request changes nothing");
    }
}

/* Larger than is expected, or with an option of a length that it does not have, it may be rejected for that (RFC 7252
 * §4.6, §5.4.3). */
static bool may_be_rejected(const oracle_foreign *f, const bj_coap *m) {
    BJ_TEXT(why, 100);
    return f->length > ORACLE_MOST_EXPECTED || !has_plain_options(m) || !bj_coap_options_valid(m, &why);
}

void oracle_commands_reset(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    bj_coap m;
    if (f->code && decode(f, &m) && !may_be_rejected(f, &m) && f->type == BJ_COAP_CON && overtook(o, f)) {
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_BS_OVERTAKING, s->time, s->event->sequence,
                     "%s, which overtook the answer to the Bootstrap-Request, is rejected with a Reset message",
                     what.start);
    }
}

/* ------------------------------------------------------------------------------------------------------------- */

void oracle_commands_answered(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    bj_coap m;
    bool success = s->m.code >> 5 == 2;
    if (f->reused || !decode(f, &m)) {
        return; /* it may be answered as what had its Message ID before */
    }
    check_condition(o, f, s, &m);
    if (success && f->code == 2 && f->path.depth == 3 && f->path.ids[0] == 1 && f->path.ids[2] == 9) {
        oracle_growth_triggered(o, f);
    } else if (success && (f->bootstrap || in_open_session(o, f))) {
        command_succeeded(o, f, s, &m);
        if (f->operation == ORACLE_OP_FINISH) {
            oracle_finish_accepted(o, s);
        }
        if (is_rooted(f, &m)) {
            oracle_shown_changed(o, f);
        }
    } else if (success) {
        success_without_session(o, f, s);
    } else if (in_open_session(o, f)) {
        command_refused(o, f, s, &m);
    } else {
        overtaking_refused(o, f, s, &m);
    }
}
