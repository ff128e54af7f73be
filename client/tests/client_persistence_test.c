/* SPDX-License-Identifier: Apache-2.0
 *
 * The state file: what is saved comes back, what is damaged is refused as a whole, and no call of the system can fail,
 * or be the last one before the power goes, without leaving the old state or the new one.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bootjack/bootjack.h"
#include "persistence/persistence.h"

#define OLD_URI "coap://old.example"
#define NEW_URI "coap://new.example:5690"
#define SECRET  "\x73\x65\0\x63\xFFret"

typedef struct place {
    char directory[40], file[60], temporary[64];
} place;

static void place_make(place *p) {
    /* In memory where there is such a place: a disk takes its time for every fsync(). */
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(p->directory, sizeof p->directory, "%s/bootjack-XXXXXX", parent);
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->file, sizeof p->file, "%s/state", p->directory);
    snprintf(p->temporary, sizeof p->temporary, "%s.new", p->file);
}

static void place_remove(place *p) {
    unlink(p->file);
    unlink(p->temporary);
    assert_int_equal(rmdir(p->directory), 0);
}

static void put_bytes(const char *file, const uint8_t *data, size_t length) {
    int descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_return_code(descriptor, errno);
    assert_int_equal(write(descriptor, data, length), length);
    close(descriptor);
}

static size_t get_bytes(const char *file, uint8_t *data, size_t capacity) {
    int descriptor = open(file, O_RDONLY);
    assert_return_code(descriptor, errno);
    ssize_t length = read(descriptor, data, capacity);
    assert_true(length >= 0 && (size_t) length < capacity);
    close(descriptor);
    return (size_t) length;
}

/* --- a model with a state file ---------------------------------------------------------------------------------- */

typedef struct device {
    furnished f;
    bool bootstrapped;
    bjc_persistence persistence;
    char log[4000];
} device;

static void keep_log(void *context, bootjack_log_level level, const char *line) {
    device *d = context;
    size_t used = strlen(d->log);
    (void) level;
    snprintf(d->log + used, sizeof d->log - used, "%s\n", line);
}

static void device_start(device *d) {
    memset(d, 0, sizeof *d);
    furnish(&d->f);
    d->f.core.config.log = keep_log;
    d->f.core.config.log_context = d;
    bjc_persistence_init(&d->persistence, &d->f.core, &d->f.model, &d->bootstrapped);
}

static void device_end(device *d) {
    bjc_persistence_free(&d->persistence);
    unfurnish(&d->f);
}

/* A Bootstrap-Server account in /0/0, a server in /0/1 and /1/0, with a value of every type that can occur. */
static void accounts(device *d, const char *uri) {
    bootjack_security_instance bootstrap = { .bootstrap_server = true,
                                             .server_uri = uri,
                                             .security_mode = BOOTJACK_SECURITY_PSK,
                                             .secret_key = (const uint8_t *) SECRET,
                                             .secret_key_length = sizeof SECRET - 1,
                                             .client_holdoff_s = 5 };
    bootjack_security_instance server = { .ssid = 101,
                                          .server_uri = "coap://s.example",
                                          .security_mode = BOOTJACK_SECURITY_NOSEC };
    bootjack_server_instance registration = { .ssid = 101, .lifetime_s = 300 };
    bootjack_value link = { .type = BOOTJACK_TYPE_OBJLNK, .as.link = { 11, 3 } };
    uint16_t iid[3] = { 0, 1, 0 };
    bjc_store_restore(&d->f.security, NULL);
    bjc_store_restore(&d->f.server, NULL);
    assert_int_equal(bjc_security_add(&d->f.security, &bootstrap, &iid[0]), BOOTJACK_OK);
    assert_int_equal(bjc_security_add(&d->f.security, &server, &iid[1]), BOOTJACK_OK);
    assert_int_equal(bjc_server_add(&d->f.server, &registration, &iid[2]), BOOTJACK_OK);
    assert_int_equal(bjc_store_set(&d->f.server, 0, 10, 0, &link), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&d->f.server, 0, BJC_SERVER_LAST_BOOTSTRAPPED, -1), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_integer(&d->f.server, 0, BJC_SERVER_RETRY_COUNT, 7), BOOTJACK_OK);
}

static bool text_is(const bjc_store *store, uint16_t iid, uint16_t rid, const void *text, size_t length) {
    const bootjack_value *value = bjc_store_get(store, iid, rid, 0);
    return value && value->as.bytes.length == length && memcmp(value->as.bytes.data, text, length) == 0;
}

/* Whether these are the accounts() of `uri`, whole. */
static bool holds(const device *d, const char *uri) {
    const bjc_store *security = &d->f.security, *server = &d->f.server;
    const bootjack_value *link = bjc_store_get(server, 0, 10, 0);
    return text_is(security, 0, BJC_SECURITY_URI, uri, strlen(uri)) &&
           text_is(security, 0, BJC_SECURITY_SECRET_KEY, SECRET, sizeof SECRET - 1) &&
           bjc_store_boolean(security, 0, BJC_SECURITY_BOOTSTRAP, false) &&
           bjc_store_integer(security, 0, BJC_SECURITY_HOLDOFF, 0) == 5 &&
           text_is(security, 1, BJC_SECURITY_URI, "coap://s.example", 16) && bjc_store_free_id(security) == 2 &&
           bjc_store_integer(server, 0, BJC_SERVER_LIFETIME, 0) == 300 &&
           bjc_store_integer(server, 0, BJC_SERVER_LAST_BOOTSTRAPPED, 0) == -1 &&
           bjc_store_integer(server, 0, BJC_SERVER_RETRY_COUNT, 0) == 7 && link && link->as.link.object == 11 &&
           link->as.link.instance == 3 && bjc_store_free_id(server) == 1;
}

static bool empty(const device *d) {
    return !d->f.security.instances && !d->f.server.instances && !d->bootstrapped;
}

/* The state of `uri` in the file. */
static void saved(const place *p, const char *uri) {
    device d;
    device_start(&d);
    unlink(p->file);
    assert_int_equal(bjc_persistence_load(&d.persistence, p->file), BOOTJACK_ERR_NOT_FOUND);
    accounts(&d, uri);
    d.bootstrapped = true;
    assert_int_equal(bjc_persistence_save(&d.persistence), BOOTJACK_OK);
    assert_null(strstr(d.log, "ret"));
    device_end(&d);
}

static bootjack_error load_into(device *d, const place *p) {
    device_start(d);
    return bjc_persistence_load(&d->persistence, p->file);
}

/* --- round trip, permission ------------------------------------------------------------------------------------- */

static void round_trip(void **state) {
    (void) state;
    place p;
    device d;
    struct stat status;
    place_make(&p);
    saved(&p, OLD_URI);
    assert_int_equal(stat(p.file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_not_equal(access(p.temporary, F_OK), 0);
    assert_int_equal(load_into(&d, &p), BOOTJACK_OK);
    assert_true(holds(&d, OLD_URI));
    assert_true(d.bootstrapped);
    assert_int_equal(bjc_persistence_load(&d.persistence, p.file), BOOTJACK_ERR_STATE);
    assert_null(strstr(d.log, "others than its owner"));
    /* Saved again: the same bytes; and what is taken away stays away. */
    assert_int_equal(bjc_store_remove(&d.f.security, 0), BOOTJACK_OK);
    bjc_persistence_changed(&d.persistence);
    device_end(&d);
    assert_int_equal(load_into(&d, &p), BOOTJACK_OK);
    assert_int_equal(bjc_security_bootstrap_account(&d.f.security), -1);
    device_end(&d);
    place_remove(&p);
}

static void permission(void **state) {
    (void) state;
    place p;
    device d;
    struct stat status;
    place_make(&p);
    saved(&p, OLD_URI);
    assert_int_equal(chmod(p.file, 0644), 0);
    put_bytes(p.temporary, (const uint8_t *) "left over", 9);
    assert_int_equal(chmod(p.temporary, 0666), 0);
    assert_int_equal(load_into(&d, &p), BOOTJACK_OK);
    assert_non_null(strstr(d.log, "others than its owner"));
    mode_t mask = umask(0);
    assert_int_equal(bjc_persistence_save(&d.persistence), BOOTJACK_OK);
    umask(mask);
    assert_int_equal(stat(p.file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    device_end(&d);
    place_remove(&p);
}

static void not_in_a_session(void **state) {
    (void) state;
    place p;
    device d;
    uint8_t before[2000], after[2000];
    place_make(&p);
    saved(&p, OLD_URI);
    size_t length = get_bytes(p.file, before, sizeof before);
    assert_int_equal(load_into(&d, &p), BOOTJACK_OK);
    assert_int_equal(bjc_model_begin(&d.f.model), BOOTJACK_OK);
    assert_int_equal(bjc_store_remove(&d.f.security, 0), BOOTJACK_OK);
    assert_int_equal(bjc_persistence_save(&d.persistence), BOOTJACK_ERR_STATE);
    bjc_persistence_changed(&d.persistence);
    assert_true(d.persistence.retry.armed);
    assert_int_equal(get_bytes(p.file, after, sizeof after), length);
    assert_memory_equal(before, after, length);
    bjc_model_roll_back(&d.f.model);
    assert_int_equal(bjc_persistence_save(&d.persistence), BOOTJACK_OK);
    assert_false(d.persistence.retry.armed);
    device_end(&d);
    place_remove(&p);
}

/* --- damage ----------------------------------------------------------------------------------------------------- */

/* Nothing is loaded, nothing is saved from then on, the file is as it was. */
static void refused(const place *p, const uint8_t *bytes, size_t length, bootjack_error expected) {
    device d;
    static uint8_t after[4000];
    put_bytes(p->file, bytes, length);
    assert_int_equal(load_into(&d, p), expected);
    assert_true(empty(&d));
    assert_non_null(strstr(d.log, "left as it is"));
    assert_int_equal(bjc_persistence_save(&d.persistence), BOOTJACK_ERR_STATE);
    bjc_persistence_changed(&d.persistence);
    assert_int_equal(get_bytes(p->file, after, sizeof after), length);
    assert_memory_equal(bytes, after, length);
    device_end(&d);
}

static void damage(void **state) {
    (void) state;
    place p;
    uint8_t good[2000];
    static const uint8_t masks[] = { 0x01, 0x80, 0xFF };
    place_make(&p);
    saved(&p, OLD_URI);
    size_t length = get_bytes(p.file, good, sizeof good);
    for (size_t i = 0; i < length; i++) {
        refused(&p, good, i, BOOTJACK_ERR_DAMAGED);
        for (size_t k = 0; k < sizeof masks; k++) {
            good[i] ^= masks[k];
            refused(&p, good, length, i < 8 ? BOOTJACK_ERR_FOREIGN : BOOTJACK_ERR_DAMAGED);
            good[i] ^= masks[k];
        }
    }
    good[length] = 0;
    refused(&p, good, length + 1, BOOTJACK_ERR_DAMAGED);
    refused(&p, (const uint8_t *) "# settings\n", 11, BOOTJACK_ERR_FOREIGN);
    place_remove(&p);
}

/* The checksum put right, so that what lies behind it is reached. */
static void seal(uint8_t *bytes, size_t length) {
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        sum ^= i >= 16 && i < 20 ? 0 : bytes[i];
        for (int bit = 0; bit < 8 && !(i >= 16 && i < 20); bit++) {
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xEDB88320) : 0);
        }
    }
    for (int i = 0; i < 4; i++) {
        bytes[16 + i] = (uint8_t) (~sum >> (24 - 8 * i));
    }
}

static void too_new(void **state) {
    (void) state;
    place p;
    uint8_t bytes[2000];
    place_make(&p);
    saved(&p, OLD_URI);
    size_t length = get_bytes(p.file, bytes, sizeof bytes);
    bytes[9] = 2;
    seal(bytes, length);
    refused(&p, bytes, length, BOOTJACK_ERR_TOO_NEW);
    bytes[9] = 0;
    seal(bytes, length);
    refused(&p, bytes, length, BOOTJACK_ERR_DAMAGED);
    place_remove(&p);
}

/* Sealed nonsense behind the header: every byte changed and every length, never a crash, never half a state. */
static void nonsense(void **state) {
    (void) state;
    place p;
    device d;
    static uint8_t good[2000], bytes[2000];
    place_make(&p);
    saved(&p, OLD_URI);
    size_t length = get_bytes(p.file, good, sizeof good);
    for (size_t i = 20; i < length; i++) {
        for (int kind = 0; kind < 3; kind++) {
            size_t used = kind == 2 ? i : length;
            memcpy(bytes, good, length);
            bytes[i] ^= kind == 1 ? 0xFF : 0x01;
            bytes[14] = (uint8_t) ((used - 20) >> 8);
            bytes[15] = (uint8_t) (used - 20);
            seal(bytes, used);
            put_bytes(p.file, bytes, used);
            bootjack_error error = load_into(&d, &p);
            assert_true(error == BOOTJACK_OK || error == BOOTJACK_ERR_INCONSISTENT || error == BOOTJACK_ERR_DAMAGED);
            assert_true(!error || empty(&d));
            device_end(&d);
        }
    }
    place_remove(&p);
}

static void no_file(void **state) {
    (void) state;
    place p, directory;
    device d;
    place_make(&p);
    directory = p;
    snprintf(directory.file, sizeof directory.file, "%s", p.directory);
    assert_int_equal(load_into(&d, &directory), BOOTJACK_ERR_FOREIGN);
    device_end(&d);
    snprintf(directory.file, sizeof directory.file, "%s/none/state", p.directory);
    assert_int_equal(load_into(&d, &directory), BOOTJACK_ERR_NOT_FOUND);
    /* A directory that cannot be written to: said, and tried again. */
    assert_int_equal(bjc_persistence_save(&d.persistence), BOOTJACK_ERR_FILE);
    assert_true(d.persistence.retry.armed);
    assert_non_null(strstr(d.log, "not saved: No such file"));
    device_end(&d);
    assert_int_equal(mkfifo(p.file, 0600), 0);
    assert_int_equal(load_into(&d, &p), BOOTJACK_ERR_FOREIGN);
    device_end(&d);
    assert_int_equal(unlink(p.file), 0);
    int descriptor = open(p.file, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(descriptor, (off_t) BJC_STATE_LIMIT + 1), 0);
    close(descriptor);
    assert_int_equal(load_into(&d, &p), BOOTJACK_ERR_LIMIT);
    device_end(&d);
    place_remove(&p);
}

/* --- failures at the n-th call ---------------------------------------------------------------------------------- */

/* The system's calls, one of which fails; with `power_cut` none after it has any effect either. */
typedef struct disk {
    int calls, bad;
    bool power_cut;
    char order[400]; /* a letter a call */
} disk;

static bool bad_call(void *context, char letter) {
    disk *k = context;
    size_t used = strlen(k->order);
    int call = k->calls++;
    if (used + 1 < sizeof k->order) {
        k->order[used] = letter;
    }
    errno = EIO;
    return call == k->bad || (k->power_cut && call > k->bad);
}

static int disk_open(void *context, const char *path, int flags, mode_t mode) {
    return bad_call(context, flags & O_DIRECTORY ? 'D' : 'o') ? -1 : open(path, flags, mode);
}

static int disk_fstat(void *context, int descriptor, struct stat *status) {
    return bad_call(context, 't') ? -1 : fstat(descriptor, status);
}

static ssize_t disk_read(void *context, int descriptor, void *out, size_t length) {
    return bad_call(context, 'r') ? -1 : read(descriptor, out, length < 100 ? length : 100);
}

/* A few bytes at a time, so that there are cut points inside the file. */
static ssize_t disk_write(void *context, int descriptor, const void *data, size_t length) {
    return bad_call(context, 'w') ? -1 : write(descriptor, data, length < 40 ? length : 40);
}

static int disk_fsync(void *context, int descriptor) {
    return bad_call(context, 's') ? -1 : fsync(descriptor);
}

/* The descriptor is gone in any case. */
static int disk_close(void *context, int descriptor) {
    bool bad = bad_call(context, 'c');
    close(descriptor);
    return bad ? -1 : 0;
}

static int disk_rename(void *context, const char *from, const char *to) {
    return bad_call(context, 'n') ? -1 : rename(from, to);
}

static int disk_unlink(void *context, const char *path) {
    return bad_call(context, 'u') ? -1 : unlink(path);
}

static bjc_file_operations operations(disk *k) {
    return (bjc_file_operations){ disk_open,  disk_fstat,  disk_read,   disk_write, disk_fsync,
                                  disk_close, disk_rename, disk_unlink, k };
}

/* Saves the new state over the old one with the given call failing; what is in the file then. False: it was beyond the
 * last call. */
static bool save_with(const place *p, int bad, bool power_cut) {
    device d;
    disk k = { .bad = bad, .power_cut = power_cut };
    bjc_file_operations files = operations(&k);
    saved(p, OLD_URI);
    assert_int_equal(load_into(&d, p), BOOTJACK_OK);
    accounts(&d, NEW_URI);
    d.persistence.files = &files;
    bootjack_error error = bjc_persistence_save(&d.persistence);
    bool reached = k.calls > bad;
    assert_true(reached || (!error && strcmp(k.order + strspn(k.order, "uow"), "scnDsc") == 0));
    /* That there was nothing to remove at first is no failure. */
    assert_int_equal(error, reached && !(bad == 0 && !power_cut) ? BOOTJACK_ERR_FILE : BOOTJACK_OK);
    assert_true(holds(&d, NEW_URI));
    assert_int_equal(d.persistence.retry.armed, error != BOOTJACK_OK);
    device_end(&d);
    assert_int_equal(load_into(&d, p), BOOTJACK_OK);
    assert_true(holds(&d, OLD_URI) || holds(&d, NEW_URI));
    assert_true(error || holds(&d, NEW_URI));
    /* Whatever was left over is no hindrance. */
    accounts(&d, NEW_URI);
    assert_int_equal(bjc_persistence_save(&d.persistence), BOOTJACK_OK);
    device_end(&d);
    assert_int_not_equal(access(p->temporary, F_OK), 0);
    return reached;
}

static void every_call(void **state) {
    (void) state;
    place p;
    int cuts = 0, failures = 0;
    place_make(&p);
    while (save_with(&p, cuts, true)) {
        cuts++;
    }
    while (save_with(&p, failures, false)) {
        failures++;
    }
    assert_true(cuts > 12 && failures == cuts);
    place_remove(&p);
}

static void reading_fails(void **state) {
    (void) state;
    place p;
    device d;
    place_make(&p);
    saved(&p, OLD_URI);
    for (int bad = 0;; bad++) {
        disk k = { .bad = bad };
        bjc_file_operations files = operations(&k);
        device_start(&d);
        d.persistence.files = &files;
        bootjack_error error = bjc_persistence_load(&d.persistence, p.file);
        assert_true(error ? error == BOOTJACK_ERR_FILE && empty(&d) : holds(&d, OLD_URI));
        device_end(&d);
        if (k.calls <= bad) {
            break;
        }
    }
    place_remove(&p);
}

/* --- through the client ----------------------------------------------------------------------------------------- */

static bootjack_client *whole_client(void) {
    bootjack_config config;
    bootjack_client *client;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    assert_int_equal(bootjack_client_create(&config, &client), BOOTJACK_OK);
    assert_int_equal(bootjack_security_object_install(client), BOOTJACK_OK);
    assert_int_equal(bootjack_server_object_install(client), BOOTJACK_OK);
    return client;
}

static void public_functions(void **state) {
    (void) state;
    place p;
    uint16_t iid = 5;
    bootjack_value value;
    const bootjack_server_instance server = { .ssid = 7, .lifetime_s = 60 };
    place_make(&p);
    bootjack_client *client = whole_client();
    assert_int_equal(bootjack_persistence_save(client), BOOTJACK_ERR_STATE);
    assert_int_equal(bootjack_persistence_load(client, ""), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(bootjack_persistence_load(client, NULL), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(bootjack_persistence_load(client, p.file), BOOTJACK_ERR_NOT_FOUND);
    assert_int_equal(bootjack_server_object_add_instance(client, &server, &iid), BOOTJACK_OK);
    assert_int_equal(bootjack_persistence_save(client), BOOTJACK_OK);
    bootjack_client_destroy(client);
    client = whole_client();
    assert_int_equal(bootjack_persistence_load(client, p.file), BOOTJACK_OK);
    assert_int_equal(bootjack_resource_get(client, 1, 5, 1, 0, &value), BOOTJACK_OK);
    assert_int_equal(value.as.integer, 60);
    bootjack_client_destroy(client);
    client = whole_client();
    bootjack_client_step(client);
    assert_int_equal(bootjack_persistence_load(client, p.file), BOOTJACK_ERR_STATE);
    bootjack_client_destroy(client);
    place_remove(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),       cmocka_unit_test(permission), cmocka_unit_test(not_in_a_session),
        cmocka_unit_test(damage),           cmocka_unit_test(too_new),    cmocka_unit_test(nonsense),
        cmocka_unit_test(no_file),          cmocka_unit_test(every_call), cmocka_unit_test(reading_fails),
        cmocka_unit_test(public_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
