/* SPDX-License-Identifier: Apache-2.0
 *
 * When a value must be told (LwM2M Core 1.1 §5.1.2).
 */
#include <math.h>

#include "objects/objects.h"
#include "reporting/reporting.h"

#define DEFAULT_PMIN         2
#define DEFAULT_PMAX         3
#define DEFAULT_CONFIRMATION 26

uint64_t bjc_digest(const uint8_t *data, size_t length) {
    uint64_t digest = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        digest = (digest ^ data[i]) * UINT64_C(1099511628211);
    }
    return digest;
}

/* --- attributes ------------------------------------------------------------------------------------------------- */

/* 0 is no greatest period, and shorter than none (LwM2M Core 1.1 §5.1.2). */
static bool is_shorter(int64_t a, int64_t b) {
    return a > 0 && (b == 0 || a < b);
}

/* Of the paths of an Observe-Composite the slowest pmin and epmin count, and the quickest pmax and epmax. */
static void narrow(bjc_attributes *all, const bjc_attributes *one) {
    bjc_attributes result = *one;
    if ((all->present & BJC_PMIN) && (!(one->present & BJC_PMIN) || all->pmin_s > one->pmin_s)) {
        result.pmin_s = all->pmin_s;
    }
    if ((all->present & BJC_EPMIN) && (!(one->present & BJC_EPMIN) || all->epmin_s > one->epmin_s)) {
        result.epmin_s = all->epmin_s;
    }
    if ((all->present & BJC_PMAX) && (!(one->present & BJC_PMAX) || is_shorter(all->pmax_s, one->pmax_s))) {
        result.pmax_s = all->pmax_s;
    }
    if ((all->present & BJC_EPMAX) && (!(one->present & BJC_EPMAX) || is_shorter(all->epmax_s, one->epmax_s))) {
        result.epmax_s = all->epmax_s;
    }
    result.con = (all->present & BJC_CON && all->con) || (one->present & BJC_CON && one->con);
    result.present = (all->present | one->present) & ~(unsigned) BJC_THRESHOLDS;
    *all = result;
}

static void add_default(bjc_attributes *attributes, const bjc_observation *o, uint16_t server_iid, unsigned bit,
                        uint16_t rid, int64_t *seconds) {
    int64_t value = bjc_store_integer(o->all->server, server_iid, rid, -1);
    if (!(attributes->present & bit) && value >= (bit == BJC_PMAX)) {
        attributes->present |= bit;
        *seconds = value;
    }
}

static void add_defaults(bjc_attributes *attributes, const bjc_observation *o) {
    for (const bjc_instance *i = o->all->server->instances; i; i = i->next) {
        if (bjc_store_integer(o->all->server, i->iid, BJC_SERVER_SSID, 0) != o->ssid) {
            continue;
        }
        add_default(attributes, o, i->iid, BJC_PMIN, DEFAULT_PMIN, &attributes->pmin_s);
        add_default(attributes, o, i->iid, BJC_PMAX, DEFAULT_PMAX, &attributes->pmax_s);
        int64_t mode = bjc_store_integer(o->all->server, i->iid, DEFAULT_CONFIRMATION, -1);
        if (!(attributes->present & BJC_CON) && mode >= 0) {
            attributes->present |= BJC_CON;
            attributes->con = mode == 1;
        }
    }
}

/* A greatest period that is 0, or shorter than the least one, does not count (§5.1.2). */
static void drop_impossible(bjc_attributes *attributes) {
    if ((attributes->present & BJC_PMAX) && (attributes->pmax_s == 0 || attributes->pmax_s < attributes->pmin_s)) {
        attributes->present &= ~(unsigned) BJC_PMAX;
    }
    if ((attributes->present & BJC_EPMAX) && (attributes->epmax_s == 0 || attributes->epmax_s < attributes->epmin_s)) {
        attributes->present &= ~(unsigned) BJC_EPMAX;
    }
}

bjc_attributes bjc_observation_attributes(const bjc_observation *o) {
    bjc_attributes all = { 0 };
    for (size_t i = 0; i < o->path_count; i++) {
        bjc_attributes one = bjc_attributes_effective(&o->all->attributes, o->ssid, &o->paths[i]);
        bjc_attributes_merge(&one, &o->own);
        if (o->path_count == 1) {
            all = one;
        } else if (i == 0) {
            all = one;
            all.present &= ~(unsigned) BJC_THRESHOLDS;
        } else {
            narrow(&all, &one);
        }
    }
    add_defaults(&all, o);
    all.pmin_s = all.present & BJC_PMIN ? all.pmin_s : 0;
    all.epmin_s = all.present & BJC_EPMIN ? all.epmin_s : 0;
    drop_impossible(&all);
    return all;
}

/* --- values ----------------------------------------------------------------------------------------------------- */

static bool to_number(const bootjack_value *value, double *number) {
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        *number = (double) value->as.integer;
        return true;
    case BOOTJACK_TYPE_UNSIGNED:
        *number = (double) value->as.unsigned_integer;
        return true;
    case BOOTJACK_TYPE_FLOAT:
        *number = value->as.real;
        return true;
    default:
        return false;
    }
}

/* Handlers of an application are asked for values that are there only. */
static bool is_there(const bjc_object *object, const bjc_path *path, const bootjack_resource *resource) {
    return bjc_model_has_instance(object, path->ids[1]) &&
           object->handlers->present(object->context, path->ids[1], path->ids[2]) &&
           (path->depth < 4 || bjc_model_has_resource_instance(object, path->ids[1], resource, path->ids[3]));
}

bool bjc_observation_number(const bjc_observation *o, double *number) {
    const bjc_path *path = &o->paths[0];
    const bjc_object *object = o->path_count == 1 ? bjc_model_object(o->all->model, path->ids[0]) : NULL;
    const bootjack_resource *resource =
        object && path->depth >= 3 ? bjc_resource_find(object->definition, path->ids[2]) : NULL;
    bool multiple = resource && (resource->flags & BOOTJACK_MULTIPLE);
    bootjack_value value;
    if (!resource || multiple != (path->depth == 4) || !is_there(object, path, resource)) {
        return false;
    }
    return object->handlers->read(object->context, path->ids[1], path->ids[2], multiple ? path->ids[3] : 0, &value) ==
               BOOTJACK_OK &&
           to_number(&value, number);
}

static bool crosses(double threshold, double before, double now) {
    return (before <= threshold && now > threshold) || (before >= threshold && now < threshold);
}

bool bjc_condition_met(const bjc_attributes *attributes, const bjc_observation *o, uint64_t digest, double number,
                       bool is_number) {
    if (!is_number || !(attributes->present & BJC_THRESHOLDS)) {
        return digest != o->digest;
    }
    if (isnan(number) != isnan(o->number)) { /* compared with that, a number is neither more nor less */
        return true;
    }
    bool above = (attributes->present & BJC_GT) && crosses(attributes->gt, o->number, number);
    bool below = (attributes->present & BJC_LT) && crosses(attributes->lt, o->number, number);
    bool step = (attributes->present & BJC_ST) && fabs(number - o->number) >= attributes->st;
    return above || below || step;
}
