/* SPDX-License-Identifier: Apache-2.0
 *
 * The data model of a client: Objects, Object Instances, Resources (LwM2M Core 1.1 §7). An application describes an
 * Object of its own by a table of Resources and a set of handlers. Ready made, in the versions of the client's enabler
 * release: Security (/0), Server (/1), Access Control (/2), Device (/3) and a test object (security.h, server.h,
 * access_control.h, device.h, test_object.h).
 *
 * A Bootstrap session is one transaction over all Objects: `begin` before its first operation, `validate` of every
 * Object at Bootstrap-Finish (LwM2M Core 1.1 §6.1.6), then `commit`; or `roll_back` when the session failed.
 *
 * An Object with one instance that has one number:
 *
 *     static int32_t next_instance(void *context, int32_t after) {
 *         (void) context;
 *         return after < 0 ? 0 : -1;
 *     }
 *
 *     static bool present(void *context, uint16_t iid, uint16_t rid) {
 *         (void) context;
 *         (void) iid;
 *         return rid == 5700;
 *     }
 *
 *     static bootjack_error read_value(void *context, uint16_t iid, uint16_t rid, uint16_t riid,
 *                                      bootjack_value *value) {
 *         (void) iid;
 *         (void) rid;
 *         (void) riid;
 *         value->type = BOOTJACK_TYPE_FLOAT;
 *         value->as.real = *(const double *) context;
 *         return BOOTJACK_OK;
 *     }
 *
 *     static bootjack_error write_value(void *context, uint16_t iid, uint16_t rid, uint16_t riid,
 *                                       const bootjack_value *value) {
 *         (void) iid;
 *         (void) rid;
 *         (void) riid;
 *         *(double *) context = value->as.real;
 *         return BOOTJACK_OK;
 *     }
 *
 *     static bootjack_error add_thermometer(bootjack_client *client, double *degrees) {
 *         static const bootjack_object_handlers handlers = {
 *             .next_instance = next_instance, .present = present, .read = read_value, .write = write_value
 *         };
 *         static const bootjack_resource resources[] = {
 *             { 5700, "Sensor Value", BOOTJACK_TYPE_FLOAT, BOOTJACK_READABLE | BOOTJACK_MANDATORY, 0, 0, 0 }
 *         };
 *         static const bootjack_object thermometer = {
 *             .oid = 3303, .resources = resources, .resource_count = 1, .single_instance = true, .handlers = &handlers
 *         };
 *         return bootjack_object_install(client, &thermometer, degrees);
 *     }
 */
#ifndef BOOTJACK_DATA_MODEL_H
#define BOOTJACK_DATA_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootjack/error.h"

/* 65535 (MAX_ID) names no Object, Instance or Resource (LwM2M Core 1.1 §7.1). */
#define BOOTJACK_ID_INVALID UINT16_C(65535)

/* Data types of LwM2M Core 1.1 Appendix C. */
typedef enum bootjack_type {
    BOOTJACK_TYPE_NONE = 0, /* executable */
    BOOTJACK_TYPE_STRING,   /* UTF-8 */
    BOOTJACK_TYPE_INTEGER,  /* signed, 64 bits */
    BOOTJACK_TYPE_UNSIGNED, /* unsigned, 64 bits; from LwM2M 1.1 on */
    BOOTJACK_TYPE_FLOAT,    /* a double */
    BOOTJACK_TYPE_BOOLEAN,  /* true or false */
    BOOTJACK_TYPE_OPAQUE,   /* bytes */
    BOOTJACK_TYPE_TIME,     /* seconds since 1970 */
    BOOTJACK_TYPE_OBJLNK,   /* a link to an Object Instance */
    BOOTJACK_TYPE_CORELNK   /* CoRE links; from LwM2M 1.1 on */
} bootjack_type;

/* One value. Bytes are borrowed: from the caller in a write, from the Object until its next change in a read. */
typedef struct bootjack_value {
    bootjack_type type; /* which part of `as` counts */
    union {
        int64_t integer;           /* INTEGER, TIME (seconds since 1970) */
        uint64_t unsigned_integer; /* UNSIGNED */
        double real;               /* FLOAT */
        bool boolean;              /* BOOLEAN */
        /* STRING (UTF-8, without a final NUL), OPAQUE, CORELNK */
        struct {
            const uint8_t *data; /* may be NULL where there are none */
            size_t length;       /* how many */
        } bytes;
        /* OBJLNK; twice 65535 is the link to nothing */
        struct {
            uint16_t object;   /* Object ID */
            uint16_t instance; /* Object Instance ID */
        } link;
    } as;
} bootjack_value;

/* Operations that an LwM2M Server may use; a Bootstrap-Server writes regardless (LwM2M Core 1.1 §6.1.7.5). */
#define BOOTJACK_READABLE   1u  /* Read, Observe */
#define BOOTJACK_WRITABLE   2u  /* Write */
#define BOOTJACK_EXECUTABLE 4u  /* Execute; its type is BOOTJACK_TYPE_NONE */
#define BOOTJACK_MULTIPLE   8u  /* has Resource Instances */
#define BOOTJACK_MANDATORY  16u /* must be there at Bootstrap-Finish, else 4.06 */
#define BOOTJACK_SECRET     32u /* never read, never logged, wiped when freed */

/* What is known of one resource. */
typedef struct bootjack_resource {
    uint16_t id;        /* Resource ID */
    const char *name;   /* for the log */
    bootjack_type type; /* of its values */
    unsigned flags;     /* BOOTJACK_READABLE and so on */
    int64_t minimum;    /* of a number, or of the length in bytes; with `maximum` both 0 = no bounds */
    int64_t maximum;    /* as `minimum` */
    /* Enabler release that introduced it: 10, 11 or 12; 0 = every one. A client of an earlier release does not know the
     * resource, as if it were not in the table. Where a release changed a resource, it has a second row behind the
     * first, with a later `since`. */
    unsigned since;
} bootjack_resource;

/* Bits for the attributes of notifications, with the release that introduced them where it was not LwM2M 1.0. */
#define BOOTJACK_ATTRIBUTE_PMIN  1u   /* Minimum Period */
#define BOOTJACK_ATTRIBUTE_PMAX  2u   /* Maximum Period */
#define BOOTJACK_ATTRIBUTE_GT    4u   /* Greater Than */
#define BOOTJACK_ATTRIBUTE_LT    8u   /* Less Than */
#define BOOTJACK_ATTRIBUTE_ST    16u  /* Step */
#define BOOTJACK_ATTRIBUTE_EPMIN 32u  /* Minimum Evaluation Period; LwM2M 1.1 */
#define BOOTJACK_ATTRIBUTE_EPMAX 64u  /* Maximum Evaluation Period; LwM2M 1.1 */
#define BOOTJACK_ATTRIBUTE_CON   128u /* Confirmable Notification; LwM2M 1.2 */

/* Attributes of notifications (LwM2M Core 1.1 §5.1.2; `con`: Core 1.2 §5.1.2). Those whose bits are set in `present`
 * count, the others are 0. */
typedef struct bootjack_attributes {
    unsigned present; /* BOOTJACK_ATTRIBUTE_PMIN and so on */
    int64_t pmin_s;   /* seconds between two notifications, at least */
    int64_t pmax_s;   /* seconds between two notifications, at most; 0 = no such end, whatever is inherited */
    int64_t epmin_s;  /* seconds between two looks at the value, at least */
    int64_t epmax_s;  /* seconds between two looks at the value, at most; 0 as for pmax_s */
    double gt;        /* notify when the value crosses it in either direction; in the resource's unit */
    double lt;        /* as `gt`; with both at a path, lt + 2 * st < gt */
    double st;        /* notify when the value has changed by as much; in the resource's unit, above 0 */
    bool con;         /* notifications are Confirmable */
} bootjack_attributes;

/* How the stack reaches the instances of an Object. All run in the thread that steps the client; none may block or call
 * back into the client. `context` is the pointer given to bootjack_object_install(). */
typedef struct bootjack_object_handlers {
    /* The lowest Object Instance ID above `after` (-1: the lowest of all), or -1 when there is none. */
    int32_t (*next_instance)(void *context, int32_t after);
    /* Makes an instance without resources. */
    bootjack_error (*create)(void *context, uint16_t iid);
    /* Takes an instance away with all that is in it. */
    bootjack_error (*remove)(void *context, uint16_t iid);
    /* Takes away all resources that a Bootstrap-Write of the whole instance replaces. */
    bootjack_error (*reset)(void *context, uint16_t iid);
    /* Whether the resource has a value, or can be executed. */
    bool (*present)(void *context, uint16_t iid, uint16_t rid);
    /* Multiple resources: the lowest Resource Instance ID above `after`, or -1. NULL when the Object has none. */
    int32_t (*next_resource_instance)(void *context, uint16_t iid, uint16_t rid, int32_t after);
    /* `riid` is 0 for a single resource. The type of `value` must be the resource's. Servers come here only for what
     * `present` and the two `next_` handlers say is there. */
    bootjack_error (*read)(void *context, uint16_t iid, uint16_t rid, uint16_t riid, bootjack_value *value);
    /* The same in the other direction, once all values of a payload were decoded and are of their resources' types.
     * Ranges are the Object's to check, in `validate` at the latest. `riid` of a multiple resource is any number up to
     * 65534, as it came: BOOTJACK_ERR_LIMIT where there is no room for it. */
    bootjack_error (*write)(void *context, uint16_t iid, uint16_t rid, uint16_t riid, const bootjack_value *value);
    /* Takes a resource away with all its instances; BOOTJACK_OK when it was not there. */
    bootjack_error (*clear)(void *context, uint16_t iid, uint16_t rid);
    /* Execute, with its arguments as they came; BOOTJACK_ERR_FORMAT: they are none (4.00). NULL: nothing is executable.
     */
    bootjack_error (*execute)(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments, size_t length);
    /* Write-Attributes (LwM2M Core 1.1 §6.3.4) of the server `ssid` (its Short Server ID) at the Object, or at the
     * instance, resource and resource instance of it that are not -1. `set` borrows nothing and holds what the request
     * gives values; `unset` has the bits of what it takes away, whether or not that was there. Asked when all the
     * client's own checks were passed and before anything is stored: anything but BOOTJACK_OK refuses the request as a
     * whole and leaves the attributes as they were. BOOTJACK_ERR_ARGUMENT, RANGE or INCONSISTENT are answered with
     * 4.00, UNAUTHORIZED with 4.01, NOT_FOUND with 4.04, METHOD with 4.05, others with 5.00 (LwM2M Transport 1.1 §6.7).
     * Attributes that end with an instance or a server account, and those of an Observe alone (Core 1.2 §6.4.1), are
     * not told. NULL: the client alone keeps them. */
    bootjack_error (*write_attributes)(void *context, uint16_t ssid, int32_t iid, int32_t rid, int32_t riid,
                                       const bootjack_attributes *set, unsigned unset);
    /* The transaction, around a bootstrap session and around each Write, Create or Delete of a server. NULL: nothing to
     * do. */
    bootjack_error (*begin)(void *context);
    /* Anything but BOOTJACK_OK refuses the configuration (4.06); `reason` takes a line for the log, no secrets. */
    bootjack_error (*validate)(void *context, char *reason, size_t reason_size);
    /* What was done since `begin` counts. */
    void (*commit)(void *context);
    /* Everything is as it was at `begin`. */
    void (*roll_back)(void *context);
} bootjack_object_handlers;

/* What is known of an Object. */
typedef struct bootjack_object {
    uint16_t oid; /* Object ID */
    /* "1.1"; shown in Register and Discover where the enabler release does not imply it (LwM2M Core 1.1 §7.2.2: 1.0 but
     * for /0, /1, /2 and /3). NULL = what it implies. */
    const char *version;
    const bootjack_resource *resources;       /* in ascending order of their ids */
    size_t resource_count;                    /* how many */
    bool single_instance;                     /* at most one instance, number 0; no other is ever made */
    const bootjack_object_handlers *handlers; /* that reach its instances */
} bootjack_object;

struct bootjack_client;

/* Adds an Object before the client's first step. The names in the table, the version, the handlers and `context` must
 * outlive the client; the rest of `object` is copied. BOOTJACK_ERR_ARGUMENT: next_instance, present, read or write are
 * missing; a multiple resource without next_resource_instance and clear; begin without commit and roll_back; resources
 * out of order, or of a type that does not go with their flags. BOOTJACK_ERR_EXISTS, BOOTJACK_ERR_MEMORY,
 * BOOTJACK_ERR_STATE (the client was started). */
BOOTJACK_API bootjack_error bootjack_object_install(struct bootjack_client *client, const bootjack_object *object,
                                                    void *context);

/* Sets one resource of a ready-made Object (making the instance when it is not there), e.g. optional ones that the
 * `add_instance` functions have no field for. `riid` is 0 for a single resource. A Lifetime or Binding of /1 is told to
 * its server (LwM2M Core 1.1 §6.2.2). The value is copied. BOOTJACK_ERR_NOT_FOUND: the Object is none of those, or has
 * no such resource. BOOTJACK_ERR_TYPE: of another type. BOOTJACK_ERR_PATH: there can be no such instance, or resource
 * instance. BOOTJACK_ERR_RANGE: the resource cannot have it. BOOTJACK_ERR_EXISTS: a Short Server ID that another
 * instance of /1 has, or one of /0 over the same transport; a second Bootstrap-Server account. BOOTJACK_ERR_LIMIT,
 * BOOTJACK_ERR_MEMORY. BOOTJACK_ERR_STATE: during a bootstrap. What fails changes nothing. */
BOOTJACK_API bootjack_error bootjack_resource_set(struct bootjack_client *client, uint16_t oid, uint16_t iid,
                                                  uint16_t rid, uint16_t riid, const bootjack_value *value);
/* Reads one resource of any Object; secrets give BOOTJACK_ERR_UNAUTHORIZED. Bytes are borrowed until the next step. */
BOOTJACK_API bootjack_error bootjack_resource_get(struct bootjack_client *client, uint16_t oid, uint16_t iid,
                                                  uint16_t rid, uint16_t riid, bootjack_value *value);

#endif
