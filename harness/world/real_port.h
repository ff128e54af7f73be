/* SPDX-License-Identifier: Apache-2.0
 *
 * The ports of the servers in the real world; private to it.
 */
#ifndef BJ_WORLD_REAL_PORT_H
#define BJ_WORLD_REAL_PORT_H

#include "world/real_internal.h"

/* The port of this machine that stands for a server's; reserved now when it was not known. 0 = its first. */
int real_port_for(bj_real_world *real, uint8_t actor, uint16_t port, real_port **found);
int real_open(bj_world *w, uint8_t actor, bj_transport transport, const bj_addr *local);
void real_close(bj_world *w, int endpoint, bool silent);
/* NULL: there is no such endpoint. */
real_way *real_way_of(const bj_real_world *real, int endpoint);
void real_receive(bj_real_world *real, real_way *way);
int64_t real_send(bj_world *w, int endpoint, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                  size_t length, uint32_t cause);

#endif
