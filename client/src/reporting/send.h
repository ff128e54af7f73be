/* SPDX-License-Identifier: Apache-2.0
 *
 * Send (LwM2M Core 1.1 §6.4.6): data that the client sends on its own.
 */
#ifndef BJC_REPORTING_SEND_H
#define BJC_REPORTING_SEND_H

#include "bootjack/limits.h"
#include "bootjack/reporting.h"
#include "reporting/reporting.h"

#define BJC_SEND_PATHS BOOTJACK_MAX_COMPOSITE_PATHS

/* See bootjack_send(). */
bootjack_error bjc_send(bjc_reporting *reporting, uint16_t ssid, const bootjack_path *paths, size_t count,
                        bootjack_send_result *done, void *context);
/* What an application named, in any order and as often as it liked, as a list for bjc_model_read_paths(); `to` has room
 * for `count`. Returns how many they are, 0 = one of them is no path that may be sent. */
size_t bjc_send_paths(const bootjack_path *from, size_t count, bjc_path *to);

#endif
