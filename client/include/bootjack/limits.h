/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client can hold. Nothing is cut to fit: beyond a limit an operation is refused, and the table says with what.
 * A payload that comes in blocks is bounded by bootjack_config.max_payload.
 */
#ifndef BOOTJACK_LIMITS_H
#define BOOTJACK_LIMITS_H

/* Bytes of an Endpoint Client Name. bootjack_client_create() gives BOOTJACK_ERR_ARGUMENT. */
#define BOOTJACK_MAX_ENDPOINT 250
/* Instances of one ready-made Object. BOOTJACK_ERR_LIMIT; 5.00 to a Bootstrap-Server. */
#define BOOTJACK_MAX_INSTANCES 32
/* Descriptors to be watched at once (bootjack_client_descriptors()): of each server, and of the Bootstrap-Server. */
#define BOOTJACK_MAX_DESCRIPTORS (BOOTJACK_MAX_INSTANCES + 1)
/* Resources, Resource Instances counted one by one, of one instance of a ready-made Object. BOOTJACK_ERR_LIMIT; 5.00.
 */
#define BOOTJACK_MAX_VALUES 64
/* Bytes of one value of a ready-made Object. BOOTJACK_ERR_LIMIT; 5.00. */
#define BOOTJACK_MAX_VALUE 8192
/* Bytes of a server's URI (/0/x/0). Refused at Bootstrap-Finish, 4.06. */
#define BOOTJACK_MAX_URI 255
/* Segments of the path, and parts of the query, of a server's URI: a Register has five parts of its own. Refused at
 * Bootstrap-Finish, 4.06. */
#define BOOTJACK_MAX_URI_PARTS 15
/* Options of one kind in a request or response: Uri-Path, Uri-Query, Location-Path. 4.00. */
#define BOOTJACK_MAX_OPTIONS 20
/* Bytes of a pre-shared key's identity (/0/x/3), none of them NUL. Refused at Bootstrap-Finish, 4.06. */
#define BOOTJACK_MAX_IDENTITY 128
/* Bytes of a pre-shared key (/0/x/5). Refused at Bootstrap-Finish, 4.06. */
#define BOOTJACK_MAX_KEY 64
/* Addresses of a name that are tried; the rest is left out. */
#define BOOTJACK_MAX_ADDRESSES 8
/* Bodies in blocks from one server at once. 5.00 to the first block of one more. */
#define BOOTJACK_MAX_TRANSFERS 4
/* Request-Tags of one request (RFC 9175 §3.2). 4.00. */
#define BOOTJACK_MAX_REQUEST_TAGS 4
/* Answers kept for one server, in case its requests come again; beyond that the oldest is forgotten. */
#define BOOTJACK_MAX_ANSWERS 64
/* Maps and lists inside one another in a payload, of what is passed over. The payload is refused, 4.00. */
#define BOOTJACK_MAX_NESTING 16
/* Observations of one server. */
#define BOOTJACK_MAX_OBSERVATIONS 64
/* Paths of one composite operation, or of one report of the client's own. */
#define BOOTJACK_MAX_COMPOSITE_PATHS 64
/* Notifications kept for one server that cannot be reached; beyond that the oldest is lost. */
#define BOOTJACK_MAX_STORED 32
/* Places at which attributes are kept. */
#define BOOTJACK_MAX_ATTRIBUTES 128
/* Bytes of a file of saved state. BOOTJACK_ERR_LIMIT. */
#define BOOTJACK_MAX_STATE (1u << 20)

#endif
