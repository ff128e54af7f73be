/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client's unit tests share: cmocka's headers, a core with defaults, a model with the ready-made Objects.
 */
#ifndef BJC_TESTS_SUPPORT_H
#define BJC_TESTS_SUPPORT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>

#include "objects/objects.h"

typedef struct furnished {
    bjc_core core;
    bjc_model model;
    bjc_store security, server, access_control, device;
    bjc_test_object test_object;
} furnished;

static inline void core_start(bjc_core *core) {
    bootjack_config config;
    memset(core, 0, sizeof *core);
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    assert_int_equal(bjc_core_init(core, &config), BOOTJACK_OK);
}

static inline void furnish_model(furnished *f) {
    bjc_model_init(&f->model, &f->core);
    bjc_security_init(&f->security, &f->core);
    bjc_server_init(&f->server, &f->core, NULL, NULL);
    assert_int_equal(bjc_device_init(&f->device, &f->core, NULL, NULL, NULL), BOOTJACK_OK);
    assert_int_equal(bjc_model_install(&f->model, f->device.object, &f->device, &f->device), BOOTJACK_OK);
    assert_int_equal(bjc_model_install(&f->model, f->security.object, &f->security, &f->security), BOOTJACK_OK);
    assert_int_equal(bjc_model_install(&f->model, f->server.object, &f->server, &f->server), BOOTJACK_OK);
    bjc_access_control_init(&f->access_control, &f->core);
    bjc_test_object_init(&f->test_object, &f->core);
    assert_int_equal(bjc_model_install(&f->model, f->access_control.object, &f->access_control, &f->access_control),
                     BOOTJACK_OK);
    assert_int_equal(
        bjc_model_install(&f->model, f->test_object.store.object, &f->test_object.store, &f->test_object.store),
        BOOTJACK_OK);
    assert_int_equal(bjc_test_object_fill(&f->test_object.store), BOOTJACK_OK);
}

static inline void furnish(furnished *f) {
    core_start(&f->core);
    furnish_model(f);
}

static inline void unfurnish(furnished *f) {
    bjc_model_free(&f->model);
    bjc_store_free(&f->security);
    bjc_store_free(&f->server);
    bjc_store_free(&f->access_control);
    bjc_store_free(&f->device);
    bjc_store_free(&f->test_object.store);
    bjc_core_free(&f->core);
}

/* "C1 00 01" to bytes; returns their number. */
static inline size_t from_hex(const char *hex, uint8_t *bytes) {
    size_t count = 0;
    for (; *hex; hex++) {
        unsigned value;
        if (*hex != ' ') {
            assert_int_equal(sscanf(hex, "%2x", &value), 1);
            bytes[count++] = (uint8_t) value;
            hex++;
        }
    }
    return count;
}

static inline bootjack_error write_hex(furnished *f, bjc_path path, const char *hex) {
    uint8_t bytes[512];
    size_t length = from_hex(hex, bytes);
    return bjc_model_write(&f->model, &path, bjc_format_find(BJC_FORMAT_TLV), bytes, length);
}

#endif
