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
/* Unbootstrapping (LwM2M Transport 1.1 §5.2.5; TS 1.0 Appendix E.1.3): a Server instance whose Security instance the
 * session deleted goes, too, unless the session wrote it. Not when it would be the last account: that configuration is
 * refused, or leads back to the Bootstrap-Server, as it is. Inside a transaction. */
void bjc_accounts_drop_unpaired(const bjc_core *core, const bjc_store *security, bjc_store *server);
/* Sets /1/x/12, Last Bootstrapped, of every account of which the bootstrap wrote an instance of /0 or /1 (LwM2M
 * Core 1.1 Appendix E.2); before its transaction is committed. */
void bjc_accounts_note_bootstrap(const bjc_core *core, const bjc_store *security, bjc_store *server);

/* An account at one moment: which instances it was made of, and what was in them but for what the client itself notes
 * there (/1/x/11, /1/x/12). An instance that was deleted and written again is not the one that it was. */
typedef struct bjc_account_mark {
    uint32_t security_born, server_born;
    uint64_t security, server; /* fingerprints */
} bjc_account_mark;

/* The instance of /0 that it was made of; -1: it was deleted since. */
int32_t bjc_account_of_mark(const bjc_store *security, bjc_account_mark mark);
/* `security_iid` < 0: there is none. */
bjc_account_mark bjc_account_mark_of(const bjc_store *security, int32_t security_iid, const bjc_store *server,
                                     uint16_t server_iid);
/* FNV-1a, for fingerprints; begin with BJC_FINGERPRINT. */
#define BJC_FINGERPRINT UINT64_C(0xcbf29ce484222325)
uint64_t bjc_fingerprint(uint64_t present, const void *data, size_t length);

#endif
