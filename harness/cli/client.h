/* SPDX-License-Identifier: Apache-2.0
 *
 * Which client is meant: `--client` and the profiles.
 */
#ifndef BJ_CLI_CLIENT_H
#define BJ_CLI_CLIENT_H

#include "attach/run.h"

typedef struct cli_client {
    const char *argument; /* as the user gave it; "linked" when he gave none */
    const bj_record *profile;
    bj_attach attach;
    bool own; /* our client, linked: its results are believed without a canary */
} cli_client;

/* NULL: the default, our linked client. false: a message was printed. */
bool cli_client_find(bj_arena *arena, const char *argument, cli_client *client);

/* The deviation of the profile that covers this scenario (by file name, path or title), or NULL. */
const bj_record *cli_client_deviation(const cli_client *client, const char *file, const char *title);

#endif
