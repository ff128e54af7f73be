/* SPDX-License-Identifier: Apache-2.0
 *
 * When the state is loaded and saved (bootjack/persistence.h).
 */
#ifndef BJC_PERSISTENCE_PERSISTENCE_H
#define BJC_PERSISTENCE_PERSISTENCE_H

#include "bootjack/persistence.h"
#include "persistence/file.h"
#include "persistence/state.h"

typedef struct bjc_persistence {
    bjc_core *core;
    const bjc_model *model;
    bool *bootstrapped; /* saved and loaded with the Objects */
    const bjc_file_operations *files;
    bjc_file_names names; /* path NULL: nothing is saved */
    bjc_timer retry;      /* armed: the last save failed */
} bjc_persistence;

void bjc_persistence_init(bjc_persistence *persistence, bjc_core *core, const bjc_model *model, bool *bootstrapped);
void bjc_persistence_free(bjc_persistence *persistence);
bootjack_error bjc_persistence_load(bjc_persistence *persistence, const char *file);
bootjack_error bjc_persistence_save(bjc_persistence *persistence);
/* Something that is saved has changed for good. */
void bjc_persistence_changed(bjc_persistence *persistence);
/* The client stops: what waits for its next attempt has no other. */
void bjc_persistence_stop(bjc_persistence *persistence);

#endif
