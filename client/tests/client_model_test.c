/* SPDX-License-Identifier: Apache-2.0
 *
 * The data model: what a Write does to instances and resources, transactions over all Objects, running out of memory.
 */
#include "support.h"

#include <stdlib.h>

#include "registration/accounts.h"

#define SERVER_MINIMUM "C1 00 01 C4 01 00 01 51 80 C1 06 00 C1 07 55"

static const bjc_path object_1 = { 1, { 1 } };
static const bjc_path instance_1_0 = { 2, { 1, 0 } };

static int start(void **state) {
    furnished *f = calloc(1, sizeof *f);
    assert_non_null(f);
    furnish(f);
    *state = f;
    return 0;
}

static int finish(void **state) {
    unfurnish(*state);
    free(*state);
    return 0;
}

static void writes_make_instances(void **state) {
    furnished *f = *state;
    assert_int_equal(write_hex(f, object_1, "08 03 0F " SERVER_MINIMUM "03 07 C1 00 02"), BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f->server, 3, 1, 0), 86400);
    assert_int_equal(bjc_store_integer(&f->server, 7, 0, 0), 2);
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 1, 9, 5 } }, "C4 05 00 01 51 80"), BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f->server, 9, 5, 0), 86400);
    assert_int_equal(write_hex(f, (bjc_path){ 2, { 1, 11 } }, ""), BOOTJACK_OK);
    assert_non_null(bjc_store_instance(&f->server, 11));
}

static void whole_instances_are_replaced(void **state) {
    furnished *f = *state;
    assert_int_equal(write_hex(f, instance_1_0, SERVER_MINIMUM "C1 02 05"), BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f->server, 0, 2, -1), 5);
    assert_int_equal(write_hex(f, instance_1_0, SERVER_MINIMUM), BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f->server, 0, 2, -1), -1);
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 1, 0, 2 } }, "C1 02 07"), BOOTJACK_OK);
    assert_int_equal(bjc_store_integer(&f->server, 0, 1, 0), 86400);
    assert_int_equal(bjc_store_integer(&f->server, 0, 2, -1), 7);
    /* Of the Device only what may be configured. */
    assert_int_equal(write_hex(f, (bjc_path){ 2, { 3, 0 } }, "C3 0F 55 54 43"), BOOTJACK_OK);
    assert_non_null(bjc_store_get(&f->device, 0, 16, 0));
    assert_int_equal(write_hex(f, (bjc_path){ 2, { 3, 0 } }, "C6 0E 2B 30 32 3A 30 30"), BOOTJACK_OK);
    assert_null(bjc_store_get(&f->device, 0, 15, 0));
}

static void mistakes_change_nothing(void **state) {
    furnished *f = *state;
    assert_int_equal(write_hex(f, instance_1_0, SERVER_MINIMUM), BOOTJACK_OK);
    /* The last resource of the payload is no integer. */
    assert_int_equal(write_hex(f, instance_1_0, "C1 00 05 C1 01 09 C3 02 01 02 03"), BOOTJACK_ERR_TYPE);
    assert_int_equal(bjc_store_integer(&f->server, 0, 0, 0), 1);
    assert_int_equal(bjc_store_integer(&f->server, 0, 1, 0), 86400);
    assert_int_equal(write_hex(f, object_1, SERVER_MINIMUM), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_hex(f, object_1, ""), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_hex(f, (bjc_path){ 2, { 1, 1 } }, "C3 00 01 02 03"), BOOTJACK_ERR_TYPE);
    assert_null(bjc_store_instance(&f->server, 1));
    assert_int_equal(write_hex(f, (bjc_path){ 2, { 3, 1 } }, "C3 0F 55 54 43"), BOOTJACK_ERR_PATH);
    assert_int_equal(write_hex(f, (bjc_path){ 1, { 77 } }, "08 00 0F " SERVER_MINIMUM), BOOTJACK_ERR_NOT_FOUND);
}

static void unknown_resources(void **state) {
    furnished *f = *state;
    assert_int_equal(write_hex(f, instance_1_0, SERVER_MINIMUM "C1 C8 01 C0 08"), BOOTJACK_OK);
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 1, 0, 200 } }, "C1 C8 01"), BOOTJACK_ERR_NOT_FOUND);
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 1, 0, 8 } }, "C0 08"), BOOTJACK_ERR_METHOD);
    /* A single resource written as a multiple one, and the other way round. */
    assert_int_equal(write_hex(f, instance_1_0, "83 00 41 00 01"), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 0, 0, 16 } }, "C2 10 C0 A8"), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 0, 0, 16 } }, "88 10 08 42 00 C0 A8 42 05 C0 AE"), BOOTJACK_OK);
    assert_int_equal(bjc_store_get(&f->security, 0, 16, 5)->as.unsigned_integer, 0xC0AE);
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 0, 0, 16 } }, "84 10 42 02 C0 AE"), BOOTJACK_OK);
    assert_null(bjc_store_get(&f->security, 0, 16, 0));
    assert_int_equal(write_hex(f, (bjc_path){ 3, { 0, 0, 16 } }, "80 10"), BOOTJACK_OK);
    assert_false(bjc_store_handlers.present(&f->security, 0, 16));
}

static void transactions_cover_all_objects(void **state) {
    furnished *f = *state;
    assert_int_equal(write_hex(f, instance_1_0, SERVER_MINIMUM), BOOTJACK_OK);
    assert_int_equal(bjc_model_begin(&f->model), BOOTJACK_OK);
    assert_int_equal(write_hex(f, instance_1_0, "C1 00 05"), BOOTJACK_OK);
    assert_int_equal(write_hex(f, (bjc_path){ 2, { 3, 0 } }, "C3 0F 55 54 43"), BOOTJACK_OK);
    assert_int_equal(bjc_store_create(&f->security, 4), BOOTJACK_OK);
    bjc_model_roll_back(&f->model);
    assert_int_equal(bjc_store_integer(&f->server, 0, 0, 0), 1);
    assert_int_equal(bjc_store_integer(&f->server, 0, 1, 0), 86400);
    assert_null(bjc_store_get(&f->device, 0, 15, 0));
    assert_null(bjc_store_instance(&f->security, 4));
    assert_int_equal(bjc_model_begin(&f->model), BOOTJACK_OK);
    assert_int_equal(bjc_store_remove(&f->server, 0), BOOTJACK_OK);
    bjc_model_commit(&f->model);
    assert_null(bjc_store_instance(&f->server, 0));
}

/* --- an Object of the application ------------------------------------------------------------------------------- */

typedef struct lamp {
    unsigned begun, validated, committed, rolled_back;
    bool refuses;
} lamp;

static int32_t lamp_next(void *context, int32_t after) {
    (void) context;
    return after < 0 ? 0 : -1;
}

static bool lamp_present(void *context, uint16_t iid, uint16_t rid) {
    (void) context;
    return iid == 0 && rid == 1;
}

static bootjack_error lamp_read(void *context, uint16_t iid, uint16_t rid, uint16_t riid, bootjack_value *value) {
    (void) context;
    (void) iid;
    (void) rid;
    (void) riid;
    *value = (bootjack_value){ .type = BOOTJACK_TYPE_BOOLEAN, .as.boolean = true };
    return BOOTJACK_OK;
}

static bootjack_error lamp_write(void *context, uint16_t iid, uint16_t rid, uint16_t riid,
                                 const bootjack_value *value) {
    (void) context;
    (void) iid;
    (void) rid;
    (void) riid;
    assert_int_equal(value->type, BOOTJACK_TYPE_BOOLEAN);
    return BOOTJACK_ERR_INTERNAL;
}

static bootjack_error lamp_begin(void *context) {
    ((lamp *) context)->begun++;
    return BOOTJACK_OK;
}

static bootjack_error lamp_validate(void *context, char *reason, size_t reason_size) {
    lamp *own = context;
    own->validated++;
    snprintf(reason, reason_size, "the lamp does not like it");
    return own->refuses ? BOOTJACK_ERR_INCONSISTENT : BOOTJACK_OK;
}

static void lamp_commit(void *context) {
    ((lamp *) context)->committed++;
}

static void lamp_roll_back(void *context) {
    ((lamp *) context)->rolled_back++;
}

static const bootjack_resource lamp_resources[] = { { 1, "On", BOOTJACK_TYPE_BOOLEAN,
                                                      BOOTJACK_READABLE | BOOTJACK_WRITABLE, 0, 0, 10 } };
static const bootjack_object_handlers lamp_handlers = {
    .next_instance = lamp_next,
    .present = lamp_present,
    .read = lamp_read,
    .write = lamp_write,
    .begin = lamp_begin,
    .validate = lamp_validate,
    .commit = lamp_commit,
    .roll_back = lamp_roll_back,
};
static const bootjack_object lamp_object = { 3311, "1.1", lamp_resources, 1, true, &lamp_handlers };

static void objects_of_the_application(void **state) {
    furnished *f = *state;
    lamp own = { 0 };
    bjc_path path = { 2, { 3311, 0 } };
    assert_int_equal(bjc_model_install(&f->model, &lamp_object, &own, NULL), BOOTJACK_OK);
    assert_int_equal(bjc_model_install(&f->model, &lamp_object, &own, NULL), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bjc_model_begin(&f->model), BOOTJACK_OK);
    own.refuses = true;
    assert_int_equal(bjc_model_validate(&f->model), BOOTJACK_ERR_INCONSISTENT);
    own.refuses = false;
    assert_int_equal(bjc_model_validate(&f->model), BOOTJACK_OK);
    assert_int_equal(write_hex(f, path, "C1 01 01"), BOOTJACK_ERR_INTERNAL);
    assert_int_equal(write_hex(f, (bjc_path){ 2, { 3311, 1 } }, "C1 01 01"), BOOTJACK_ERR_METHOD);
    bjc_model_commit(&f->model);
    assert_int_equal(bjc_model_begin(&f->model), BOOTJACK_OK);
    bjc_model_roll_back(&f->model);
    assert_int_equal(own.begun, 2);
    assert_int_equal(own.validated, 2);
    assert_int_equal(own.committed, 1);
    assert_int_equal(own.rolled_back, 1);
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

typedef struct meter {
    int left; /* allocations that still succeed */
    int held;
} meter;

static void *meter_allocate(void *context, size_t size) {
    meter *own = context;
    if (own->left-- <= 0) {
        return NULL;
    }
    own->held++;
    return malloc(size);
}

static void meter_release(void *context, void *memory) {
    ((meter *) context)->held--;
    free(memory);
}

/* For every n: the n-th allocation fails, nothing is lost and the instance is as before or as written. */
static void failing_allocations(void **state) {
    (void) state;
    bool reached_the_end = false;
    for (int n = 0; n < 200 && !reached_the_end; n++) {
        furnished f;
        meter own = { .left = 1 << 20 };
        furnish(&f);
        assert_int_equal(write_hex(&f, instance_1_0, SERVER_MINIMUM "C1 02 05"), BOOTJACK_OK);
        bootjack_allocator before = f.core.allocator;
        f.core.allocator = (bootjack_allocator){ meter_allocate, meter_release, &own };
        /* Everything that the metered allocator frees must be its own. */
        bjc_instance *foreign = f.server.instances;
        f.server.instances = NULL;
        own.left = n;
        bootjack_error error = write_hex(&f, instance_1_0, SERVER_MINIMUM);
        reached_the_end = error == BOOTJACK_OK;
        assert_true(error == BOOTJACK_OK || error == BOOTJACK_ERR_MEMORY);
        assert_true(error == BOOTJACK_OK ? bjc_store_integer(&f.server, 0, 1, 0) == 86400 : f.server.instances == NULL);
        bjc_store_restore(&f.server, NULL);
        assert_int_equal(own.held, 0);
        f.core.allocator = before;
        f.server.instances = foreign;
        unfurnish(&f);
    }
    assert_true(reached_the_end);
}

static void limits(void **state) {
    furnished *f = *state;
    static uint8_t large[BJC_STORE_MAX_VALUE + 1];
    bootjack_error error = BOOTJACK_OK;
    for (uint16_t iid = 0; iid < BJC_STORE_MAX_INSTANCES && !error; iid++) {
        error = bjc_store_create(&f->security, iid);
    }
    assert_int_equal(error, BOOTJACK_OK);
    assert_int_equal(bjc_store_create(&f->security, 99), BOOTJACK_ERR_LIMIT);
    assert_int_equal(bjc_store_create(&f->security, 3), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bjc_store_create(&f->security, 65535), BOOTJACK_ERR_PATH);
    assert_int_equal(bjc_store_set_bytes(&f->security, 0, 5, large, sizeof large), BOOTJACK_ERR_LIMIT);
    assert_int_equal(bjc_store_set_bytes(&f->security, 0, 5, large, sizeof large - 1), BOOTJACK_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_make_instances, start, finish),
        cmocka_unit_test_setup_teardown(whole_instances_are_replaced, start, finish),
        cmocka_unit_test_setup_teardown(mistakes_change_nothing, start, finish),
        cmocka_unit_test_setup_teardown(unknown_resources, start, finish),
        cmocka_unit_test_setup_teardown(transactions_cover_all_objects, start, finish),
        cmocka_unit_test_setup_teardown(objects_of_the_application, start, finish),
        cmocka_unit_test_setup_teardown(limits, start, finish),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
