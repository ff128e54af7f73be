/* SPDX-License-Identifier: Apache-2.0
 *
 * All Objects of a client, and the transaction over them.
 */
#ifndef BJC_MODEL_MODEL_H
#define BJC_MODEL_MODEL_H

#include "formats/format.h"
#include "model/store.h"

typedef struct bjc_object {
    struct bjc_object *next;
    const bootjack_object *definition;
    const bootjack_object_handlers *handlers;
    void *context;
    bjc_store *store; /* NULL: the application's own Object */
    bool begun;       /* its transaction handlers were told */
} bjc_object;

typedef struct bjc_model {
    const bjc_core *core;
    bjc_object *objects; /* ascending */
    bool in_transaction;
} bjc_model;

void bjc_model_init(bjc_model *model, const bjc_core *core);
/* Forgets the Objects; an open transaction is rolled back. Stores are freed by their owners. */
void bjc_model_free(bjc_model *model);
bootjack_error bjc_model_install(bjc_model *model, const bootjack_object *definition, void *context, bjc_store *store);
bjc_object *bjc_model_object(const bjc_model *model, uint16_t oid);
bool bjc_model_has_instance(const bjc_object *object, uint16_t iid);

/* The transaction. A failed begin leaves none open. */
bootjack_error bjc_model_begin(bjc_model *model);
/* Asks every Object; the first refusal is logged and returned. */
bootjack_error bjc_model_validate(bjc_model *model);
void bjc_model_commit(bjc_model *model);
void bjc_model_roll_back(bjc_model *model);

/* Writes a payload to a target of depth 1 to 3 regardless of access rights, as a Bootstrap-Server may (LwM2M Core 1.1
 * §6.1.7.5): instances are made as needed, an instance written whole loses what the payload does not name, optional
 * resources that the Object does not know are passed over (not when the path itself names one). Decoded and checked for
 * types as a whole before anything changes. */
bootjack_error bjc_model_write(bjc_model *model, const bjc_path *target, const bjc_format *format,
                               const uint8_t *payload, size_t length);
/* Reads an Object, an instance, a resource or a resource instance into `out`; secrets, executable and (unless `all`)
 * unreadable resources are left out, or refused when the path names one. */
bootjack_error bjc_model_read(const bjc_model *model, const bjc_path *target, const bjc_format *format, bool all,
                              bjc_buffer *out);

#endif
