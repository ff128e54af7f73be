/* SPDX-License-Identifier: Apache-2.0
 *
 * The Bootstrap-Pack (LwM2M Core 1.2 §6.1.7.7): the whole configuration in the answer to one request. There is no
 * Bootstrap-Finish; a pack that cannot be used is not taken at all, and a Bootstrap-Request follows.
 */
#include <stdio.h>
#include <string.h>

#include "bootstrap/bootstrap.h"

static void add_query(bjc_request *request, const char *text) {
    request->query[request->query_count++] = (bjc_text){ text, strlen(text) };
}

/* The preferred format, where it can hold more than one Object. */
static uint16_t wanted_format(const bjc_bootstrap *b) {
    const bjc_format *preferred = bjc_format_find(b->core->config.preferred_format);
    return preferred && preferred->least_depth == 0 ? b->core->config.preferred_format : BJC_FORMAT_SENML_CBOR;
}

/* GET /bspack?ep={endpoint}&acc={links of the account's instances} (LwM2M Transport 1.2 §6.4.2) below the path of the
 * server's URI. */
void bjc_pack_request(const bjc_bootstrap *b, const bjc_uri *uri, bjc_pack_texts *texts, bjc_request *request) {
    *request = (bjc_request){ .method = BJC_GET, .content_format = -1, .has_accept = true, .accept = wanted_format(b) };
    for (size_t i = 0; i < uri->path_count; i++) {
        request->path[request->path_count++] = uri->path[i];
    }
    request->path[request->path_count++] = (bjc_text){ "bspack", 6 };
    for (size_t i = 0; i < uri->query_count; i++) {
        request->query[request->query_count++] = uri->query[i];
    }
    snprintf(texts->endpoint, sizeof texts->endpoint, "ep=%s", b->core->config.endpoint);
    add_query(request, texts->endpoint);
    snprintf(texts->account, sizeof texts->account, "acc=</0/%d>", (int) bjc_security_bootstrap_account(b->security));
    add_query(request, texts->account);
}

/* With a pack there is no second Finish that could mend it: all that can be known now is asked for. */
static bootjack_error check(const bjc_bootstrap *b) {
    bootjack_error error = bjc_security_check_single_account(b->security);
    for (const bjc_instance *i = b->security->instances; i && !error; i = i->next) {
        error = bjc_security_check_scheme(b->security, i->iid);
    }
    return error ? error : bjc_bootstrap_check(b, true);
}

bootjack_error bjc_pack_apply(bjc_bootstrap *b, const bjc_completion *answer) {
    const bjc_format *format = bjc_format_of_release(answer->content_format, b->core->config.version);
    if (!format || format->least_depth > 0) {
        return BOOTJACK_ERR_CONTENT_FORMAT;
    }
    b->access_control_missing = false;
    bootjack_error error = bjc_model_begin(b->model);
    if (error) {
        return error;
    }
    error = bjc_model_write_objects(b->model, format, answer->payload, answer->payload_length);
    error = error ? error : check(b);
    if (error) {
        bjc_model_roll_back(b->model);
    } else {
        bjc_bootstrap_commit(b);
    }
    return error;
}
