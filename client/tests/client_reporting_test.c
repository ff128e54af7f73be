/* SPDX-License-Identifier: Apache-2.0
 *
 * Observations without a network: nobody is registered with, so that what is to be told is stored; limits; memory that
 * runs out at every place. What happens in time is shown by scenarios.
 */
#include <stdlib.h>

#include "management_support.h"
#include "reporting/send.h"

static void start(managed *m) {
    manage_start(m, BOOTJACK_LWM2M_1_2);
    assert_int_equal(bjc_store_set_integer(&m->f.server, 0, 5, 100), BOOTJACK_OK);
}

/* Timers that are due, those for right now included. */
static void run_timers(managed *m) {
    bjc_scheduler_run(&m->f.core.scheduler, bjc_now() + BJC_MS);
}

static unsigned observe(managed *m, const char *path, uint8_t token) {
    asked a = to(BJC_GET, path);
    a.observe = 0;
    a.token = token;
    return ask(m, 1, a);
}

static unsigned stored(const managed *m) {
    unsigned count = 0;
    for (const bjc_stored *s = m->reporting.stored; s; s = s->next) {
        count++;
    }
    return count;
}

static unsigned observations(const managed *m) {
    unsigned count = 0;
    for (const bjc_observation *o = m->reporting.list; o; o = o->next) {
        count++;
    }
    return count;
}

static void set(managed *m, unsigned value) {
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    assert_int_equal(ask(m, 1, with_text(BJC_PUT, "/1/0/5", 0, text)), 204);
    run_timers(m);
}

static void the_oldest_of_many_gives_way(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(observe(&m, "/1/0/5", 1), 205);
    assert_true(m.reply.observed);
    for (unsigned i = 0; i < BJC_STORED_MAX + 8; i++) {
        set(&m, 200 + i);
    }
    assert_int_equal(stored(&m), BJC_STORED_MAX);
    const bjc_notification *first = &m.reporting.stored->notification;
    assert_int_equal(first->payload_length, 3);
    assert_memory_equal(first->payload, "208", 3);
    for (const bjc_stored *s = m.reporting.stored; s->next; s = s->next) {
        assert_int_equal(s->notification.sequence + 1, s->next->notification.sequence);
    }
    manage_stop(&m);
}

static void nothing_is_stored_against_the_servers_will(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(bjc_store_set_boolean(&m.f.server, 0, 6, false), BOOTJACK_OK);
    assert_int_equal(observe(&m, "/1/0/5", 1), 205);
    set(&m, 7);
    assert_int_equal(stored(&m), 0);
    bjc_reporting_unregistered(&m.reporting, 1);
    assert_int_equal(observations(&m), 0);
    manage_stop(&m);
}

/* What comes back undelivered is older than what was stored meanwhile. */
static void undelivered_ones_keep_their_order(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(observe(&m, "/1/0/5", 1), 205);
    set(&m, 7);
    bjc_notification late = m.reporting.stored->notification;
    late.sequence--;
    late.payload = (const uint8_t *) "6";
    bjc_reporting_notified(&m.reporting, 1, BJC_TIMEOUT, &late);
    assert_int_equal(stored(&m), 2);
    assert_memory_equal(m.reporting.stored->notification.payload, "6", 1);
    bjc_reporting_notified(&m.reporting, 1, BJC_RESET, &late);
    assert_int_equal(stored(&m), 0);
    assert_int_equal(observations(&m), 0);
    bjc_reporting_notified(&m.reporting, 1, BJC_TIMEOUT, &late); /* of one that is over */
    assert_int_equal(stored(&m), 0);
    manage_stop(&m);
}

static void one_too_many_is_a_plain_read(void **state) {
    managed m;
    (void) state;
    start(&m);
    for (unsigned i = 0; i < BJC_OBSERVATIONS_MAX; i++) {
        assert_int_equal(observe(&m, "/1/0/5", (uint8_t) i), 205);
        assert_true(m.reply.observed);
    }
    assert_int_equal(observe(&m, "/1/0/5", 200), 205);
    assert_false(m.reply.observed);
    assert_int_equal(observe(&m, "/1/0/5", 7), 205); /* again with a known token: no more than before */
    assert_true(m.reply.observed);
    assert_int_equal(m.reply.sequence, 2);
    assert_int_equal(observations(&m), BJC_OBSERVATIONS_MAX);
    manage_stop(&m);
}

static void cancelling_forgets_what_is_stored(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(observe(&m, "/1/0/5", 1), 205);
    assert_int_equal(observe(&m, "/1/0/5", 2), 205);
    set(&m, 7);
    assert_int_equal(stored(&m), 2);
    asked cancel = to(BJC_GET, "/1/0/5");
    cancel.observe = 1;
    cancel.token = 1;
    assert_int_equal(ask(&m, 1, cancel), 205);
    assert_false(m.reply.observed);
    assert_int_equal(stored(&m), 1);
    assert_int_equal(observations(&m), 1);
    bjc_reporting_forget_server(&m.reporting, 1);
    assert_int_equal(stored(&m) + observations(&m), 0);
    manage_stop(&m);
}

static void attributes_of_an_observe(void **state) {
    managed m;
    (void) state;
    start(&m);
    asked own = to(BJC_GET, "/1/0/5");
    own.observe = 0;
    own.query = "gt=150";
    assert_int_equal(ask(&m, 1, own), 205);
    set(&m, 120);
    assert_int_equal(stored(&m), 0);
    set(&m, 151);
    assert_int_equal(stored(&m), 1);
    own.query = "lt=5&gt=3";
    assert_int_equal(ask(&m, 1, own), 400);
    m.f.core.config.version = BOOTJACK_LWM2M_1_1;
    own.query = "gt=150";
    assert_int_equal(ask(&m, 1, own), 400);
    manage_stop(&m);
}

/* RFC 7641 §3.6: all options but Observe are those of the registration. */
static void cancelled_with_the_attributes_of_the_observe(void **state) {
    managed m;
    (void) state;
    start(&m);
    asked own = to(BJC_GET, "/1/0/5");
    own.observe = 0;
    own.query = "gt=150&pmin=1";
    assert_int_equal(ask(&m, 1, own), 205);
    assert_int_equal(observations(&m), 1);
    own.observe = 1;
    assert_int_equal(ask(&m, 1, own), 205);
    assert_false(m.reply.observed);
    assert_int_equal(observations(&m), 0);
    own.observe = -1;
    assert_int_equal(ask(&m, 1, own), 400);
    manage_stop(&m);
}

static bjc_attributes of_the_observation(const managed *m) {
    return bjc_observation_attributes(m->reporting.list);
}

/* LwM2M Core 1.1 §5.1.2: "0" is no Maximum Period, whatever stands above it or in /1/x/3. */
static void a_pmax_of_0_is_none(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(bjc_store_set_integer(&m.f.server, 0, 3, 60), BOOTJACK_OK);
    assert_int_equal(ask(&m, 1, with_query(BJC_PUT, "/1/0", "pmax=100&epmax=10")), 204);
    assert_int_equal(observe(&m, "/1/0/5", 1), 205);
    assert_int_equal(of_the_observation(&m).pmax_s, 100);
    assert_int_equal(ask(&m, 1, with_query(BJC_PUT, "/1/0/5", "pmax=0&epmax=0")), 204);
    assert_false(of_the_observation(&m).present & (BJC_PMAX | BJC_EPMAX));
    assert_int_equal(ask(&m, 1, accepting("/1/0/5", 40)), 205);
    assert_answer(&m, "</1/0/5>;pmax=0;epmax=0");
    asked composite = with_text(BJC_FETCH, "/", BJC_FORMAT_SENML_JSON, "[{\"n\":\"/1/0/5\"},{\"n\":\"/1/0/1\"}]");
    composite.observe = 0;
    composite.token = 9;
    assert_int_equal(ask(&m, 1, composite), 205);
    assert_int_equal(of_the_observation(&m).pmax_s, 100);
    manage_stop(&m);
}

/* A value that changes without a word is looked at when epmax is over, not sooner. */
static void looked_at_no_later_than_epmax(void **state) {
    managed m;
    (void) state;
    start(&m);
    asked own = to(BJC_GET, "/1/0/5");
    own.observe = 0;
    own.query = "epmax=20";
    assert_int_equal(ask(&m, 1, own), 205);
    bjc_observation *o = m.reporting.list;
    assert_int_equal(bjc_store_set_integer(&m.f.server, 0, 5, 7), BOOTJACK_OK);
    bjc_scheduler_run(&m.f.core.scheduler, o->looked_at + 19 * BJC_SECOND);
    assert_int_equal(stored(&m), 0);
    o->looked_at -= 20 * BJC_SECOND; /* so much later */
    bjc_scheduler_run(&m.f.core.scheduler, bjc_now() + 20 * BJC_SECOND);
    assert_int_equal(stored(&m), 1);
    assert_memory_equal(m.reporting.stored->notification.payload, "7", 1);
    manage_stop(&m);
}

static void lose_what_is_observed(managed *m) {
    start(m);
    assert_int_equal(observe(m, "/1/0/5", 1), 205);
    bjc_path path = { 3, { 1, 0, 5 } };
    assert_int_equal(bjc_store_handlers.clear(&m->f.server, 0, 5), BOOTJACK_OK);
    bjc_reporting_changed(&m->reporting, &path);
    run_timers(m);
}

static void what_cannot_be_read_any_more_ends_with_an_error(void **state) {
    managed m;
    (void) state;
    lose_what_is_observed(&m);
    assert_int_equal(stored(&m), 1);
    assert_int_equal(m.reporting.stored->notification.code, BJC_NOT_FOUND);
    assert_false(m.reporting.stored->notification.observed);
    assert_int_equal(observations(&m), 0);
    manage_stop(&m);
}

/* The last word of an observation is stored like those before, unless its token stands for another meanwhile. */
static void the_last_word_is_not_lost(void **state) {
    managed m;
    (void) state;
    lose_what_is_observed(&m);
    bjc_notification last = m.reporting.stored->notification;
    last.payload = NULL;
    bjc_reporting_discard(&m.reporting, 1, 0);
    bjc_reporting_notified(&m.reporting, 1, BJC_TIMEOUT, &last);
    assert_int_equal(stored(&m), 1);
    assert_int_equal(m.reporting.stored->notification.code, BJC_NOT_FOUND);
    assert_int_equal(ask(&m, 1, with_text(BJC_PUT, "/1/0/5", 0, "7")), 204);
    assert_int_equal(observe(&m, "/1/0/5", 1), 205);
    assert_int_equal(stored(&m), 0);
    bjc_reporting_notified(&m.reporting, 1, BJC_TIMEOUT, &last);
    assert_int_equal(stored(&m), 0);
    manage_stop(&m);
}

static void a_bootstrap_holds_them_up(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(observe(&m, "/1/0/5", 1), 205);
    assert_int_equal(bjc_model_begin(&m.f.model), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&m.f.server, 0, 5, 7), BOOTJACK_OK);
    static const bjc_path everything;
    bjc_reporting_changed(&m.reporting, &everything);
    run_timers(&m);
    assert_int_equal(stored(&m), 0);
    bjc_model_commit(&m.f.model);
    bjc_reporting_changed(&m.reporting, &everything);
    run_timers(&m);
    assert_int_equal(stored(&m), 1);
    manage_stop(&m);
}

/* --- memory that runs out ----------------------------------------------------------------------------------------- */

typedef struct pool {
    unsigned count, bad;
    size_t outstanding;
} pool;

static void *pool_allocate(void *context, size_t size) {
    pool *p = context;
    void *memory = p->count++ == p->bad ? NULL : malloc(size);
    p->outstanding += memory != NULL;
    return memory;
}

static void pool_release(void *context, void *memory) {
    pool *p = context;
    p->outstanding -= memory != NULL;
    free(memory);
}

/* Each is answered with its code, or, when an allocation failed for it, with 5.00. */
static void all_operations(managed *m, const pool *p) {
    asked observing = to(BJC_GET, "/1/0/5"), composite;
    observing.observe = 0;
    composite = with_text(BJC_FETCH, "/", BJC_FORMAT_SENML_JSON, "[{\"n\":\"/1/0/5\"},{\"n\":\"/3442/0\"}]");
    composite.observe = 0;
    composite.token = 9;
    const struct {
        unsigned code;
        asked request;
    } rows[] = {
        { 204, with_query(BJC_PUT, "/1/0/5", "pmin=0&gt=150") },
        { 205, observing },
        { 205, composite },
        { 205, accepting("/3442", 40) },
        { 205, accepting("/3442/0", BJC_FORMAT_LWM2M_CBOR) },
        { 204, with_text(BJC_PUT, "/1/0/5", 0, "200") },
        { 204, with_text(BJC_IPATCH, "/", BJC_FORMAT_SENML_JSON,
                         "[{\"n\":\"/1/0/5\",\"v\":60},{\"n\":\"/3442/0/110\",\"vs\":\"a\"}]") },
        { 201, { BJC_POST, "/3442", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 6E 41", 0 } },
        { 202, to(BJC_DELETE, "/3442/1") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned before = p->count;
        unsigned code = ask(m, 1, rows[i].request);
        bool failed_here = before <= p->bad && p->count > p->bad;
        bool failed_before = p->bad < before;
        if (code != rows[i].code && !(failed_here && code == 500) && !(failed_before && code == 404)) {
            fail_msg("row %zu: %u, allocation %u of %u", i, code, p->bad, p->count);
        }
        run_timers(m);
    }
}

/* False: there were no so many allocations. */
static bool without_one(unsigned bad) {
    pool p = { .bad = bad };
    managed m;
    start(&m);
    bootjack_allocator kept = m.f.core.allocator;
    bjc_buffer_free(&m.reply.payload);
    m.reply.payload = (bjc_buffer){ 0 };
    m.f.core.allocator = (bootjack_allocator){ pool_allocate, pool_release, &p };
    all_operations(&m, &p);
    (void) kept;
    manage_stop(&m);
    return p.count > bad;
}

static void memory_runs_out(void **state) {
    unsigned bad = 0;
    (void) state;
    while (without_one(bad)) {
        bad++;
    }
    assert_true(bad > 50);
    print_message("%u allocations, each of which failed once\n", bad);
}

static unsigned attributed(const managed *m) {
    unsigned count = 0;
    for (const bjc_attributes_entry *entry = m->reporting.attributes.list; entry; entry = entry->next) {
        count++;
    }
    return count;
}

/* Instances that a bootstrap or the application took away; a server's own Delete says which. */
static void attributes_of_instances_that_are_gone(void **state) {
    static const char *const paths[] = { "/3442", "/3442/1", "/3442/0", "/3442/1/120", "/3442/2/120", "/3442/0/120" };
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(write_hex(&m.f, (bjc_path){ 1, { 3442 } }, "03 01 C1 78 07 03 02 C1 78 07"), BOOTJACK_OK);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(ask(&m, 1, with_query(BJC_PUT, paths[i], "pmin=10")), 204);
    }
    bjc_reporting_instances_changed(&m.reporting);
    assert_int_equal(attributed(&m), 6);
    assert_int_equal(bjc_store_remove(&m.f.test_object.store, 1), BOOTJACK_OK);
    assert_int_equal(bjc_store_remove(&m.f.test_object.store, 2), BOOTJACK_OK);
    bjc_reporting_instances_changed(&m.reporting);
    assert_int_equal(attributed(&m), 3);
    assert_int_equal(ask(&m, 1, accepting("/3442/0/120", 40)), 205);
    assert_answer(&m, "</3442/0/120>;pmin=10");
    bjc_model_uninstall(&m.f.model, 3442);
    bjc_reporting_instances_changed(&m.reporting);
    assert_int_equal(attributed(&m), 1);
    manage_stop(&m);
}

/* What the application took away, or made, is told to who observes it. */
static void instances_that_come_and_go(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(write_hex(&m.f, (bjc_path){ 1, { 3442 } }, "03 01 C1 78 07"), BOOTJACK_OK);
    assert_int_equal(observe(&m, "/3442", 1), 205);
    assert_int_equal(observe(&m, "/3442/1/120", 2), 205);
    assert_int_equal(observe(&m, "/3442/0/120", 3), 205);
    assert_int_equal(bjc_store_remove(&m.f.test_object.store, 1), BOOTJACK_OK);
    bjc_reporting_instances_changed(&m.reporting);
    run_timers(&m);
    assert_int_equal(observations(&m), 2);
    assert_int_equal(stored(&m), 2);
    for (const bjc_stored *s = m.reporting.stored; s; s = s->next) {
        assert_int_equal(s->notification.code, s->notification.token[2] == 1 ? BJC_CONTENT : BJC_NOT_FOUND);
    }
    manage_stop(&m);
}

/* The grammar of attributes has no exponents. */
static void thresholds_as_discover_shows_them(void **state) {
    managed m;
    (void) state;
    start(&m);
    assert_int_equal(ask(&m, 1, with_query(BJC_PUT, "/1/0/5", "gt=100000000000000000000&lt=-2500000.125&st=0.000015")),
                     204);
    assert_int_equal(ask(&m, 1, accepting("/1/0/5", 40)), 205);
    assert_answer(&m, "</1/0/5>;gt=100000000000000000000;lt=-2500000.125;st=0.000015");
    assert_int_equal(ask(&m, 1, with_query(BJC_PUT, "/1/0/5", "gt=0&lt=-10&st=1.5")), 204);
    assert_int_equal(ask(&m, 1, accepting("/1/0/5", 40)), 205);
    assert_answer(&m, "</1/0/5>;gt=0;lt=-10;st=1.5");
    manage_stop(&m);
}

/* What the grammar does not have is refused; and what has more digits than Discover would show, of a number with an
 * exponent hundreds of them. */
static void thresholds_that_are_none(void **state) {
    static const char *const texts[] = { "gt=1e20", "gt=3e235", "st=3e-305", "gt=+5",
                                         "gt=.5",   "gt=5.",    "gt=-",      "gt=5.-1" };
    char nines[] =
        "gt=9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
        "99";
    managed m;
    (void) state;
    start(&m);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(ask(&m, 1, with_query(BJC_PUT, "/1/0/5", texts[i])), 400);
    }
    assert_int_equal(ask(&m, 1, with_query(BJC_PUT, "/1/0/5", nines)), 400);
    nines[sizeof nines - 4] = '\0';
    assert_int_equal(ask(&m, 1, with_query(BJC_PUT, "/1/0/5", nines)), 204);
    manage_stop(&m);
}

/* As in a Register: where the release does not imply it, and in quotation marks before LwM2M 1.1. */
static void versions_as_discover_shows_them(void **state) {
    static const bootjack_resource rows[] = { { 1, "One", BOOTJACK_TYPE_INTEGER, BOOTJACK_READABLE, 0, 0, 0 } };
    static const bootjack_object objects[] = {
        { .oid = 9, .version = "1.0", .resources = rows, .resource_count = 1, .handlers = &bjc_store_handlers },
        { .oid = 10, .version = "2.1", .resources = rows, .resource_count = 1, .handlers = &bjc_store_handlers },
    };
    managed m;
    bjc_store stores[2];
    (void) state;
    start(&m);
    for (size_t i = 0; i < 2; i++) {
        bjc_store_init(&stores[i], &m.f.core, &objects[i]);
        assert_int_equal(bjc_model_install(&m.f.model, &objects[i], &stores[i], &stores[i]), BOOTJACK_OK);
    }
    assert_int_equal(ask(&m, 1, accepting("/9", 40)), 205);
    assert_answer(&m, "</9>");
    assert_int_equal(ask(&m, 1, accepting("/10", 40)), 205);
    assert_answer(&m, "</10>;ver=2.1");
    m.f.core.config.version = BOOTJACK_LWM2M_1_0;
    assert_int_equal(ask(&m, 1, accepting("/10", 40)), 205);
    assert_answer(&m, "</10>;ver=\"2.1\"");
    manage_stop(&m);
}

/* A sensor that has measured nothing yet: every comparison with that is false. */
static void a_number_after_none(void **state) {
    static const char *const queries[] = { "st=1", "gt=5" };
    (void) state;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        managed m;
        start(&m);
        asked none = to(BJC_PUT, "/3442/0/130"), own = accepting("/3442/0/130", BJC_FORMAT_TLV);
        none.format = BJC_FORMAT_TLV;
        none.hex = "C8 82 08 7F F8 00 00 00 00 00 00";
        own.observe = 0;
        own.query = queries[i];
        assert_int_equal(ask(&m, 1, none), 204);
        assert_int_equal(ask(&m, 1, own), 205);
        assert_int_equal(ask(&m, 1, none), 204);
        run_timers(&m);
        assert_int_equal(stored(&m), 0);
        assert_int_equal(ask(&m, 1, with_text(BJC_PUT, "/3442/0/130", 0, "7")), 204);
        run_timers(&m);
        assert_int_equal(stored(&m), 1);
        assert_int_equal(ask(&m, 1, none), 204);
        run_timers(&m);
        assert_int_equal(stored(&m), 2);
        manage_stop(&m);
    }
}

/* An application names paths as they come to its mind; a map with a key twice is none. */
static void a_send_says_each_value_once(void **state) {
    static const bootjack_path paths[] = {
        { 3, { 3, 0, 16 } }, { 3, { 1, 0, 1 } }, { 4, { 3, 0, 11, 0 } }, { 3, { 3, 0, 11 } },
        { 3, { 3, 0, 16 } }, { 3, { 1, 0, 6 } }, { 4, { 3, 0, 11, 0 } },
    };
    static const uint8_t expected[] = { 0xA2, 0x01, 0xA1, 0x00, 0xA2, 0x01, 0x1A, 0x00, 0x01, 0x51, 0x80, 0x06, 0xF5,
                                        0x03, 0xA1, 0x00, 0xA2, 0x0B, 0xA1, 0x00, 0x00, 0x10, 0x62, 'U',  'T' };
    enum { COUNT = sizeof paths / sizeof *paths };
    managed m;
    bjc_path list[COUNT];
    bjc_buffer out;
    (void) state;
    start(&m);
    bjc_buffer_init(&out, &m.f.core.allocator);
    size_t count = bjc_send_paths(paths, COUNT, list);
    assert_int_equal(
        bjc_model_read_paths(&m.f.model, list, count, true, bjc_format_find(BJC_FORMAT_LWM2M_CBOR), NULL, &out),
        BOOTJACK_OK);
    assert_int_equal(out.length, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    assert_int_equal(bjc_send_paths(&(bootjack_path){ 3, { 0, 0, 5 } }, 1, list), 0);
    assert_int_equal(bjc_send_paths(&(bootjack_path){ 5, { 1, 0, 5 } }, 1, list), 0);
    bjc_buffer_free(&out);
    manage_stop(&m);
}

/* --- a server that can be reached -----------------------------------------------------------------------------------
 */

typedef struct reachable {
    managed m;
    bjc_transport *transport;
    bjc_session *session;
    bool exhausted; /* there is no memory now */
} reachable;

static bjc_session *its_session(void *context, uint16_t ssid) {
    const reachable *r = context;
    return ssid == 1 ? r->session : NULL;
}

static bool may_read_all(void *context, uint16_t ssid, uint16_t oid, uint16_t iid) {
    (void) context;
    (void) ssid;
    (void) oid;
    (void) iid;
    return true;
}

static void *sometimes_allocate(void *context, size_t size) {
    const reachable *r = context;
    return r->exhausted ? NULL : malloc(size);
}

static void always_release(void *context, void *memory) {
    (void) context;
    free(memory);
}

static void ignore_request(void *context, const bjc_incoming *request, bjc_reply *reply) {
    (void) context;
    (void) request;
    (void) reply;
}

static void reach(reachable *r) {
    bjc_uri uri;
    const char *reason;
    start(&r->m);
    r->exhausted = false;
    r->m.f.core.allocator = (bootjack_allocator){ sometimes_allocate, always_release, r };
    r->m.reporting.session = its_session;
    r->m.reporting.may_read = may_read_all;
    r->m.reporting.context = r;
    assert_true(bjc_uri_parse(&uri, "coap://127.0.0.1:9", 18, &reason));
    const bjc_peer peer = { .uri = &uri, .mode = BOOTJACK_SECURITY_NOSEC };
    assert_int_equal(bjc_transport_new(&r->m.f.core, &r->m.f.core.scheduler, &r->transport), BOOTJACK_OK);
    assert_int_equal(bjc_session_open(r->transport, &peer, ignore_request, r, &r->session), BOOTJACK_OK);
}

static void leave(reachable *r) {
    bjc_transport_free(r->transport);
    r->session = NULL;
    manage_stop(&r->m);
}

/* What was stored because there was no memory to send it leaves when there is, and does not wait for an Update. */
static void stored_ones_leave_when_there_is_memory(void **state) {
    reachable r;
    (void) state;
    reach(&r);
    bjc_session *session = r.session;
    r.session = NULL;
    assert_int_equal(observe(&r.m, "/1/0/5", 1), 205);
    set(&r.m, 7);
    assert_int_equal(stored(&r.m), 1);
    r.session = session;
    r.exhausted = true;
    bjc_reporting_registered(&r.m.reporting, 1, false);
    assert_int_equal(stored(&r.m), 1);
    bjc_scheduler_run(&r.m.f.core.scheduler, bjc_now() + 11 * BJC_SECOND);
    assert_int_equal(stored(&r.m), 1);
    r.exhausted = false;
    bjc_scheduler_run(&r.m.f.core.scheduler, bjc_now() + 11 * BJC_SECOND);
    assert_int_equal(stored(&r.m), 0);
    leave(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_of_many_gives_way),
        cmocka_unit_test(nothing_is_stored_against_the_servers_will),
        cmocka_unit_test(undelivered_ones_keep_their_order),
        cmocka_unit_test(one_too_many_is_a_plain_read),
        cmocka_unit_test(cancelling_forgets_what_is_stored),
        cmocka_unit_test(attributes_of_an_observe),
        cmocka_unit_test(cancelled_with_the_attributes_of_the_observe),
        cmocka_unit_test(a_pmax_of_0_is_none),
        cmocka_unit_test(looked_at_no_later_than_epmax),
        cmocka_unit_test(what_cannot_be_read_any_more_ends_with_an_error),
        cmocka_unit_test(the_last_word_is_not_lost),
        cmocka_unit_test(a_bootstrap_holds_them_up),
        cmocka_unit_test(attributes_of_instances_that_are_gone),
        cmocka_unit_test(instances_that_come_and_go),
        cmocka_unit_test(thresholds_as_discover_shows_them),
        cmocka_unit_test(thresholds_that_are_none),
        cmocka_unit_test(versions_as_discover_shows_them),
        cmocka_unit_test(a_number_after_none),
        cmocka_unit_test(a_send_says_each_value_once),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(stored_ones_leave_when_there_is_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
