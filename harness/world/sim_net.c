/* SPDX-License-Identifier: Apache-2.0
 *
 * Hosts, their addresses and ports, the links between them and the datagrams on the links. What a socket of the client
 * does with a datagram is in sim_socket.c, what faults do to it in sim_fault.c.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "world/sim_internal.h"

/* --- packets -------------------------------------------------------------------------------------------------- */

sim_packet *sim_packet_new(bj_sim *sim, const bj_addr *from, const bj_addr *to, const uint8_t *data, size_t length) {
    sim_packet *packet = bj_arena_alloc(sim->arena, sizeof *packet + length);
    packet->from = *from;
    packet->to = *to;
    packet->length = length;
    if (length) {
        memcpy(packet->data, data, length);
    }
    return packet;
}

void sim_packet_free(bj_sim *sim, sim_packet *packet) {
    if (packet && packet->conn) {
        sim_conn_unref(sim, packet->conn);
    }
    bj_arena_free(sim->arena, packet);
}

/* --- hosts ---------------------------------------------------------------------------------------------------- */

bool sim_is_any(const bj_addr *address) {
    static const uint8_t zero[16];
    return !memcmp(address->ip, zero, address->family == 4 ? 4 : 16);
}

bool sim_is_loopback(const bj_addr *address) {
    static const uint8_t one[16] = { [15] = 1 };
    return address->family == 4 ? address->ip[0] == 127 : address->family == 6 && !memcmp(address->ip, one, 16);
}

static bool host_has(const sim_host *host, const bj_addr *address) {
    for (size_t i = 0; host && i < host->address_count; i++) {
        if (bj_addr_same_host(&host->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

int sim_host_of(const bj_sim *sim, const bj_addr *address) {
    for (int actor = 0; actor <= sim->last_host; actor++) {
        if (host_has(sim->hosts[actor], address)) {
            return actor;
        }
    }
    return -1;
}

bool sim_is_own(const bj_sim *sim, const bj_addr *address) {
    return sim_is_loopback(address) || host_has(sim->hosts[BJ_ACTOR_CLIENT], address);
}

const char *sim_actor_name(const bj_sim *sim, uint8_t actor) {
    if (actor == BJ_ACTOR_WORLD) {
        return "any";
    }
    return sim->hosts[actor] ? sim->hosts[actor]->name : "nobody";
}

bool sim_host_address(const bj_sim *sim, uint8_t actor, uint8_t family, bj_addr *address) {
    const sim_host *host = sim->hosts[actor];
    for (size_t i = 0; host && i < host->address_count; i++) {
        if (host->addresses[i].family == family) {
            *address = host->addresses[i];
            address->port = 0;
            return true;
        }
    }
    return false;
}

void sim_declare(bj_world *w, uint8_t actor, const char *name, const bj_addr *addresses, size_t count) {
    bj_sim *sim = sim_of(w);
    assert(actor != BJ_ACTOR_WORLD && actor != BJ_ACTOR_SCRIPT);
    sim_host *host = sim->hosts[actor];
    if (!host) {
        host = sim->hosts[actor] = bj_arena_alloc(sim->arena, sizeof *host);
        host->link = sim->default_link;
    }
    bj_arena_free(sim->arena, host->name);
    bj_arena_free(sim->arena, host->addresses);
    host->name = bj_arena_strdup(sim->arena, name);
    host->addresses = bj_arena_copy(sim->arena, addresses, count * sizeof *addresses);
    host->address_count = count;
    sim->last_host = actor > sim->last_host ? actor : sim->last_host;
    /* Everybody knows the client. */
    if (actor != BJ_ACTOR_CLIENT) {
        bj_addr first = count ? addresses[0] : (bj_addr){ 0 };
        sim_log(sim, (bj_event){ .kind = BJ_EV_ACTOR, .actor = actor, .from = first, .text = name });
    }
}

/* --- ports of the servers ------------------------------------------------------------------------------------- */

int sim_endpoint_at(const bj_sim *sim, bool stream, const bj_addr *to) {
    int wildcard = -1;
    for (int i = 0; i < sim->endpoint_count; i++) {
        const sim_endpoint *e = &sim->endpoints[i];
        if (e->stream != stream || e->local.port != to->port || e->local.family != to->family) {
            continue;
        }
        if (bj_addr_same_host(&e->local, to)) {
            return i;
        }
        if (sim_is_any(&e->local) && host_has(sim->hosts[e->actor], to)) {
            wildcard = i;
        }
    }
    return wildcard;
}

int sim_endpoint_reached(bj_sim *sim, bool stream, const bj_addr *to) {
    int endpoint = sim_endpoint_at(sim, stream, to);
    if (endpoint < 0 && sim->engine && bj_engine_is_healing(sim->engine)) {
        sim_tell_tick(sim);
        endpoint = sim_endpoint_at(sim, stream, to);
    }
    return endpoint;
}

/* The place of this very port in the table: ports that are closed and opened again keep theirs. */
static int endpoint_slot(bj_sim *sim, uint8_t actor, bool stream, const bj_addr *local) {
    for (int i = 0; i < sim->endpoint_count; i++) {
        const sim_endpoint *e = &sim->endpoints[i];
        if (e->actor == actor && e->stream == stream && bj_addr_equal(&e->local, local)) {
            return i;
        }
    }
    size_t size = sizeof *sim->endpoints * ((size_t) sim->endpoint_count + 1);
    sim->endpoints = bj_arena_realloc(sim->arena, sim->endpoints, size);
    sim->endpoints[sim->endpoint_count] = (sim_endpoint){ .stream = stream, .actor = actor, .local = *local };
    return sim->endpoint_count++;
}

int sim_open(bj_world *w, uint8_t actor, bj_transport transport, const bj_addr *local) {
    bj_sim *sim = sim_of(w);
    bool stream = transport == BJ_TCP || transport == BJ_TLS;
    if (!local->port || (local->family != 4 && local->family != 6)) {
        return -EINVAL;
    }
    if (!sim_is_any(local) && !host_has(sim->hosts[actor], local)) {
        return -EADDRNOTAVAIL;
    }
    int slot = endpoint_slot(sim, actor, stream, local);
    if (sim->endpoints[slot].open) {
        return -EADDRINUSE;
    }
    sim->endpoints[slot].open = true;
    sim->endpoints[slot].silent = false;
    return slot;
}

static sim_endpoint *open_endpoint(bj_sim *sim, int endpoint) {
    bool known = endpoint >= 0 && endpoint < sim->endpoint_count;
    return known && sim->endpoints[endpoint].open ? &sim->endpoints[endpoint] : NULL;
}

void sim_close(bj_world *w, int endpoint, bool silent) {
    bj_sim *sim = sim_of(w);
    sim_endpoint *e = open_endpoint(sim, endpoint);
    if (!e) {
        return;
    }
    e->open = false;
    e->silent = silent;
    if (e->stream) {
        sim_streams_of_endpoint_end(sim, endpoint, silent);
    }
}

/* --- links ---------------------------------------------------------------------------------------------------- */

static void tell_share(bj_text *text, const char *what, uint64_t millionths) {
    bj_text_add(text, what);
    if (millionths % 10000 == 0 && millionths <= 1000000) {
        bj_text_add_number(text, millionths / 10000);
    } else {
        bj_text_printf(text, "%g", millionths / 1e4);
    }
    bj_text_add_char(text, '%');
}

static void tell_of_link(bj_sim *sim, uint8_t actor, const bj_link *link) {
    BJ_TEXT(text, 200);
    bj_text_add(&text, "link of ");
    bj_text_add(&text, sim_actor_name(sim, actor));
    bj_text_add(&text, ": latency ");
    bj_duration_print(&text, link->latency);
    bj_text_add(&text, ", jitter ");
    bj_duration_print(&text, link->jitter);
    tell_share(&text, ", loss ", link->loss);
    tell_share(&text, ", duplicated ", link->duplicate);
    tell_share(&text, ", reordered ", link->reorder);
    if (link->mtu) {
        bj_text_printf(&text, ", at most %u bytes", (unsigned) link->mtu);
    }
    sim_log(sim, (bj_event){ .kind = BJ_EV_FAULT, .actor = actor, .text = text.start });
}

void sim_set_link(bj_world *w, uint8_t actor, const bj_link *link) {
    bj_sim *sim = sim_of(w);
    bool changed = false;
    for (int i = BJ_ACTOR_SERVER_0; i <= sim->last_host; i++) {
        if (sim->hosts[i] && (actor == BJ_ACTOR_WORLD || actor == i)) {
            changed = changed || memcmp(&sim->hosts[i]->link, link, sizeof *link) != 0;
            sim->hosts[i]->link = *link;
        }
    }
    if (actor == BJ_ACTOR_WORLD) {
        sim->default_link = *link;
    }
    if (changed) {
        tell_of_link(sim, actor, link);
    }
}

sim_host *sim_link_between(bj_sim *sim, uint8_t from, uint8_t to, sim_direction **way) {
    sim_host *host = sim->hosts[to == BJ_ACTOR_CLIENT ? from : to];
    assert(host);
    *way = to == BJ_ACTOR_CLIENT ? &host->to_client : &host->to_server;
    return host;
}

bj_time sim_arrival(bj_sim *sim, sim_direction *way, bj_time delay, uint32_t *tie) {
    bj_time time = sim_later(sim->now, delay);
    *tie = sim_tie(sim);
    if (time == BJ_NEVER) {
        return time;
    }
    if (time < way->last) {
        time = way->last;
    }
    /* What arrives at the same moment on one way keeps its order: the tie of the first counts for all. */
    if (time == way->last) {
        *tie = way->last_tie;
    }
    way->last = time;
    way->last_tie = *tie;
    return time;
}

static void lose(bj_sim *sim, sim_packet *packet, const char *why) {
    sim_log(sim, (bj_event){ .kind = BJ_EV_LOST,
                             .actor = BJ_ACTOR_WORLD,
                             .cause = packet->sent,
                             .from = packet->from,
                             .to = packet->to,
                             .text = why });
    sim_packet_free(sim, packet);
}

/* Puts a datagram on the link: in order, but for one that a fault delays or that may overtake. */
static void put_on_link(bj_sim *sim, sim_packet *packet, const sim_struck *struck) {
    sim_direction *way;
    const bj_link *link = &sim_link_between(sim, packet->from_actor, packet->to_actor, &way)->link;
    bj_time delay = sim_later(link->latency, link->jitter ? bj_rng_below(&sim->world, link->jitter + 1) : 0);
    bool overtakes = bj_rng_chance(&sim->world, link->reorder);
    bj_time time;
    uint32_t tie;
    if (overtakes) {
        delay = bj_rng_below(&sim->world, delay + 1);
    }
    if (overtakes || struck->delayed) {
        tie = sim_tie(sim);
        time = sim_later(sim->now, sim_later(delay, struck->delay));
    } else {
        time = sim_arrival(sim, way, delay, &tie);
    }
    if (time == BJ_NEVER) {
        lose(sim, packet, "delayed for ever");
    } else {
        sim_queue_push(sim, time, tie, SIM_DATAGRAM, packet);
    }
}

static sim_packet *packet_again(bj_sim *sim, const sim_packet *packet) {
    return bj_arena_copy(sim->arena, packet, sizeof *packet + packet->length);
}

static void put_duplicates_on_link(bj_sim *sim, sim_packet *packet, const bj_link *link, sim_struck *struck) {
    if (bj_rng_chance(&sim->world, link->duplicate)) {
        put_on_link(sim, packet_again(sim, packet), struck);
    }
    if (struck->duplicated) {
        sim_struck later = *struck;
        later.delayed = true;
        later.delay = sim_later(struck->delay, struck->apart);
        put_on_link(sim, packet_again(sim, packet), &later);
    }
}

void sim_transmit(bj_sim *sim, sim_packet *packet) {
    int to = sim_host_of(sim, &packet->to);
    if (to < 0) {
        lose(sim, packet, "no host has this address");
        return;
    }
    packet->to_actor = (uint8_t) to;
    sim_struck struck = sim_strike(sim, packet);
    sim_direction *way;
    const bj_link *link = &sim_link_between(sim, packet->from_actor, packet->to_actor, &way)->link;
    if (struck.dropped) {
        lose(sim, packet, "dropped by a fault");
    } else if (link->mtu && packet->length > link->mtu) {
        lose(sim, packet, "larger than the MTU");
    } else if (bj_rng_chance(&sim->world, link->loss)) {
        lose(sim, packet, "lost on the link");
    } else {
        put_duplicates_on_link(sim, packet, link, &struck);
        put_on_link(sim, packet, &struck);
    }
}

/* --- arrival -------------------------------------------------------------------------------------------------- */

static uint32_t log_received(bj_sim *sim, const sim_packet *packet) {
    return sim_log(sim, (bj_event){ .kind = BJ_EV_RECEIVED,
                                    .actor = packet->to_actor,
                                    .cause = packet->sent,
                                    .from = packet->from,
                                    .to = packet->to,
                                    .raw = packet->data,
                                    .raw_length = packet->length });
}

/* RFC 1812 §4.3.2.3: an ICMP message is at most 576 bytes, with two IP headers, its own and UDP's. */
enum { ICMP_QUOTED = 576 - 20 - 8 - 20 - 8 };

/* RFC 1122 §4.1.3.1: a datagram for a port where nobody listens is answered with an ICMP Port Unreachable. */
static void refuse(bj_sim *sim, sim_packet *packet) {
    sim_direction *way;
    bj_time latency = sim_link_between(sim, packet->to_actor, packet->from_actor, &way)->link.latency;
    size_t quoted = packet->length < ICMP_QUOTED ? packet->length : ICMP_QUOTED;
    sim_packet *icmp = sim_packet_new(sim, &packet->from, &packet->to, packet->data, quoted);
    icmp->from_actor = packet->from_actor;
    icmp->to_actor = packet->to_actor;
    icmp->sent = packet->sent;
    uint32_t tie;
    bj_time time = sim_arrival(sim, way, latency, &tie);
    sim_queue_push(sim, time, tie, SIM_ICMP, icmp);
    lose(sim, packet, "the port is closed");
}

static void arrives_at_client(bj_sim *sim, sim_packet *packet) {
    bj_sim_socket *s = sim_socket_for(sim, false, &packet->from, &packet->to);
    if (sim->off) {
        lose(sim, packet, "the client's power is off");
    } else if (!s) {
        refuse(sim, packet);
    } else if (s->queued + packet->length > SIM_RECEIVE_ROOM) {
        lose(sim, packet, "the socket's buffer is full");
    } else {
        log_received(sim, packet);
        sim_socket_take(s, packet);
    }
}

static void arrives_at_server(bj_sim *sim, sim_packet *packet) {
    int endpoint = sim_endpoint_reached(sim, false, &packet->to);
    if (endpoint >= 0 && sim->endpoints[endpoint].open) {
        uint32_t event = log_received(sim, packet);
        sim_tell_datagram(sim, endpoint, packet, event);
        sim_packet_free(sim, packet);
    } else if (endpoint >= 0 && sim->endpoints[endpoint].silent) {
        lose(sim, packet, "the host is dead");
    } else {
        refuse(sim, packet);
    }
}

void sim_datagram_arrives(bj_sim *sim, sim_packet *packet) {
    packet->time = sim->now;
    if (packet->to_actor == BJ_ACTOR_CLIENT) {
        arrives_at_client(sim, packet);
    } else {
        arrives_at_server(sim, packet);
    }
}

void sim_icmp_arrives(bj_sim *sim, sim_packet *packet) {
    bool client = packet->from_actor == BJ_ACTOR_CLIENT;
    uint32_t event = sim_log(sim, (bj_event){ .kind = BJ_EV_ICMP,
                                              .actor = packet->from_actor,
                                              .cause = packet->sent,
                                              .from = packet->to,
                                              .to = packet->from,
                                              .text = "port unreachable" });
    if (client && sim_sockets_refused(sim, &packet->from, &packet->to, packet->data, packet->length)) {
        sim_tell_icmp(sim, &packet->to, event);
    }
    sim_packet_free(sim, packet);
}

/* --- sending from a server ------------------------------------------------------------------------------------ */

int64_t sim_send(bj_world *w, int endpoint, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                 size_t length, uint32_t cause) {
    bj_sim *sim = sim_of(w);
    const sim_endpoint *e = open_endpoint(sim, endpoint);
    if (!e || e->stream) {
        return -EBADF;
    }
    if (length > 65507) {
        return -EMSGSIZE;
    }
    bj_addr from = source ? *source : e->local;
    uint16_t port = from.port;
    if (sim_is_any(&from) && !sim_host_address(sim, e->actor, peer->family, &from)) {
        return -EAFNOSUPPORT;
    }
    from.port = port ? port : e->local.port;
    sim_packet *packet = sim_packet_new(sim, &from, peer, data, length);
    packet->from_actor = e->actor;
    packet->sent = sim_log(sim, (bj_event){ .kind = BJ_EV_SENT,
                                            .actor = e->actor,
                                            .cause = cause,
                                            .from = from,
                                            .to = *peer,
                                            .raw = data,
                                            .raw_length = length });
    int64_t sequence = packet->sent;
    sim_transmit(sim, packet);
    return sequence;
}
