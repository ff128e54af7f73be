/* SPDX-License-Identifier: Apache-2.0
 *
 * See servers.h. Clients are told apart by the port that they speak from, which is known from the first message that
 * names an endpoint.
 */
#include "fleet/servers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/coap.h"
#include "wire/payload.h"
#include "wire/tlv.h"

enum { NOBODY = -1, PORTS = 65536, MESSAGE = 1500 };

const char fleet_bootstrap_uri[] = "coap://192.0.2.10";

/* Of one client. */
typedef struct member {
    unsigned step;                 /* of its bootstrap */
    unsigned registered, complete; /* bits, one a server */
    unsigned observed[FLEET_SERVERS_MOST];
} member;

struct fleet_servers {
    fleet_servers_config config;
    fleet_counts counts;
    bj_sim_peer peer;
    int bootstrap, server[FLEET_SERVERS_MOST]; /* endpoints */
    member *members;
    int32_t *by_port; /* the client that speaks from there */
    uint32_t *curve;
    uint16_t next_mid;
    unsigned complete;
    bj_time complete_at;
};

static const char *const paths[FLEET_OBSERVATIONS_MOST] = { "/3/0/11", "/3/0/16", "/1/0/0", "/1/0/1", "/1/0/6",
                                                            "/1/0/7",  "/3/0",    "/1/0",   "/1",     "/3" };

void fleet_name(unsigned client, char name[FLEET_NAME]) {
    snprintf(name, FLEET_NAME, "fleet-%06u", client);
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

static void put(fleet_servers *f, int endpoint, const bj_addr *to, const bj_coap *m) {
    uint8_t bytes[MESSAGE];
    size_t length = bj_coap_encode(m, bytes, sizeof bytes);
    assert(length);
    bj_sim_ops()->send(bj_sim_world(f->config.sim), endpoint, NULL, to, bytes, length, 0);
    f->counts.sent++;
}

static bj_coap answer_to(const bj_coap *request, uint8_t code) {
    bj_coap m = { .version = 1, .type = BJ_COAP_ACK, .code = code, .mid = request->mid };
    if (code) {
        m.token_length = request->token_length;
        memcpy(m.token, request->token, sizeof m.token);
    }
    return m;
}

static bj_coap request_of(fleet_servers *f, uint8_t method, unsigned token) {
    bj_coap m = { .version = 1, .type = BJ_COAP_CON, .code = method, .mid = ++f->next_mid, .token_length = 2 };
    m.token[0] = (uint8_t) (token >> 8);
    m.token[1] = (uint8_t) token;
    return m;
}

static void put_request(fleet_servers *f, int endpoint, const bj_addr *to, bj_coap *m, const char *path,
                        const bj_tlv_writer *tlv) {
    uint8_t room[4];
    bj_coap_add_path(m, BJ_COAP_URI_PATH, path);
    if (tlv) {
        assert(!tlv->overflow);
        bj_coap_add_uint(m, BJ_COAP_CONTENT_FORMAT, BJ_FORMAT_TLV, room);
        m->payload = tlv->out;
        m->payload_length = tlv->used;
    }
    put(f, endpoint, to, m);
}

/* --- the Bootstrap-Server --------------------------------------------------------------------------------------- */

static void write_security(unsigned server, bj_tlv_writer *tlv) {
    char uri[32];
    snprintf(uri, sizeof uri, "coap://192.0.2.%u", 20 + server);
    bj_tlv_put(tlv, BJ_TLV_RESOURCE, 0, uri, strlen(uri));
    bj_tlv_put_bool(tlv, BJ_TLV_RESOURCE, 1, false);
    bj_tlv_put_int(tlv, BJ_TLV_RESOURCE, 2, 3);
    for (uint16_t id = 3; id <= 5; id++) {
        bj_tlv_put(tlv, BJ_TLV_RESOURCE, id, "", 0);
    }
    bj_tlv_put_int(tlv, BJ_TLV_RESOURCE, 10, 101 + server);
}

static void write_server(const fleet_servers *f, unsigned server, bj_tlv_writer *tlv) {
    bj_tlv_put_int(tlv, BJ_TLV_RESOURCE, 0, 101 + server);
    bj_tlv_put_int(tlv, BJ_TLV_RESOURCE, 1, f->config.lifetime_s);
    if (f->config.pmax_s) {
        bj_tlv_put_int(tlv, BJ_TLV_RESOURCE, 3, f->config.pmax_s);
    }
    bj_tlv_put_bool(tlv, BJ_TLV_RESOURCE, 6, false);
    bj_tlv_put(tlv, BJ_TLV_RESOURCE, 7, "U", 1);
}

/* What a client is told: an account for each server (two Writes), then the Finish. Nothing of /2: our linked clients
 * have no Access Control, and every server then has all rights. */
static unsigned writes(const fleet_servers *f) {
    return 2 * f->config.servers;
}

static void write_step(fleet_servers *f, unsigned step, char path[16], bj_tlv_writer *tlv) {
    unsigned server = step / 2;
    if (step % 2) {
        snprintf(path, 16, "/1/%u", server);
        write_server(f, server, tlv);
    } else {
        snprintf(path, 16, "/0/%u", server + 1);
        write_security(server, tlv);
    }
}

static void next_command(fleet_servers *f, unsigned client, const bj_addr *to) {
    uint8_t bytes[256];
    char path[16];
    bj_tlv_writer tlv = { .out = bytes, .room = sizeof bytes };
    unsigned step = f->members[client].step;
    if (step < writes(f)) {
        bj_coap m = request_of(f, 3, step);
        write_step(f, step, path, &tlv);
        put_request(f, f->bootstrap, to, &m, path, &tlv);
    } else if (step == writes(f)) {
        bj_coap m = request_of(f, 2, step);
        put_request(f, f->bootstrap, to, &m, "/bs", NULL);
    }
}

static void note_request(fleet_servers *f) {
    uint64_t second = bj_sim_now(f->config.sim) / BJ_SECOND;
    f->counts.bootstrap_requests++;
    if (second < f->config.curve_s) {
        f->curve[second]++;
    }
}

static void bootstrap_heard(fleet_servers *f, unsigned client, const bj_addr *from, const bj_coap *m) {
    member *one = &f->members[client];
    if (m->code == 2) {
        bj_coap answer = answer_to(m, BJ_COAP_CODE(2, 4));
        note_request(f);
        one->step = 0;
        one->registered = 0;
        put(f, f->bootstrap, from, &answer);
    } else if (m->type == BJ_COAP_ACK && m->code >> 5 == 2) {
        f->counts.bootstraps += one->step == writes(f);
        one->step++;
    } else {
        f->counts.refused++;
        return;
    }
    next_command(f, client, from);
}

/* --- the LwM2M Servers ------------------------------------------------------------------------------------------ */

static void note_complete(fleet_servers *f, member *one, unsigned server) {
    one->complete |= 1u << server;
    if (one->complete == (1u << f->config.servers) - 1) {
        f->complete++;
        f->complete_at = f->complete == f->config.clients ? bj_sim_now(f->config.sim) : f->complete_at;
    }
}

static void next_observation(fleet_servers *f, member *one, unsigned server, const bj_addr *to) {
    unsigned number = one->observed[server];
    uint8_t room[4];
    if (number == f->config.observations) {
        if (!(one->complete & 1u << server)) {
            note_complete(f, one, server);
        }
        return;
    }
    bj_coap m = request_of(f, 1, 0x4000u + number);
    bj_coap_add_uint(&m, BJ_COAP_OBSERVE, 0, room);
    put_request(f, f->server[server], to, &m, paths[number], NULL);
}

static void registered(fleet_servers *f, unsigned client, unsigned server, const bj_addr *from, const bj_coap *m) {
    member *one = &f->members[client];
    char location[24];
    bj_coap answer = answer_to(m, BJ_COAP_CODE(2, 1));
    snprintf(location, sizeof location, "/rd/%u", client);
    bj_coap_add_path(&answer, BJ_COAP_LOCATION_PATH, location);
    f->counts.registers++;
    one->registered |= 1u << server;
    one->observed[server] = 0;
    put(f, f->server[server], from, &answer);
    next_observation(f, one, server, from);
}

/* An Update or a De-register; a client that is not known is told so. */
static void asked(fleet_servers *f, unsigned client, unsigned server, const bj_addr *from, const bj_coap *m) {
    bool known = f->members[client].registered & 1u << server;
    uint8_t success = m->code == 4 ? BJ_COAP_CODE(2, 2) : BJ_COAP_CODE(2, 4);
    bj_coap answer = answer_to(m, known ? success : BJ_COAP_CODE(4, 4));
    f->counts.updates += m->code == 2;
    put(f, f->server[server], from, &answer);
}

static void told(fleet_servers *f, unsigned client, unsigned server, const bj_addr *from, const bj_coap *m) {
    member *one = &f->members[client];
    if (m->type == BJ_COAP_ACK) { /* the answer to an Observe */
        f->counts.observations += bj_coap_find(m, BJ_COAP_OBSERVE, 0) != NULL;
        one->observed[server]++;
        next_observation(f, one, server, from);
        return;
    }
    f->counts.notifications++;
    if (m->type == BJ_COAP_CON) {
        bj_coap answer = answer_to(m, 0);
        put(f, f->server[server], from, &answer);
    }
}

static void server_heard(fleet_servers *f, unsigned client, unsigned server, const bj_addr *from, const bj_coap *m,
                         bool names_itself) {
    if (m->code == 2 && names_itself) {
        registered(f, client, server, from, m);
    } else if (m->code == 2 || m->code == 4) {
        asked(f, client, server, from, m);
    } else if (m->code >> 5 == 2) {
        told(f, client, server, from, m);
    } else {
        f->counts.refused++;
    }
}

/* --- receiving -------------------------------------------------------------------------------------------------- */

/* The client that an ep= names; NOBODY. */
static int32_t named(const fleet_servers *f, const bj_coap *m) {
    const bj_coap_option *option;
    for (size_t i = 0; (option = bj_coap_find(m, BJ_COAP_URI_QUERY, i)); i++) {
        unsigned client;
        char text[FLEET_NAME + 4];
        snprintf(text, sizeof text, "%.*s", (int) option->length, (const char *) option->value);
        if (sscanf(text, "ep=fleet-%u", &client) == 1 && client < f->config.clients) {
            return (int32_t) client;
        }
    }
    return NOBODY;
}

static void heard(void *context, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                  uint32_t event) {
    fleet_servers *f = context;
    bj_coap m;
    (void) event;
    f->counts.received++;
    bool sound = bj_coap_decode(&m, data, length) == BJ_COAP_OK;
    int32_t client = sound ? named(f, &m) : NOBODY;
    bool names_itself = client != NOBODY;
    if (names_itself) {
        f->by_port[from->port] = client;
    }
    client = f->by_port[from->port];
    if (!sound || client == NOBODY) {
        f->counts.refused++;
        return;
    }
    if (endpoint == f->bootstrap) {
        bootstrap_heard(f, (unsigned) client, from, &m);
        return;
    }
    for (unsigned i = 0; i < f->config.servers; i++) {
        if (endpoint == f->server[i]) {
            server_heard(f, (unsigned) client, i, from, &m, names_itself);
        }
    }
}

/* --- making ----------------------------------------------------------------------------------------------------- */

static int open_host(fleet_servers *f, uint8_t actor, const char *name, unsigned last_byte) {
    bj_addr address = { .family = 4, .ip = { 192, 0, 2, (uint8_t) last_byte } };
    bj_world *world = bj_sim_world(f->config.sim);
    bj_sim_ops()->declare(world, actor, name, &address, 1);
    address.port = 5683;
    return bj_sim_ops()->open(world, actor, BJ_UDP, &address);
}

fleet_servers *fleet_servers_new(const fleet_servers_config *config) {
    fleet_servers *f = calloc(1, sizeof *f);
    assert(f && config->servers <= FLEET_SERVERS_MOST && config->observations <= FLEET_OBSERVATIONS_MOST);
    f->config = *config;
    f->members = calloc(config->clients, sizeof *f->members);
    f->by_port = malloc(PORTS * sizeof *f->by_port);
    f->curve = calloc(config->curve_s + 1, sizeof *f->curve);
    assert(f->members && f->by_port && f->curve);
    for (unsigned i = 0; i < PORTS; i++) {
        f->by_port[i] = NOBODY;
    }
    f->complete_at = BJ_NEVER;
    f->bootstrap = open_host(f, BJ_ACTOR_SERVER_0, "bs.example", 10);
    for (unsigned i = 0; i < config->servers; i++) {
        char name[24];
        snprintf(name, sizeof name, "server-%u.example", i + 1);
        f->server[i] = open_host(f, (uint8_t) (BJ_ACTOR_SERVER_0 + 1 + i), name, 20 + i);
    }
    f->peer = (bj_sim_peer){ .context = f, .datagram = heard };
    bj_sim_set_peer(config->sim, &f->peer);
    return f;
}

void fleet_servers_free(fleet_servers *f) {
    if (f) {
        free(f->members);
        free(f->by_port);
        free(f->curve);
        free(f);
    }
}

const fleet_counts *fleet_servers_counts(const fleet_servers *f) {
    return &f->counts;
}

unsigned fleet_servers_complete(const fleet_servers *f) {
    return f->complete;
}

bj_time fleet_servers_complete_at(const fleet_servers *f) {
    return f->complete_at;
}

const uint32_t *fleet_servers_curve(const fleet_servers *f) {
    return f->curve;
}
