/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a scenario is one for this client: what it needs that a client may lawfully lack (transports, formats,
 * optional resources) against what the profile says that the client has. And what of it is adapted to a client that
 * cannot be told: its hold-off, and the ports in server URIs.
 */
#ifndef BJ_ATTACH_FIT_H
#define BJ_ATTACH_FIT_H

#include "base/text.h"
#include "script/program.h"

/* Does the client have all that servers and steps of the scenario need, and what its `needs` names? false: `reason`
 * names the first thing that it lacks. A profile that does not say what the client has is taken to mean everything.
 * What is out of Bootjack's scope is lacking for every client. */
bool bj_fit_has_all(const bj_record *profile, const bj_record *scenario, bj_text *reason);

/* The scenario as this client can run it: itself, or a copy in the arena in which the hold-off is the client's own,
 * because its command has no {holdoff} and the profile's `built-in` says what it is. Never NULL. */
const bj_record *bj_fit_adapt(bj_arena *arena, const bj_record *profile, const bj_record *scenario);

/* The same for server URIs: with their ports where the profile says `uri-ports` and the scenario not `verbatim`. */
const bj_record *bj_fit_uris(bj_arena *arena, const bj_record *profile, const bj_record *scenario);

/* The scenario for a client of that Endpoint Client Name, wherever it stands in it. `endpoint` must outlive it. */
const bj_record *bj_fit_endpoint(bj_arena *arena, const char *endpoint, const bj_record *scenario);

/* Does the command of this profile hold this placeholder, given with its braces? */
bool bj_fit_told(const bj_record *profile, const char *placeholder);

#endif
