/* SPDX-License-Identifier: Apache-2.0
 *
 * See field.h.
 */
#define _GNU_SOURCE
#include "capture/field.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/keys.h"
#include "capture/readable.h"

enum { ARENA = 256 << 20 };

const char bj_field_help[] =
    "  --client WHICH      the client: its address, address:port or Endpoint Client Name; needed where there are "
    "several\n"
    "  --all               all clients of the capture, one after the other\n"
    "  --keys FILE         keys with which DTLS and TLS are decrypted: lines IDENTITY:KEY (hexadecimal), or a key log "
    "as\n"
    "                      SSLKEYLOGFILE has it; tshark decrypts\n"
    "  --port N            a further port that carries CoAP, beside 5683, 5685 and 56830; may be repeated\n"
    "  --until FRAME       nothing behind this frame counts\n"
    "  --at-client         the capture was taken on the client's host: what it shows reached the client (taken for\n"
    "                      granted on a loopback interface)\n"
    "  --instance N        the Object Instance ID of the client's bootstrap account in /0, where it is known\n"
    "  --holdoff DURATION  its Client Hold Off Time, /0/x/11, where it is known\n"
    "  --packets-only      what a capture of `bootjack run` says beside its packets is not read: as of a stranger's\n"
    "  --tolerance DURATION\n"
    "                      how much the clock of the capture, and timers of the client, may be off; 100ms if not "
    "given\n";

void bj_field_defaults(bj_field_options *o) {
    *o = (bj_field_options){ .instance = -1, .holdoff = BJ_NEVER, .tolerance = 100 * BJ_MS };
}

/* --- the command line ----------------------------------------------------------------------------------------- */

static bool number(const char *text, unsigned long least, unsigned long most, unsigned long *value) {
    char *end;
    *value = strtoul(text, &end, 10);
    return end != text && !*end && *text != '-' && *value >= least && *value <= most;
}

static bool add_port(bj_field_options *o, const char *text) {
    unsigned long port;
    if (!number(text, 1, UINT16_MAX, &port) || o->units.port_count == BJ_UNIT_PORTS) {
        return false;
    }
    o->units.ports[o->units.port_count++] = (uint16_t) port;
    return true;
}

static bool take_value(bj_field_options *o, const char *name, const char *value) {
    unsigned long n = 0;
    bool good = true;
    if (!strcmp(name, "--client")) {
        o->client = value;
    } else if (!strcmp(name, "--keys")) {
        o->keys = value;
    } else if (!strcmp(name, "--port")) {
        good = add_port(o, value);
    } else if (!strcmp(name, "--until")) {
        good = number(value, 1, UINT32_MAX, &n);
        o->until = (uint32_t) n;
    } else if (!strcmp(name, "--instance")) {
        good = number(value, 0, 65534, &n);
        o->instance = (int) n;
    } else if (!strcmp(name, "--holdoff")) {
        good = bj_duration_parse(value, strlen(value), &o->holdoff);
    } else {
        good = bj_duration_parse(value, strlen(value), &o->tolerance);
    }
    return good;
}

/* As the `take` of a command takes its own. */
static int take_option(bj_field_options *o, int argc, char **argv, int *at, bj_text *why) {
    static const char *const valued[] = { "--client",   "--keys",    "--port",     "--until",
                                          "--instance", "--holdoff", "--tolerance" };
    const char *word = argv[*at];
    if (!strcmp(word, "--all")) {
        o->all = true;
        return 1;
    }
    if (!strcmp(word, "--packets-only")) {
        o->packets_only = true;
        return 1;
    }
    if (!strcmp(word, "--at-client")) {
        o->at_client = true;
        return 1;
    }
    for (unsigned i = 0; i < sizeof valued / sizeof valued[0]; i++) {
        size_t length = strlen(valued[i]);
        if (strncmp(word, valued[i], length) != 0 || (word[length] && word[length] != '=')) {
            continue;
        }
        const char *value = word[length] ? word + length + 1 : *at + 1 < argc ? argv[++*at] : "";
        if (*value && take_value(o, valued[i], value)) {
            return 1;
        }
        bj_text_printf(why, "%s '%s': expected %s", valued[i], value,
                       i == 0 || i == 1 ? "a value"
                       : i >= 5         ? "a duration such as 10s"
                                        : "a number");
        return -1;
    }
    return 0;
}

static int wrong_usage(const bj_field_command *command, const char *what, const char *about) {
    fprintf(stderr, "bootjack %s: %s%s\nTry 'bootjack %s --help'.\n", command->name, what, about, command->name);
    return BJ_FIELD_USAGE;
}

int bj_field_read_arguments(bj_field_options *o, const bj_field_command *command, int argc, char **argv) {
    BJ_TEXT(why, 300);
    bj_field_defaults(o);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            command->print_help();
            return 0;
        }
        int taken = command->take(command->context, argc, argv, &i, &why);
        taken = taken ? taken : take_option(o, argc, argv, &i, &why);
        if (taken < 0) {
            return wrong_usage(command, why.start, "");
        }
        if (!taken && argv[i][0] == '-' && argv[i][1]) {
            return wrong_usage(command, "unknown option ", argv[i]);
        }
        if (!taken && o->units.source.name) {
            return wrong_usage(command, "more than one file: ", argv[i]);
        }
        o->units.source.name = taken ? o->units.source.name : argv[i];
    }
    return o->units.source.name ? -1 : wrong_usage(command, "a capture file is needed", "");
}

/* --- opening -------------------------------------------------------------------------------------------------- */

static void warn_of_secrets(const bj_field *f) {
    const bj_units_seen *seen = &f->parties.seen;
    const char *file = f->options->units.source.name;
    const char *why = seen->decryption   ? seen->decryption
                      : f->options->keys ? "--keys has none that fits; or the handshake is not in the capture, or its "
                                           "suite is one of (EC)DHE and needs a key log"
                                         : "--keys names a file with keys";
    if (seen->records && !seen->decrypted) {
        fprintf(stderr, "bootjack: %s: %" PRIu32 " frames of DTLS or TLS, and nothing of it is decrypted: %s\n", file,
                seen->records, why);
    } else if (seen->sealed) {
        fprintf(stderr,
                "bootjack: %s: %" PRIu32 " frames of DTLS carry what is not decrypted, the first is frame %" PRIu32
                ": %s\n",
                file, seen->sealed, seen->sealed_frame, why);
    }
}

static void warn(const bj_field *f) {
    const bj_parties *p = &f->parties;
    const char *file = f->options->units.source.name;
    if (*p->damage) {
        fprintf(stderr, "bootjack: %s: %s; what stands before it is used\n", file, p->damage);
    }
    if (p->seen.backwards) {
        fprintf(stderr,
                "bootjack: %s: the clock runs backwards at %" PRIu32
                " frames, by %.6f s at most; they count as simultaneous (where frames stand in another order than they "
                "came in, Wireshark's reordercap sorts them)\n",
                file, p->seen.backwards, (double) p->seen.most / 1e6);
    }
    if (p->seen.cut) {
        fprintf(stderr,
                "bootjack: %s: %" PRIu32 " frames are cut, the first is frame %" PRIu32
                " (the snapshot length; with tcpdump, -s 0 takes all): what they say is not read\n",
                file, p->seen.cut, p->seen.cut_frame);
    }
    if (p->overflow) {
        fprintf(stderr, "bootjack: %s: more conversations than are kept; those that began later are left out\n", file);
    }
    for (unsigned i = 0; i < 8 && p->examples[i]; i++) {
        if (!p->example_counts[i]) {
            continue;
        }
        fprintf(stderr, "bootjack: %s: %" PRIu32 " frames are not read, the first is frame %" PRIu32 ": %s\n", file,
                p->example_counts[i], p->example_frames[i], p->examples[i]);
    }
    warn_of_secrets(f);
}

static void list(const bj_field *f) {
    for (size_t i = 0; i < f->parties.count && i < 100; i++) {
        const bj_party *one = &f->parties.all[i];
        BJ_TEXT(text, 300);
        bj_party_print(&text, one);
        fputs("  ", stderr);
        bj_print_readable(stderr, text.start);
        fprintf(stderr, ": frames %" PRIu32 " to %" PRIu32 ", %.3f s\n", one->first_frame, one->last_frame,
                (double) (one->last - one->first) / 1e6);
    }
    if (f->parties.count > 100) {
        fprintf(stderr, "  and %zu more\n", f->parties.count - 100);
    }
}

static int choose(bj_field *f) {
    const bj_field_options *o = f->options;
    const char *file = o->units.source.name;
    size_t most = sizeof f->chosen / sizeof f->chosen[0];
    if (!f->parties.count) {
        fprintf(stderr, "bootjack: %s: no CoAP found; --port says which other ports carry it\n", file);
        return BJ_FIELD_CANNOT;
    }
    int named = o->client ? bj_parties_named(&f->parties, o->client) : -1;
    if (o->client && named < 0) {
        fprintf(stderr, "bootjack: %s: there is no client '%s'; there are:\n", file, o->client);
        list(f);
        return BJ_FIELD_CANNOT;
    }
    if (!o->client && !o->all && f->parties.count > 1) {
        fprintf(stderr, "bootjack: %s: %zu clients; --client chooses one, --all takes all:\n", file, f->parties.count);
        list(f);
        return BJ_FIELD_CANNOT;
    }
    if (o->all && f->parties.count > most) {
        fprintf(stderr, "bootjack: %s: the first %zu of %zu clients are taken\n", file, most, f->parties.count);
    }
    for (size_t i = 0; i < f->parties.count && f->chosen_count < most; i++) {
        if (named < 0 || (size_t) named == i) {
            f->chosen[f->chosen_count++] = (uint32_t) i;
        }
    }
    return 0;
}

static void read_notes(bj_field *f, bj_field_options *options) {
    f->arena = options->packets_only ? NULL : bj_arena_map(ARENA);
    if (f->arena) {
        bj_notes_read(&f->noted, f->arena, &options->units.source);
    }
    options->units.epoch = f->noted.given ? BJ_CAPTURE_EPOCH * BJ_SECOND : 0;
}

/* A run has one client, wherever it is. */
static bool join_the_noted(bj_field *f) {
    const bj_record *client = f->noted.given ? bj_get_record(f->noted.given, BJ_F(SCENARIO, CLIENT)) : NULL;
    return !client || bj_parties_join(&f->parties, bj_get_string(client, BJ_F(CLIENT, ENDPOINT), "dev-1"));
}

int bj_field_open(bj_field *f, bj_field_options *options) {
    *f = (bj_field){ .options = options };
    BJ_TEXT(why, 600);
    read_notes(f, options);
    bool good = !options->keys || bj_keys_read(&options->units, options->keys, &why);
    f->units = good ? bj_units_open(&options->units, &why) : NULL;
    if (!f->units || !bj_parties_find(&f->parties, f->units, &why)) {
        fprintf(stderr, "bootjack: %s\n", why.start);
        return BJ_FIELD_CANNOT;
    }
    warn(f);
    if (!join_the_noted(f)) {
        fputs("bootjack: out of memory\n", stderr);
        return BJ_FIELD_CANNOT;
    }
    return choose(f);
}

void bj_field_file(bj_text *out, const char *file, size_t number) {
    const char *dot = strrchr(file, '.');
    size_t stem = dot && dot != file && !strchr(dot, '/') ? (size_t) (dot - file) : strlen(file);
    bj_text_add_bytes(out, file, stem);
    if (number) {
        bj_text_printf(out, "-%zu", number + 1);
    }
    bj_text_add(out, file + stem);
}

void bj_field_close(bj_field *f) {
    bj_parties_free(&f->parties);
    bj_units_close(f->units);
    f->units = NULL;
    if (f->arena) {
        bj_arena_unmap(f->arena);
        f->arena = NULL;
    }
}

bool bj_field_talk(bj_field *field, uint32_t party, bj_talk *talk) {
    bj_unit unit;
    BJ_TEXT(why, 300);
    uint32_t until = field->options->until;
    bj_talk_begin(talk, &field->parties, party);
    while (bj_units_next(field->units, &unit, &why) == 1 && (!until || unit.frame <= until)) {
        if (!bj_talk_take(talk, &unit)) {
            fputs("bootjack: out of memory\n", stderr);
            return false;
        }
    }
    return bj_units_rewind(field->units, &why);
}

/* --- what oracles are told ------------------------------------------------------------------------------------ */

static bool is_loopback(const bj_addr *host) {
    static const uint8_t one[16] = { [15] = 1 };
    return host->family == 4 ? host->ip[0] == 127 : !memcmp(host->ip, one, sizeof one);
}

bool bj_field_at_client(const bj_field *f, uint32_t party) {
    return f->options->at_client || is_loopback(&f->parties.all[party].host);
}

void bj_field_oracle_config(const bj_field *f, uint32_t party, bj_arena *arena, bj_oracle_config *config) {
    const bj_party *one = &f->parties.all[party];
    const bj_field_options *o = f->options;
    bj_oracle_configure(config, NULL, NULL, true);
    config->captured = config->transient = true;
    config->at_client = bj_field_at_client(f, party);
    config->disordered = f->parties.seen.backwards > 0;
    config->tolerance = o->tolerance;
    config->holdoff = o->holdoff == BJ_NEVER ? 0 : o->holdoff;
    config->endpoint = *one->endpoint ? bj_arena_strdup(arena, one->endpoint) : NULL;
    if (one->bootstrap.family) {
        BJ_TEXT(uri, 100);
        bj_text_add(&uri, "coap://");
        bj_addr_print(&uri, &one->bootstrap);
        config->accounts[config->account_count++] =
            (bj_oracle_account){ .uri = bj_arena_strdup(arena, uri.start),
                                 .bootstrap = true,
                                 .instance = o->instance >= 0 ? o->instance : one->instance };
    }
    for (size_t i = 0; i < o->units.psk_count && config->secret_count < BJ_ORACLE_SECRETS; i++) {
        size_t length = strlen(o->units.psk[i]) / 2;
        char *key = bj_arena_alloc(arena, length + 1);
        for (size_t n = 0; n < length; n++) {
            char digits[3] = { o->units.psk[i][2 * n], o->units.psk[i][2 * n + 1], '\0' };
            key[n] = (char) strtoul(digits, NULL, 16);
        }
        config->secrets[config->secret_count++] = (bj_string){ key, length };
    }
}
