/* SPDX-License-Identifier: Apache-2.0
 *
 * Access Control (LwM2M Core 1.1 §8): which operation needs which right, who has it, and what becomes of it all when a
 * server goes.
 */
#include "management_support.h"

/* --- an Object with instances ----------------------------------------------------------------------------------- */

static const bootjack_resource thing_resources[] = {
    { 1, "Needed", BOOTJACK_TYPE_INTEGER, BOOTJACK_READABLE | BOOTJACK_WRITABLE | BOOTJACK_MANDATORY, 0, 0, 10 },
    { 2, "Wanted", BOOTJACK_TYPE_STRING, BOOTJACK_READABLE | BOOTJACK_WRITABLE, 0, 0, 10 },
    { 3, "Go", BOOTJACK_TYPE_NONE, BOOTJACK_EXECUTABLE, 0, 0, 10 },
};
static const bootjack_object thing_object = {
    .oid = 9, .resources = thing_resources, .resource_count = 3, .handlers = &bjc_store_handlers
};

typedef struct guarded {
    managed m;
    bjc_store things;
} guarded;

static bootjack_error go(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments, size_t length) {
    (void) context;
    (void) iid;
    (void) rid;
    (void) arguments;
    (void) length;
    return BOOTJACK_OK;
}

static void guard_start(guarded *g, unsigned servers) {
    manage_start(&g->m, BOOTJACK_LWM2M_1_1);
    bjc_store_init(&g->things, &g->m.f.core, &thing_object);
    g->things.execute = go;
    assert_int_equal(bjc_model_install(&g->m.f.model, &thing_object, &g->things, &g->things), BOOTJACK_OK);
    for (unsigned ssid = 2; ssid <= servers; ssid++) {
        bootjack_server_instance server = { .ssid = (uint16_t) ssid, .lifetime_s = 60 };
        uint16_t iid = (uint16_t) (ssid - 1);
        assert_int_equal(bjc_server_add(&g->m.f.server, &server, &iid), BOOTJACK_OK);
    }
    assert_int_equal(bjc_store_create(&g->things, 0), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&g->things, 0, 1, 5), BOOTJACK_OK);
}

static void guard_stop(guarded *g) {
    manage_stop(&g->m);
    bjc_store_free(&g->things);
}

static uint16_t acl(guarded *g, uint16_t oid, uint16_t iid, uint16_t owner) {
    uint16_t at = bjc_store_free_id(&g->m.f.access_control);
    assert_int_equal(bjc_store_create(&g->m.f.access_control, at), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&g->m.f.access_control, at, 0, oid), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&g->m.f.access_control, at, 1, iid), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&g->m.f.access_control, at, 3, owner), BOOTJACK_OK);
    return at;
}

static void entry(guarded *g, uint16_t at, uint16_t ssid, int64_t rights) {
    bootjack_value value = { .type = BOOTJACK_TYPE_INTEGER, .as.integer = rights };
    assert_int_equal(bjc_store_set(&g->m.f.access_control, at, 2, ssid, &value), BOOTJACK_OK);
}

/* The codes of all operations on /9/0, in the order of the rights. */
static void expect(guarded *g, uint16_t ssid, unsigned read, unsigned write, unsigned execute) {
    assert_int_equal(ask(&g->m, ssid, to(BJC_GET, "/9/0/1")), read);
    assert_int_equal(ask(&g->m, ssid, accepting("/9/0", 40)), read);
    assert_int_equal(ask(&g->m, ssid, with_query(BJC_PUT, "/9/0", "pmin=1")), read == 205 ? 204 : read);
    assert_int_equal(ask(&g->m, ssid, with_text(BJC_PUT, "/9/0/1", 0, "7")), write);
    assert_int_equal(ask(&g->m, ssid, to(BJC_POST, "/9/0/3")), execute);
}

static void one_server_may_all(void **state) {
    guarded g;
    (void) state;
    guard_start(&g, 1);
    expect(&g, 1, 205, 204, 204);
    assert_int_equal(ask(&g.m, 1, to(BJC_DELETE, "/9/0")), 202);
    guard_stop(&g);
}

static void without_an_instance_of_2_nobody_may(void **state) {
    guarded g;
    (void) state;
    guard_start(&g, 2);
    expect(&g, 1, 401, 401, 401);
    assert_int_equal(ask(&g.m, 1, to(BJC_DELETE, "/9/0")), 401);
    assert_int_equal(ask(&g.m, 1, to(BJC_GET, "/9")), 401);
    assert_int_equal(ask(&g.m, 1, with_text(BJC_POST, "/9", BJC_FORMAT_TLV, "")), 401);
    guard_stop(&g);
}

static void owner_entry_and_default(void **state) {
    guarded g;
    (void) state;
    guard_start(&g, 3);
    uint16_t at = acl(&g, 9, 0, 1);
    expect(&g, 1, 205, 204, 204);
    expect(&g, 2, 401, 401, 401);
    entry(&g, at, 0, BJC_RIGHT_READ);
    expect(&g, 1, 205, 204, 204);
    expect(&g, 2, 205, 401, 401);
    entry(&g, at, 2, BJC_RIGHT_WRITE | BJC_RIGHT_EXECUTE);
    expect(&g, 2, 401, 204, 204);
    expect(&g, 3, 205, 401, 401);
    entry(&g, at, 1, 0); /* an entry of its own binds the owner, too */
    expect(&g, 1, 401, 401, 401);
    assert_int_equal(ask(&g.m, 2, to(BJC_DELETE, "/9/0")), 401);
    entry(&g, at, 2, BJC_RIGHT_DELETE);
    assert_int_equal(ask(&g.m, 2, to(BJC_DELETE, "/9/0")), 202);
    assert_null(g.m.f.access_control.instances); /* went with it */
    guard_stop(&g);
}

static void create_needs_its_right_on_the_object(void **state) {
    guarded g;
    (void) state;
    guard_start(&g, 2);
    uint16_t at = acl(&g, 9, BOOTJACK_ID_INVALID, 1);
    asked create = { BJC_POST, "/9", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 01 07", 0 };
    assert_int_equal(ask(&g.m, 1, create), 401); /* its owner has no more */
    entry(&g, at, 1, BJC_RIGHT_CREATE);
    assert_int_equal(ask(&g.m, 2, create), 401);
    assert_int_equal(ask(&g.m, 1, create), 201);
    assert_int_equal(g.m.reply.location[1], 1);
    assert_int_equal(g.m.instance_changes, 1);
    assert_int_equal(ask(&g.m, 1, to(BJC_GET, "/9/1/1")), 205); /* the creator owns it */
    assert_int_equal(ask(&g.m, 2, to(BJC_GET, "/9/1/1")), 401);
    assert_int_equal(ask(&g.m, 1, to(BJC_DELETE, "/9/1")), 202);
    guard_stop(&g);
}

static unsigned observe(guarded *g, uint16_t ssid, const char *path, uint8_t token) {
    asked a = to(BJC_GET, path);
    a.observe = 0;
    a.token = token;
    return ask(&g->m, ssid, a);
}

/* The codes of what was stored for a server that is not there, in their order. */
static void assert_told(guarded *g, const unsigned *codes, size_t count) {
    bjc_scheduler_run(&g->m.f.core.scheduler, bjc_now() + BJC_MS);
    const bjc_stored *s = g->m.reporting.stored;
    for (size_t i = 0; i < count; i++) {
        assert_non_null(s);
        assert_int_equal(s->notification.code, codes[i]);
        s = s->next;
    }
    assert_null(s);
}

/* The rights go with the instance: it is not there, and not out of reach. */
static void an_observed_instance_that_another_server_deletes(void **state) {
    static const unsigned codes[] = { BJC_NOT_FOUND };
    guarded g;
    (void) state;
    guard_start(&g, 2);
    uint16_t at = acl(&g, 9, 0, 2);
    entry(&g, at, 1, BJC_RIGHT_READ);
    assert_int_equal(observe(&g, 1, "/9/0", 1), 205);
    assert_int_equal(ask(&g.m, 2, to(BJC_DELETE, "/9/0")), 202);
    assert_told(&g, codes, 1);
    guard_stop(&g);
}

/* Create and Delete make and take away instances of /2, which can be observed like others. */
static void observed_instances_of_2(void **state) {
    static const unsigned made[] = { BJC_CONTENT }, gone[] = { BJC_CONTENT, BJC_NOT_FOUND, BJC_CONTENT };
    guarded g;
    (void) state;
    guard_start(&g, 2);
    uint16_t at = acl(&g, 9, BOOTJACK_ID_INVALID, 1);
    entry(&g, at, 1, BJC_RIGHT_CREATE);
    assert_int_equal(observe(&g, 1, "/2", 1), 205);
    asked create = { BJC_POST, "/9", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 01 07", 0 };
    assert_int_equal(ask(&g.m, 1, create), 201);
    assert_told(&g, made, 1);
    assert_int_equal(observe(&g, 1, "/2/1", 2), 205);
    assert_int_equal(ask(&g.m, 1, to(BJC_DELETE, "/9/1")), 202);
    assert_told(&g, gone, 3);
    guard_stop(&g);
}

/* RFC 7641 §4.2: what a Read would be refused is observed no more. */
static void rights_that_are_withdrawn(void **state) {
    static const unsigned codes[] = { BJC_UNAUTHORIZED, BJC_UNAUTHORIZED };
    guarded g;
    (void) state;
    guard_start(&g, 2);
    uint16_t at = acl(&g, 9, 0, 2);
    entry(&g, at, 1, BJC_RIGHT_READ);
    assert_int_equal(observe(&g, 1, "/9", 1), 205);
    assert_int_equal(observe(&g, 1, "/9/0/1", 2), 205);
    assert_int_equal(ask(&g.m, 2, with_text(BJC_PUT, "/2/0/2/1", 0, "2")), 204);
    assert_told(&g, codes, 2);
    assert_null(g.m.reporting.list);
    guard_stop(&g);
}

static void creation(void **state) {
    guarded g;
    (void) state;
    guard_start(&g, 1);
    static const struct {
        unsigned code;
        int format;
        const char *hex;
    } rows[] = {
        { 201, BJC_FORMAT_TLV, "08 05 03 C1 01 07" },                   /* instance 5 */
        { 400, BJC_FORMAT_TLV, "08 05 03 C1 01 07" },                   /* there already */
        { 201, BJC_FORMAT_TLV, "C1 01 07" },                            /* the client chooses */
        { 400, BJC_FORMAT_TLV, "C1 02 41" },                            /* mandatory resource missing */
        { 400, BJC_FORMAT_TLV, "" },                                    /* likewise */
        { 400, BJC_FORMAT_TLV, "08 06 03 C1 01 07 08 07 03 C1 01 07" }, /* two at once */
        { 400, BJC_FORMAT_TLV, "C1 01" },
        { 415, 4711, "C1 01 07" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        asked create = { BJC_POST, "/9", NULL, rows[i].format, -1, -1, NULL, rows[i].hex, 0 };
        assert_int_equal(ask(&g.m, 1, create), rows[i].code);
    }
    assert_int_equal(g.m.instance_changes, 2);
    assert_non_null(bjc_store_instance(&g.things, 5));
    assert_non_null(bjc_store_instance(&g.things, 1));
    assert_null(bjc_store_instance(&g.things, 2));
    assert_int_equal(
        ask(&g.m, 1, with_text(BJC_POST, "/9", BJC_FORMAT_SENML_JSON, "[{\"bn\":\"/9/65535/\",\"n\":\"1\",\"v\":3}]")),
        201);
    assert_int_equal(g.m.reply.location[1], 2);
    assert_int_equal(bjc_store_integer(&g.things, 2, 1, 0), 3);
    guard_stop(&g);
}

static void only_the_owner_changes_rights(void **state) {
    guarded g;
    (void) state;
    guard_start(&g, 2);
    acl(&g, 9, 0, 1);
    assert_int_equal(ask(&g.m, 2, to(BJC_GET, "/2/0/3")), 205);
    assert_int_equal(ask(&g.m, 2, with_text(BJC_PUT, "/2/0/3", 0, "2")), 401);
    assert_int_equal(ask(&g.m, 1, with_text(BJC_PUT, "/2/0/3", 0, "2")), 204);
    assert_int_equal(ask(&g.m, 1, with_text(BJC_PUT, "/2/0/3", 0, "1")), 401);
    assert_int_equal(ask(&g.m, 2, with_text(BJC_PUT, "/2/0/0", 0, "1")), 405);
    assert_int_equal(ask(&g.m, 2, to(BJC_DELETE, "/2/0")), 405);
    guard_stop(&g);
}

static void object_level_shows_what_may_be_seen(void **state) {
    guarded g;
    (void) state;
    guard_start(&g, 2);
    uint16_t first = acl(&g, 9, 0, 2);
    assert_int_equal(bjc_store_create(&g.things, 1), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&g.things, 1, 1, 6), BOOTJACK_OK);
    acl(&g, 9, 1, 1);
    assert_int_equal(ask(&g.m, 1, accepting("/9", BJC_FORMAT_SENML_JSON)), 205);
    assert_answer(&g.m, "[{\"bn\":\"/9/\",\"n\":\"1/1\",\"v\":6}]");
    assert_int_equal(ask(&g.m, 1, accepting("/9", 40)), 205);
    assert_answer(&g.m, "</9>,</9/1>,</9/1/1>,</9/1/3>");
    asked composite = with_text(BJC_FETCH, "/", BJC_FORMAT_SENML_JSON, "[{\"n\":\"/9/0/1\"},{\"n\":\"/9/1/1\"}]");
    composite.accept = BJC_FORMAT_SENML_JSON;
    assert_int_equal(ask(&g.m, 1, composite), 205);
    assert_answer(&g.m, "[{\"bn\":\"/\",\"n\":\"9/1/1\",\"v\":6}]");
    entry(&g, first, 0, BJC_RIGHT_READ);
    assert_int_equal(ask(&g.m, 1, composite), 205);
    assert_answer(&g.m, "[{\"bn\":\"/\",\"n\":\"9/0/1\",\"v\":5},{\"n\":\"9/1/1\",\"v\":6}]");
    guard_stop(&g);
}

static void count_removed(void *context, const bjc_path *instance) {
    (void) instance;
    ++*(unsigned *) context;
}

static void a_server_that_goes(void **state) {
    guarded g;
    unsigned removed = 0;
    (void) state;
    guard_start(&g, 3);
    uint16_t alone = acl(&g, 9, 0, 1);
    entry(&g, alone, 1, 31);
    assert_int_equal(bjc_store_create(&g.things, 1), BOOTJACK_OK);
    uint16_t shared = acl(&g, 9, 1, 1);
    entry(&g, shared, 1, 15);
    entry(&g, shared, 2, BJC_RIGHT_READ);
    entry(&g, shared, 3, BJC_RIGHT_WRITE | BJC_RIGHT_DELETE);
    uint16_t other = acl(&g, 3, 0, 2);
    entry(&g, other, 1, 5);
    entry(&g, other, 2, 7);
    bjc_access_forget_server(&g.m.f.model, 1, count_removed, &removed);
    assert_int_equal(removed, 1);
    assert_null(bjc_store_instance(&g.things, 0));
    assert_null(bjc_store_instance(&g.m.f.access_control, alone));
    assert_int_equal(bjc_store_integer(&g.m.f.access_control, shared, 3, 0), 3);
    assert_null(bjc_store_get(&g.m.f.access_control, shared, 2, 1));
    assert_int_equal(bjc_store_get(&g.m.f.access_control, shared, 2, 2)->as.integer, BJC_RIGHT_READ);
    assert_int_equal(bjc_store_integer(&g.m.f.access_control, other, 3, 0), 2);
    assert_null(bjc_store_get(&g.m.f.access_control, other, 2, 1));
    assert_int_equal(bjc_store_get(&g.m.f.access_control, other, 2, 2)->as.integer, 7);
    guard_stop(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_server_may_all),
        cmocka_unit_test(without_an_instance_of_2_nobody_may),
        cmocka_unit_test(owner_entry_and_default),
        cmocka_unit_test(create_needs_its_right_on_the_object),
        cmocka_unit_test(an_observed_instance_that_another_server_deletes),
        cmocka_unit_test(observed_instances_of_2),
        cmocka_unit_test(rights_that_are_withdrawn),
        cmocka_unit_test(creation),
        cmocka_unit_test(only_the_owner_changes_rights),
        cmocka_unit_test(object_level_shows_what_may_be_seen),
        cmocka_unit_test(a_server_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
