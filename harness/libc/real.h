/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions that come after ours: the real libc's, or those of a sanitizer that sits between. Looked up when first
 * needed, for a client's libraries may call us before any constructor ran.
 */
#ifndef BJ_LIBC_REAL_H
#define BJ_LIBC_REAL_H

/* Every function that we define and whose real one we call. */
#define BJ_REALS(X)                                                                                                    \
    X(socket)                                                                                                          \
    X(bind)                                                                                                            \
    X(connect)                                                                                                         \
    X(listen)                                                                                                          \
    X(accept)                                                                                                          \
    X(accept4)                                                                                                         \
    X(getsockname)                                                                                                     \
    X(getpeername)                                                                                                     \
    X(setsockopt)                                                                                                      \
    X(getsockopt)                                                                                                      \
    X(shutdown)                                                                                                        \
    X(send)                                                                                                            \
    X(sendto)                                                                                                          \
    X(sendmsg)                                                                                                         \
    X(sendmmsg)                                                                                                        \
    X(recv)                                                                                                            \
    X(recvfrom)                                                                                                        \
    X(recvmsg)                                                                                                         \
    X(recvmmsg)                                                                                                        \
    X(read)                                                                                                            \
    X(readv)                                                                                                           \
    X(write)                                                                                                           \
    X(writev)                                                                                                          \
    X(close)                                                                                                           \
    X(close_range)                                                                                                     \
    X(closefrom)                                                                                                       \
    X(dup)                                                                                                             \
    X(dup2)                                                                                                            \
    X(dup3)                                                                                                            \
    X(fcntl)                                                                                                           \
    X(ioctl)                                                                                                           \
    X(fdopen)                                                                                                          \
    X(open)                                                                                                            \
    X(openat)                                                                                                          \
    X(fopen)                                                                                                           \
    X(pread)                                                                                                           \
    X(pwrite)                                                                                                          \
    X(lseek)                                                                                                           \
    X(sendfile)                                                                                                        \
    X(copy_file_range)                                                                                                 \
    X(ftruncate)                                                                                                       \
    X(truncate)                                                                                                        \
    X(posix_fallocate)                                                                                                 \
    X(fallocate)                                                                                                       \
    X(posix_fadvise)                                                                                                   \
    X(fsync)                                                                                                           \
    X(fdatasync)                                                                                                       \
    X(syncfs)                                                                                                          \
    X(sync)                                                                                                            \
    X(flock)                                                                                                           \
    X(lockf)                                                                                                           \
    X(fstatat)                                                                                                         \
    X(stat)                                                                                                            \
    X(lstat)                                                                                                           \
    X(fstat)                                                                                                           \
    X(statx)                                                                                                           \
    X(faccessat)                                                                                                       \
    X(access)                                                                                                          \
    X(eaccess)                                                                                                         \
    X(fchmodat)                                                                                                        \
    X(chmod)                                                                                                           \
    X(fchmod)                                                                                                          \
    X(fchownat)                                                                                                        \
    X(chown)                                                                                                           \
    X(lchown)                                                                                                          \
    X(fchown)                                                                                                          \
    X(utimensat)                                                                                                       \
    X(futimens)                                                                                                        \
    X(utimes)                                                                                                          \
    X(utime)                                                                                                           \
    X(statfs)                                                                                                          \
    X(fstatfs)                                                                                                         \
    X(statvfs)                                                                                                         \
    X(fstatvfs)                                                                                                        \
    X(rename)                                                                                                          \
    X(renameat)                                                                                                        \
    X(renameat2)                                                                                                       \
    X(link)                                                                                                            \
    X(linkat)                                                                                                          \
    X(symlink)                                                                                                         \
    X(symlinkat)                                                                                                       \
    X(readlink)                                                                                                        \
    X(readlinkat)                                                                                                      \
    X(unlink)                                                                                                          \
    X(unlinkat)                                                                                                        \
    X(rmdir)                                                                                                           \
    X(remove)                                                                                                          \
    X(mkdir)                                                                                                           \
    X(mkdirat)                                                                                                         \
    X(mkostemps)                                                                                                       \
    X(mkdtemp)                                                                                                         \
    X(opendir)                                                                                                         \
    X(fdopendir)                                                                                                       \
    X(readdir64)                                                                                                       \
    X(readdir)                                                                                                         \
    X(closedir)                                                                                                        \
    X(dirfd)                                                                                                           \
    X(telldir)                                                                                                         \
    X(seekdir)                                                                                                         \
    X(rewinddir)                                                                                                       \
    X(freopen)                                                                                                         \
    X(chdir)                                                                                                           \
    X(fchdir)                                                                                                          \
    X(getcwd)                                                                                                          \
    X(realpath)                                                                                                        \
    X(canonicalize_file_name)                                                                                          \
    X(poll)                                                                                                            \
    X(ppoll)                                                                                                           \
    X(select)                                                                                                          \
    X(pselect)                                                                                                         \
    X(epoll_create)                                                                                                    \
    X(epoll_create1)                                                                                                   \
    X(epoll_ctl)                                                                                                       \
    X(epoll_wait)                                                                                                      \
    X(epoll_pwait)                                                                                                     \
    X(epoll_pwait2)                                                                                                    \
    X(timerfd_create)                                                                                                  \
    X(timerfd_settime)                                                                                                 \
    X(timerfd_gettime)                                                                                                 \
    X(eventfd_read)                                                                                                    \
    X(eventfd_write)                                                                                                   \
    X(clock_gettime)                                                                                                   \
    X(clock_getres)                                                                                                    \
    X(clock_settime)                                                                                                   \
    X(gettimeofday)                                                                                                    \
    X(time)                                                                                                            \
    X(timespec_get)                                                                                                    \
    X(clock)                                                                                                           \
    X(times)                                                                                                           \
    X(getrusage)                                                                                                       \
    X(clock_nanosleep)                                                                                                 \
    X(nanosleep)                                                                                                       \
    X(usleep)                                                                                                          \
    X(sleep)                                                                                                           \
    X(alarm)                                                                                                           \
    X(ualarm)                                                                                                          \
    X(setitimer)                                                                                                       \
    X(getitimer)                                                                                                       \
    X(timer_create)                                                                                                    \
    X(timer_settime)                                                                                                   \
    X(timer_gettime)                                                                                                   \
    X(timer_getoverrun)                                                                                                \
    X(timer_delete)                                                                                                    \
    X(pause)                                                                                                           \
    X(sigsuspend)                                                                                                      \
    X(sigwait)                                                                                                         \
    X(sigwaitinfo)                                                                                                     \
    X(sigtimedwait)                                                                                                    \
    X(kill)                                                                                                            \
    X(tgkill)                                                                                                          \
    X(pthread_kill)                                                                                                    \
    X(getaddrinfo)                                                                                                     \
    X(getnameinfo)                                                                                                     \
    X(gethostbyname)                                                                                                   \
    X(gethostbyname2)                                                                                                  \
    X(gethostbyname_r)                                                                                                 \
    X(gethostbyname2_r)                                                                                                \
    X(gethostbyaddr)                                                                                                   \
    X(getifaddrs)                                                                                                      \
    X(freeifaddrs)                                                                                                     \
    X(if_nametoindex)                                                                                                  \
    X(if_indextoname)                                                                                                  \
    X(if_nameindex)                                                                                                    \
    X(if_freenameindex)                                                                                                \
    X(getrandom)                                                                                                       \
    X(getentropy)                                                                                                      \
    X(arc4random)                                                                                                      \
    X(arc4random_buf)                                                                                                  \
    X(arc4random_uniform)                                                                                              \
    X(_ZNSt13random_device9_M_getvalEv)                                                                                \
    X(pthread_create)                                                                                                  \
    X(pthread_join)                                                                                                    \
    X(pthread_tryjoin_np)                                                                                              \
    X(pthread_timedjoin_np)                                                                                            \
    X(pthread_clockjoin_np)                                                                                            \
    X(pthread_detach)                                                                                                  \
    X(pthread_cancel)                                                                                                  \
    X(pthread_mutex_lock)                                                                                              \
    X(pthread_mutex_trylock)                                                                                           \
    X(pthread_mutex_timedlock)                                                                                         \
    X(pthread_mutex_clocklock)                                                                                         \
    X(pthread_mutex_unlock)                                                                                            \
    X(pthread_cond_wait)                                                                                               \
    X(pthread_cond_timedwait)                                                                                          \
    X(pthread_cond_clockwait)                                                                                          \
    X(pthread_cond_signal)                                                                                             \
    X(pthread_cond_broadcast)                                                                                          \
    X(pthread_rwlock_rdlock)                                                                                           \
    X(pthread_rwlock_wrlock)                                                                                           \
    X(pthread_rwlock_tryrdlock)                                                                                        \
    X(pthread_rwlock_trywrlock)                                                                                        \
    X(pthread_rwlock_timedrdlock)                                                                                      \
    X(pthread_rwlock_timedwrlock)                                                                                      \
    X(pthread_rwlock_clockrdlock)                                                                                      \
    X(pthread_rwlock_clockwrlock)                                                                                      \
    X(pthread_rwlock_unlock)                                                                                           \
    X(pthread_spin_lock)                                                                                               \
    X(pthread_barrier_wait)                                                                                            \
    X(pthread_once)                                                                                                    \
    X(sem_wait)                                                                                                        \
    X(sem_trywait)                                                                                                     \
    X(sem_timedwait)                                                                                                   \
    X(sem_clockwait)                                                                                                   \
    X(sem_post)                                                                                                        \
    X(sched_yield)                                                                                                     \
    X(fgets)                                                                                                           \
    X(fgetc)                                                                                                           \
    X(getchar)                                                                                                         \
    X(fread)                                                                                                           \
    X(getline)                                                                                                         \
    X(getdelim)                                                                                                        \
    X(fork)                                                                                                            \
    X(daemon)                                                                                                          \
    X(forkpty)                                                                                                         \
    X(syscall)

enum bj_real_id {
#define BJ_REAL_ID(name) BJ_REAL_##name,
    BJ_REALS(BJ_REAL_ID)
#undef BJ_REAL_ID
        BJ_REAL_COUNT
};

extern void *bj_real_table[BJ_REAL_COUNT];
/* Looks one up; ends the process when there is none. */
void *bj_real_find(enum bj_real_id id);
/* Looks all up, so that none is looked up inside a signal handler or with locks held. */
void bj_real_find_all(void);

static inline void *bj_real_of(enum bj_real_id id) {
    void *function = bj_real_table[id];
    return function ? function : bj_real_find(id);
}

/* REAL(poll)(fds, count, timeout) */
#define REAL(name) ((__typeof__(&name)) bj_real_of(BJ_REAL_##name))

#endif
