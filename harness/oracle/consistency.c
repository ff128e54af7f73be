/* SPDX-License-Identifier: Apache-2.0
 *
 * Which configurations are consistent (LwM2M Core 1.1 §6.1.6), seen from both ends: one that is plainly so is not
 * refused at Finish; and an account that is not is never used, whatever was said at Finish.
 */
#include "oracle/internal.h"

#include <string.h>

enum { NOSEC = 3 };

static bool is_there(const oracle_instance *one, unsigned object) {
    return one->used && !one->deleted && one->object == object;
}

static bool has_scheme(const oracle_instance *security, const char *scheme) {
    return !strncmp(security->uri, scheme, strlen(scheme)) && !strncmp(security->uri + strlen(scheme), "://", 3);
}

/* --- accounts that are used ----------------------------------------------------------------------------------- */

static void reproach(bj_oracle *o, bj_rule rule, const oracle_seen *s, const oracle_instance *one, const char *why) {
    oracle_break(o, rule, s->time, s->event->sequence, "a Register with an account that cannot be used: /%u/%u: %s",
                 one->object, one->id, why);
}

/* Transport 1.1 §5.2: coaps with every mode but NoSec, coap with that alone; and spoken as it says. */
static void check_scheme(bj_oracle *o, const oracle_seen *s, const oracle_instance *security) {
    bool secure = has_scheme(security, "coaps") || has_scheme(security, "coaps+tcp");
    bool plain = has_scheme(security, "coap") || has_scheme(security, "coap+tcp");
    if ((secure && !s->secure) || (plain && s->secure)) {
        reproach(o, BJ_RULE_BS_CHECK_URI_MODE, s, security, "the scheme of its URI says another security");
    } else if ((secure && security->mode == NOSEC) || (plain && security->mode >= 0 && security->mode != NOSEC)) {
        reproach(o, BJ_RULE_BS_CHECK_URI_MODE, s, security, "the scheme of its URI does not go with its Security Mode");
    }
}

/* E.1: with Security Mode 0 the Public Key or Identity and the Secret Key must be there; a key without any byte is
 * none.
 */
static bool lacks_its_key(const oracle_instance *security) {
    bool written = security->given >> 5 & 1;
    return security->mode == 0 && (!written || security->keys[2] == oracle_mark(NULL, 0));
}

static void check_key(bj_oracle *o, const oracle_seen *s, const oracle_instance *security) {
    if (lacks_its_key(security)) {
        reproach(o, BJ_RULE_SEC_CREDENTIALS, s, security, "it has no pre-shared key");
    }
}

/* E.2: /1/x/0, /1/x/1, /1/x/6 and /1/x/7 are mandatory. */
static void check_mandatory(bj_oracle *o, const oracle_seen *s, const oracle_instance *server) {
    static const unsigned mandatory[] = { 0, 1, 6, 7 };
    for (unsigned i = 0; i < sizeof mandatory / sizeof mandatory[0]; i++) {
        if (!(server->given >> mandatory[i] & 1)) {
            BJ_TEXT(why, 60);
            bj_text_printf(&why, "Resource %u, which is mandatory, was not written", mandatory[i]);
            reproach(o, BJ_RULE_BS_CHECK_MANDATORY, s, server, why.start);
            return;
        }
    }
}

/* E.2: neither periods nor counts are negative. */
static void check_ranges(bj_oracle *o, const oracle_seen *s, const oracle_instance *server) {
    static const unsigned natural[] = { 2, 3, 5 };
    if ((server->given & 1) && (server->settings[0] == 0 || server->settings[0] > 65534)) {
        reproach(o, BJ_RULE_BS_SSID_RANGE, s, server, "its Short Server ID is not 1 to 65534");
    }
    for (unsigned i = 0; i < sizeof natural / sizeof natural[0]; i++) {
        if (server->settings[natural[i]] < -1) {
            reproach(o, BJ_RULE_BS_CHECK_RANGE, s, server, "a period is negative");
        }
    }
}

static bool are_twins(const oracle_instance *a, const oracle_instance *b) {
    size_t scheme = strcspn(a->uri, ":");
    return a->object == b->object && a->ssid == b->ssid && a->ssid > 0 &&
           (a->object == 1 ||
            (a->bootstrap == 0 && b->bootstrap == 0 && *a->uri && !strncmp(a->uri, b->uri, scheme + 1)));
}

/* Two accounts for one server and one transport. */
static void check_twins(bj_oracle *o, const oracle_seen *s, const oracle_instance *one) {
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *other = &o->accounts.items[i];
        if (other != one && is_there(other, one->object) && other->whole && !other->vague && are_twins(one, other)) {
            reproach(o, BJ_RULE_BS_CHECK_DUPLICATE, s, one, "another instance has its Short Server ID");
            return;
        }
    }
}

/* Of accounts that the bootstrap before has written, and that nothing is unknown of. */
static void check_used(bj_oracle *o, const oracle_seen *s) {
    const oracle_instance *security = NULL, *server = NULL;
    bool judged = o->attempt.phase == ORACLE_FINISHED && o->attempt.ever_finished && !o->attempt.pack;
    if (!judged || o->accounts.vague) {
        return;
    }
    if (oracle_account_at(o, &s->peer, &security, &server, NULL) && security->whole && server->whole) {
        check_scheme(o, s, security);
        check_key(o, s, security);
        check_mandatory(o, s, server);
        check_ranges(o, s, server);
    }
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (is_there(one, 0) && one->whole && !one->vague && one->bootstrap == 0 &&
            oracle_uri_leads_to(o, one->uri, &s->peer) == 1) {
            check_twins(o, s, one);
        }
    }
}

/* --- configurations that are taken ---------------------------------------------------------------------------- */

static void passes(bj_oracle *o, bj_rule rule, const oracle_seen *s, const oracle_instance *one, const char *why) {
    oracle_break(o, rule, s->time, s->event->sequence, "Bootstrap-Finish is answered with success: /%u/%u %s",
                 one->object, one->id, why);
}

/* Of an instance that a Bootstrap-Write has written as a whole. */
static void check_taken(bj_oracle *o, const oracle_seen *s, const oracle_instance *one) {
    uint32_t mandatory = one->object ? 1u << 0 | 1u << 1 | 1u << 6 | 1u << 7 : 1u << 0 | 1u << 1 | 1u << 2;
    BJ_TEXT(why, 80);
    if (one->object == 0 && has_scheme(one, "coaps") && one->bootstrap >= 0 && lacks_its_key(one)) {
        passes(o, BJ_RULE_SEC_CREDENTIALS, s, one, "has Security Mode 0 and no key");
    }
    if (one->beyond) {
        bj_text_printf(&why, "has a Resource %u that is outside its range", one->beyond - 1u);
        passes(o, BJ_RULE_BS_CHECK_RANGE, s, one, why.start);
    }
    if ((one->given & mandatory) != mandatory) {
        passes(o, BJ_RULE_BS_CHECK_MANDATORY, s, one, "lacks a mandatory Resource");
    }
}

void oracle_finish_accepted(bj_oracle *o, const oracle_seen *s) {
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (one->used && !one->deleted && one->whole && !one->vague && !o->accounts.vague) {
            check_taken(o, s, one);
        }
    }
}

/* --- configurations that are refused -------------------------------------------------------------------------- */

/* The only one of that object beside the bootstrap account; NULL: none, or several. */
static const oracle_instance *only_one(const bj_oracle *o, unsigned object) {
    const oracle_instance *found = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (is_there(one, object) && one->bootstrap != 1) {
            found = one;
            count++;
        }
    }
    return count == 1 && found->whole && !found->vague ? found : NULL;
}

/* coap://name: letters, digits, points and dashes. */
static bool is_plain_uri(const char *uri) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    const char *host = uri + strlen("coap://");
    return !strncmp(uri, "coap://", strlen("coap://")) && *host >= 'a' && *host <= 'z' && !host[strspn(host, plain)];
}

static bool security_is_plain(const oracle_instance *one) {
    static const uint32_t usual = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 10;
    return one && !(one->given & ~usual) && one->bootstrap == 0 && one->mode == NOSEC && one->ssid > 0 &&
           one->ssid < 65535 && is_plain_uri(one->uri);
}

static bool server_is_plain(const oracle_instance *one) {
    static const uint32_t usual = 1u << 0 | 1u << 1 | 1u << 6 | 1u << 7;
    return one && one->given == usual && one->lifetime > 0 && one->lifetime <= INT32_MAX && one->settings[6] >= 0 &&
           one->settings[6] <= 1 && !strcmp(one->binding, "U");
}

/* The bootstrap account is the factory's, and good. */
static bool account_is_plain(bj_oracle *o) {
    const oracle_instance *account = oracle_bootstrap_account(&o->accounts);
    return account && !account->vague && !o->growth.rewritten && o->config.account_count == 1 &&
           !o->config.accounts[0].contradicts;
}

void oracle_finish_refused(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s) {
    const oracle_instance *security = only_one(o, 0), *server = only_one(o, 1);
    bool known = o->config.known && !o->accounts.vague && !o->config.state_given && !o->config.others;
    oracle_model_refused(o);
    if (known && !o->commands.others && account_is_plain(o) && security_is_plain(security) && server_is_plain(server) &&
        security->ssid == server->ssid && f->operation == ORACLE_OP_FINISH) {
        oracle_break(
            o, BJ_RULE_BS_FINISH, s->time, s->event->sequence,
            "Bootstrap-Finish is refused, and there is one account, /0/%u and /1/%u, in which nothing is wrong",
            security->id, server->id);
    }
}

/* ------------------------------------------------------------------------------------------------------------- */

static void seen(bj_oracle *o, const oracle_seen *s) {
    bool request = s->from_client && s->fault == BJ_COAP_OK && s->m.code == 2;
    if (request && oracle_purpose_of(&s->m) == ORACLE_REGISTER) {
        check_used(o, s);
    }
}

const oracle_def oracle_consistencies = { .id = "consistency", .seen = seen };
