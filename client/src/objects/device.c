/* SPDX-License-Identifier: Apache-2.0
 *
 * Device (/3), LwM2M Core 1.1 Appendix E.4. What the application says of the device stays when a Bootstrap-Server
 * writes the instance whole; what may be configured is replaced.
 */
#include <string.h>

#include "objects/objects.h"

#define R    BOOTJACK_READABLE
#define RW   (BOOTJACK_READABLE | BOOTJACK_WRITABLE)
#define E    BOOTJACK_EXECUTABLE
#define M    BOOTJACK_MANDATORY
#define MANY BOOTJACK_MULTIPLE

static const bootjack_resource resources[] = {
    { 0, "Manufacturer", BOOTJACK_TYPE_STRING, R, 0, 0, 10 },
    { 1, "Model Number", BOOTJACK_TYPE_STRING, R, 0, 0, 10 },
    { 2, "Serial Number", BOOTJACK_TYPE_STRING, R, 0, 0, 10 },
    { 3, "Firmware Version", BOOTJACK_TYPE_STRING, R, 0, 0, 10 },
    { 4, "Reboot", BOOTJACK_TYPE_NONE, E | M, 0, 0, 10 },
    { 5, "Factory Reset", BOOTJACK_TYPE_NONE, E, 0, 0, 10 },
    { 6, "Available Power Sources", BOOTJACK_TYPE_INTEGER, R | MANY, 0, 7, 10 },
    { 7, "Power Source Voltage", BOOTJACK_TYPE_INTEGER, R | MANY, 0, 0, 10 },
    { 8, "Power Source Current", BOOTJACK_TYPE_INTEGER, R | MANY, 0, 0, 10 },
    { 9, "Battery Level", BOOTJACK_TYPE_INTEGER, R, 0, 100, 10 },
    { 10, "Memory Free", BOOTJACK_TYPE_INTEGER, R, 0, 0, 10 },
    { 11, "Error Code", BOOTJACK_TYPE_INTEGER, R | M | MANY, 0, 8, 10 },
    { 11, "Error Code", BOOTJACK_TYPE_INTEGER, R | M | MANY, 0, 32, 12 },
    { 12, "Reset Error Code", BOOTJACK_TYPE_NONE, E, 0, 0, 10 },
    { 13, "Current Time", BOOTJACK_TYPE_TIME, RW, 0, 0, 10 },
    { 14, "UTC Offset", BOOTJACK_TYPE_STRING, RW, 0, 0, 10 },
    { 15, "Timezone", BOOTJACK_TYPE_STRING, RW, 0, 0, 10 },
    { 16, "Supported Binding and Modes", BOOTJACK_TYPE_STRING, R | M, 0, 0, 10 },
    { 17, "Device Type", BOOTJACK_TYPE_STRING, R, 0, 0, 10 },
    { 18, "Hardware Version", BOOTJACK_TYPE_STRING, R, 0, 0, 10 },
    { 19, "Software Version", BOOTJACK_TYPE_STRING, R, 0, 0, 10 },
    { 20, "Battery Status", BOOTJACK_TYPE_INTEGER, R, 0, 6, 10 },
    { 21, "Memory Total", BOOTJACK_TYPE_INTEGER, R, 0, 0, 10 },
    { 22, "ExtDevInfo", BOOTJACK_TYPE_OBJLNK, R | MANY, 0, 0, 11 },
};

#undef R
#undef RW
#undef E
#undef M
#undef MANY

static const bootjack_object object = {
    .oid = 3,
    .resources = resources,
    .resource_count = sizeof resources / sizeof *resources,
    .single_instance = true,
    .handlers = &bjc_store_handlers,
};

static bool keeps(const bootjack_resource *resource) {
    return !(resource->flags & BOOTJACK_WRITABLE);
}

static bootjack_error set_texts(bjc_store *store, const bootjack_device *device) {
    const struct {
        uint16_t rid;
        const char *text;
    } texts[] = {
        { 0, device->manufacturer },      { 1, device->model_number },
        { 2, device->serial_number },     { 3, device->firmware_version },
        { 17, device->device_type },      { 18, device->hardware_version },
        { 19, device->software_version }, { 16, store->core->config.version < BOOTJACK_LWM2M_1_1 ? "U" : "UT" },
    };
    bootjack_error error = BOOTJACK_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !error; i++) {
        if (texts[i].text) {
            error = bjc_store_set_text(store, 0, texts[i].rid, texts[i].text);
        }
    }
    return error;
}

bootjack_error bjc_device_init(bjc_store *store, const bjc_core *core, const bootjack_device *device,
                               bjc_server_execute_fn *execute, void *context) {
    static const bootjack_device nothing_known = { 0 };
    bjc_store_init(store, core, &object);
    store->keeps = keeps;
    store->execute = execute;
    store->context = context;
    bootjack_error error = bjc_store_create(store, 0);
    error = error ? error : set_texts(store, device ? device : &nothing_known);
    /* 0 = no error. */
    error = error ? error : bjc_store_set_integer(store, 0, BJC_DEVICE_ERROR_CODE, 0);
    if (error) {
        bjc_store_free(store);
    }
    return error;
}

bootjack_error bjc_device_reset_errors(bjc_store *store) {
    bjc_instance *saved;
    bootjack_error error = bjc_store_save(store, &saved);
    if (error) {
        return error;
    }
    error = bjc_store_handlers.clear(store, 0, BJC_DEVICE_ERROR_CODE);
    error = error ? error : bjc_store_set_integer(store, 0, BJC_DEVICE_ERROR_CODE, 0);
    if (error) {
        bjc_store_restore(store, saved);
    } else {
        bjc_store_forget(store, saved);
    }
    return error;
}
