/* SPDX-License-Identifier: Apache-2.0
 *
 * Files below the simulated directory, by ordinary calls: descriptors, streams, directories, names, and that everything
 * else is the machine's.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define ROOT BJ_LIBC_DISK

static int opened(const char *path, int flags) {
    int fd = open(path, flags, 0666);
    assert_true(fd >= 0);
    return fd;
}

static void make(const char *path, const char *text) {
    int fd = opened(path, O_WRONLY | O_CREAT | O_TRUNC);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static const char *content(const char *path) {
    static char room[200];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        return "(none)";
    }
    ssize_t length = read(fd, room, sizeof room - 1);
    assert_true(length >= 0);
    room[length] = '\0';
    close(fd);
    return room;
}

static void descriptors(void **state) {
    (void) state;
    char bytes[20] = { 0 };
    int fd = opened(ROOT "/f", O_RDWR | O_CREAT | O_EXCL);
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
    assert_int_equal(lseek(fd, -4, SEEK_END), 1);
    assert_int_equal(read(fd, bytes, sizeof bytes), 4);
    assert_string_equal(bytes, "ello");
    assert_int_equal(pwrite(fd, "J", 1, 0), 1);
    assert_int_equal(pread(fd, bytes, 3, 0), 3);
    assert_memory_equal(bytes, "Jel", 3);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
    assert_int_equal(ftruncate(fd, 3), 0);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_size, 3);
    int copy = dup(fd);
    assert_int_equal(lseek(copy, 1, SEEK_SET), 1);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 1); /* one open file, two descriptors */
    assert_int_equal(close(fd), 0);
    assert_int_equal(read(copy, bytes, sizeof bytes), 2);
    struct iovec pieces[] = { { (void *) (uintptr_t) "ab", 2 }, { (void *) (uintptr_t) "c", 1 } };
    assert_int_equal(writev(copy, pieces, 2), 3);
    assert_int_equal(fsync(copy), 0);
    assert_int_equal(fdatasync(copy), 0);
    assert_int_equal(close(copy), 0);
    assert_string_equal(content(ROOT "/f"), "Jelabc");
    assert_errno(read(copy, bytes, 1), EBADF);
}

static void flags(void **state) {
    (void) state;
    char byte;
    make(ROOT "/f", "hello");
    int fd = opened(ROOT "/f", O_WRONLY | O_APPEND);
    assert_int_equal(fcntl(fd, F_GETFL), O_WRONLY | O_APPEND);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(write(fd, "!", 1), 1);
    assert_errno(read(fd, &byte, 1), EBADF);
    close(fd);
    assert_string_equal(content(ROOT "/f"), "hello!");
    fd = opened(ROOT "/f", O_RDONLY);
    assert_errno(write(fd, "x", 1), EBADF);
    assert_errno(ftruncate(fd, 0), EINVAL);
    close(fd);
    assert_errno(open(ROOT "/f", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    assert_errno(open(ROOT "/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    assert_errno(open(ROOT "/none", O_RDONLY), ENOENT);
    assert_errno(open(ROOT, O_WRONLY), EISDIR);
}

/* Linux: pwrite() appends, too, and O_TRUNC asks for the right to write, not for a descriptor that does. */
static void what_linux_does_with_flags(void **state) {
    (void) state;
    make(ROOT "/f", "hello");
    int fd = opened(ROOT "/f", O_WRONLY | O_APPEND);
    assert_int_equal(pwrite(fd, "!", 1, 0), 1);
    assert_string_equal(content(ROOT "/f"), "hello!");
    close(fd);
    chmod(ROOT "/f", 0400);
    assert_errno(open(ROOT "/f", O_RDONLY | O_TRUNC), EACCES);
    chmod(ROOT "/f", 0600);
    fd = opened(ROOT "/f", O_RDONLY | O_TRUNC);
    assert_string_equal(content(ROOT "/f"), "");
    close(fd);
    mkdir(ROOT "/d", 0700);
    assert_errno(open(ROOT "/d", O_RDONLY | O_TRUNC), EISDIR);
}

static void modes_and_the_umask(void **state) {
    (void) state;
    mode_t before = umask(027);
    make(ROOT "/f", "");
    umask(before);
    struct stat status;
    assert_int_equal(stat(ROOT "/f", &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0640);
    assert_int_equal(chmod(ROOT "/f", 0), 0);
    assert_errno(open(ROOT "/f", O_RDONLY), EACCES);
    assert_errno(access(ROOT "/f", R_OK), EACCES);
    assert_int_equal(access(ROOT "/f", F_OK), 0);
    assert_int_equal(lstat(ROOT "/f", &status), 0);
    assert_int_equal(status.st_mode, S_IFREG);
    struct statx extended;
    assert_int_equal(statx(AT_FDCWD, ROOT "/f", 0, STATX_BASIC_STATS, &extended), 0);
    assert_int_equal(extended.stx_mode, S_IFREG);
    assert_int_equal(extended.stx_ino, status.st_ino);
}

static void names(void **state) {
    (void) state;
    assert_int_equal(mkdir(ROOT "/d", 0700), 0);
    make(ROOT "/d/f", "1");
    assert_int_equal(rename(ROOT "/d/f", ROOT "/g"), 0);
    assert_string_equal(content(ROOT "/g"), "1");
    assert_int_equal(link(ROOT "/g", ROOT "/h"), 0);
    assert_int_equal(unlink(ROOT "/g"), 0);
    assert_string_equal(content(ROOT "/h"), "1");
    assert_errno(rename(ROOT "/h", "/tmp/h"), EXDEV);
    assert_errno(symlink("/tmp", ROOT "/l"), EPERM);
    char room[100];
    assert_errno(readlink(ROOT "/h", room, sizeof room), EINVAL);
    assert_int_equal(remove(ROOT "/h"), 0);
    assert_int_equal(remove(ROOT "/d"), 0);
    assert_errno(rmdir(ROOT "/d"), ENOENT);
    assert_errno(rmdir(ROOT), EBUSY);
}

static void relative_names(void **state) {
    (void) state;
    char here[200], room[200];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(mkdir(ROOT "/d", 0700), 0);
    int directory = opened(ROOT "/d", O_RDONLY | O_DIRECTORY);
    int fd = openat(directory, "f", O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(faccessat(directory, "f", F_OK, 0), 0);
    assert_int_equal(renameat(directory, "f", directory, "../g"), 0);
    assert_int_equal(access(ROOT "/g", F_OK), 0);
    assert_int_equal(chdir(ROOT "/d"), 0);
    make("in", "1");
    assert_string_equal(getcwd(room, sizeof room), ROOT "/d");
    assert_string_equal(realpath("../g", room), ROOT "/g");
    assert_string_equal(content(ROOT "/d/in"), "1");
    assert_int_equal(chdir(here), 0);
    assert_errno(access("in", F_OK), ENOENT);
    assert_int_equal(fchdir(directory), 0);
    assert_string_equal(content("in"), "1");
    assert_int_equal(chdir(here), 0);
    assert_int_equal(unlinkat(directory, "in", 0), 0);
    close(directory);
    assert_string_equal(getcwd(room, sizeof room), here);
}

static void directories(void **state) {
    (void) state;
    make(ROOT "/a", "");
    mkdir(ROOT "/b", 0700);
    DIR *directory = opendir(ROOT);
    assert_non_null(directory);
    char seen[100] = "";
    for (const struct dirent *entry; (entry = readdir(directory));) {
        strcat(seen, entry->d_name);
        strcat(seen, entry->d_type == DT_DIR ? "/ " : " ");
    }
    assert_string_equal(seen, "./ ../ a b/ ");
    rewinddir(directory);
    assert_string_equal(readdir(directory)->d_name, ".");
    long position = telldir(directory);
    assert_non_null(readdir(directory));
    seekdir(directory, position);
    assert_string_equal(readdir(directory)->d_name, "..");
    assert_int_equal(fsync(dirfd(directory)), 0);
    assert_int_equal(closedir(directory), 0);
    assert_null(opendir(ROOT "/a"));
    assert_int_equal(errno, ENOTDIR);
    directory = opendir("/");
    assert_non_null(readdir(directory)); /* the machine's */
    assert_int_equal(closedir(directory), 0);
}

/* Who clears a directory reads on while it unlinks. POSIX: what stays is read once, whatever else is removed. */
static void a_directory_can_be_emptied_while_it_is_read(void **state) {
    (void) state;
    make(ROOT "/a", "");
    make(ROOT "/b", "");
    make(ROOT "/c", "");
    make(ROOT "/stays", "");
    make(ROOT "/e", "");
    DIR *directory = opendir(ROOT);
    char seen[100] = "", name[300];
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (strlen(entry->d_name) == 1 && entry->d_name[0] != '.') {
            snprintf(name, sizeof name, ROOT "/%s", entry->d_name);
            assert_int_equal(unlink(name), 0);
        }
        strcat(seen, entry->d_name);
        strcat(seen, " ");
    }
    assert_string_equal(seen, ". .. a b c stays e ");
    rewinddir(directory);
    assert_non_null(readdir(directory));
    assert_non_null(readdir(directory));
    assert_string_equal(readdir(directory)->d_name, "stays");
    assert_null(readdir(directory));
    assert_int_equal(closedir(directory), 0);
}

static void streams(void **state) {
    (void) state;
    FILE *stream = fopen(ROOT "/f", "w");
    assert_non_null(stream);
    assert_true(fileno(stream) >= 0);
    assert_int_equal(fprintf(stream, "line %d\nline %d\n", 1, 2), 14);
    assert_string_equal(content(ROOT "/f"), ""); /* it is in the stream's buffer */
    assert_int_equal(fflush(stream), 0);
    assert_int_equal(fsync(fileno(stream)), 0);
    assert_int_equal(fclose(stream), 0);
    stream = fopen(ROOT "/f", "r+");
    char line[20];
    assert_non_null(fgets(line, sizeof line, stream));
    assert_string_equal(line, "line 1\n");
    assert_int_equal(ftell(stream), 7);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    fputs("end", stream);
    rewind(stream);
    assert_int_equal(fread(line, 1, 17, stream), 17);
    assert_memory_equal(line, "line 1\nline 2\nend", 17);
    assert_int_equal(fclose(stream), 0);
    stream = fdopen(opened(ROOT "/f", O_WRONLY | O_APPEND), "a");
    fputc('.', stream);
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(content(ROOT "/f"), "line 1\nline 2\nend.");
    assert_null(fopen(ROOT "/none", "r"));
    assert_int_equal(errno, ENOENT);
    assert_null(fopen(ROOT "/f", "wx"));
    assert_int_equal(errno, EEXIST);
}

static void temporary_files(void **state) {
    (void) state;
    char name[] = ROOT "/t-XXXXXX", folder[] = ROOT "/d-XXXXXX", wrong[] = ROOT "/XXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(access(name, F_OK), 0);
    struct stat status;
    fstat(fd, &status);
    assert_int_equal(status.st_mode & 07777, 0600);
    close(fd);
    assert_non_null(mkdtemp(folder));
    assert_errno(mkstemp(wrong), EINVAL);
}

static void locks(void **state) {
    (void) state;
    make(ROOT "/f", "");
    int one = opened(ROOT "/f", O_RDWR), other = opened(ROOT "/f", O_RDWR);
    assert_int_equal(flock(one, LOCK_EX), 0);
    assert_errno(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    assert_int_equal(flock(one, LOCK_SH), 0);
    assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
    assert_errno(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    close(one);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    struct flock record = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    assert_int_equal(fcntl(other, F_SETLK, &record), 0);
    assert_int_equal(fcntl(other, F_GETLK, &record), 0);
    assert_int_equal(record.l_type, F_UNLCK);
    close(other);
}

static void what_the_kernel_copies(void **state) {
    (void) state;
    make(ROOT "/f", "hello");
    int from = opened(ROOT "/f", O_RDONLY), to = opened(ROOT "/g", O_WRONLY | O_CREAT);
    assert_errno(sendfile(to, from, NULL, 5), EINVAL);
    assert_errno(copy_file_range(from, NULL, to, NULL, 5, 0), EXDEV);
    close(from);
    close(to);
}

static void space(void **state) {
    const fixture *f = *state;
    bj_disk_set_space(bj_sim_disk(f->sim), 8192);
    struct statvfs about;
    assert_int_equal(statvfs(ROOT, &about), 0);
    assert_int_equal(about.f_bavail, 2);
    char bytes[8192] = { 0 };
    int fd = opened(ROOT "/f", O_WRONLY | O_CREAT);
    assert_int_equal(write(fd, bytes, 8000), 8000);
    assert_int_equal(write(fd, bytes, 8000), 192);
    assert_errno(write(fd, bytes, 1), ENOSPC);
    assert_errno(posix_fallocate(fd, 0, 8193) ? (errno = ENOSPC, -1) : 0, ENOSPC);
    close(fd);
}

static void raw_system_calls(void **state) {
    (void) state;
    long fd = syscall(SYS_openat, AT_FDCWD, ROOT "/f", O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(syscall(SYS_pwrite64, fd, "hi", 2, 0), 2);
    assert_int_equal(syscall(SYS_fsync, fd), 0);
    assert_int_equal(syscall(SYS_close, fd), 0);
    assert_string_equal(content(ROOT "/f"), "hi");
}

static void other_paths_are_the_machines(void **state) {
    (void) state;
    char name[] = "/tmp/bootjack-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "real", 4), 4);
    close(fd);
    assert_string_equal(content(name), "real");
    struct stat status;
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(unlink(name), 0);
    assert_errno(open("/bootjack-disks/f", O_RDONLY), ENOENT);
    assert_errno(open("bootjack-disk/f", O_RDONLY), ENOENT);
}

/* Every operation stands in the log. */
static void what_the_log_says(void **state) {
    fixture *f = *state;
    mode_t before = umask(077);
    int fd = opened(ROOT "/f", O_WRONLY | O_CREAT);
    umask(before);
    assert_int_equal(write(fd, "hello", 5), 5);
    fsync(fd);
    close(fd);
    assert_int_equal(unlink(ROOT "/f"), 0);
    static const char *const said[] = { "create f (mode 0600)", "write f: 5 bytes at 0", "sync f", "unlink f" };
    bj_event event;
    int64_t n = 0;
    for (size_t cursor = 0; bj_log_next(f->log, &cursor, &event);) {
        if (event.kind == BJ_EV_DISK) {
            assert_int_equal(event.number, n + 1);
            assert_int_equal(event.text_length, strlen(said[n]));
            assert_memory_equal(event.text, said[n], event.text_length);
            n++;
        }
    }
    assert_int_equal(n, 4);
}

static void an_open_file_ends_with_the_run(void **state) {
    const fixture *f = *state;
    int fd = opened(ROOT "/f", O_WRONLY | O_CREAT);
    assert_true(fd >= 0);
    unlink(ROOT "/f");
    size_t before = bj_disk_free_space(bj_sim_disk(f->sim));
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(bj_libc_leave(), 1);
    assert_int_equal(bj_disk_free_space(bj_sim_disk(f->sim)), before);
    assert_errno(open(ROOT "/f", O_RDONLY), ENOENT); /* outside: the machine has no such directory */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        in_world(descriptors),
        in_world(flags),
        in_world(what_linux_does_with_flags),
        in_world(modes_and_the_umask),
        in_world(names),
        in_world(relative_names),
        in_world(directories),
        in_world(a_directory_can_be_emptied_while_it_is_read),
        in_world(streams),
        in_world(temporary_files),
        in_world(locks),
        in_world(what_the_kernel_copies),
        in_world(space),
        in_world(raw_system_calls),
        in_world(other_paths_are_the_machines),
        in_world(what_the_log_says),
        in_world(an_open_file_ends_with_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
