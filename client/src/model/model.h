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
    const bootjack_object *definition; /* `own`: with the resources of the client's enabler release only */
    bootjack_object own;
    const bootjack_object_handlers *handlers;
    void *context;
    bjc_store *store; /* NULL: the application's own Object */
    bool begun;       /* its transaction handlers were told */
    bootjack_resource resources[];
} bjc_object;

typedef struct bjc_model {
    const bjc_core *core;
    bjc_object *objects; /* ascending */
    bool in_transaction;
} bjc_model;

void bjc_model_init(bjc_model *model, const bjc_core *core);
/* Forgets the Objects; an open transaction is rolled back. Stores are freed by their owners. */
void bjc_model_free(bjc_model *model);
/* Whether an application's description of an Object holds together: handlers that must be there, resources in ascending
 * order, a version of the form "1.0". */
bool bjc_definition_usable(const bootjack_object *definition);
/* Takes over those resources of the table that the client's enabler release has; a store is told which. */
bootjack_error bjc_model_install(bjc_model *model, const bootjack_object *definition, void *context, bjc_store *store);
/* Undoes it; nothing when the Object is not there. */
void bjc_model_uninstall(bjc_model *model, uint16_t oid);
bjc_object *bjc_model_object(const bjc_model *model, uint16_t oid);
/* The version to show in Register and Discover, NULL when it is the one that the enabler release implies (LwM2M Core
 * 1.1 §7.2.2). */
const char *bjc_model_version(const bjc_model *model, const bjc_object *object);
bool bjc_model_has_instance(const bjc_object *object, uint16_t iid);
/* Of an instance that is there. */
bool bjc_model_has_resource_instance(const bjc_object *object, uint16_t iid, const bootjack_resource *resource,
                                     uint16_t riid);

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
/* The same for a payload with instances of several Objects (LwM2M Core 1.2 §6.1.7.7). What was written of one is not
 * taken back when the next is refused: that is the transaction's. An Object that is not there: BOOTJACK_ERR_NOT_FOUND.
 */
bootjack_error bjc_model_write_objects(bjc_model *model, const bjc_format *format, const uint8_t *payload,
                                       size_t length);
/* How a payload is understood. */
typedef enum bjc_write_mode {
    BJC_WRITE_BOOTSTRAP = 0,
    BJC_WRITE_REPLACE, /* Write, PUT: what a server may write is replaced */
    BJC_WRITE_UPDATE,  /* Write, POST: resources and resource instances are added or changed */
    BJC_WRITE_CREATE   /* an instance that is not there yet, unwritable resources included */
} bjc_write_mode;

/* A server's write (LwM2M Core 1.1 §6.3.3, §6.3.5); borrows everything. */
typedef struct bjc_write {
    bjc_write_mode mode; /* not of a Bootstrap-Server */
    bjc_path target;     /* the root when several Objects are written at once (Write-Composite) */
    const bjc_format *format;
    const uint8_t *payload;
    size_t length;
    int32_t placeholder; /* what Object Instance ID 65535 stands for in the payload; -1 = nothing */
} bjc_write;

/* Opens a transaction of one Object for a write, and ends it. */
bootjack_error bjc_model_begin_write(bjc_object *object);
void bjc_model_end_write(bjc_object *object, bool keep);
/* Whether what the payload says of this Object could be written, by its form, its types and the resources' operations;
 * nothing changes. BOOTJACK_ERR_METHOD: a resource that servers cannot write. */
bootjack_error bjc_model_look(bjc_model *model, const bjc_write *write, bjc_object *object);
/* Looks, writes, and judges the result (mandatory resources, ranges, the Object's own check). Inside a transaction of
 * the Object; when it fails, roll that back. */
bootjack_error bjc_model_apply(bjc_model *model, const bjc_write *write, bjc_object *object);

/* Rule: mandatory resources are there. */
bootjack_error bjc_model_check_instance(const bjc_object *object, uint16_t iid);

/* Which instances a read may show; NULL in place of it = all. */
typedef struct bjc_readable {
    bool (*instance)(void *context, uint16_t oid, uint16_t iid);
    void *context;
} bjc_readable;

/* Reads all of `paths` as a server may (LwM2M Core 1.1 §6.3.1, §6.3.8): one path as bjc_model_read() does, into a
 * payload whose target it is. `composite`: any number of them, in ascending order and none inside another, into a
 * payload whose target is the root; what is not there, or cannot be read, is left out. */
bootjack_error bjc_model_read_paths(const bjc_model *model, const bjc_path *paths, size_t count, bool composite,
                                    const bjc_format *format, const bjc_readable *readable, bjc_buffer *out);
/* Reads an Object, an instance, a resource or a resource instance into `out`; secrets, executable and (unless `all`)
 * unreadable resources are left out, or refused when the path names one. */
bootjack_error bjc_model_read(const bjc_model *model, const bjc_path *target, const bjc_format *format, bool all,
                              bjc_buffer *out);

#endif
