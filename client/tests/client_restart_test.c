/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole clients that are started again from their state file: what a bootstrap, a server and the purge of the account
 * changed is there after every restart, without a word to the Bootstrap-Server.
 */
#define _GNU_SOURCE
#include "support.h"

/* clang-format off */
#include "loopback.h"
/* clang-format on */

#include <sys/stat.h>

#define ACCOUNT_TIMEOUT_S 60

static const step good[] = {
    { BJC_DELETE, "", NULL, 0, NULL },
    { BJC_PUT, "0/1", "{account}", 0, NULL },
    { BJC_PUT, "1/0", "C1 00 65 C4 01 00 01 51 80 C1 06 00 C1 07 55", 0, NULL },
    { BJC_POST, "bs", NULL, 0, NULL },
    { 0, NULL, NULL, 0, NULL },
};

typedef struct bench {
    net n;
    bootjack_client *client;
    char directory[40], file[60];
    char sizes[100]; /* of the file at each answer of the client to the Bootstrap-Server */
} bench;

static void start(bench *b) {
    char uri[40];
    bootjack_config config;
    uint16_t iid = 0;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", b->n.bootstrap.port);
    const bootjack_security_instance account = { .bootstrap_server = true,
                                                 .server_uri = uri,
                                                 .security_mode = BOOTJACK_SECURITY_NOSEC,
                                                 .bootstrap_timeout_s = ACCOUNT_TIMEOUT_S };
    assert_int_equal(bootjack_client_create(&config, &b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_install(b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_server_object_install(b->client), BOOTJACK_OK);
    assert_int_equal(bootjack_device_object_install(b->client, NULL), BOOTJACK_OK);
    bootjack_error error = bootjack_persistence_load(b->client, b->file);
    assert_true(!error || error == BOOTJACK_ERR_NOT_FOUND);
    if (error) {
        assert_int_equal(bootjack_security_object_add_instance(b->client, &account, &iid), BOOTJACK_OK);
    }
}

static void restart(bench *b) {
    bootjack_client_destroy(b->client); /* the power goes: no De-register */
    start(b);
}

static void open_bench(bench *b) {
    memset(b, 0, sizeof *b);
    net_open(&b->n, good);
    b->n.context = b;
    snprintf(b->directory, sizeof b->directory, "%s/bootjack-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(b->directory));
    snprintf(b->file, sizeof b->file, "%s/state", b->directory);
    start(b);
}

static void close_bench(bench *b) {
    bootjack_client_destroy(b->client);
    net_close(&b->n);
    unlink(b->file);
    assert_int_equal(rmdir(b->directory), 0);
}

static int64_t resource(bench *b, uint16_t oid, uint16_t iid, uint16_t rid) {
    bootjack_value value;
    return bootjack_resource_get(b->client, oid, iid, rid, 0, &value) ? -1 : value.as.integer;
}

static void note_file(net *n, uint8_t code) {
    bench *b = n->context;
    size_t used = strlen(b->sizes);
    assert_int_equal(code >> 5, 2);
    b->sizes[used] = access(b->file, F_OK) == 0 ? '+' : '-';
}

/* Saved when the Finish is answered, not before; then every start registers at once. */
static void after_a_bootstrap(void **state) {
    (void) state;
    bench b;
    open_bench(&b);
    b.n.on_answer = note_file;
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_string_equal(b.sizes, "---+");
    for (unsigned life = 2; life < 5; life++) {
        restart(&b);
        assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
        assert_int_equal(b.n.registers, life);
    }
    assert_int_equal(b.n.requests, 1);
    close_bench(&b);
}

static void in_the_middle(void **state) {
    (void) state;
    bench b;
    open_bench(&b);
    for (int i = 0; i < ROUNDS && b.n.at < 2; i++) {
        turn(&b.n, b.client);
    }
    assert_int_equal(b.n.at, 2);
    assert_int_equal(bootjack_persistence_save(b.client), BOOTJACK_ERR_STATE);
    assert_int_not_equal(access(b.file, F_OK), 0);
    restart(&b);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(b.n.requests, 2);
    close_bench(&b);
}

/* A write to /1 is saved before it is answered; one that was refused changes nothing. */
static void after_a_write(void **state) {
    (void) state;
    static const step lifetime = { BJC_PUT, "1/0/1", "C1 01 3C", 0, NULL },
                      refused = { BJC_PUT, "1/0/1", "C1 01 FF", 0, NULL };
    bench b;
    open_bench(&b);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(ask(&b.n, b.client, &lifetime), BJC_CHANGED);
    assert_int_equal(ask(&b.n, b.client, &refused), BJC_BAD_REQUEST);
    restart(&b);
    assert_int_equal(resource(&b, 1, 0, 1), 60);
    close_bench(&b);
}

/* LwM2M Core 1.1 Appendix E.1, /0/x/12: the time counts from the start anew, and an account that was purged stays away.
 */
static void purge(void **state) {
    (void) state;
    bench b;
    open_bench(&b);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    run_for(&b.n, b.client, (ACCOUNT_TIMEOUT_S - 5) * 1000);
    assert_int_equal(resource(&b, 0, 0, 2), BOOTJACK_SECURITY_NOSEC);
    restart(&b);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(resource(&b, 0, 0, 2), BOOTJACK_SECURITY_NOSEC);
    run_for(&b.n, b.client, (ACCOUNT_TIMEOUT_S + 5) * 1000);
    assert_int_equal(resource(&b, 0, 0, 2), -1);
    restart(&b);
    assert_int_equal(resource(&b, 0, 0, 2), -1);
    assert_int_equal(resource(&b, 0, 1, 2), BOOTJACK_SECURITY_NOSEC);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(b.n.requests, 1);
    close_bench(&b);
}

/* The place cannot be written to for a while: the client goes on, and saves when it can. */
static void tried_again(void **state) {
    (void) state;
    bench b;
    open_bench(&b);
    assert_int_equal(rmdir(b.directory), 0);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    run_for(&b.n, b.client, 30000);
    assert_int_equal(mkdir(b.directory, 0700), 0);
    assert_int_not_equal(access(b.file, F_OK), 0);
    run_for(&b.n, b.client, 65000);
    assert_int_equal(access(b.file, F_OK), 0);
    restart(&b);
    assert_true(run_until(&b.n, b.client, BOOTJACK_CLIENT_REGISTERED));
    assert_int_equal(b.n.requests, 1);
    close_bench(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_bootstrap), cmocka_unit_test(in_the_middle),
        cmocka_unit_test(after_a_write),     cmocka_unit_test(purge),
        cmocka_unit_test(tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
