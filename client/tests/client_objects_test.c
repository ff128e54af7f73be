/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects: the ready-made ones in every enabler release, Access Control, the test object, and an Object that an
 * application defines, with its transaction.
 */
#include "support.h"

#include "bootjack/bootjack.h"

#define PATH(...) ((bjc_path){ .depth = sizeof((uint16_t[]){ __VA_ARGS__ }) / 2, .ids = { __VA_ARGS__ } })

static void start(furnished *f, bootjack_version version) {
    core_start(&f->core);
    f->core.config.version = version;
    furnish_model(f);
}

static bootjack_error write_text(furnished *f, bjc_path path, const char *text) {
    return bjc_model_write(&f->model, &path, bjc_format_find(BJC_FORMAT_TEXT), (const uint8_t *) text, strlen(text));
}

/* What a read says, as SenML JSON. */
static const char *json_of(furnished *f, bjc_path path, bool all) {
    static char text[4096];
    bjc_buffer out;
    bjc_buffer_init(&out, &f->core.allocator);
    bootjack_error error = bjc_model_read(&f->model, &path, bjc_format_find(BJC_FORMAT_SENML_JSON), all, &out);
    assert_true(out.length < sizeof text);
    snprintf(text, sizeof text, "%.*s", (int) out.length, (const char *) out.data);
    bjc_buffer_free(&out);
    return error ? bootjack_error_text(error) : text;
}

/* --- releases --------------------------------------------------------------------------------------------------- */

static const bootjack_resource *row(furnished *f, uint16_t oid, uint16_t rid) {
    return bjc_resource_find(bjc_model_object(&f->model, oid)->definition, rid);
}

static void resources_of_a_release(void **state) {
    (void) state;
    static const struct {
        uint16_t oid, rid;
        unsigned since;
    } rows[] = { { 0, 12, 10 }, { 0, 13, 11 }, { 0, 17, 11 }, { 0, 18, 12 }, { 0, 30, 12 }, { 1, 8, 10 }, { 1, 9, 11 },
                 { 1, 22, 11 }, { 1, 23, 11 }, { 1, 26, 12 }, { 2, 3, 10 },  { 3, 21, 10 }, { 3, 22, 11 } };
    for (int version = BOOTJACK_LWM2M_1_0; version <= BOOTJACK_LWM2M_1_2; version++) {
        furnished f;
        start(&f, (bootjack_version) version);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            bool known = row(&f, rows[i].oid, rows[i].rid) != NULL;
            assert_int_equal(known, rows[i].since <= (unsigned) version);
        }
        unfurnish(&f);
    }
}

static void resources_that_a_release_changed(void **state) {
    (void) state;
    furnished f;
    start(&f, BOOTJACK_LWM2M_1_1);
    assert_int_equal(row(&f, 1, 17)->flags, 0);
    assert_int_equal(row(&f, 3, 11)->maximum, 8);
    assert_int_equal(row(&f, 2, 2)->maximum, 31);
    unfurnish(&f);
    start(&f, BOOTJACK_LWM2M_1_2);
    assert_int_equal(row(&f, 1, 17)->flags, BOOTJACK_READABLE | BOOTJACK_WRITABLE);
    assert_int_equal(row(&f, 1, 13)->flags, BOOTJACK_READABLE);
    assert_int_equal(row(&f, 3, 11)->maximum, 32);
    unfurnish(&f);
    start(&f, BOOTJACK_LWM2M_1_0);
    assert_int_equal(row(&f, 2, 2)->maximum, 65535);
    unfurnish(&f);
}

/* A resource of a later release is an optional one that the Object does not know. */
static void a_later_resource_is_unknown(void **state) {
    (void) state;
    furnished f;
    bootjack_value value;
    start(&f, BOOTJACK_LWM2M_1_1);
    assert_int_equal(write_hex(&f, PATH(1, 0), "C1 00 65 C1 01 3C C1 06 00 C1 07 55 C1 1A 01"), BOOTJACK_OK);
    assert_int_equal(write_text(&f, PATH(1, 0, 26), "1"), BOOTJACK_ERR_NOT_FOUND);
    assert_null(bjc_store_get(&f.server, 0, 26, 0));
    assert_int_equal(bjc_store_set(&f.server, 0, 26, 0, &(bootjack_value){ .type = BOOTJACK_TYPE_INTEGER }),
                     BOOTJACK_ERR_NOT_FOUND);
    unfurnish(&f);
    start(&f, BOOTJACK_LWM2M_1_2);
    assert_int_equal(write_hex(&f, PATH(1, 0), "C1 00 65 C1 01 3C C1 06 00 C1 07 55 C1 1A 01"), BOOTJACK_OK);
    assert_int_equal(bjc_store_handlers.read(&f.server, 0, 26, 0, &value), BOOTJACK_OK);
    assert_true(value.as.boolean);
    unfurnish(&f);
}

static int32_t no_instance(void *context, int32_t after) {
    (void) context;
    (void) after;
    return -1;
}

static bool never_present(void *context, uint16_t iid, uint16_t rid) {
    (void) context;
    (void) iid;
    (void) rid;
    return false;
}

static bootjack_error no_read(void *context, uint16_t iid, uint16_t rid, uint16_t riid, bootjack_value *value) {
    (void) context;
    (void) iid;
    (void) rid;
    (void) riid;
    (void) value;
    return BOOTJACK_ERR_NOT_FOUND;
}

static bootjack_error no_write(void *context, uint16_t iid, uint16_t rid, uint16_t riid, const bootjack_value *value) {
    (void) context;
    (void) iid;
    (void) rid;
    (void) riid;
    (void) value;
    return BOOTJACK_ERR_METHOD;
}

static const bootjack_object_handlers least = {
    .next_instance = no_instance, .present = never_present, .read = no_read, .write = no_write
};

static bool version_told(bootjack_version release, uint16_t oid, const char *version) {
    furnished f;
    const bootjack_object object = { .oid = oid, .version = version, .handlers = &least };
    core_start(&f.core);
    f.core.config.version = release;
    bjc_model_init(&f.model, &f.core);
    assert_int_equal(bjc_model_install(&f.model, &object, NULL, NULL), BOOTJACK_OK);
    bool told = bjc_model_version(&f.model, bjc_model_object(&f.model, oid)) != NULL;
    bjc_model_free(&f.model);
    bjc_core_free(&f.core);
    return told;
}

static void versions_that_are_told(void **state) {
    (void) state;
    assert_false(version_told(BOOTJACK_LWM2M_1_1, 3303, NULL));
    assert_false(version_told(BOOTJACK_LWM2M_1_1, 3303, "1.0"));
    assert_true(version_told(BOOTJACK_LWM2M_1_1, 3303, "1.1"));
    assert_false(version_told(BOOTJACK_LWM2M_1_1, 3, "1.1"));
    assert_true(version_told(BOOTJACK_LWM2M_1_1, 3, "1.0"));
    assert_true(version_told(BOOTJACK_LWM2M_1_0, 3, "1.1"));
    assert_false(version_told(BOOTJACK_LWM2M_1_2, 2, "1.1"));
    assert_true(version_told(BOOTJACK_LWM2M_1_2, 4, "1.2"));
}

/* --- what an application may install ---------------------------------------------------------------------------- */

static bool usable(const bootjack_resource *resources, size_t count, const char *version) {
    const bootjack_object object = {
        .oid = 3303, .version = version, .resources = resources, .resource_count = count, .handlers = &least
    };
    return bjc_definition_usable(&object);
}

static void definitions_that_do_not_hold_together(void **state) {
    (void) state;
    static const bootjack_resource good[] = { { 1, "a", BOOTJACK_TYPE_INTEGER, BOOTJACK_READABLE, 0, 0, 10 },
                                              { 1, "a", BOOTJACK_TYPE_INTEGER, BOOTJACK_WRITABLE, 0, 0, 12 },
                                              { 2, "b", BOOTJACK_TYPE_NONE, BOOTJACK_EXECUTABLE, 0, 0, 0 } };
    static const bootjack_resource bad[][2] = {
        { { 2, "a", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 0 }, { 1, "b", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 0 } },
        { { 1, "a", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 11 }, { 1, "b", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 11 } },
        { { 1, "a", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 0 }, { 65535, "b", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 0 } },
        { { 1, "a", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 0 }, { 2, "b", (bootjack_type) 77, 0, 0, 0, 0 } },
        { { 1, "a", BOOTJACK_TYPE_NONE, BOOTJACK_READABLE, 0, 0, 0 }, { 2, "b", BOOTJACK_TYPE_TIME, 0, 0, 0, 0 } },
        { { 1, "a", BOOTJACK_TYPE_TIME, BOOTJACK_EXECUTABLE, 0, 0, 0 }, { 2, "b", BOOTJACK_TYPE_TIME, 0, 0, 0, 0 } },
        { { 1, "a", BOOTJACK_TYPE_TIME, BOOTJACK_MULTIPLE, 0, 0, 0 }, { 2, "b", BOOTJACK_TYPE_TIME, 0, 0, 0, 0 } },
    };
    assert_true(usable(good, 3, NULL));
    assert_true(usable(NULL, 0, "12.3"));
    assert_false(usable(NULL, 1, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(usable(bad[i], 2, NULL));
    }
    static const char *const versions[] = { "", "1", "1.", ".1", "1.1.1", "v1.0", "1.0 ", "1111.0" };
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        assert_false(usable(good, 3, versions[i]));
    }
    bootjack_object_handlers half = least;
    half.read = NULL;
    assert_false(bjc_definition_usable(&(bootjack_object){ .oid = 5, .handlers = &half }));
    half = least;
    half.begin = (bootjack_error(*)(void *))(void (*)(void)) no_instance;
    assert_false(bjc_definition_usable(&(bootjack_object){ .oid = 5, .handlers = &half }));
    assert_false(bjc_definition_usable(&(bootjack_object){ .oid = 5 }));
    assert_false(bjc_definition_usable(&(bootjack_object){ .oid = 65535, .handlers = &least }));
}

/* --- an Object of the application's own ------------------------------------------------------------------------- */

#define SLOTS 3

/* Two instances at most, with a number (/0) and several numbers (/1). */
typedef struct own_instance {
    bool there, has[1 + SLOTS];
    int64_t number[1 + SLOTS];
} own_instance;

typedef struct own {
    own_instance now[2], before[2];
    bool full, refuses;
    char calls[200];
} own;

static void called(own *o, const char *what) {
    snprintf(o->calls + strlen(o->calls), sizeof o->calls - strlen(o->calls), "%s ", what);
}

static int32_t own_next_instance(void *context, int32_t after) {
    own *o = context;
    for (int32_t i = after + 1; i < 2; i++) {
        if (o->now[i].there) {
            return i;
        }
    }
    return -1;
}

static bootjack_error own_create(void *context, uint16_t iid) {
    own *o = context;
    called(o, "create");
    if (iid > 1) {
        return BOOTJACK_ERR_LIMIT;
    }
    o->now[iid] = (own_instance){ .there = true };
    return BOOTJACK_OK;
}

static bootjack_error own_remove(void *context, uint16_t iid) {
    own *o = context;
    called(o, "remove");
    o->now[iid].there = false;
    return BOOTJACK_OK;
}

static bootjack_error own_reset(void *context, uint16_t iid) {
    called(context, "reset");
    ((own *) context)->now[iid] = (own_instance){ .there = true };
    return BOOTJACK_OK;
}

static int32_t own_next_riid(void *context, uint16_t iid, uint16_t rid, int32_t after) {
    const own *o = context;
    for (int32_t i = after + 1; rid == 1 && i < SLOTS; i++) {
        if (o->now[iid].has[1 + i]) {
            return i;
        }
    }
    return -1;
}

static bool own_present(void *context, uint16_t iid, uint16_t rid) {
    const own *o = context;
    return rid == 0 ? o->now[iid].has[0] : rid == 1 ? own_next_riid(context, iid, 1, -1) >= 0 : true;
}

static bootjack_error own_read(void *context, uint16_t iid, uint16_t rid, uint16_t riid, bootjack_value *value) {
    const own *o = context;
    size_t at = rid == 0 ? 0 : 1u + riid;
    *value = (bootjack_value){ .type = BOOTJACK_TYPE_INTEGER, .as.integer = o->now[iid].number[at] };
    return o->now[iid].has[at] ? BOOTJACK_OK : BOOTJACK_ERR_NOT_FOUND;
}

static bootjack_error own_write(void *context, uint16_t iid, uint16_t rid, uint16_t riid, const bootjack_value *value) {
    own *o = context;
    size_t at = rid == 0 ? 0 : 1u + riid;
    if (at > SLOTS) {
        return BOOTJACK_ERR_LIMIT;
    }
    o->now[iid].has[at] = true;
    o->now[iid].number[at] = value->as.integer;
    return BOOTJACK_OK;
}

static bootjack_error own_clear(void *context, uint16_t iid, uint16_t rid) {
    own *o = context;
    called(o, "clear");
    for (size_t i = rid ? 1 : 0; i <= (rid ? SLOTS : 0); i++) {
        o->now[iid].has[i] = false;
    }
    return BOOTJACK_OK;
}

static bootjack_error own_begin(void *context) {
    own *o = context;
    called(o, "begin");
    memcpy(o->before, o->now, sizeof o->now);
    return o->full ? BOOTJACK_ERR_MEMORY : BOOTJACK_OK;
}

static bootjack_error own_validate(void *context, char *reason, size_t size) {
    own *o = context;
    called(o, "validate");
    snprintf(reason, size, "/9999/0/0: not today");
    return o->refuses ? BOOTJACK_ERR_INCONSISTENT : BOOTJACK_OK;
}

static void own_commit(void *context) {
    called(context, "commit");
}

static void own_roll_back(void *context) {
    own *o = context;
    called(o, "roll_back");
    memcpy(o->now, o->before, sizeof o->now);
}

static const bootjack_object_handlers own_handlers = {
    .next_instance = own_next_instance,
    .create = own_create,
    .remove = own_remove,
    .reset = own_reset,
    .present = own_present,
    .next_resource_instance = own_next_riid,
    .read = own_read,
    .write = own_write,
    .clear = own_clear,
    .begin = own_begin,
    .validate = own_validate,
    .commit = own_commit,
    .roll_back = own_roll_back,
};
static const bootjack_resource own_resources[] = {
    { 0, "Number", BOOTJACK_TYPE_INTEGER, BOOTJACK_READABLE | BOOTJACK_WRITABLE, 0, 0, 0 },
    { 1, "Numbers", BOOTJACK_TYPE_INTEGER, BOOTJACK_READABLE | BOOTJACK_MULTIPLE, 0, 0, 0 },
};
static const bootjack_object own_object = {
    .oid = 9999, .resources = own_resources, .resource_count = 2, .handlers = &own_handlers
};

static void with_own(furnished *f, own *o) {
    memset(o, 0, sizeof *o);
    start(f, BOOTJACK_LWM2M_1_1);
    assert_true(bjc_definition_usable(&own_object));
    assert_int_equal(bjc_model_install(&f->model, &own_object, o, NULL), BOOTJACK_OK);
}

static void handlers_of_an_application(void **state) {
    (void) state;
    furnished f;
    own o;
    with_own(&f, &o);
    assert_int_equal(write_hex(&f, PATH(9999), "08 00 0B C1 00 07 86 01 41 00 01 41 02 03"), BOOTJACK_OK);
    assert_string_equal(o.calls, "create clear ");
    assert_string_equal(
        json_of(&f, PATH(9999), false),
        "[{\"bn\":\"/9999/\",\"n\":\"0/0\",\"v\":7},{\"n\":\"0/1/0\",\"v\":1},{\"n\":\"0/1/2\",\"v\":3}]");
    /* The instance whole: emptied first. */
    o.calls[0] = 0;
    assert_int_equal(write_hex(&f, PATH(9999, 0), "86 01 41 01 05 41 02 06"), BOOTJACK_OK);
    assert_string_equal(o.calls, "reset clear ");
    assert_false(o.now[0].has[0]);
    /* A multiple resource loses the instances that the payload does not name. */
    o.calls[0] = 0;
    assert_int_equal(write_hex(&f, PATH(9999, 0, 1), "83 01 41 00 08"), BOOTJACK_OK);
    assert_string_equal(o.calls, "clear ");
    assert_string_equal(json_of(&f, PATH(9999, 0, 1), false), "[{\"bn\":\"/9999/0/1/\",\"n\":\"0\",\"v\":8}]");
    /* What the application refuses, and what is refused before it is asked. */
    assert_int_equal(write_hex(&f, PATH(9999, 2), "C1 00 01"), BOOTJACK_ERR_LIMIT);
    o.calls[0] = 0;
    assert_int_equal(write_hex(&f, PATH(9999, 0), "C1 00 01 C3 00 01 02 03"), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_hex(&f, PATH(9999, 0), "C3 00 01 02 03"), BOOTJACK_ERR_TYPE);
    assert_string_equal(o.calls, "");
    unfurnish(&f);
}

static void transaction_of_an_application(void **state) {
    (void) state;
    furnished f;
    own o;
    with_own(&f, &o);
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_int_equal(write_hex(&f, PATH(9999, 1), "C1 00 07"), BOOTJACK_OK);
    o.refuses = true;
    assert_int_equal(bjc_model_validate(&f.model), BOOTJACK_ERR_INCONSISTENT);
    o.refuses = false;
    assert_int_equal(bjc_model_validate(&f.model), BOOTJACK_OK);
    bjc_model_roll_back(&f.model);
    assert_string_equal(o.calls, "begin create validate validate roll_back ");
    assert_false(o.now[1].there);
    o.calls[0] = 0;
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_int_equal(write_hex(&f, PATH(9999, 1), "C1 00 07"), BOOTJACK_OK);
    bjc_model_commit(&f.model);
    assert_string_equal(o.calls, "begin create commit ");
    assert_true(o.now[1].there);
    /* An Object that cannot begin: the others are told that there is no transaction, and it is not. */
    o.full = true;
    o.calls[0] = 0;
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_ERR_MEMORY);
    assert_string_equal(o.calls, "begin ");
    assert_false(f.model.in_transaction);
    assert_false(f.security.in_transaction);
    unfurnish(&f);
}

static void mandatory_resources_of_an_application(void **state) {
    (void) state;
    furnished f;
    own o = { .full = false };
    bootjack_resource resources[] = { own_resources[0], own_resources[1] };
    resources[0].flags |= BOOTJACK_MANDATORY;
    const bootjack_object object = {
        .oid = 9999, .resources = resources, .resource_count = 2, .handlers = &own_handlers
    };
    start(&f, BOOTJACK_LWM2M_1_1);
    assert_int_equal(bjc_model_install(&f.model, &object, &o, NULL), BOOTJACK_OK);
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_int_equal(bjc_model_validate(&f.model), BOOTJACK_OK); /* no instance, nothing missing */
    assert_int_equal(write_hex(&f, PATH(9999, 1), "83 01 41 00 08"), BOOTJACK_OK);
    assert_int_equal(bjc_model_validate(&f.model), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(write_hex(&f, PATH(9999, 1, 0), "C1 00 08"), BOOTJACK_OK);
    assert_int_equal(bjc_model_validate(&f.model), BOOTJACK_OK);
    bjc_model_commit(&f.model);
    unfurnish(&f);
}

/* --- Access Control --------------------------------------------------------------------------------------------- */

static const bootjack_access_entry entries[] = { { 0, BOOTJACK_ACCESS_READ },
                                                 { 101, BOOTJACK_ACCESS_READ | BOOTJACK_ACCESS_WRITE } };
static const bootjack_access_control_instance device_rights = {
    .target_object = 3, .target_instance = 0, .entries = entries, .entry_count = 2, .owner = 101
};

static bootjack_error references(furnished *f, const char *expected) {
    char reason[120] = "";
    bootjack_error error =
        bjc_access_control_check_references(&f->model, &f->access_control, &f->server, reason, sizeof reason);
    assert_string_equal(reason, expected);
    return error;
}

static void access_control(void **state) {
    (void) state;
    furnished f;
    uint16_t iid = BOOTJACK_ID_INVALID;
    start(&f, BOOTJACK_LWM2M_1_1);
    assert_int_equal(write_hex(&f, PATH(1, 0), "C1 00 65 C1 01 3C C1 06 00 C1 07 55"), BOOTJACK_OK);
    assert_int_equal(bjc_access_control_add(&f.access_control, &device_rights, &iid), BOOTJACK_OK);
    assert_int_equal(iid, 0);
    assert_string_equal(json_of(&f, PATH(2), true),
                        "[{\"bn\":\"/2/\",\"n\":\"0/0\",\"v\":3},{\"n\":\"0/1\",\"v\":0},{\"n\":\"0/2/0\",\"v\":1},"
                        "{\"n\":\"0/2/101\",\"v\":3},{\"n\":\"0/3\",\"v\":101}]");
    assert_int_equal(references(&f, ""), BOOTJACK_OK);
    iid = BOOTJACK_ID_INVALID;
    assert_int_equal(bjc_access_control_add(&f.access_control, &device_rights, &iid), BOOTJACK_ERR_EXISTS);
    assert_int_equal(write_text(&f, PATH(2, 0, 3), "7"), BOOTJACK_OK);
    assert_int_equal(references(&f, "/2/0/3: there is no server with Short Server ID 7"), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(write_text(&f, PATH(2, 0, 3), "65535"), BOOTJACK_OK);
    assert_int_equal(write_text(&f, PATH(2, 0, 1), "5"), BOOTJACK_OK);
    assert_int_equal(references(&f, "/2/0/1: there is no /3/5"), BOOTJACK_ERR_INCONSISTENT);
    assert_int_equal(write_text(&f, PATH(2, 0, 1), "65535"), BOOTJACK_OK);
    assert_int_equal(references(&f, ""), BOOTJACK_OK);
    assert_int_equal(write_hex(&f, PATH(2, 0, 2), "83 02 41 07 01"), BOOTJACK_OK);
    assert_int_equal(references(&f, "/2/0/2/7: there is no server with that Short Server ID"),
                     BOOTJACK_ERR_INCONSISTENT);
    unfurnish(&f);
}

static bootjack_error add_access(bootjack_access_control_instance instance) {
    furnished f;
    uint16_t iid = 3;
    start(&f, BOOTJACK_LWM2M_1_1);
    bootjack_error error = bjc_access_control_add(&f.access_control, &instance, &iid);
    assert_int_equal(f.access_control.instances != NULL, error == BOOTJACK_OK);
    unfurnish(&f);
    return error;
}

static void access_control_out_of_range(void **state) {
    (void) state;
    static const bootjack_access_entry more[] = { { 1, 32 } }, nobody[] = { { 65535, 1 } };
    assert_int_equal(add_access((bootjack_access_control_instance){ 65534, 65535, NULL, 0, 65535 }), BOOTJACK_OK);
    assert_int_equal(add_access((bootjack_access_control_instance){ 0, 0, NULL, 0, 1 }), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(add_access((bootjack_access_control_instance){ 65535, 0, NULL, 0, 1 }), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(add_access((bootjack_access_control_instance){ 3, 0, more, 1, 1 }), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(add_access((bootjack_access_control_instance){ 3, 0, nobody, 1, 1 }), BOOTJACK_ERR_ARGUMENT);
}

static void access_control_is_rolled_back(void **state) {
    (void) state;
    furnished f;
    uint16_t iid = 0;
    start(&f, BOOTJACK_LWM2M_1_1);
    assert_int_equal(bjc_access_control_add(&f.access_control, &device_rights, &iid), BOOTJACK_OK);
    assert_int_equal(bjc_model_begin(&f.model), BOOTJACK_OK);
    assert_int_equal(write_hex(&f, PATH(2), "08 01 0D C1 00 03 C1 01 00 83 02 41 00 1F C1 03 01"), BOOTJACK_ERR_FORMAT);
    assert_int_equal(write_hex(&f, PATH(2), "08 01 0F C1 00 03 C1 01 00 83 02 41 00 1F C2 03 00 65"), BOOTJACK_OK);
    assert_int_equal(bjc_model_validate(&f.model), BOOTJACK_ERR_INCONSISTENT); /* /2/0 and /2/1 say it of the same */
    assert_int_equal(bjc_store_handlers.remove(&f.access_control, 0), BOOTJACK_OK);
    assert_int_equal(bjc_model_validate(&f.model), BOOTJACK_OK);
    bjc_model_roll_back(&f.model);
    assert_non_null(bjc_store_instance(&f.access_control, 0));
    assert_null(bjc_store_instance(&f.access_control, 1));
    unfurnish(&f);
}

/* --- the test object -------------------------------------------------------------------------------------------- */

static bootjack_error execute(furnished *f, uint16_t rid, const char *arguments) {
    return bjc_store_handlers.execute(&f->test_object.store, 0, rid, (const uint8_t *) arguments, strlen(arguments));
}

#define INITIAL                                                                                                        \
    "[{\"bn\":\"/3442/0/\",\"n\":\"110\",\"vs\":\"initial value\"},{\"n\":\"120\",\"v\":1024},"                        \
    "{\"n\":\"125\",\"v\":9223372036854775808},{\"n\":\"130\",\"v\":3.14159},{\"n\":\"140\",\"vb\":true},"             \
    "{\"n\":\"150\",\"vd\":\"ASNFZ4mrze8\"},{\"n\":\"160\",\"v\":946684800},{\"n\":\"170\",\"vlo\":\"3:0\"},"          \
    "{\"n\":\"180\",\"vs\":\"</3442>\"},{\"n\":\"1110/0\",\"vs\":\"initial value\"},{\"n\":\"1120/0\",\"v\":1024},"    \
    "{\"n\":\"1125/0\",\"v\":9223372036854775808},{\"n\":\"1130/0\",\"v\":3.14159},{\"n\":\"1140/0\",\"vb\":true},"    \
    "{\"n\":\"1150/0\",\"vd\":\"ASNFZ4mrze8\"},{\"n\":\"1160/0\",\"v\":946684800},{\"n\":\"1170/0\",\"vlo\":\"3:0\"}," \
    "{\"n\":\"1180/0\",\"vs\":\"</3442>\"}]"

static void test_object_values(void **state) {
    (void) state;
    furnished f;
    start(&f, BOOTJACK_LWM2M_1_1);
    assert_string_equal(json_of(&f, PATH(3442, 0), false), INITIAL);
    assert_int_equal(execute(&f, 1, ""), BOOTJACK_OK);
    assert_string_not_equal(json_of(&f, PATH(3442, 0), false), INITIAL);
    assert_non_null(strstr(json_of(&f, PATH(3442, 0), false), "1180/0"));
    assert_int_equal(execute(&f, 2, ""), BOOTJACK_OK);
    assert_string_equal(json_of(&f, PATH(3442, 0), false), "[]");
    assert_int_equal(execute(&f, 0, ""), BOOTJACK_OK);
    assert_string_equal(json_of(&f, PATH(3442, 0), false), INITIAL);
    /* What one format reads of it, another writes back. */
    const char *json = "[{\"bn\":\"/3442/1/\",\"n\":\"125\",\"v\":18446744073709551615},{\"n\":\"1170/7\",\"vlo\":"
                       "\"1:2\"},{\"n\":\"1180/65534\",\"vs\":\"</1>\"}]";
    bjc_path path = PATH(3442, 1);
    assert_int_equal(
        bjc_model_write(&f.model, &path, bjc_format_find(BJC_FORMAT_SENML_JSON), (const uint8_t *) json, strlen(json)),
        BOOTJACK_OK);
    assert_string_equal(json_of(&f, path, false), json);
    unfurnish(&f);
    start(&f, BOOTJACK_LWM2M_1_0);
    assert_null(row(&f, 3442, 180));
    assert_non_null(row(&f, 3442, 170));
    unfurnish(&f);
}

static void test_object_arguments(void **state) {
    (void) state;
    furnished f;
    start(&f, BOOTJACK_LWM2M_1_1);
    assert_int_equal(execute(&f, 3, "0,3='hello, world',9=''"), BOOTJACK_OK);
    const char *kept = "[{\"bn\":\"/3442/0/4/\",\"n\":\"0\",\"vs\":\"\"},{\"n\":\"3\",\"vs\":\"hello, world\"},"
                       "{\"n\":\"9\",\"vs\":\"\"}]";
    assert_string_equal(json_of(&f, PATH(3442, 0, 4), false), kept);
    static const char *const bad[] = { "x", "0,", ",0", "10", "0=", "0='", "0='a", "0=a", "0='a'b", "0='a',," };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(execute(&f, 3, bad[i]), BOOTJACK_ERR_FORMAT);
        assert_string_equal(json_of(&f, PATH(3442, 0, 4), false), kept);
    }
    assert_int_equal(execute(&f, 3, ""), BOOTJACK_OK);
    assert_string_equal(json_of(&f, PATH(3442, 0, 4), false), bootjack_error_text(BOOTJACK_ERR_NOT_FOUND));
    unfurnish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_of_a_release),
        cmocka_unit_test(resources_that_a_release_changed),
        cmocka_unit_test(a_later_resource_is_unknown),
        cmocka_unit_test(versions_that_are_told),
        cmocka_unit_test(definitions_that_do_not_hold_together),
        cmocka_unit_test(handlers_of_an_application),
        cmocka_unit_test(transaction_of_an_application),
        cmocka_unit_test(mandatory_resources_of_an_application),
        cmocka_unit_test(access_control),
        cmocka_unit_test(access_control_out_of_range),
        cmocka_unit_test(access_control_is_rolled_back),
        cmocka_unit_test(test_object_values),
        cmocka_unit_test(test_object_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
