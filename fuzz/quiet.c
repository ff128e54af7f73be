/* SPDX-License-Identifier: Apache-2.0
 *
 * In a fuzzing build AddressSanitizer and libFuzzer stand before libc's functions on memory and strings, for everybody:
 * each call looks whether what it touches is poisoned, and what is compared is noted for the mutator. That is meant for
 * the client. What plays against it calls these functions instead (CMakeLists.txt renames them in its objects, by
 * quiet.symbols), which are libc's own, as the dynamic linker finds them behind the sanitizer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Result, name, parameters, arguments: of functions that return something. */
#define FUNCTIONS(X)                                                                                                   \
    X(void *, memcpy, (void *to, const void *from, size_t size), (to, from, size))                                     \
    X(void *, memmove, (void *to, const void *from, size_t size), (to, from, size))                                    \
    X(void *, memset, (void *to, int byte, size_t size), (to, byte, size))                                             \
    X(int, memcmp, (const void *left, const void *right, size_t size), (left, right, size))                            \
    X(int, bcmp, (const void *left, const void *right, size_t size), (left, right, size))                              \
    X(void *, memchr, (const void *at, int byte, size_t size), (at, byte, size))                                       \
    X(void *, memmem, (const void *at, size_t size, const void *wanted, size_t length), (at, size, wanted, length))    \
    X(size_t, strlen, (const char *text), (text))                                                                      \
    X(int, strcmp, (const char *left, const char *right), (left, right))                                               \
    X(int, strncmp, (const char *left, const char *right, size_t size), (left, right, size))                           \
    X(int, strcasecmp, (const char *left, const char *right), (left, right))                                           \
    X(int, strncasecmp, (const char *left, const char *right, size_t size), (left, right, size))                       \
    X(char *, strchr, (const char *text, int c), (text, c))                                                            \
    X(char *, strrchr, (const char *text, int c), (text, c))                                                           \
    X(char *, strstr, (const char *text, const char *wanted), (text, wanted))                                          \
    X(size_t, strspn, (const char *text, const char *set), (text, set))                                                \
    X(size_t, strcspn, (const char *text, const char *set), (text, set))                                               \
    X(char *, strpbrk, (const char *text, const char *set), (text, set))                                               \
    X(char *, strcpy, (char *to, const char *from), (to, from))                                                        \
    X(unsigned long, strtoul, (const char *text, char **end, int base), (text, end, base))                             \
    X(long long, strtoll, (const char *text, char **end, int base), (text, end, base))                                 \
    X(double, strtod, (const char *text, char **end), (text, end))                                                     \
    X(int, inet_pton, (int family, const char *text, void *address), (family, text, address))                          \
    X(int, vsnprintf, (char *to, size_t size, const char *format, va_list list), (to, size, format, list))             \
    X(int, __isoc99_vsscanf, (const char *text, const char *format, va_list list), (text, format, list))

/* Each is looked up by its first call: the sanitizer's start-up calls us before any constructor ran. */
#define FUNCTION(type, name, parameters, arguments)                                                                    \
    type quiet_##name parameters;                                                                                      \
    static type first_##name parameters;                                                                               \
    static type(*real_##name) parameters = first_##name;                                                               \
    static type first_##name parameters {                                                                              \
        *(void **) &real_##name = dlsym(RTLD_NEXT, #name);                                                             \
        return real_##name arguments;                                                                                  \
    }                                                                                                                  \
    type quiet_##name parameters {                                                                                     \
        return real_##name arguments;                                                                                  \
    }
FUNCTIONS(FUNCTION)

int quiet_snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int quiet_snprintf(char *to, size_t size, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = quiet_vsnprintf(to, size, format, list);
    va_end(list);
    return length;
}

int quiet___isoc99_sscanf(const char *text, const char *format, ...) __attribute__((format(scanf, 2, 3)));
int quiet___isoc99_sscanf(const char *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int count = quiet___isoc99_vsscanf(text, format, list);
    va_end(list);
    return count;
}
