/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of notifications (LwM2M Core 1.1 §5.1.2): what Write-Attributes sets, each server for itself, at an
 * Object, an Object Instance, a Resource or a Resource Instance, and what is inherited from above.
 */
#ifndef BJC_REPORTING_ATTRIBUTES_H
#define BJC_REPORTING_ATTRIBUTES_H

#include "bootjack/limits.h"
#include "core.h"
#include "formats/entry.h"
#include "util/uri.h"

#define BJC_ATTRIBUTES_MAX BOOTJACK_MAX_ATTRIBUTES /* places at which one client keeps attributes */

enum {
    BJC_PMIN = BOOTJACK_ATTRIBUTE_PMIN,
    BJC_PMAX = BOOTJACK_ATTRIBUTE_PMAX,
    BJC_GT = BOOTJACK_ATTRIBUTE_GT,
    BJC_LT = BOOTJACK_ATTRIBUTE_LT,
    BJC_ST = BOOTJACK_ATTRIBUTE_ST,
    BJC_EPMIN = BOOTJACK_ATTRIBUTE_EPMIN,
    BJC_EPMAX = BOOTJACK_ATTRIBUTE_EPMAX,
    BJC_CON = BOOTJACK_ATTRIBUTE_CON,
    BJC_THRESHOLDS = BJC_GT | BJC_LT | BJC_ST
};

typedef bootjack_attributes bjc_attributes;

/* Reads Uri-Query options. `unset`: attributes that came without a value, which takes them away (§6.3.4). False: an
 * attribute that the release does not have, one that comes twice, a value that it cannot have. */
bool bjc_attributes_parse(bootjack_version release, const bjc_text *query, size_t count, bjc_attributes *set,
                          unsigned *unset);
/* Rule: lt < gt, lt + 2 * st < gt (§5.1.2). */
bool bjc_attributes_consistent(const bjc_attributes *attributes);
/* Puts what `over` has over what `attributes` has. */
void bjc_attributes_merge(bjc_attributes *attributes, const bjc_attributes *over);
/* Appends ";pmin=10;gt=42.5" to a link. */
void bjc_attributes_print(const bjc_attributes *attributes, bjc_buffer *out);

/* --- what servers set ------------------------------------------------------------------------------------------- */

typedef struct bjc_attributes_entry {
    struct bjc_attributes_entry *next;
    uint16_t ssid;
    bjc_path path;
    bjc_attributes own;
} bjc_attributes_entry;

typedef struct bjc_attributes_table {
    const bjc_core *core;
    bjc_attributes_entry *list;
} bjc_attributes_table;

void bjc_attributes_free(bjc_attributes_table *table);
/* What a server asks for at a path: `unset` has the bits of what is taken away. */
typedef struct bjc_attributes_change {
    uint16_t ssid;
    bjc_path path;
    bjc_attributes set;
    unsigned unset;
} bjc_attributes_change;

/* Whoever else must agree; anything but BOOTJACK_OK forbids the change. */
typedef bootjack_error bjc_attributes_consent(void *context, const bjc_attributes_change *change);

/* `consent` (NULL = nobody) is asked once nothing else can fail. BOOTJACK_ERR_INCONSISTENT: they would contradict each
 * other. BOOTJACK_ERR_LIMIT, MEMORY, what `consent` says. Nothing changes then. */
bootjack_error bjc_attributes_write(bjc_attributes_table *table, const bjc_attributes_change *change,
                                    bjc_attributes_consent *consent, void *context);
/* Those set at the path itself. */
bjc_attributes bjc_attributes_own(const bjc_attributes_table *table, uint16_t ssid, const bjc_path *path);
/* With those inherited from above. */
bjc_attributes bjc_attributes_effective(const bjc_attributes_table *table, uint16_t ssid, const bjc_path *path);
/* What was removed takes its attributes along. */
void bjc_attributes_forget_path(bjc_attributes_table *table, const bjc_path *path);
void bjc_attributes_forget_server(bjc_attributes_table *table, uint16_t ssid);

#endif
