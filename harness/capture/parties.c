/* SPDX-License-Identifier: Apache-2.0
 *
 * See parties.h. Here the flows are found, and which side of each is the client; gather.h has the rest.
 */
#define _GNU_SOURCE
#include "capture/parties.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/gather.h"
#include "capture/lookup.h"
#include "wire/link.h"

enum { MOST_FLOWS = 1 << 18, EXAMPLES = 8 };

/* --- flows ---------------------------------------------------------------------------------------------------- */

static uint64_t half_hash(const bj_addr *a) {
    return bj_lookup_hash(a->port, a->ip, a->family == 6 ? 16 : 4);
}

static bool is_between(const bj_flow *f, const bj_addr *a, const bj_addr *b) {
    return (bj_addr_equal(&f->client, a) && bj_addr_equal(&f->server, b)) ||
           (bj_addr_equal(&f->client, b) && bj_addr_equal(&f->server, a));
}

/* The same for both directions. */
static size_t place_of(const bj_parties *p, const bj_addr *a, const bj_addr *b, bool stream) {
    size_t at = bj_lookup_hash_number(half_hash(a) + half_hash(b) + stream) & (p->index_room - 1);
    while (p->index[at] != UINT32_MAX &&
           !(p->flows[p->index[at]].stream == stream && is_between(&p->flows[p->index[at]], a, b))) {
        at = (at + 1) & (p->index_room - 1);
    }
    return at;
}

static bool grow_index(bj_parties *p) {
    size_t room = p->index_room ? p->index_room * 2 : 1024;
    uint32_t *index = malloc(room * sizeof *index);
    if (!index) {
        return false;
    }
    memset(index, 0xFF, room * sizeof *index);
    free(p->index);
    p->index = index;
    p->index_room = room;
    for (size_t i = 0; i < p->flow_count; i++) {
        const bj_flow *f = &p->flows[i];
        p->index[place_of(p, &f->client, &f->server, f->stream)] = (uint32_t) i;
    }
    return true;
}

static bool grow_flows(bj_parties *p) {
    size_t room = p->flow_room ? p->flow_room * 2 : 64;
    bj_flow *flows = realloc(p->flows, room * sizeof *flows);
    p->flows = flows ? flows : p->flows;
    p->flow_room = flows ? room : p->flow_room;
    return flows != NULL;
}

static bj_flow *flow_of(bj_parties *p, const bj_unit *unit) {
    if ((p->flow_count * 2 >= p->index_room && !grow_index(p)) || (p->flow_count == p->flow_room && !grow_flows(p))) {
        return NULL;
    }
    size_t at = place_of(p, &unit->from, &unit->to, unit->stream);
    if (p->index[at] != UINT32_MAX) {
        return &p->flows[p->index[at]];
    }
    if (p->flow_count == MOST_FLOWS) {
        p->overflow = true;
        return NULL;
    }
    p->index[at] = (uint32_t) p->flow_count;
    bj_flow *f = &p->flows[p->flow_count++];
    *f = (bj_flow){ .client = unit->from,
                    .server = unit->to,
                    .stream = unit->stream,
                    .party = UINT32_MAX,
                    .instance = -1,
                    .first_frame = unit->frame,
                    .first = unit->time };
    return f;
}

const bj_flow *bj_parties_flow(const bj_parties *p, const bj_unit *unit) {
    if (!p->index_room || !unit->from.family) {
        return NULL;
    }
    uint32_t at = p->index[place_of(p, &unit->from, &unit->to, unit->stream)];
    return at == UINT32_MAX ? NULL : &p->flows[at];
}

/* --- what is said --------------------------------------------------------------------------------------------- */

static void turn(bj_flow *f, const bj_addr *client) {
    if (!bj_addr_equal(&f->client, client)) {
        bj_addr other = f->client;
        f->client = f->server;
        f->server = other;
    }
}

/* `from` is the client for sure. */
static void settle(bj_flow *f, const bj_addr *client) {
    if (!f->certain) {
        turn(f, client);
        f->certain = true;
    }
}

/* A Bootstrap-Request goes to the server of this flow. */
static void bootstrap_said(bj_flow *f, const bj_unit *unit) {
    f->asked_first = f->bootstrap || f->nameless.family ? f->asked_first : unit->time;
    f->asked_last = unit->time;
}

/* A POST to /bs without a query is a Bootstrap-Finish where the other side is known for the client, and may else be a
 * Bootstrap-Request (LwM2M Core 1.1 §6.1.3.3 lets `ep` out): what is said elsewhere decides, in orient(). */
static void nameless_said(bj_flow *f, const bj_unit *unit) {
    if (!f->certain || bj_addr_equal(&f->client, &unit->from)) {
        bootstrap_said(f, unit);
        f->bootstrap |= f->certain;
        f->nameless = f->nameless.family ? f->nameless : unit->from;
    }
}

/* Objects are asked for by servers (LwM2M Core 1.1 §6.1.7, §6.3), registrations by clients (§6.2). */
static void path_said(bj_flow *f, const bj_unit *unit, const char *path) {
    if (path[1] >= '0' && path[1] <= '9') {
        settle(f, &unit->to);
    } else if (strstr(path, "/rd/")) {
        settle(f, &unit->from);
    }
}

static void request_said(bj_flow *f, const bj_unit *unit) {
    const bj_coap *m = &unit->m;
    BJ_TEXT(path, 200);
    bj_coap_path(m, BJ_COAP_URI_PATH, &path);
    const char *last = strrchr(path.start, '/');
    BJ_TEXT(endpoint, sizeof f->endpoint);
    bool post = m->code == 2, named = bj_coap_query(m, "ep", &endpoint);
    if (named) {
        memcpy(f->endpoint, endpoint.start, endpoint.used + 1);
    }
    bool bs = (post && !strcmp(last, "/bs")) || (m->code == 1 && !strcmp(last, "/bspack"));
    if (bs && !named && post) {
        nameless_said(f, unit);
        return;
    }
    if (!bs && !(post && !strcmp(last, "/rd"))) {
        path_said(f, unit, path.start);
        return;
    }
    settle(f, &unit->from);
    if (bj_addr_equal(&f->client, &unit->from)) {
        if (bs) {
            bootstrap_said(f, unit);
        }
        f->bootstrap |= bs;
        f->lwm2m = true;
    }
}

/* Which instance of /0 is without a Short Server ID in the answer to a Discover: one, or none is known. */
static int bootstrap_instance(const bj_coap *m) {
    const char *text = (const char *) m->payload;
    size_t length = m->payload_length;
    int found = -1, count = 0;
    bj_core_link link;
    BJ_TEXT(why, 100);
    while (text && bj_link_next(&text, &length, &link, &why)) {
        unsigned id = 0;
        int end = 0;
        char target[24] = "";
        if (link.target && link.target_length < sizeof target) {
            memcpy(target, link.target, link.target_length);
        }
        bool security = sscanf(target, "/0/%5u%n", &id, &end) == 1 && (size_t) end == link.target_length;
        for (size_t i = 0; i < link.attr_count; i++) {
            security &= link.attrs[i].name_length != 4 || memcmp(link.attrs[i].name, "ssid", 4) != 0;
        }
        found = security ? (int) id : found;
        count += security;
    }
    return count == 1 ? found : -1;
}

static void response_said(bj_flow *f, const bj_unit *unit) {
    uint32_t format;
    bool links = unit->m.code == BJ_COAP_CODE(2, 5) && bj_coap_find_uint(&unit->m, BJ_COAP_CONTENT_FORMAT, &format) &&
                 format == 40;
    if (links && f->bootstrap && f->instance < 0 && bj_addr_equal(&f->client, &unit->from)) {
        f->instance = bootstrap_instance(&unit->m);
    }
}

static void unit_said(bj_parties *p, const bj_unit *unit) {
    bj_flow *f = flow_of(p, unit);
    if (!f) {
        return;
    }
    if (unit->frame < f->first_frame) { /* the first time it was not known for CoAP */
        f->first_frame = unit->frame;
        f->first = unit->time;
    }
    f->last = unit->time;
    f->last_frame = unit->frame;
    f->secure |= unit->secure || unit->kind == BJ_UNIT_RECORD;
    if (unit->kind == BJ_UNIT_OPEN || (unit->kind == BJ_UNIT_RECORD && unit->record == BJ_RECORD_CLIENT_HELLO)) {
        settle(f, &unit->from);
    } else if (unit->kind == BJ_UNIT_ACCEPT) {
        settle(f, &unit->to);
    } else if (unit->kind == BJ_UNIT_COAP && unit->fault == BJ_COAP_OK && bj_coap_is_request(unit->m.code)) {
        request_said(f, unit);
    } else if (unit->kind == BJ_UNIT_COAP && unit->fault == BJ_COAP_OK) {
        response_said(f, unit);
    }
}

static void not_understood(bj_parties *p, const bj_unit *unit) {
    p->not_understood++;
    for (unsigned i = 0; i < EXAMPLES; i++) {
        if (!p->examples[i]) {
            p->examples[i] = unit->why;
            p->example_frames[i] = unit->frame;
        }
        if (p->examples[i] == unit->why) {
            p->example_frames[i] = p->example_counts[i] ? p->example_frames[i] : unit->frame;
            p->example_counts[i]++;
            return;
        }
    }
}

/* Fragments are read with the last of them that comes. */
static void are_understood(bj_parties *p, uint32_t count) {
    for (unsigned i = 0; i < EXAMPLES && p->examples[i]; i++) {
        if (!strcmp(p->examples[i], BJ_PACKET_FRAGMENT)) {
            p->example_counts[i] -= count < p->example_counts[i] ? count : p->example_counts[i];
        }
    }
}

static bool read_all(bj_parties *p, bj_units *units, bj_text *why) {
    bj_unit unit;
    int got;
    uint32_t joined = 0; /* in this frame, of which there may be several units */
    BJ_TEXT(damage, 300);
    p->not_understood = 0;
    memset(p->examples, 0, sizeof p->examples);
    memset(p->example_counts, 0, sizeof p->example_counts);
    while ((got = bj_units_next(units, &unit, &damage)) == 1) {
        if (unit.joined && unit.frame != joined) {
            are_understood(p, unit.joined);
            joined = unit.frame;
        }
        if (unit.kind == BJ_UNIT_OTHER) {
            not_understood(p, &unit);
        } else if (unit.kind != BJ_UNIT_DNS && unit.kind != BJ_UNIT_ICMP) {
            unit_said(p, &unit);
        }
    }
    snprintf(p->damage, sizeof p->damage, "%s", got < 0 ? damage.start : "");
    p->seen = *bj_units_seen_of(units);
    return bj_units_rewind(units, why);
}

/* --- sides ---------------------------------------------------------------------------------------------------- */

static bool is_well_known(uint16_t port) {
    return port == 5683 || port == 5684;
}

/* Is this a client's, by what it says elsewhere? On the other ports of its host, where that is not both sides'. */
static bool is_client(const bj_addr_set *clients, const bj_addr *one, const bj_addr *other) {
    bj_addr host = *one;
    host.port = 0;
    return bj_addr_set_has(clients, one) || (!bj_addr_same_host(one, other) && bj_addr_set_has(clients, &host));
}

static void orient_one(const bj_addr_set *clients, bj_flow *f) {
    if (is_client(clients, &f->client, &f->server)) {
        return;
    }
    bool nameless = f->nameless.family && bj_addr_equal(&f->nameless, &f->server);
    if (is_client(clients, &f->server, &f->client) || nameless ||
        (!f->nameless.family && is_well_known(f->client.port) && !is_well_known(f->server.port))) {
        turn(f, &(bj_addr){ .family = 0 });
    }
}

/* Where nobody said anything that only one side says: a client is one elsewhere, too, or asked for a bootstrap without
 * its name; and servers are behind the registered ports. */
static void orient(bj_parties *p) {
    bj_addr_set clients = { .room = 0 };
    for (size_t i = 0; i < p->flow_count; i++) {
        if (p->flows[i].certain) {
            bj_addr host = p->flows[i].client;
            bj_addr_set_add(&clients, &host);
            host.port = 0;
            bj_addr_set_add(&clients, &host);
        }
    }
    for (size_t i = 0; i < p->flow_count; i++) {
        bj_flow *f = &p->flows[i];
        if (!f->certain) {
            orient_one(&clients, f);
        }
        f->bootstrap |= f->nameless.family && bj_addr_equal(&f->nameless, &f->client);
    }
    bj_addr_set_free(&clients);
}

bool bj_parties_find(bj_parties *p, bj_units *units, bj_text *why) {
    *p = (bj_parties){ .flows = NULL };
    if (!read_all(p, units, why) || ((p->seen.records || p->seen.late) && !read_all(p, units, why))) {
        return false;
    }
    orient(p);
    if (!bj_parties_gather(p)) {
        bj_text_add(why, "no memory");
        return false;
    }
    return true;
}

/* --- names ---------------------------------------------------------------------------------------------------- */

int bj_parties_named(const bj_parties *p, const char *text) {
    bj_addr addr;
    bool is_address = bj_addr_parse(text, strlen(text), &addr);
    for (size_t i = 0; i < p->count; i++) {
        if (!strcmp(p->all[i].endpoint, text) ||
            (is_address && !addr.port && bj_addr_same_host(&p->all[i].host, &addr))) {
            return (int) i;
        }
    }
    for (size_t i = 0; is_address && i < p->flow_count; i++) {
        if (bj_addr_equal(&p->flows[i].client, &addr) ||
            (bj_addr_equal(&p->flows[i].server, &addr) && p->flows[i].bootstrap)) {
            return (int) p->flows[i].party;
        }
    }
    return -1;
}

void bj_party_print(bj_text *out, const bj_party *one) {
    bj_addr_print(out, &one->host);
    if (*one->endpoint) {
        bj_text_printf(out, " (%s)", one->endpoint);
    }
    if (one->bootstrap.family) {
        bj_text_add(out, ", Bootstrap-Server ");
        bj_addr_print(out, &one->bootstrap);
    }
}

void bj_parties_free(bj_parties *p) {
    free(p->flows);
    free(p->index);
    free(p->all);
    *p = (bj_parties){ .flows = NULL };
}
