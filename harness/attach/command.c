/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile's command line, filled in for one scenario: which values a client can be told, and the verdict skip where
 * the scenario demands one that it cannot.
 */
#define _GNU_SOURCE
#include "attach/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libc/libc.h"
#include "script/placeholders.h"

enum { WORD = 8192, WORDS = 512 };

/* What can stand in braces: see placeholders.h. */
typedef struct placeholder {
    const char *name;
    const char *demand;
    const char *value;     /* of this scenario; NULL = it sets none */
    const char *otherwise; /* where the command cannot do without */
    bool carried;
} placeholder;

enum {
#define PLACEHOLDER_INDEX(NAME, name, demand) P_##NAME,
    BJ_PLACEHOLDERS(PLACEHOLDER_INDEX)
#undef PLACEHOLDER_INDEX
        P_COUNT
};

void bj_command_placeholders(bj_text *out) {
    for (unsigned i = 0; i < P_COUNT; i++) {
        bj_text_printf(out, "%s{%s}", i == 0 ? "" : i % 6 == 0 ? "\n" : " ", bj_placeholder_names[i]);
    }
}

typedef struct filler {
    bj_arena *arena;
    const bj_record *profile;
    const bj_record *client;
    placeholder items[P_COUNT];
    bool defaults;  /* in an optional group that another value calls for */
    bool whole_uri; /* {bs_uri} itself is in the command, and not only its parts */
    bj_text *reason;
    char *words[WORDS];
    size_t word_count;
} filler;

/* --- the values of a scenario --------------------------------------------------------------------------------- */

/* Seconds: "10", and decimals only where they are needed, "0.5". */
static const char *seconds(bj_arena *arena, const bj_record *record, unsigned field) {
    if (!bj_get(record, field)) {
        return NULL;
    }
    bj_time time = bj_get_duration(record, field, 0);
    BJ_TEXT(text, 40);
    bj_text_printf(&text, "%llu", (unsigned long long) (time / BJ_SECOND));
    if (time % BJ_SECOND) {
        bj_text_printf(&text, ".%06llu", (unsigned long long) (time % BJ_SECOND));
        while (text.start[text.used - 1] == '0') {
            text.start[--text.used] = '\0';
        }
    }
    return bj_arena_strdup(arena, text.start);
}

static const char *number(bj_arena *arena, const bj_record *record, unsigned field) {
    if (!bj_get(record, field)) {
        return NULL;
    }
    BJ_TEXT(text, 16);
    bj_text_printf(&text, "%u", bj_get_uint(record, field, 0));
    return bj_arena_strdup(arena, text.start);
}

void bj_uri_split(bj_arena *arena, const char *uri, const char **host, const char **port) {
    const char *behind = strstr(uri, "://");
    const char *at = behind ? behind + 3 : uri;
    size_t length = *at == '[' ? strcspn(at, "]") : strcspn(at, ":/?#");
    bool bracket = *at == '[' && at[length] == ']';
    *host = bracket ? bj_arena_strndup(arena, at + 1, length - 1) : bj_arena_strndup(arena, at, length);
    at += length + bracket;
    size_t digits = *at == ':' ? strspn(at + 1, "0123456789") : 0;
    bool secure = strncmp(uri, "coaps", 5) == 0;
    *port = digits ? bj_arena_strndup(arena, at + 1, digits) : secure ? "5684" : "5683";
}

static const char *translated(bj_arena *arena, const char *uri, bj_uri_translate *translate, void *context) {
    if (!uri || !translate) {
        return uri;
    }
    BJ_TEXT(text, WORD);
    translate(context, uri, &text);
    return bj_arena_strdup(arena, text.start);
}

/* Bytes in hexadecimal, and as they are for clients that take texts (NULL when a NUL would end them early). */
static void set_bytes(filler *f, const bj_record *account, unsigned field, int hexadecimal, int text) {
    const bj_value *value = bj_get(account, field);
    if (!value || value->as.string.length > WORD / 2) {
        return;
    }
    const bj_string *bytes = &value->as.string;
    BJ_TEXT(hex, WORD + 4);
    bj_text_hex(&hex, bytes->bytes, bytes->length);
    f->items[hexadecimal].value = bj_arena_strdup(f->arena, hex.start);
    if (text >= 0 && !memchr(bytes->bytes, '\0', bytes->length)) {
        f->items[text].value = bj_arena_strndup(f->arena, bytes->bytes, bytes->length);
    }
}

/* Has the account a pre-shared key, Security Mode 0? */
static bool pre_shared(const bj_record *account) {
    return bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3) == 0;
}

static bool certified(const bj_record *account) {
    return bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3) == 2;
}

static const char *suite_list(bj_arena *arena, const bj_record *account) {
    const bj_value *suites = bj_get(account, BJ_F(ACCOUNT, SUITES));
    BJ_TEXT(list, WORD);
    for (size_t i = 0; suites && i < suites->as.uints.count; i++) {
        bj_text_printf(&list, i ? ",%u" : "%u", (unsigned) suites->as.uints.items[i]);
    }
    return suites ? bj_arena_strdup(arena, list.start) : NULL;
}

/* Eleven placeholders, of which `first` is the identity in hexadecimal: see PLACEHOLDERS. */
static void set_credentials(filler *f, const bj_record *account, int first) {
    if (pre_shared(account)) {
        set_bytes(f, account, BJ_F(ACCOUNT, IDENTITY), first, first + 1);
        set_bytes(f, account, BJ_F(ACCOUNT, KEY), first + 2, first + 3);
    }
    if (certified(account)) {
        set_bytes(f, account, BJ_F(ACCOUNT, IDENTITY), first + 4, -1);
        set_bytes(f, account, BJ_F(ACCOUNT, KEY), first + 5, -1);
        set_bytes(f, account, BJ_F(ACCOUNT, SERVER_KEY), first + 6, -1);
    }
    f->items[first + 7].value = number(f->arena, account, BJ_F(ACCOUNT, USAGE));
    f->items[first + 8].value = number(f->arena, account, BJ_F(ACCOUNT, MATCHING));
    f->items[first + 9].value = bj_get_string(account, BJ_F(ACCOUNT, SNI), NULL);
    f->items[first + 10].value = suite_list(f->arena, account);
}

static void set_bootstrap(filler *f, bj_uri_translate *translate, void *context) {
    const bj_record *account = bj_get_record(f->client, BJ_F(CLIENT, BOOTSTRAP));
    const char *given = bj_get_string(account, BJ_F(ACCOUNT, URI), NULL);
    const char *uri = translated(f->arena, given ? given : "coap://bs.example", translate, context);
    const char *host, *port;
    bj_uri_split(f->arena, uri, &host, &port);
    const char *const values[] = { uri, host, port };
    for (int i = 0; i < 3; i++) {
        f->items[P_BS_URI + i].otherwise = values[i];
        f->items[P_BS_URI + i].value = account ? values[i] : NULL;
    }
    f->items[P_HOLDOFF].value = seconds(f->arena, account, BJ_F(ACCOUNT, HOLDOFF));
    f->items[P_ACCOUNT_TIMEOUT].value = seconds(f->arena, account, BJ_F(ACCOUNT, TIMEOUT));
    set_credentials(f, account, P_IDENTITY);
    f->items[P_ACCOUNT_INSTANCE].value = number(f->arena, account, BJ_F(ACCOUNT, INSTANCE));
    f->items[P_ACCOUNT_INSTANCE].otherwise =
        "0"; /* scenarios that do not say it write server accounts to /0/1 and on */
}

static const bj_value *accounts(const filler *f) {
    const bj_value *list = bj_get(f->client, BJ_F(CLIENT, ACCOUNTS));
    return list && list->as.records.count ? list : NULL;
}

static void set_account(filler *f, bj_uri_translate *translate, void *context) {
    const bj_value *list = accounts(f);
    const bj_record *account = list ? list->as.records.items[0] : NULL;
    const char *uri = bj_get_string(account, BJ_F(ACCOUNT, URI), NULL);
    f->items[P_SERVER_URI].value = translated(f->arena, uri, translate, context);
    if (f->items[P_SERVER_URI].value) {
        bj_uri_split(f->arena, f->items[P_SERVER_URI].value, &f->items[P_SERVER_HOST].value,
                     &f->items[P_SERVER_PORT].value);
    }
    set_credentials(f, account, P_SERVER_IDENTITY);
    f->items[P_SSID].value = number(f->arena, account, BJ_F(ACCOUNT, SSID));
    f->items[P_LIFETIME].value = seconds(f->arena, account, BJ_F(ACCOUNT, LIFETIME));
}

/* Where this program is, so that a profile can name one that was built beside it. */
static const char *own_folder(bj_arena *arena) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash) {
        *slash = '\0';
    }
    return bj_arena_strdup(arena, path);
}

static void set_values(filler *f, const bj_record *scenario, bj_uri_translate *translate, void *context) {
    const bj_record *transmission = bj_get_record(scenario, BJ_F(SCENARIO, TRANSMISSION));
    const char *endpoint = bj_get_string(f->client, BJ_F(CLIENT, ENDPOINT), NULL);
    f->items[P_ENDPOINT].value = endpoint ? endpoint : "dev-1"; /* the language's default */
    f->items[P_VERSION].value = bj_get_string(f->client, BJ_F(CLIENT, VERSION), NULL);
    f->items[P_HOLDOFF_CAP].value = seconds(f->arena, f->client, BJ_F(CLIENT, HOLDOFF_CAP));
    f->items[P_HOLDOFF_JITTER].value = bj_get_string(f->client, BJ_F(CLIENT, HOLDOFF_JITTER), NULL);
    f->items[P_STRICT].value = bj_get_bool(f->client, BJ_F(CLIENT, STRICT), false) ? "" : NULL;
    f->items[P_QUEUE].value = bj_get_bool(f->client, BJ_F(CLIENT, QUEUE), false) ? "" : NULL;
    f->items[P_ACCESS_CONTROL].value = bj_get_bool(f->client, BJ_F(CLIENT, ACCESS_CONTROL), false) ? "" : NULL;
    f->items[P_LEGACY].value = bj_get_bool(f->client, BJ_F(CLIENT, LEGACY), false) ? "" : NULL;
    if (bj_get(f->client, BJ_F(CLIENT, PACK))) {
        f->items[P_PACK].value = bj_get_bool(f->client, BJ_F(CLIENT, PACK), false) ? "on" : "off";
    }
    f->items[P_TEST_OBJECT].value = bj_get_bool(f->client, BJ_F(CLIENT, TEST_OBJECT), false) ? "" : NULL;
    f->items[P_ACK_TIMEOUT].value = seconds(f->arena, transmission, BJ_F(TRANSMISSION, ACK_TIMEOUT));
    f->items[P_ACK_RANDOM_FACTOR].value = bj_get_string(transmission, BJ_F(TRANSMISSION, ACK_RANDOM_FACTOR), NULL);
    f->items[P_MAX_RETRANSMIT].value = number(f->arena, transmission, BJ_F(TRANSMISSION, MAX_RETRANSMIT));
    f->items[P_BINDIR].value = own_folder(f->arena);
    set_bytes(f, f->client, BJ_F(CLIENT, TRUST_STORE), P_TRUST_STORE, -1);
    set_bootstrap(f, translate, context);
    set_account(f, translate, context);
}

/* --- filling in ----------------------------------------------------------------------------------------------- */

static placeholder *find(filler *f, const char *name, size_t length) {
    for (int i = 0; i < P_COUNT; i++) {
        if (strlen(f->items[i].name) == length && strncmp(f->items[i].name, name, length) == 0) {
            return &f->items[i];
        }
    }
    return NULL;
}

/* A URI is carried by any of its parts. */
static void parts_carried(filler *f, const placeholder *p) {
    for (int i = 0; i < 3; i++) {
        f->items[P_BS_URI].carried |= p == &f->items[P_BS_URI + i];
        f->items[P_SERVER_URI].carried |= p == &f->items[P_SERVER_URI + i];
    }
}

/* One word into `out`. false: a value is missing (optional: the group vanishes), or an unknown name (reason set). */
static bool fill_word(filler *f, const char *word, bool optional, bj_text *out) {
    for (const char *at = word; *at;) {
        size_t length = bj_placeholder_at(at);
        if (!length) {
            bj_text_add_bytes(out, at++, 1);
            continue;
        }
        placeholder *p = find(f, at + 1, length - 2);
        if (!p) {
            bj_text_printf(f->reason, "the profile's command holds an unknown placeholder %.*s", (int) length, at);
            return false;
        }
        const char *value = p->value ? p->value : optional && !f->defaults ? NULL : p->otherwise;
        if (!value) {
            if (!optional) {
                bj_text_printf(f->reason, "the client must be told {%s}, which the scenario does not set", p->name);
            }
            return false;
        }
        bj_text_add(out, value);
        at += length;
    }
    return true;
}

static void mark_carried(filler *f, const char *word) {
    for (const char *at = word; *at; at++) {
        size_t length = bj_placeholder_at(at);
        placeholder *p = length ? find(f, at + 1, length - 2) : NULL;
        if (p) {
            p->carried = true;
            f->whole_uri |= p == &f->items[P_BS_URI];
            parts_carried(f, p);
        }
    }
}

static bool add_word(filler *f, const char *word) {
    if (f->word_count == WORDS - 1) {
        bj_text_add(f->reason, "the client's command has too many words");
        return false;
    }
    f->words[f->word_count++] = bj_arena_strdup(f->arena, word);
    return true;
}

/* Does the scenario set one of its values? */
static bool is_called_for(filler *f, const char *group) {
    for (const char *at = group; *at; at++) {
        size_t length = bj_placeholder_at(at);
        const placeholder *p = length ? find(f, at + 1, length - 2) : NULL;
        if (p && p->value) {
            return true;
        }
    }
    return false;
}

/* "?--flag {x}": all of its words, or none when a value is missing that has no default. Words that end up empty are
 * left out. */
static bool fill_group(filler *f, const char *group) {
    size_t before = f->word_count;
    f->defaults = is_called_for(f, group);
    for (const char *at = group; *at;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        const char *word = bj_arena_strndup(f->arena, at, length);
        at += length;
        BJ_TEXT(filled, WORD);
        if (!fill_word(f, word, true, &filled)) {
            f->word_count = before;
            return f->reason->used == 0;
        }
        if (filled.used && !add_word(f, filled.start)) {
            return false;
        }
    }
    return true;
}

static bool fill(filler *f) {
    const bj_value *command = bj_get(f->profile, BJ_F(PROFILE, COMMAND));
    for (size_t i = 0; command && i < command->as.strings.count; i++) {
        const char *word = command->as.strings.items[i].bytes;
        mark_carried(f, word);
        BJ_TEXT(filled, WORD);
        bool good =
            *word == '?' ? fill_group(f, word + 1) : fill_word(f, word, false, &filled) && add_word(f, filled.start);
        if (!good) {
            return false;
        }
    }
    if (!f->word_count) {
        bj_text_add(f->reason, "the client's profile has no command");
    }
    return f->word_count > 0;
}

/* --- what cannot be told -------------------------------------------------------------------------------------- */

static bool has_fact(const filler *f, const char *prefix, const char *value) {
    const bj_value *facts = bj_get(f->profile, BJ_F(PROFILE, FACTS));
    size_t length = strlen(prefix);
    for (size_t i = 0; facts && i < facts->as.strings.count; i++) {
        const char *fact = facts->as.strings.items[i].bytes;
        if (strncmp(fact, prefix, length) == 0 && strcmp(fact + length, value) == 0) {
            return true;
        }
    }
    return false;
}

/* What the client is anyhow, by the profile's `built-in`, whose fields are named as placeholders are. */
static const char *built_in(const filler *f, const char *name) {
    const bj_record *record = bj_get_record(f->profile, BJ_F(PROFILE, BUILT_IN));
    const bj_record_def *def = bj_record_def_of(BJ_K_BUILT_IN);
    char dashed[32];
    size_t length = strlen(name);
    for (size_t i = 0; i <= length && i < sizeof dashed; i++) {
        dashed[i] = (char) (name[i] == '_' ? '-' : name[i]);
    }
    const bj_field_def *field = length < sizeof dashed ? bj_field_named(def, dashed, length) : NULL;
    if (!field) {
        return NULL;
    }
    return field->type == BJ_T_DURATION ? seconds(f->arena, record, field->number)
           : field->type == BJ_T_UINT   ? number(f->arena, record, field->number)
           : field->type == BJ_T_STRING ? bj_get_string(record, field->number, NULL)
                                        : NULL;
}

/* Is it all the same whether the client is told this value? */
static bool goes_without_saying(const filler *f, int index) {
    const char *known = built_in(f, f->items[index].name);
    if (known) {
        return strcmp(known, f->items[index].value) == 0;
    }
    const char *value = f->items[index].value;
    switch (index) {
    case P_ENDPOINT:
        return strcmp(value, "dev-1") == 0;
    case P_VERSION:
        return has_fact(f, "lwm2m-", value);
    case P_STRICT:
        return has_fact(f, "strict", "");
    case P_ACCESS_CONTROL:
        return has_fact(f, "access-control", "");
    case P_LEGACY:
        return has_fact(f, "legacy", "");
    case P_PACK:
        return has_fact(f, "pack", "") == (strcmp(value, "on") == 0);
    default:
        return false;
    }
}

static bool secure(const bj_record *account) {
    return bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3) != 3;
}

static bool told(const placeholder *at) {
    return at->carried && at->value;
}

/* An account's credentials: pre-shared keys and certificates have placeholders. */
static bool credentials_told(const filler *f, const bj_record *account, int first) {
    const placeholder *at = &f->items[first];
    bool who = told(&at[0]) || told(&at[1]), key = told(&at[2]) || told(&at[3]);
    bool x509 = told(&at[4]) && told(&at[5]) && told(&at[6]);
    return !secure(account) || (pre_shared(account) && who && key) || (certified(account) && x509);
}

static bool accounts_can_be_told(filler *f) {
    const bj_value *list = accounts(f);
    const bj_record *account = list ? list->as.records.items[0] : NULL;
    if (list && list->as.records.count > 1) {
        bj_text_add(f->reason, "the client cannot be told more than one server account");
    } else if (account && strcmp(bj_get_string(account, BJ_F(ACCOUNT, BINDING), "U"), "U") != 0) {
        bj_text_add(f->reason, "the client cannot be told a Binding");
    } else if (account && bj_get(account, BJ_F(ACCOUNT, INSTANCE))) {
        bj_text_add(f->reason, "the client cannot be told the Object Instance of a server account");
    } else if (!credentials_told(f, account, P_SERVER_IDENTITY) ||
               !credentials_told(f, bj_get_record(f->client, BJ_F(CLIENT, BOOTSTRAP)), P_IDENTITY)) {
        bj_text_add(f->reason, "the client cannot be told credentials");
    }
    return f->reason->used == 0;
}

/* Has it a path or a query, which are no part of {bs_host} and {bs_port}? */
static bool goes_below_the_root(const char *uri) {
    const char *host = strstr(uri, "://");
    const char *rest = host ? host + 3 + strcspn(host + 3, "/?") : "";
    return *rest && strcmp(rest, "/") != 0;
}

static bool all_told(filler *f) {
    if (f->items[P_BS_URI].value && !f->items[P_BS_URI].carried) {
        bj_text_add(f->reason, "the client cannot be told its bootstrap server ({bs_uri})");
        return false;
    }
    if (f->items[P_SERVER_URI].value && !f->items[P_SERVER_URI].carried) {
        bj_text_add(f->reason, "the client cannot be told a server account from the factory ({server_uri})");
        return false;
    }
    if (f->items[P_BS_URI].value && !f->whole_uri && goes_below_the_root(f->items[P_BS_URI].value)) {
        bj_text_add(f->reason,
                    "the client cannot be told the path or the query of its bootstrap server's URI ({bs_uri})");
        return false;
    }
    for (int i = 0; i < P_COUNT; i++) {
        const placeholder *p = &f->items[i];
        if (p->demand && p->value && !p->carried && !goes_without_saying(f, i)) {
            bj_text_printf(f->reason, "the client cannot be told %s ({%s})", p->demand, p->name);
            return false;
        }
    }
    return accounts_can_be_told(f);
}

char **bj_command_fill(bj_arena *arena, const bj_record *profile, const bj_record *scenario, const char *state,
                       bj_uri_translate *translate, void *context, bj_text *reason) {
    filler *f = bj_arena_alloc(arena, sizeof *f);
    *f = (filler){ .arena = arena,
                   .profile = profile,
                   .client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT)),
                   .reason = reason,
                   .items = {
#define PLACEHOLDER_ITEM(NAME, text, wanted) { .name = text, .demand = wanted },
                       BJ_PLACEHOLDERS(PLACEHOLDER_ITEM)
#undef PLACEHOLDER_ITEM
                   } };
    set_values(f, scenario, translate, context);
    if (bj_get(f->client, BJ_F(CLIENT, STATE))) {
        f->items[P_STATE].value = state ? state : BJ_LIBC_DISK "/" BJ_STATE_FILE;
    }
    if (!fill(f) || !all_told(f)) {
        return NULL;
    }
    f->words[f->word_count] = NULL; /* a group that vanished may have stood there */
    return bj_arena_copy(arena, f->words, (f->word_count + 1) * sizeof *f->words);
}

bool bj_run_has_command(const bj_record *profile, bj_text *reason) {
    const bj_value *command = bj_get(profile, BJ_F(PROFILE, COMMAND));
    size_t length, count = command ? command->as.strings.count : 0;
    for (size_t i = 0; i < count; i++) {
        const char *at = bj_placeholder_unknown(command->as.strings.items[i].bytes, &length);
        if (at) {
            bj_text_printf(reason, "the profile's command holds an unknown placeholder %.*s", (int) length, at);
            return false;
        }
    }
    if (!count) {
        bj_text_add(reason, "the client's profile has no command");
    }
    return count > 0;
}

char **bj_run_command(bj_arena *arena, const bj_record *profile, const bj_record *scenario, bj_text *reason) {
    return bj_command_fill(arena, profile, scenario, NULL, NULL, NULL, reason);
}

/* --- a command as one string ---------------------------------------------------------------------------------- */

char **bj_command_words(bj_arena *arena, const char *command, size_t *count) {
    char **words = bj_arena_calloc(arena, strlen(command) / 2 + 2, sizeof *words);
    char *word = bj_arena_alloc(arena, strlen(command) + 1);
    *count = 0;
    for (const char *at = command + strspn(command, " \t\n"); *at; at += strspn(at, " \t\n")) {
        size_t used = 0;
        char quote = '\0';
        for (; *at && (quote || !strchr(" \t\n", *at)); at++) {
            if (quote ? *at == quote : *at == '\'' || *at == '"') {
                quote = quote ? '\0' : *at;
            } else {
                at += *at == '\\' && quote != '\'' && at[1];
                word[used++] = *at;
            }
        }
        if (quote) {
            *count = 0;
            return NULL;
        }
        words[(*count)++] = bj_arena_strndup(arena, word, used);
    }
    return words;
}
