/* SPDX-License-Identifier: Apache-2.0
 *
 * The storage of the ready-made Objects: instances with typed resource values, driven by the Object's table of
 * Resources. It keeps a copy of itself during a transaction, and can make short-lived copies to undo one operation.
 */
#ifndef BJC_MODEL_STORE_H
#define BJC_MODEL_STORE_H

#include "bootjack/data_model.h"
#include "bootjack/limits.h"
#include "core.h"

#define BJC_STORE_MAX_INSTANCES BOOTJACK_MAX_INSTANCES /* of one Object */
#define BJC_STORE_MAX_CELLS     BOOTJACK_MAX_VALUES    /* resources and resource instances of one Object Instance */
#define BJC_STORE_MAX_VALUE     BOOTJACK_MAX_VALUE     /* bytes of one value */

/* One resource, or one resource instance. */
typedef struct bjc_cell {
    struct bjc_cell *next;
    uint16_t rid, riid;
    size_t size; /* of this cell with its bytes, for wiping */
    bootjack_value value;
    uint8_t bytes[];
} bjc_cell;

typedef struct bjc_instance {
    struct bjc_instance *next;
    uint16_t iid;
    uint32_t born;   /* the how-manieth instance of its store: one that was deleted and made anew is another one */
    bool written;    /* through the handlers, since the last transaction began; with the same values, too */
    bjc_cell *cells; /* ascending by resource, resource instance */
} bjc_instance;

typedef struct bjc_store {
    const bjc_core *core;
    const bootjack_object *object;
    bjc_instance *instances; /* ascending */
    uint32_t births;
    bjc_instance *before; /* the copy that a transaction made */
    bool in_transaction;
    /* What the Object demands beyond its table; NULL = nothing. */
    bootjack_error (*check)(const struct bjc_store *store, char *reason, size_t reason_size);
    /* Whether a reset leaves this resource alone; NULL = none. */
    bool (*keeps)(const bootjack_resource *resource);
    bootjack_error (*execute)(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments, size_t length);
    void *context; /* of execute */
} bjc_store;

/* The handlers of an Object that lives in a store; their context is the bjc_store. */
extern const bootjack_object_handlers bjc_store_handlers;

void bjc_store_init(bjc_store *store, const bjc_core *core, const bootjack_object *object);
void bjc_store_free(bjc_store *store);

bjc_instance *bjc_store_instance(const bjc_store *store, uint16_t iid);
/* Whether the transaction that is open made the instance, or wrote to it. */
bool bjc_store_written(const bjc_store *store, uint16_t iid);
/* NULL = absent. */
const bootjack_value *bjc_store_get(const bjc_store *store, uint16_t iid, uint16_t rid, uint16_t riid);
/* Numbers and flags of a single resource, `absent` when it is not there. */
int64_t bjc_store_integer(const bjc_store *store, uint16_t iid, uint16_t rid, int64_t absent);
bool bjc_store_boolean(const bjc_store *store, uint16_t iid, uint16_t rid, bool absent);
/* A look at what is valid: what was there before the transaction that is open, or what is there now. */
bjc_store bjc_store_valid(const bjc_store *store);
bootjack_error bjc_store_set(bjc_store *store, uint16_t iid, uint16_t rid, uint16_t riid, const bootjack_value *value);
bootjack_error bjc_store_create(bjc_store *store, uint16_t iid);
bootjack_error bjc_store_remove(bjc_store *store, uint16_t iid);
/* The lowest Object Instance ID that is not in use. */
uint16_t bjc_store_free_id(const bjc_store *store);

/* Whether a resource can have that value, or one of its instances, at all: what comes in a payload is asked that by its
 * decoder and at the end of the write. BOOTJACK_ERR_NOT_FOUND, BOOTJACK_ERR_TYPE, BOOTJACK_ERR_PATH,
 * BOOTJACK_ERR_RANGE. */
bootjack_error bjc_store_may_set(const bjc_store *store, uint16_t rid, uint16_t riid, const bootjack_value *value);

/* Convenience for factory data. */
bootjack_error bjc_store_set_integer(bjc_store *store, uint16_t iid, uint16_t rid, int64_t number);
bootjack_error bjc_store_set_boolean(bjc_store *store, uint16_t iid, uint16_t rid, bool boolean);
bootjack_error bjc_store_set_text(bjc_store *store, uint16_t iid, uint16_t rid, const char *text);
bootjack_error bjc_store_set_bytes(bjc_store *store, uint16_t iid, uint16_t rid, const uint8_t *data, size_t length);

/* A copy of all instances, to be given to one of the other two. BOOTJACK_ERR_MEMORY. */
bootjack_error bjc_store_save(const bjc_store *store, bjc_instance **saved);
void bjc_store_restore(bjc_store *store, bjc_instance *saved);
void bjc_store_forget(const bjc_store *store, bjc_instance *saved);

/* Mandatory resources, ranges, and the Object's own check, over all instances. */
/* BOOTJACK_ERR_RANGE: a value of that instance is outside the range of its resource; the reason names it. */
bootjack_error bjc_store_check_ranges(const bjc_store *store, uint16_t iid, char *reason, size_t reason_size);
bootjack_error bjc_store_validate(const bjc_store *store, char *reason, size_t reason_size);

const bootjack_resource *bjc_resource_find(const bootjack_object *object, uint16_t rid);

#endif
