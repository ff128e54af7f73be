/* SPDX-License-Identifier: Apache-2.0
 *
 * Why something failed: one list of causes with their texts, for every function of the client stack.
 */
#ifndef BOOTJACK_ERROR_H
#define BOOTJACK_ERROR_H

#if defined(__GNUC__)
#define BOOTJACK_API __attribute__((visibility("default")))
#else
#define BOOTJACK_API
#endif

/* All of them: X(name, "text"). */
#define BOOTJACK_ERRORS(X)                                                                                             \
    X(BOOTJACK_OK, "success")                                                                                          \
    X(BOOTJACK_ERR_MEMORY, "out of memory")                                                                            \
    X(BOOTJACK_ERR_ARGUMENT, "argument missing or outside its range")                                                  \
    X(BOOTJACK_ERR_NOT_FOUND, "no such object, instance or resource")                                                  \
    X(BOOTJACK_ERR_EXISTS, "exists already")                                                                           \
    X(BOOTJACK_ERR_METHOD, "operation not allowed on this target")                                                     \
    X(BOOTJACK_ERR_PATH, "path not meant for this operation")                                                          \
    X(BOOTJACK_ERR_TYPE, "value of another type")                                                                      \
    X(BOOTJACK_ERR_RANGE, "value outside its range")                                                                   \
    X(BOOTJACK_ERR_FORMAT, "payload cannot be decoded")                                                                \
    X(BOOTJACK_ERR_CONTENT_FORMAT, "content format not supported")                                                     \
    X(BOOTJACK_ERR_NOT_ACCEPTABLE, "no acceptable content format")                                                     \
    X(BOOTJACK_ERR_UNAUTHORIZED, "access refused")                                                                     \
    X(BOOTJACK_ERR_INCONSISTENT, "inconsistent configuration")                                                         \
    X(BOOTJACK_ERR_LIMIT, "too large, or too many")                                                                    \
    X(BOOTJACK_ERR_UNSUPPORTED, "not supported by this build")                                                         \
    X(BOOTJACK_ERR_STATE, "not possible in the present state")                                                         \
    X(BOOTJACK_ERR_NAME, "name cannot be resolved")                                                                    \
    X(BOOTJACK_ERR_NETWORK, "no way to the peer")                                                                      \
    X(BOOTJACK_ERR_INTERNAL, "failure inside")                                                                         \
    X(BOOTJACK_ERR_FILE, "file cannot be read or written")                                                             \
    X(BOOTJACK_ERR_FOREIGN, "not a file of saved state")                                                               \
    X(BOOTJACK_ERR_DAMAGED, "saved state is damaged")                                                                  \
    X(BOOTJACK_ERR_TOO_NEW, "state was saved by a later version")

#define BOOTJACK_ERROR_ENUM(name, text) name,
/* Why something failed. */
typedef enum bootjack_error { BOOTJACK_ERRORS(BOOTJACK_ERROR_ENUM) BOOTJACK_ERROR_COUNT } bootjack_error;
#undef BOOTJACK_ERROR_ENUM

/* A few words, never NULL; static. */
BOOTJACK_API const char *bootjack_error_text(bootjack_error error);

#endif
