/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack serve --suite --one-port`: one port for the bootstrap servers of all devices. Who comes is known by the
 * address of the device, where that is told, or says its Endpoint Client Name in its Bootstrap-Request or Register;
 * from then on its datagrams go to that device's server, and the answers back, as through a network address translator.
 * Of DTLS nothing can be read before the server has answered, the pre-shared key's identity neither (RFC 4279 section
 * 2: it comes in the ClientKeyExchange, behind the server's random bytes), and over TCP a client may wait for the
 * server's settings (RFC 8323 section 5.3), so devices that speak these are known by their addresses alone; or by being
 * the only one.
 */
#ifndef BJ_CLI_DOOR_H
#define BJ_CLI_DOOR_H

#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"

typedef struct cli_door_device {
    const char *name; /* its Endpoint Client Name */
    uint16_t port;    /* where its server listens, at the same address as the door */
    bj_addr address;  /* from which it comes, whatever the port; family 0: not known */
} cli_door_device;

/* Opens it at `listen` (address and port) in a process of its own, which ends with this one or by cli_door_close(). -1:
 * it cannot be opened, which was said. `devices` need not outlive the call. */
pid_t cli_door_open(const bj_addr *listen, const cli_door_device *devices, size_t count);
void cli_door_close(pid_t door);

#endif
