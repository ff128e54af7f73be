/* SPDX-License-Identifier: Apache-2.0
 *
 * What the oracles of device management share: an exchange of a server with the client, what of the core Objects
 * (/1, /2, /3) and of the test Object (/3442) the registered definitions say, values whatever format carries them.
 *
 *   management.c    which exchanges are judged; what must be refused whatever the client holds
 *   definitions.c   operations, types and releases of the Objects' resources
 *   values.c        a reference model of what accepted Writes left, and Reads showed
 *   paths.c         what composite operations name
 *   attributes.c    attributes that servers set
 *   observations.c  what is notified of, and when
 *   access.c        rights of servers
 *   instances.c     Object Instances that registrations list, that were made and removed
 */
#ifndef BJ_ORACLE_MANAGEMENT_H
#define BJ_ORACLE_MANAGEMENT_H

#include "oracle/internal.h"

typedef enum oracle_manages {
    ORACLE_MANAGES_OTHER = 0, /* what it is, or what it changes, cannot be told */
    ORACLE_MANAGES_READ,
    ORACLE_MANAGES_DISCOVER,
    ORACLE_MANAGES_REPLACE, /* PUT */
    ORACLE_MANAGES_UPDATE,  /* POST on an Object Instance: a partial update */
    ORACLE_MANAGES_ATTRIBUTES,
    ORACLE_MANAGES_EXECUTE,
    ORACLE_MANAGES_CREATE,
    ORACLE_MANAGES_DELETE,
    ORACLE_MANAGES_READ_COMPOSITE,
    ORACLE_MANAGES_WRITE_COMPOSITE,
} oracle_manages;

/* A request of a server with which the client is registered, and the client's first response to it. */
typedef struct oracle_managed {
    oracle_manages kind;
    bool plain; /* nothing but paths, queries, formats and Observe among its options; not in blocks */
    bool whole; /* so is the response */
    bool alone; /* no other request of management was under way meanwhile */
    const oracle_foreign *f;
    const bj_coap *request;
    const oracle_seen *s; /* the response */
} oracle_managed;

/* --- management.c --- */

/* "POST /1/0/8 of 192.0.2.11:5683" for reasons. */
void oracle_describe_managed(const oracle_managed *x, bj_text *out);
/* What is known of the client's resources and instances is known no more: a bootstrap, a restart. */
void oracle_management_forget(bj_oracle *o);

/* --- definitions.c --- */

typedef struct oracle_definition {
    char operations; /* 'R' read only, 'W' read and written, 'E' executed, 'N' none or read only, by release; 0: not
                        known */
    char type;       /* as bj_resource_type() has it; '?' not known */
    bool multiple;
    bool mandatory;
    uint8_t since; /* enabler release: 10, 11, 12 */
    bool stays;    /* only servers change it */
} oracle_definition;

/* Of the resource that a path of depth 3 or 4 names. */
oracle_definition oracle_definition_of(const bj_path *path);
/* Has that Object one Instance only? */
bool oracle_is_single(unsigned object);

/* --- values --- */

/* What an entry says of a resource of that type. */
oracle_value oracle_value_of(const bj_entry *entry, char type);
bool oracle_value_same(const oracle_value *a, const oracle_value *b);
void oracle_value_print(bj_text *out, const oracle_value *value);

/* "-12.5"; false: it is no number, or one with an exponent. */
bool oracle_real_of(const char *text, double *number);

/* Walks the entries of a payload to (or of) a path; false: it cannot be read, or not to its end. */
typedef void oracle_entry_visit(bj_oracle *o, void *context, const bj_entry *entry);
bool oracle_entries_of(bj_oracle *o, const bj_path *path, const bj_coap *m, oracle_entry_visit *visit, void *context);

/* --- paths.c --- */

enum { ORACLE_PATHS = 16 };

typedef struct oracle_paths {
    bj_path paths[ORACLE_PATHS];
    unsigned count;
} oracle_paths;

/* Of a request of Read-Composite; false: it names others, too, or cannot be read. */
bool oracle_paths_of(const bj_coap *request, oracle_paths *paths);

/* --- values.c --- */

void oracle_values_answered(bj_oracle *o, const oracle_managed *x);
void oracle_values_forget(bj_oracle *o, const bj_path *scope); /* depth 0: all */
/* What the client says of a resource of which nothing is known yet. */
void oracle_values_learn(bj_oracle *o, const bj_entry *entry, bj_time at);
void oracle_values_learn_absent(bj_oracle *o, const bj_path *path, bj_time at);
/* A Bootstrap-Write was answered. */
void oracle_values_bootstrapped(bj_oracle *o, const oracle_managed *x);
/* An instance of /1 is of the factory, and has nothing but what the scenario says. */
void oracle_values_from_factory(bj_oracle *o, unsigned instance, bj_time at);
/* Is it an Execute that leaves all resources as they are? */
bool oracle_changes_nothing(const oracle_managed *x);
/* NULL: nothing is known. */
const oracle_resource *oracle_resource_known(bj_oracle *o, const bj_path *path);

/* --- attributes.c --- */

typedef enum oracle_knowledge { ORACLE_UNSURE = 0, ORACLE_KNOWN_ABSENT, ORACLE_KNOWN } oracle_knowledge;

void oracle_attributes_answered(bj_oracle *o, const oracle_managed *x);
void oracle_attributes_forget(bj_oracle *o);
/* What counts at a path for a server, inherited from above it; *since grows to when it last changed. */
oracle_knowledge oracle_attribute_of(bj_oracle *o, const bj_addr *peer, const bj_path *path, oracle_attribute which,
                                     double *value, bj_time *since);

/* --- observations.c --- */

void oracle_observations_answered(bj_oracle *o, const oracle_managed *x);
void oracle_observations_seen(bj_oracle *o, const oracle_seen *s);     /* a response that may be a notification */
void oracle_observations_reset(bj_oracle *o, const oracle_seen *s);    /* of a server */
void oracle_observations_response(bj_oracle *o, const oracle_seen *s); /* of a server, not in an Acknowledgement */
/* What the client does with notifications for that server, which are on their way or wait for their turn, is not known.
 */
void oracle_observations_doubted(bj_oracle *o, const bj_addr *peer);
void oracle_observations_registered(bj_oracle *o, const bj_addr *peer, bj_time now, bool placed);
void oracle_observations_forget(bj_oracle *o);

/* --- access.c --- */

void oracle_access_answered(bj_oracle *o, const oracle_managed *x);
void oracle_access_bootstrapped(bj_oracle *o, const oracle_managed *x); /* an operation of the Bootstrap-Server */
void oracle_access_registered(bj_oracle *o, oracle_peer *p);            /* its Register was accepted */
void oracle_access_forget(bj_oracle *o);

/* --- instances.c --- */

typedef enum oracle_presence {
    ORACLE_PRESENCE_UNKNOWN = 0,
    ORACLE_PRESENCE_LISTED,  /* the last registration lists it */
    ORACLE_PRESENCE_CREATED, /* by an accepted Create */
    ORACLE_PRESENCE_DELETED, /* by an accepted Delete */
} oracle_presence;

void oracle_instances_answered(bj_oracle *o, const oracle_managed *x);
void oracle_instances_registered(bj_oracle *o, const oracle_seen *s); /* a Register or an Update of the client */
void oracle_instances_forget(bj_oracle *o);
oracle_presence oracle_instance_presence(const bj_oracle *o, unsigned object, unsigned id);
/* LwM2M 1.0, 1.1, 1.2 as 10, 11, 12: of the client (object 0), of /1; 0: not known. */
uint8_t oracle_release_of(const bj_oracle *o, unsigned object);
/* The path of a link's target; depth 0: none. */
bj_path oracle_path_of_link(const bj_core_link *link);
/* As far as they are listed. */
unsigned oracle_instance_count(const bj_oracle *o, unsigned object);
/* The one Instance of that Object; -1: there are others, or nobody knows. */
int oracle_only_instance(const bj_oracle *o, unsigned object);
/* Does the last registration list nothing of that Object, and was nothing of it made since? */
bool oracle_object_is_missing(const bj_oracle *o, unsigned object);

#endif
