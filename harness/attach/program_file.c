/* SPDX-License-Identifier: Apache-2.0
 *
 * See program_file.h.
 */
#define _GNU_SOURCE
#include "attach/program_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 4096, SCRIPT_DEPTH = 4, HEADERS = 64 };

#if defined(__x86_64__)
enum { OWN_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OWN_MACHINE = EM_AARCH64 };
#elif defined(__riscv)
enum { OWN_MACHINE = EM_RISCV };
#else
#error "name this machine's ELF number here"
#endif

static bool is_program(const char *path, bj_text *reason) {
    struct stat about;
    if (stat(path, &about) != 0) {
        bj_text_printf(reason, "the client was not found: %s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(about.st_mode)) {
        bj_text_printf(reason, "the client is not executable: %s is a directory", path);
        return false;
    }
    if (access(path, X_OK) != 0) {
        bj_text_printf(reason, "the client is not executable: %s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static const char *search(bj_arena *arena, const char *name) {
    const char *list = getenv("PATH");
    char candidate[4096];
    for (const char *at = list ? list : "/usr/bin:/bin"; *at;) {
        size_t length = strcspn(at, ":");
        snprintf(candidate, sizeof candidate, "%.*s%s%s", (int) length, at, length ? "/" : "", name);
        struct stat about;
        if (stat(candidate, &about) == 0 && S_ISREG(about.st_mode) && access(candidate, X_OK) == 0) {
            return bj_arena_strdup(arena, candidate);
        }
        at += length;
        at += *at == ':';
    }
    return NULL;
}

const char *bj_program_find(bj_arena *arena, const char *name, bj_text *reason) {
    if (strchr(name, '/')) {
        return is_program(name, reason) ? bj_arena_strdup(arena, name) : NULL;
    }
    const char *found = *name ? search(arena, name) : NULL;
    if (!found) {
        bj_text_printf(reason, "the client was not found: there is no program '%s' in PATH", name);
    }
    return found;
}

/* Program header `index` of the program; false when it cannot be read, or behind the last. */
static bool program_header(int fd, const Elf64_Ehdr *header, size_t index, Elf64_Phdr *part) {
    off_t at = (off_t) (header->e_phoff + index * header->e_phentsize);
    return index < header->e_phnum && index < HEADERS && pread(fd, part, sizeof *part, at) == (ssize_t) sizeof *part;
}

/* PT_INTERP of the program, empty when there is none: a static one. */
static void interpreter(int fd, const Elf64_Ehdr *header, char *out, size_t room) {
    Elf64_Phdr part;
    out[0] = '\0';
    for (size_t i = 0; program_header(fd, header, i, &part); i++) {
        if (part.p_type == PT_INTERP) {
            ssize_t got = pread(fd, out, part.p_filesz < room ? part.p_filesz : room - 1, (off_t) part.p_offset);
            out[got > 0 ? got : 0] = '\0';
            return;
        }
    }
}

/* Whether the linker of Go left its note (owner "Go", type 4: the build's ID). */
static bool has_note_of_go(int fd, const Elf64_Ehdr *header) {
    enum { GO_BUILD_ID = 4 };
    Elf64_Phdr part;
    for (size_t i = 0; program_header(fd, header, i, &part); i++) {
        Elf64_Nhdr note;
        char owner[4];
        uint64_t at = 0;
        while (part.p_type == PT_NOTE && at + sizeof note + sizeof owner <= part.p_filesz &&
               pread(fd, &note, sizeof note, (off_t) (part.p_offset + at)) == (ssize_t) sizeof note &&
               pread(fd, owner, sizeof owner, (off_t) (part.p_offset + at + sizeof note)) == (ssize_t) sizeof owner) {
            if (note.n_type == GO_BUILD_ID && note.n_namesz == sizeof owner &&
                memcmp(owner, "Go\0", sizeof owner) == 0) {
                return true;
            }
            at += sizeof note + (((uint64_t) note.n_namesz + 3) & ~UINT64_C(3)) +
                  (((uint64_t) note.n_descsz + 3) & ~UINT64_C(3));
        }
    }
    return false;
}

static const char network_instead[] = "; it can be tested over the network (--client network:COMMAND)";

static bool elf_preloadable(const char *path, int fd, const unsigned char *head, bj_text *reason) {
    Elf64_Ehdr header;
    memcpy(&header, head, sizeof header);
    if (head[EI_CLASS] != ELFCLASS64 || header.e_machine != OWN_MACHINE) {
        bj_text_printf(reason, "%s is a %s-bit program for %s: the preload library does not fit into it%s", path,
                       head[EI_CLASS] == ELFCLASS64 ? "64" : "32",
                       header.e_machine == OWN_MACHINE ? "this machine" : "another machine", network_instead);
        return false;
    }
    char loader[256];
    interpreter(fd, &header, loader, sizeof loader);
    if (!*loader) {
        bj_text_printf(reason, "%s is statically linked: nothing can be preloaded into it%s", path, network_instead);
        return false;
    }
    if (strstr(loader, "musl") || strstr(loader, "uClibc") || strstr(loader, "/system/bin/linker")) {
        bj_text_printf(reason, "%s is not on the GNU C library (its loader is %s): the preload library is%s", path,
                       loader, network_instead);
        return false;
    }
    if (has_note_of_go(fd, &header)) {
        bj_text_printf(reason,
                       "%s is written in Go, whose run time makes system calls by itself: the preload library does not "
                       "see them%s",
                       path, network_instead);
        return false;
    }
    return true;
}

/* The interpreter of "#!/path/to/it argument", in place; NULL when it is no such line. */
static char *script_interpreter(char *head) {
    char *name = head + 2 + strspn(head + 2, " \t");
    name[strcspn(name, " \t\r\n")] = '\0';
    return *name == '/' ? name : NULL;
}

static bool preloadable(const char *path, unsigned depth, bj_text *reason) {
    char head[HEAD + 1] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return true; /* executable but not readable: starting it will tell */
    }
    ssize_t got = read(fd, head, HEAD);
    bool good = false;
    char *other = NULL;
    if (got >= (ssize_t) sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) {
        good = elf_preloadable(path, fd, (const unsigned char *) head, reason);
    } else if (got > 2 && head[0] == '#' && head[1] == '!' && depth < SCRIPT_DEPTH &&
               (other = script_interpreter(head)) != NULL) {
        good = preloadable(other, depth + 1, reason);
    } else {
        bj_text_printf(reason, "%s is neither a program nor a script that begins with #!", path);
    }
    close(fd);
    return good;
}

bool bj_program_preloadable(const char *path, bj_text *reason) {
    return preloadable(path, 0, reason);
}
