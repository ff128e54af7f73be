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

#endif
