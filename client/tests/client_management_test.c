/* SPDX-License-Identifier: Apache-2.0
 *
 * The codes of LwM2M Transport 1.1 §6.7, operation by operation, and that what is refused changes nothing.
 */
#include "management_support.h"

typedef struct expectation {
    unsigned code;
    asked request;
} expectation;

static void check_all(managed *m, const expectation *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        unsigned code = ask(m, 1, rows[i].request);
        if (code != rows[i].code) {
            fail_msg("method %u of %s (row %zu): %u in place of %u", rows[i].request.method, rows[i].request.path, i,
                     code, rows[i].code);
        }
    }
}

#define CHECK(m, ...)                                                                                                  \
    do {                                                                                                               \
        const expectation rows[] = { __VA_ARGS__ };                                                                    \
        check_all(m, rows, sizeof rows / sizeof *rows);                                                                \
    } while (0)

static bootjack_error executed(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments, size_t length) {
    (void) iid;
    (void) rid;
    (void) arguments;
    (void) length;
    ++*(unsigned *) context;
    return BOOTJACK_OK;
}

static void reads(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    m.f.device.execute = executed;
    CHECK(&m, { 205, to(BJC_GET, "/3") }, { 205, to(BJC_GET, "/3/0") }, { 205, to(BJC_GET, "/3/0/16") },
          { 205, to(BJC_GET, "/3/0/11/0") }, { 404, to(BJC_GET, "/3/0/11/1") }, { 404, to(BJC_GET, "/3/1") },
          { 404, to(BJC_GET, "/4711") }, { 404, to(BJC_GET, "/3/0/9999") }, { 405, to(BJC_GET, "/3/0/4") },
          { 405, to(BJC_GET, "/") }, { 404, to(BJC_GET, "/a/b") }, { 401, to(BJC_GET, "/0") },
          { 401, to(BJC_GET, "/0/0/5") }, { 401, to(BJC_GET, "/21/0") }, { 406, accepting("/3/0", 0) },
          { 406, accepting("/3/0", 4711) }, { 406, accepting("/3/0", BJC_FORMAT_LWM2M_CBOR) },
          { 406, accepting("/3/0/16", BJC_FORMAT_OPAQUE) }, { 400, with_query(BJC_GET, "/3/0", "pmin=1") });
    assert_int_equal(ask(&m, 1, accepting("/1/0/1", BJC_FORMAT_SENML_JSON)), 205);
    assert_answer(&m, "[{\"bn\":\"/1/0/1\",\"v\":86400}]");
    manage_stop(&m);
}

static void writes(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    CHECK(&m, { 204, with_text(BJC_PUT, "/1/0/1", 0, "60") }, { 400, with_text(BJC_PUT, "/1/0/1", 0, "-60") },
          { 400, with_text(BJC_PUT, "/1/0/1", 0, "a") }, { 405, with_text(BJC_PUT, "/1/0/0", 0, "7") },
          { 405, with_text(BJC_PUT, "/1/0/8", 0, "7") }, { 404, with_text(BJC_PUT, "/1/0/99", 0, "7") },
          { 404, with_text(BJC_PUT, "/1/5/1", 0, "7") }, { 404, with_text(BJC_PUT, "/99/5/1", 0, "7") },
          { 401, with_text(BJC_PUT, "/0/0/0", 0, "7") }, { 415, with_text(BJC_PUT, "/1/0/1", 4711, "7") },
          { 415, with_text(BJC_PUT, "/1/0/1", -1, "7") }, { 400, with_text(BJC_PUT, "/1/0", 0, "7") },
          { 405, with_text(BJC_PUT, "/1", BJC_FORMAT_TLV, "") },
          { 405, with_text(BJC_POST, "/3/0/11/0", BJC_FORMAT_TLV, "") },
          { 204, { BJC_PUT, "/1/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 01 3C C1 02 05", 0 } },
          { 405, { BJC_PUT, "/1/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 00 01 C1 01 3C", 0 } },
          { 404, { BJC_POST, "/1/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 63 01", 0 } },
          { 400, { BJC_POST, "/1/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 63", 0 } },
          { 400, { BJC_PUT, "/3442/0/1120/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "E1 04 60 05", 0 } },
          { 400, { BJC_PUT, "/3442/0/1120/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "A0 04 60", 0 } });
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 1, 0), 60);
    assert_int_equal(m.changes, 2);
    manage_stop(&m);
}

/* A replacement takes optional resources away that it does not name; a partial update leaves them. */
static void replacement_and_update(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    assert_int_equal(bjc_store_set_integer(&m.f.server, 0, 2, 7), BOOTJACK_OK);
    CHECK(&m, { 204, { BJC_POST, "/1/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 03 3C", 0 } });
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 2, -1), 7);
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 3, -1), 60);
    CHECK(&m, { 204, { BJC_PUT, "/1/0", NULL, BJC_FORMAT_TLV, -1, -1, NULL, "C1 05 3C", 0 } });
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 2, -1), -1);
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 3, -1), -1);
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 5, -1), 60);
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 0, -1), 1);
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 1, -1), 86400);
    manage_stop(&m);
}

static void execution(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    CHECK(&m, { 404, to(BJC_POST, "/3/5/4") }, { 405, to(BJC_POST, "/3/0/16") }, { 405, to(BJC_POST, "/") },
          { 404, to(BJC_POST, "/3/0/99") }, { 400, with_query(BJC_POST, "/3/0/4", "a=b") });
    manage_stop(&m);
}

static void arguments(void **state) {
    managed m;
    unsigned count = 0;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    m.f.server.execute = executed;
    m.f.server.context = &count;
    static const char *const good[] = { "0", "0='a b'", "5", "1='!',2,3='#$%&()[]~'", "9=''" };
    static const char *const bad[] = { "a",  "0=",     "0='",    "0=a",    "0,", ",0",
                                       "10", "0='a'b", "0=''' ", "0='\\'", "0 ", "0='\"'" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        unsigned code = ask(&m, 1, with_text(BJC_POST, "/1/0/8", i % 2 ? 0 : -1, good[i]));
        assert_int_equal(code, strchr(good[i], ' ') ? 400 : 204);
    }
    assert_int_equal(count, 4);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ask(&m, 1, with_text(BJC_POST, "/1/0/8", 0, bad[i])), 400);
    }
    assert_int_equal(ask(&m, 1, with_text(BJC_POST, "/1/0/8", BJC_FORMAT_TLV, "0")), 415);
    assert_int_equal(count, 4);
    manage_stop(&m);
}

static void attributes(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    CHECK(&m, { 204, with_query(BJC_PUT, "/3", "pmin=10") }, { 204, with_query(BJC_PUT, "/3/0", "pmax=60&epmin=1") },
          { 204, with_query(BJC_PUT, "/3/0/11/0", "gt=50&lt=42.2&st=1.5") },
          { 400, with_query(BJC_PUT, "/3/0/11/0", "lt=49") }, { 400, with_query(BJC_PUT, "/3/0/11/0", "gt=40") },
          { 400, with_query(BJC_PUT, "/3/0/11/0", "st=10") }, { 400, with_query(BJC_PUT, "/3/0", "gt=1") },
          { 400, with_query(BJC_PUT, "/3/0/16", "gt=1") }, { 400, with_query(BJC_PUT, "/3/0", "con=1") },
          { 400, with_query(BJC_PUT, "/3/0", "pmin=a") }, { 400, with_query(BJC_PUT, "/3/0", "pmin=-1") },
          { 400, with_query(BJC_PUT, "/3/0", "pmax=-1") }, { 400, with_query(BJC_PUT, "/3/0", "pmin=1&pmin=2") },
          { 400, with_query(BJC_PUT, "/3/0", "pmin=1e2") }, { 400, with_query(BJC_PUT, "/3/0", "epmax=60.0") },
          { 400, with_query(BJC_PUT, "/3/0", "pmin=-0") }, { 204, with_query(BJC_PUT, "/3/0/16", "pmin=007") },
          { 400, with_query(BJC_PUT, "/3/0", "hello=1") }, { 400, to(BJC_PUT, "/3/0") },
          { 404, with_query(BJC_PUT, "/3/7", "pmin=1") }, { 404, with_query(BJC_PUT, "/3/0/11/4", "pmin=1") },
          { 405, with_query(BJC_PUT, "/", "pmin=1") }, { 401, with_query(BJC_PUT, "/0", "pmin=1") },
          { 205, accepting("/3/0/11", 40) });
    assert_answer(&m, "</3/0/11>;dim=1;pmin=10;pmax=60;epmin=1,</3/0/11/0>;gt=50;lt=42.2;st=1.5");
    CHECK(&m, { 204, with_query(BJC_PUT, "/3/0", "pmax=&epmin") }, { 205, accepting("/3/0/11", 40) });
    assert_answer(&m, "</3/0/11>;dim=1;pmin=10,</3/0/11/0>;gt=50;lt=42.2;st=1.5");
    manage_stop(&m);
}

/* --- an application that takes part in Write-Attributes -------------------------------------------------------- */

typedef struct meter {
    bootjack_error verdict;
    unsigned asked, unset, stored_meanwhile;
    uint16_t ssid;
    int32_t iid, rid, riid;
    bootjack_attributes set;
    const bjc_reporting *reporting;
} meter;

static int32_t one_instance(void *context, int32_t after) {
    (void) context;
    return after < 0 ? 0 : -1;
}

static bool is_there(void *context, uint16_t iid, uint16_t rid) {
    (void) context;
    (void) iid;
    (void) rid;
    return true;
}

static int32_t one_resource_instance(void *context, uint16_t iid, uint16_t rid, int32_t after) {
    (void) iid;
    (void) rid;
    return one_instance(context, after);
}

static bootjack_error read_meter(void *context, uint16_t iid, uint16_t rid, uint16_t riid, bootjack_value *value) {
    (void) context;
    (void) rid;
    assert_int_equal(iid, 0); /* what is not there is not asked for */
    assert_int_equal(riid, 0);
    *value = (bootjack_value){ .type = BOOTJACK_TYPE_FLOAT, .as.real = 21.5 };
    return BOOTJACK_OK;
}

static bootjack_error write_meter(void *context, uint16_t iid, uint16_t rid, uint16_t riid,
                                  const bootjack_value *value) {
    (void) context;
    (void) iid;
    (void) rid;
    (void) riid;
    (void) value;
    return BOOTJACK_OK;
}

static bootjack_error clear_meter(void *context, uint16_t iid, uint16_t rid) {
    (void) context;
    (void) iid;
    (void) rid;
    return BOOTJACK_OK;
}

static bootjack_error judge_attributes(void *context, uint16_t ssid, int32_t iid, int32_t rid, int32_t riid,
                                       const bootjack_attributes *set, unsigned unset) {
    meter *m = context;
    bjc_attributes_entry *entry = m->reporting->attributes.list;
    m->asked++;
    m->ssid = ssid;
    m->iid = iid;
    m->rid = rid;
    m->riid = riid;
    m->set = *set;
    m->unset = unset;
    for (m->stored_meanwhile = 0; entry; entry = entry->next) {
        m->stored_meanwhile++;
    }
    return m->verdict;
}

static const bootjack_object_handlers meter_handlers = { .next_instance = one_instance,
                                                         .present = is_there,
                                                         .next_resource_instance = one_resource_instance,
                                                         .read = read_meter,
                                                         .write = write_meter,
                                                         .clear = clear_meter,
                                                         .write_attributes = judge_attributes };

static void meter_start(managed *m, meter *state) {
    static const bootjack_resource rows[] = {
        { 5700, "Sensor Value", BOOTJACK_TYPE_FLOAT, BOOTJACK_READABLE, 0, 0, 0 },
        { 5701, "Sensor Values", BOOTJACK_TYPE_FLOAT, BOOTJACK_READABLE | BOOTJACK_MULTIPLE, 0, 0, 0 },
    };
    static const bootjack_object object = {
        .oid = 3303, .resources = rows, .resource_count = 2, .single_instance = true, .handlers = &meter_handlers
    };
    manage_start(m, BOOTJACK_LWM2M_1_2);
    *state = (meter){ .reporting = &m->reporting };
    assert_int_equal(bjc_model_install(&m->f.model, &object, state, NULL), BOOTJACK_OK);
}

static void assert_told(const meter *m, int32_t iid, int32_t rid, int32_t riid, unsigned present, unsigned unset) {
    assert_int_equal(m->iid, iid);
    assert_int_equal(m->rid, rid);
    assert_int_equal(m->riid, riid);
    assert_int_equal(m->set.present, present);
    assert_int_equal(m->unset, unset);
}

static void an_application_is_told_of_attributes(void **state) {
    managed m;
    meter told;
    (void) state;
    meter_start(&m, &told);
    CHECK(&m, { 204, with_query(BJC_PUT, "/3303", "pmin=10&pmax=60") });
    assert_told(&told, -1, -1, -1, BOOTJACK_ATTRIBUTE_PMIN | BOOTJACK_ATTRIBUTE_PMAX, 0);
    assert_int_equal(told.set.pmin_s, 10);
    assert_int_equal(told.set.pmax_s, 60);
    assert_int_equal(told.ssid, 1);
    assert_int_equal(told.stored_meanwhile, 0);
    CHECK(&m, { 204, with_query(BJC_PUT, "/3303/0", "epmin=1&epmax=5&con=1&pmax=") });
    assert_told(&told, 0, -1, -1, BOOTJACK_ATTRIBUTE_EPMIN | BOOTJACK_ATTRIBUTE_EPMAX | BOOTJACK_ATTRIBUTE_CON,
                BOOTJACK_ATTRIBUTE_PMAX);
    assert_int_equal(told.set.epmin_s, 1);
    assert_int_equal(told.set.epmax_s, 5);
    assert_true(told.set.con);
    CHECK(&m, { 204, with_query(BJC_PUT, "/3303/0/5700", "gt=30&lt=-4.5&st=1") });
    assert_told(&told, 0, 5700, -1, BOOTJACK_ATTRIBUTE_GT | BOOTJACK_ATTRIBUTE_LT | BOOTJACK_ATTRIBUTE_ST, 0);
    assert_true(told.set.gt == 30 && told.set.lt == -4.5 && told.set.st == 1);
    CHECK(&m, { 204, with_query(BJC_PUT, "/3303/0/5701/0", "pmin=3&gt") });
    assert_told(&told, 0, 5701, 0, BOOTJACK_ATTRIBUTE_PMIN, BOOTJACK_ATTRIBUTE_GT);
    assert_int_equal(told.asked, 4);
    assert_int_equal(told.stored_meanwhile, 3);
    CHECK(&m, { 205, accepting("/3303/0/5700", 40) });
    assert_answer(&m, "</3303/0/5700>;pmin=10;pmax=60;gt=30;lt=-4.5;st=1;epmin=1;epmax=5;con=1");
    /* All that a path had is taken away. */
    CHECK(&m, { 204, with_query(BJC_PUT, "/3303/0/5700", "gt&lt&st") }, { 205, accepting("/3303/0/5700", 40) });
    assert_answer(&m, "</3303/0/5700>;pmin=10;pmax=60;epmin=1;epmax=5;con=1");
    /* What the client itself refuses, and what is somebody else's, is not asked for. */
    CHECK(&m, { 400, with_query(BJC_PUT, "/3303/0/5700", "gt=1&lt=2") },
          { 400, with_query(BJC_PUT, "/3303/0", "pmax=-1") }, { 404, with_query(BJC_PUT, "/3303/1", "pmin=1") },
          { 204, with_query(BJC_PUT, "/3/0", "pmin=1") });
    assert_int_equal(told.asked, 5);
    manage_stop(&m);
}

/* Its `read` may index by Resource Instance: a number that `next_resource_instance` does not give never gets there. */
static void an_application_is_not_read_where_it_has_nothing(void **state) {
    managed m;
    meter told;
    (void) state;
    meter_start(&m, &told);
    CHECK(&m, { 205, to(BJC_GET, "/3303/0/5701/0") }, { 404, to(BJC_GET, "/3303/0/5701/7") },
          { 404, to(BJC_GET, "/3303/0/5701/65534") });
    asked observed = with_text(BJC_FETCH, "/", BJC_FORMAT_SENML_JSON, "[{\"n\":\"/3303/0/5701/7\"}]");
    observed.observe = 0;
    observed.accept = BJC_FORMAT_SENML_JSON;
    CHECK(&m, { 205, observed });
    assert_answer(&m, "[]");
    assert_true(m.reply.observed);
    manage_stop(&m);
}

static void an_application_refuses_attributes(void **state) {
    static const struct {
        bootjack_error verdict;
        unsigned code;
    } verdicts[] = { { BOOTJACK_ERR_ARGUMENT, 400 },     { BOOTJACK_ERR_RANGE, 400 },
                     { BOOTJACK_ERR_INCONSISTENT, 400 }, { BOOTJACK_ERR_UNAUTHORIZED, 401 },
                     { BOOTJACK_ERR_NOT_FOUND, 404 },    { BOOTJACK_ERR_METHOD, 405 },
                     { BOOTJACK_ERR_LIMIT, 500 },        { BOOTJACK_ERR_MEMORY, 500 } };
    managed m;
    meter told;
    (void) state;
    meter_start(&m, &told);
    CHECK(&m, { 204, with_query(BJC_PUT, "/3303/0/5700", "pmin=10&gt=30") });
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        unsigned code = verdicts[i].code;
        told.verdict = verdicts[i].verdict;
        CHECK(&m, { code, with_query(BJC_PUT, "/3303/0/5700", "pmin=20&gt=&pmax=60") },
              { code, with_query(BJC_PUT, "/3303/0/5700", "pmin&gt") },
              { code, with_query(BJC_PUT, "/3303/0", "pmax=60") }, { 205, accepting("/3303/0/5700", 40) });
        assert_answer(&m, "</3303/0/5700>;pmin=10;gt=30");
    }
    assert_null(m.reporting.attributes.list->next); /* no empty places are left behind */
    told.verdict = BOOTJACK_OK;
    CHECK(&m, { 204, with_query(BJC_PUT, "/3303/0/5700", "pmin=20&gt=&pmax=60") },
          { 205, accepting("/3303/0/5700", 40) });
    assert_answer(&m, "</3303/0/5700>;pmin=20;pmax=60");
    manage_stop(&m);
}

static void discovery(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_2);
    CHECK(&m, { 204, with_query(BJC_PUT, "/3/0", "con=1") }, { 204, with_query(BJC_PUT, "/3", "pmin=10&pmax=60") },
          { 205, accepting("/3", 40) });
    assert_answer(&m, "</3>;pmin=10;pmax=60,</3/0>;con=1,</3/0/11>;dim=1,</3/0/16>");
    asked shallow = accepting("/3", 40);
    shallow.query = "depth=1";
    CHECK(&m, { 205, shallow });
    assert_answer(&m, "</3>;pmin=10;pmax=60,</3/0>;con=1");
    shallow.query = "depth=3";
    CHECK(&m, { 205, shallow });
    assert_answer(&m, "</3>;pmin=10;pmax=60,</3/0>;con=1,</3/0/11>;dim=1,</3/0/11/0>,</3/0/16>");
    shallow.query = "depth=9";
    CHECK(&m, { 400, shallow }, { 404, accepting("/3/0/5000", 40) }, { 405, accepting("/", 40) },
          { 401, accepting("/0", 40) });
    manage_stop(&m);
}

static void composites(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    asked read =
        with_text(BJC_FETCH, "/", BJC_FORMAT_SENML_JSON,
                  "[{\"n\":\"/3/0/16\"},{\"n\":\"/1/0/1\"},{\"n\":\"/1/0/8\"},{\"n\":\"/0/0/0\"},{\"n\":\"/9/9\"}]");
    read.accept = BJC_FORMAT_SENML_JSON;
    CHECK(&m, { 205, read });
    assert_answer(&m, "[{\"bn\":\"/\",\"n\":\"1/0/1\",\"v\":86400},{\"n\":\"3/0/16\",\"vs\":\"UT\"}]");
    CHECK(&m, { 400, with_text(BJC_FETCH, "/", BJC_FORMAT_SENML_JSON, "[]") },
          { 400, with_text(BJC_FETCH, "/", BJC_FORMAT_SENML_JSON, "[{\"n\":\"/3/0/16\",\"v\":1}]") },
          { 415, with_text(BJC_FETCH, "/", BJC_FORMAT_TLV, "") },
          { 405, with_text(BJC_FETCH, "/3", BJC_FORMAT_SENML_JSON, "[{\"n\":\"/3/0/16\"}]") });
    CHECK(&m,
          { 204, with_text(BJC_IPATCH, "/", BJC_FORMAT_SENML_JSON,
                           "[{\"n\":\"/1/0/1\",\"v\":60},{\"n\":\"/3/0/14\",\"vs\":\"+01:00\"}]") },
          { 405, with_text(BJC_IPATCH, "/", BJC_FORMAT_SENML_JSON,
                           "[{\"n\":\"/1/0/1\",\"v\":61},{\"n\":\"/3/0/16\",\"vs\":\"+02:00\"}]") },
          { 404, with_text(BJC_IPATCH, "/", BJC_FORMAT_SENML_JSON,
                           "[{\"n\":\"/1/0/1\",\"v\":61},{\"n\":\"/3/9/14\",\"vs\":\"+02:00\"}]") },
          { 400, with_text(BJC_IPATCH, "/", BJC_FORMAT_SENML_JSON,
                           "[{\"n\":\"/3/0/14\",\"vs\":\"+02:00\"},{\"n\":\"/1/0/1\",\"v\":-1}]") },
          { 401, with_text(BJC_IPATCH, "/", BJC_FORMAT_SENML_JSON,
                           "[{\"n\":\"/1/0/1\",\"v\":61},{\"n\":\"/0/0/0\",\"vs\":\"x\"}]") });
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 1, -1), 60);
    assert_int_equal(bjc_store_get(&m.f.device, 0, 14, 0)->as.bytes.data[2], '1');
    m.f.core.config.version = BOOTJACK_LWM2M_1_0;
    CHECK(&m, { 405, read });
    manage_stop(&m);
}

static void composites_in_lwm2m_cbor(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_2);
    /* {1: {0: {1: null}}, [3, 0, 16]: null} */
    asked read = { BJC_FETCH,
                   "/",
                   NULL,
                   BJC_FORMAT_LWM2M_CBOR,
                   BJC_FORMAT_LWM2M_CBOR,
                   -1,
                   NULL,
                   "A2 01 A1 00 A1 01 F6 83 03 00 10 F6",
                   0 };
    CHECK(&m, { 205, read });
    uint8_t wanted[64];
    size_t length = from_hex("A2 01 A1 00 A1 01 1A 00 01 51 80 03 A1 00 A1 10 62 55 54", wanted);
    assert_int_equal(m.reply.payload.length, length);
    assert_memory_equal(m.reply.payload.data, wanted, length);
    CHECK(&m, { 204, { BJC_IPATCH, "/", NULL, BJC_FORMAT_LWM2M_CBOR, -1, -1, NULL, "A1 01 A1 00 A1 01 18 3C", 0 } });
    assert_int_equal(bjc_store_integer(&m.f.server, 0, 1, -1), 60);
    manage_stop(&m);
}

static void instances(void **state) {
    managed m;
    (void) state;
    manage_start(&m, BOOTJACK_LWM2M_1_1);
    CHECK(&m, { 405, to(BJC_POST, "/3") }, { 405, to(BJC_POST, "/1") }, { 404, to(BJC_POST, "/4711") },
          { 401, to(BJC_POST, "/0") }, { 405, to(BJC_DELETE, "/3/0") }, { 405, to(BJC_DELETE, "/1/0") },
          { 404, to(BJC_DELETE, "/1/7") }, { 405, to(BJC_DELETE, "/3") }, { 404, to(BJC_DELETE, "/4711") },
          { 405, to(BJC_DELETE, "/") }, { 401, to(BJC_DELETE, "/0/0") }, { 405, to(BJC_PATCH, "/3/0") });
    assert_int_equal(m.instance_changes, 0);
    manage_stop(&m);
}

/* --- an application that keeps its data itself ------------------------------------------------------------------ */

/* Instances as bits, and those that the last commit kept. */
typedef struct shelf {
    unsigned there, before, kept;
    bootjack_error full, sealed;
    uint16_t made;
} shelf;

static int32_t next_on_shelf(void *context, int32_t after) {
    const shelf *s = context;
    for (int32_t i = after + 1; i < 8; i++) {
        if (s->there & 1u << i) {
            return i;
        }
    }
    return -1;
}

static bootjack_error put_on_shelf(void *context, uint16_t iid) {
    shelf *s = context;
    s->made = iid;
    s->there |= 1u << iid % 8;
    return BOOTJACK_OK;
}

static bootjack_error take_from_shelf(void *context, uint16_t iid) {
    shelf *s = context;
    s->there &= ~(1u << iid);
    return s->sealed;
}

static bootjack_error begin_shelf(void *context) {
    shelf *s = context;
    s->before = s->there;
    return s->full;
}

static void commit_shelf(void *context) {
    shelf *s = context;
    s->kept = s->there;
}

static void roll_back_shelf(void *context) {
    shelf *s = context;
    s->there = s->before;
}

static const bootjack_object_handlers shelf_handlers = { .next_instance = next_on_shelf,
                                                         .create = put_on_shelf,
                                                         .remove = take_from_shelf,
                                                         .present = is_there,
                                                         .read = read_meter,
                                                         .write = write_meter,
                                                         .begin = begin_shelf,
                                                         .commit = commit_shelf,
                                                         .roll_back = roll_back_shelf };

static void shelf_start(managed *m, shelf *s, bool single) {
    const bootjack_object object = { .oid = 26241, .single_instance = single, .handlers = &shelf_handlers };
    manage_start(m, BOOTJACK_LWM2M_1_1);
    *s = (shelf){ .made = BOOTJACK_ID_INVALID };
    assert_int_equal(bjc_model_install(&m->f.model, &object, s, NULL), BOOTJACK_OK);
}

/* What a server deletes is a transaction of the Object, as what it creates and writes is. */
static void a_delete_is_kept_or_undone(void **state) {
    managed m;
    shelf s;
    (void) state;
    shelf_start(&m, &s, false);
    CHECK(&m, { 201, to(BJC_POST, "/26241") }, { 201, to(BJC_POST, "/26241") });
    assert_int_equal(s.kept, 3);
    CHECK(&m, { 202, to(BJC_DELETE, "/26241/0") });
    assert_int_equal(s.there, 2);
    assert_int_equal(s.kept, 2);
    s.sealed = BOOTJACK_ERR_METHOD;
    CHECK(&m, { 405, to(BJC_DELETE, "/26241/1") });
    assert_int_equal(s.there, 2);
    s.sealed = BOOTJACK_OK;
    s.full = BOOTJACK_ERR_MEMORY;
    CHECK(&m, { 500, to(BJC_DELETE, "/26241/1") });
    assert_int_equal(s.there, 2);
    assert_int_equal(m.instance_changes, 3);
    manage_stop(&m);
}

/* Of an Object with a single instance a Bootstrap-Server can make no other, whatever the application would say. */
static void a_single_instance_is_number_0(void **state) {
    managed m;
    shelf s;
    (void) state;
    shelf_start(&m, &s, true);
    assert_int_equal(write_hex(&m.f, (bjc_path){ 2, { 26241, 1 } }, ""), BOOTJACK_ERR_PATH);
    assert_int_equal(write_hex(&m.f, (bjc_path){ 1, { 26241 } }, "00 07"), BOOTJACK_ERR_PATH);
    assert_int_equal(s.made, BOOTJACK_ID_INVALID);
    assert_int_equal(write_hex(&m.f, (bjc_path){ 1, { 26241 } }, "00 00"), BOOTJACK_OK);
    assert_int_equal(s.made, 0);
    manage_stop(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(writes),
        cmocka_unit_test(replacement_and_update),
        cmocka_unit_test(execution),
        cmocka_unit_test(arguments),
        cmocka_unit_test(attributes),
        cmocka_unit_test(discovery),
        cmocka_unit_test(composites),
        cmocka_unit_test(composites_in_lwm2m_cbor),
        cmocka_unit_test(instances),
        cmocka_unit_test(a_delete_is_kept_or_undone),
        cmocka_unit_test(a_single_instance_is_number_0),
        cmocka_unit_test(an_application_is_told_of_attributes),
        cmocka_unit_test(an_application_is_not_read_where_it_has_nothing),
        cmocka_unit_test(an_application_refuses_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
