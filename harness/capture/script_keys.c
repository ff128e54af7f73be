/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-shared keys of a scenario's servers: what the conversation wrote into Security accounts, else what the options
 * name, else made up.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "capture/script_internal.h"

/* --- what is written ------------------------------------------------------------------------------------------ */

/* LwM2M Core 1.1 Appendix E.1: /0/x/0 LwM2M Server URI, /0/x/2 Security Mode (0: Pre-Shared Key), /0/x/3 Public Key or
 * Identity, /0/x/5 Secret Key. */
static void learn_account(bj_script *s, const bj_node *resources, size_t count) {
    const bj_node *uri = bj_node_find(resources, count, 0), *identity = bj_node_find(resources, count, 3),
                  *key = bj_node_find(resources, count, 5);
    const bj_node *mode = bj_node_find(resources, count, 2);
    bool shared = mode && mode->kind == BJ_N_INT && mode->integer == 0;
    bool whole = uri && uri->kind == BJ_N_STRING && identity && key && key->bytes.length &&
                 (key->kind == BJ_N_OPAQUE || key->kind == BJ_N_STRING);
    if (!whole || !shared) {
        return;
    }
    if (s->learnt_count == BJ_SCRIPT_LEARNT) {
        memmove(s->learnt, s->learnt + 1, (BJ_SCRIPT_LEARNT - 1) * sizeof s->learnt[0]);
        s->learnt_count--;
    }
    s->learnt[s->learnt_count++] =
        (bj_script_learnt){ .uri = uri->bytes, .identity = identity->bytes, .key = key->bytes, .at = s->current };
}

void script_learn(bj_script *s, const bj_path *target, const bj_value *values) {
    const bj_node *nodes = values->as.nodes.items;
    size_t count = values->as.nodes.count;
    if (target->depth && target->ids[0] != 0) {
        return;
    }
    if (target->depth == 2) {
        learn_account(s, nodes, count);
        return;
    }
    if (target->depth == 0) {
        const bj_node *security = bj_node_find(nodes, count, 0);
        nodes = security ? security->children : NULL;
        count = security ? security->child_count : 0;
    }
    for (size_t i = 0; target->depth <= 1 && i < count; i++) {
        learn_account(s, nodes[i].children, nodes[i].child_count);
    }
}

/* --- whose it is ---------------------------------------------------------------------------------------------- */

/* "host" and port of "coaps://host:port/path"; the port left out: 5684. false: it is no URI of DTLS or TLS. */
static bool split_uri(const bj_string *uri, bj_text *host, unsigned *port) {
    const char *end = uri->bytes + uri->length, *at = memmem(uri->bytes, uri->length, "://", 3);
    if (!at || uri->length < 5 || strncasecmp(uri->bytes, "coaps", 5) != 0) {
        return false;
    }
    at += 3;
    bool bracket = at < end && *at == '[';
    at += bracket;
    const char *start = at;
    while (at < end && !strchr(bracket ? "]" : ":/?", *at)) {
        at++;
    }
    bj_text_add_bytes(host, start, (size_t) (at - start));
    at += bracket && at < end;
    *port = 5684;
    if (at < end && *at == ':') {
        BJ_TEXT(digits, 8);
        bj_text_add_bytes(&digits, at + 1, (size_t) (end - at - 1));
        *port = (unsigned) strtoul(digits.start, NULL, 10);
    }
    return true;
}

/* By the host's name, or by its address. */
static bool is_of(const bj_script *s, const bj_string *uri, unsigned number) {
    const bj_script_server *server = &s->servers[number];
    bj_addr address = server->here;
    unsigned port;
    BJ_TEXT(host, 300);
    BJ_TEXT(printed, 64);
    BJ_TEXT(usual, 60);
    address.port = 0;
    bj_addr_print(&printed, &address);
    bj_text_printf(&usual, "%s.example", server->name);
    return split_uri(uri, &host, &port) && port == server->here.port &&
           (!strcasecmp(host.start, *server->host ? server->host : usual.start) || !strcmp(host.start, printed.start));
}

/* The first message of this server that could be read: what was known then was right. */
static int first_read(const bj_script *s, unsigned number) {
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        if (m->server == number && m->secure && m->kind != BJ_TALK_RECORD) {
            return (int) i;
        }
    }
    return (int) s->talk->count;
}

static const bj_script_learnt *learnt_of(const bj_script *s, unsigned number) {
    const bj_script_learnt *found = NULL;
    int read = first_read(s, number);
    for (size_t i = 0; i < s->learnt_count; i++) {
        bool before = s->learnt[i].at < read || !found;
        found = before && is_of(s, &s->learnt[i].uri, number) ? &s->learnt[i] : found;
    }
    return found;
}

/* The first of --keys, or one that is made up. */
static void put_told(bj_script *s, bj_record *r, unsigned identity, unsigned key) {
    const bj_unit_options *o = &s->field->options->units;
    static const uint8_t made_up[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint8_t bytes[64];
    size_t length = o->psk_count ? strlen(o->psk[0]) / 2 : sizeof made_up;
    const char *who = o->psk_count && *o->identity[0] ? o->identity[0] : "from-capture";
    memcpy(bytes, made_up, sizeof made_up);
    for (size_t i = 0; o->psk_count && i < length; i++) {
        unsigned byte = 0;
        sscanf(o->psk[0] + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t) byte;
    }
    script_set_bytes(s, r, identity, (const uint8_t *) who, strlen(who));
    script_set_bytes(s, r, key, bytes, length);
}

void script_put_key(bj_script *s, bj_record *r, unsigned server, unsigned identity, unsigned key) {
    const bj_script_learnt *known = learnt_of(s, server);
    if (!known) {
        put_told(s, r, identity, key);
        s->assumed_keys = true;
        return;
    }
    script_set_bytes(s, r, identity, (const uint8_t *) known->identity.bytes, known->identity.length);
    script_set_bytes(s, r, key, (const uint8_t *) known->key.bytes, known->key.length);
}

void script_assume_keys(bj_script *s) {
    if (s->assumed_keys) {
        bool told = s->field->options->units.psk_count > 0;
        script_assume(s, told ? "servers whose keys nobody wrote take the first pre-shared key of --keys"
                              : "pre-shared keys that nobody wrote are made up: --keys names none");
    }
}
