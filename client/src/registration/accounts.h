/* SPDX-License-Identifier: Apache-2.0
 *
 * Server accounts: a Security and a Server instance with the same Short Server ID (LwM2M Core 1.1 §6.1.2), and whether
 * there are any that the client can use.
 */
#ifndef BJC_REGISTRATION_ACCOUNTS_H
#define BJC_REGISTRATION_ACCOUNTS_H

#include "objects/objects.h"

/* Rule: there is an instance of /1, and one of /0 that is not the Bootstrap-Server's. `*reason` is static. */
bootjack_error bjc_accounts_check_existence(const bjc_store *security, const bjc_store *server, const char **reason);
/* Rule: every instance of /1 has its instance of /0. An instance of /0 that no /1 belongs to is only logged. */
bootjack_error bjc_accounts_check_ids(const bjc_core *core, const bjc_store *security, const bjc_store *server,
                                      const char **reason);
/* Sets /1/x/12, Last Bootstrapped, of every server. */
void bjc_accounts_note_bootstrap(const bjc_core *core, bjc_store *server);

#endif
