/* SPDX-License-Identifier: Apache-2.0
 *
 * The n-th allocation of the client fails, for every n of a whole life: bootstrap, registration, management,
 * De-register and the state file. No crash, no leak, no half transaction; and when it was only that one, the client
 * gets there all the same.
 */
#define _GNU_SOURCE
#include "support.h"

/* clang-format off */
#include "loopback.h"
/* clang-format on */

static const step good[] = {
    { BJC_DELETE, "", NULL, 0, NULL },
    { BJC_PUT, "0/1", "{account}", 0, NULL },
    { BJC_PUT, "1/0", "C1 00 65 C4 01 00 01 51 80 C1 06 00 C1 02 01 C1", 0x08, NULL },
    { BJC_PUT, "1/0", "07 55", 0x10, NULL },
    { BJC_PUT, "2/0", "C1 00 03 C1 01 00 83 02 41 65 1F C1 03 65", 0, NULL },
    { BJC_GET, "1", NULL, 0, NULL },
    { BJC_POST, "bs", NULL, 0, NULL },
    { 0, NULL, NULL, 0, NULL },
};

static const step senml[] = {
    { BJC_PUT, "0/1", "{account}", 0, NULL },
    { BJC_PUT, "1/0", NULL, 0,
      "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":86400},{\"n\":\"6\",\"vb\":false},"
      "{\"n\":\"7\",\"vs\":\"U\"}]" },
    { BJC_POST, "bs", NULL, 0, NULL },
    { 0, NULL, NULL, 0, NULL },
};

/* --- an allocator that fails ------------------------------------------------------------------------------------ */

typedef struct pool {
    unsigned count, bad;
    bool for_good; /* every one after the bad one fails, too */
    size_t outstanding;
} pool;

static void *pool_allocate(void *context, size_t size) {
    pool *p = context;
    unsigned number = p->count++;
    if (number == p->bad || (p->for_good && number > p->bad)) {
        return NULL;
    }
    void *memory = malloc(size);
    assert_non_null(memory);
    p->outstanding++;
    return memory;
}

static void pool_release(void *context, void *memory) {
    pool *p = context;
    assert_true(p->outstanding > 0);
    p->outstanding--;
    free(memory);
}

/* --- a life of a client ----------------------------------------------------------------------------------------- */

typedef struct life {
    net n;
    pool memory;
    bootjack_allocator allocator;
    bootjack_client *client;
    bootjack_version version;
    char file[60];
} life;

static bootjack_error furnish_client(bootjack_client *client, const char *file, uint16_t port) {
    char uri[40];
    uint16_t iid = 0;
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", port);
    const bootjack_security_instance account = { .bootstrap_server = true,
                                                 .server_uri = uri,
                                                 .security_mode = BOOTJACK_SECURITY_NOSEC };
    static const bootjack_device device = { .manufacturer = "Bootjack" };
    bootjack_error error = bootjack_security_object_install(client);
    error = error ? error : bootjack_server_object_install(client);
    error = error ? error : bootjack_device_object_install(client, &device);
    error = error ? error : bootjack_access_control_object_install(client);
    error = error ? error : bootjack_persistence_load(client, file);
    return error == BOOTJACK_ERR_NOT_FOUND ? bootjack_security_object_add_instance(client, &account, &iid) : error;
}

static bootjack_error make(life *l) {
    bootjack_config config;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    config.allocator = &l->allocator;
    config.version = l->version;
    bootjack_error error = bootjack_client_create(&config, &l->client);
    return error ? error : furnish_client(l->client, l->file, l->n.bootstrap.port);
}

static void begin_life(life *l, unsigned bad, bool for_good) {
    memset(l, 0, sizeof *l);
    net_open(&l->n, good);
    l->memory = (pool){ .bad = bad, .for_good = for_good };
    l->version = BOOTJACK_LWM2M_1_1;
    l->allocator = (bootjack_allocator){ pool_allocate, pool_release, &l->memory };
    snprintf(l->file, sizeof l->file, "%s/bootjack-%d.state", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (int) getpid());
    unlink(l->file);
}

static int64_t integer(bootjack_client *client, uint16_t iid, uint16_t rid) {
    bootjack_value value;
    return bootjack_resource_get(client, 1, iid, rid, 0, &value) ? -1 : value.as.integer;
}

/* The server's account is there as a whole, or nothing of it. */
static bool whole(bootjack_client *client) {
    bootjack_value value;
    bool server = integer(client, 0, 0) == 101;
    bool security = bootjack_resource_get(client, 0, 1, 0, 0, &value) == BOOTJACK_OK;
    assert_int_equal(server, security);
    assert_int_equal(server, integer(client, 0, 1) == 86400 || integer(client, 0, 1) == 60);
    assert_int_equal(server, bootjack_resource_get(client, 1, 0, 7, 0, &value) == BOOTJACK_OK);
    assert_int_equal(bootjack_resource_get(client, 0, 0, 0, 0, &value), BOOTJACK_OK);
    bool rights = bootjack_resource_get(client, 2, 0, 2, 101, &value) == BOOTJACK_OK;
    assert_int_equal(rights, bootjack_resource_get(client, 2, 0, 3, 0, &value) == BOOTJACK_OK);
    assert_true(server || !rights);
    return server;
}

/* What is in the file is whole, too. False: there is none. */
static bool file_whole(life *l) {
    bootjack_config config;
    bootjack_client *client;
    bool there = access(l->file, F_OK) == 0;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    assert_int_equal(bootjack_client_create(&config, &client), BOOTJACK_OK);
    assert_int_equal(furnish_client(client, l->file, l->n.bootstrap.port), BOOTJACK_OK);
    assert_int_equal(whole(client), there);
    bootjack_client_destroy(client);
    return there;
}

static void manage(life *l) {
    static const step requests[] = { { BJC_GET, "1/0/1", NULL, 0, NULL },
                                     { BJC_GET, "3/0", NULL, 0, NULL },
                                     { BJC_PUT, "1/0/1", "C1 01 3C", 0, NULL },
                                     { BJC_POST, "1/0/8", NULL, 0, NULL } };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        uint8_t code = ask(&l->n, l->client, &requests[i]);
        bool failed_here = l->memory.count > l->memory.bad;
        assert_true(code >> 5 == 2 || failed_here);
    }
}

static void end_life(life *l, bool made) {
    if (made) {
        bootjack_client_stop(l->client);
        assert_true(run_until(&l->n, l->client, BOOTJACK_CLIENT_STOPPED));
        bool server = whole(l->client);
        assert_true(server || !l->n.finished);
        assert_true(server || access(l->file, F_OK) != 0);
    }
    bootjack_client_destroy(l->client);
    assert_int_equal(l->memory.outstanding, 0);
    file_whole(l);
    net_close(&l->n);
    unlink(l->file);
}

static void offer_pack(life *l) {
    l->version = BOOTJACK_LWM2M_1_2;
    snprintf(l->n.pack, sizeof l->n.pack,
             "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coap://"
             "127.0.0.1:%u\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},"
             "{\"n\":\"10\",\"v\":101},{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":86400},"
             "{\"n\":\"6\",\"vb\":false},{\"n\":\"7\",\"vs\":\"U\"}]",
             l->n.server.port);
}

/* False: the life needs fewer allocations. `pack`: its configuration comes in a Bootstrap-Pack, or from the steps where
 * that failed. */
static bool live(const step *steps, unsigned bad, bool for_good, bool pack) {
    life l;
    begin_life(&l, bad, for_good);
    l.n.steps = steps;
    if (pack) {
        offer_pack(&l);
    }
    bootjack_error error = make(&l);
    assert_true(!error || error == BOOTJACK_ERR_MEMORY);
    if (!error) {
        bool registered = run_until(&l.n, l.client, BOOTJACK_CLIENT_REGISTERED);
        assert_true(registered || for_good);
        if (registered) {
            manage(&l);
        }
        if (for_good) {
            run_for(&l.n, l.client, 3600000);
        } else {
            run_for(&l.n, l.client, 70000);
            assert_true(file_whole(&l));
        }
    }
    bool reached = l.memory.count > bad;
    assert_true(reached || !pack || (l.n.packs == 1 && l.n.requests == 0));
    end_life(&l, !error);
    return reached;
}

static void once(void **state) {
    (void) state;
    unsigned bad = 0;
    while (live(good, bad, false, false)) {
        bad++;
    }
    assert_true(bad > 100);
    print_message("%u allocations, each of which failed once\n", bad);
}

static void senml_json(void **state) {
    (void) state;
    for (unsigned bad = 0; live(senml, bad, false, false); bad++) {
    }
    for (unsigned bad = 0; live(senml, bad, true, false); bad++) {
    }
}

static void from_then_on(void **state) {
    (void) state;
    for (unsigned bad = 0; live(good, bad, true, false); bad++) {
    }
}

static void bootstrap_pack(void **state) {
    (void) state;
    for (unsigned bad = 0; live(senml, bad, false, true); bad++) {
    }
    for (unsigned bad = 0; live(senml, bad, true, true); bad++) {
    }
}

/* --- Objects without a network ---------------------------------------------------------------------------------- */

static bool write_to(bjc_model *model, bjc_path path, const char *hex) {
    uint8_t bytes[200];
    size_t length = from_hex(hex, bytes);
    bootjack_error error = bjc_model_write(model, &path, bjc_format_find(BJC_FORMAT_TLV), bytes, length);
    assert_true(!error || error == BOOTJACK_ERR_MEMORY);
    return !error;
}

/* A session over the test object; `text` is what /3442/0/110 must hold in the end. */
static const char *session(bjc_model *model, bjc_store *store) {
    const char *before = "initial value";
    if (bjc_model_begin(model)) {
        return before;
    }
    bool written = write_to(model, (bjc_path){ 2, { 3442, 0 } }, "C1 6E 61 A6 04 56 41 00 62 41 01 63");
    written = written && write_to(model, (bjc_path){ 1, { 3442 } }, "08 05 03 C1 6E 78");
    written = written && !bjc_store_handlers.execute(store, 5, 3, (const uint8_t *) "1='x'", 5);
    if (written) {
        bjc_model_commit(model);
        return "a";
    }
    bjc_model_roll_back(model);
    return before;
}

/* False: nothing failed. */
static bool object_life(unsigned bad) {
    pool p = { .bad = bad };
    bjc_core core;
    bjc_model model;
    bjc_test_object test;
    bjc_store *store = &test.store;
    memset(&test, 0, sizeof test);
    core_start(&core);
    bootjack_allocator kept = core.allocator;
    core.allocator = (bootjack_allocator){ pool_allocate, pool_release, &p };
    bjc_model_init(&model, &core);
    bjc_test_object_init(&test, &core);
    bootjack_error error = bjc_model_install(&model, store->object, store, store);
    error = error ? error : bjc_test_object_fill(store);
    assert_true(!error || error == BOOTJACK_ERR_MEMORY);
    if (!error) {
        const char *text = session(&model, store);
        const bootjack_value *value = bjc_store_get(store, 0, 110, 0);
        assert_non_null(value);
        assert_memory_equal(value->as.bytes.data, text, value->as.bytes.length);
        assert_int_equal(value->as.bytes.length, strlen(text));
    }
    bjc_model_free(&model);
    bjc_store_free(store);
    assert_int_equal(p.outstanding, 0);
    core.allocator = kept;
    bjc_core_free(&core);
    return p.count > bad;
}

static void objects(void **state) {
    (void) state;
    unsigned bad = 0;
    while (object_life(bad)) {
        bad++;
    }
    assert_true(bad > 60);
}

/* --- a second life ---------------------------------------------------------------------------------------------- */

/* A client that finds a state file: it has all of it, or says that there is no memory and has nothing. */
static bool start_again(life *l, unsigned bad) {
    l->memory = (pool){ .bad = bad };
    l->client = NULL;
    bootjack_error error = make(l);
    assert_true(!error || error == BOOTJACK_ERR_MEMORY);
    if (!error) {
        assert_true(run_until(&l->n, l->client, BOOTJACK_CLIENT_REGISTERED));
        assert_true(whole(l->client));
    } else if (l->client) {
        assert_int_equal(integer(l->client, 0, 0), -1);
    }
    bootjack_client_destroy(l->client);
    assert_int_equal(l->memory.outstanding, 0);
    return l->memory.count > bad;
}

static void from_a_file(void **state) {
    (void) state;
    life l;
    unsigned bad = 0;
    begin_life(&l, UINT32_MAX, false);
    assert_int_equal(make(&l), BOOTJACK_OK);
    assert_true(run_until(&l.n, l.client, BOOTJACK_CLIENT_REGISTERED));
    bootjack_client_destroy(l.client);
    while (start_again(&l, bad)) {
        bad++;
    }
    assert_true(bad > 30);
    assert_int_equal(l.n.requests, 1);
    net_close(&l.n);
    unlink(l.file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once),           cmocka_unit_test(from_then_on), cmocka_unit_test(senml_json),
        cmocka_unit_test(bootstrap_pack), cmocka_unit_test(objects),      cmocka_unit_test(from_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
