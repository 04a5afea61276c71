/* Stands between the binary and the C library, by LD_PRELOAD, and counts the calls that touch the
 * home. At the call that is asked for it does one of:
 *
 *   kill    the process dies before the call
 *   torn    half of a write is done, then the process dies (other calls: done, then it dies)
 *   error   the call fails with FAULT_ERRNO, from then on too if FAULT_FOREVER is set
 *
 * FAULT_HOME     the folder whose files are meant
 * FAULT_AT       the number of the call, from 1; 0: none
 * FAULT_ACTION   kill, torn or error
 * FAULT_KINDS    letters of the kinds that are counted (see `kinds` below)
 * FAULT_TRACE    a file to write every counted call to, with the bytes of writes
 * FAULT_TOLD     a file to which each call that the fault hits is added: its kind and path
 * FAULT_COUNT    a file to which each process that ends adds how many calls it made
 *
 * Calls are counted over all threads, in the order in which they are made.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* kinds: o open with creation or truncation, p plain open, w write, s sync, n rename, u unlink,
 * d mkdir and rmdir, t truncate, r read, c close, l locks */
#define FDS 4096
static char home[PATH_MAX], kinds[32], action[16];
static size_t home_length;
static long at, counted;
static int error_number, forever, trace = -1, started;
static char *paths[FDS];
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void start(void) {
    if (started) return;
    started = 1;
    const char *of = getenv("FAULT_HOME");
    if (!of) return;
    strncpy(home, of, sizeof home - 1);
    home_length = strlen(home);
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    strncpy(kinds, getenv("FAULT_KINDS") ? getenv("FAULT_KINDS") : "owsnudt", sizeof kinds - 1);
    strncpy(action, getenv("FAULT_ACTION") ? getenv("FAULT_ACTION") : "kill", sizeof action - 1);
    error_number = getenv("FAULT_ERRNO") ? atoi(getenv("FAULT_ERRNO")) : EIO;
    forever = getenv("FAULT_FOREVER") != NULL;
    if (getenv("FAULT_TRACE"))
        trace = syscall(SYS_openat, AT_FDCWD, getenv("FAULT_TRACE"),
                        O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

static int in_home(const char *path) {
    start();
    return home_length && path && strncmp(path, home, home_length) == 0 &&
           (path[home_length] == 0 || path[home_length] == '/');
}

static const char *path_of(int fd) {
    start();
    return fd >= 0 && fd < FDS ? paths[fd] : NULL;
}

static void put(const void *bytes, size_t n) {
    const char *from = bytes;
    while (n > 0) {
        long done = syscall(SYS_write, trace, from, n);
        if (done <= 0) _exit(99);
        from += done, n -= done;
    }
}

/* One record: number, kind, length of path, other path and data, offset; then those three. */
static void record(char kind, const char *path, const char *other, int64_t offset,
                   const void *data, size_t n_data) {
    if (trace < 0) return;
    int64_t head[6] = {counted, kind, (int64_t)strlen(path), other ? (int64_t)strlen(other) : 0,
                       (int64_t)n_data, offset};
    put(head, sizeof head);
    put(path, strlen(path));
    if (other) put(other, strlen(other));
    put(data, n_data);
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); for (;;) pause(); }

static void tell_hit(char kind, const char *path) {
    if (!getenv("FAULT_TOLD")) return;
    char line[PATH_MAX + 4];
    int n = snprintf(line, sizeof line, "%c %s\n", kind, path + home_length);
    int fd = syscall(SYS_openat, AT_FDCWD, getenv("FAULT_TOLD"),
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || syscall(SYS_write, fd, line, n) != n) _exit(99);
    syscall(SYS_close, fd);
}

/* Counts a call; 1: it is to fail, 2: it is to be done by half and the process to die. */
static int due(char kind, const char *path) {
    if (!strchr(kinds, kind)) return 0;
    counted++;
    if (!at || !(counted == at || (forever && counted > at))) return 0;
    tell_hit(kind, path);
    if (!strcmp(action, "kill")) die();
    if (!strcmp(action, "torn")) return 2;
    errno = error_number;
    return 1;
}

#define BEFORE(kind, path, other, offset, data, n, failed)                                         \
    pthread_mutex_lock(&lock);                                                                     \
    int due_now = due(kind, path);                                                                     \
    if (due_now == 1) { pthread_mutex_unlock(&lock); return failed; }                              \
    record(kind, path, other, offset, data, n)
#define AFTER() do { if (due_now == 2) die(); pthread_mutex_unlock(&lock); } while (0)

static void track(int fd, const char *path) {
    if (fd < 0 || fd >= FDS) return;
    free(paths[fd]);
    paths[fd] = path ? strdup(path) : NULL;
}

static int open_any(int folder, const char *path, int flags, mode_t mode) {
    if (!in_home(path)) {
        int fd = syscall(SYS_openat, folder, path, flags, mode);
        track(fd, NULL);
        return fd;
    }
    char kind = flags & (O_CREAT | O_TRUNC) ? 'o' : 'p';
    int made = (flags & O_CREAT) && access(path, F_OK) != 0;
    int64_t how = (made ? 1 : 0) | (flags & O_TRUNC ? 2 : 0);
    BEFORE(kind, path, NULL, how, NULL, 0, -1);
    int fd = syscall(SYS_openat, folder, path, flags, mode);
    track(fd, path);
    AFTER();
    return fd;
}

#define MODE()                                                                                     \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                           \
        va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest);            \
    }
int open(const char *path, int flags, ...) { MODE(); return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(); return open_any(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(); return open_any(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(); return open_any(folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_close, fd);
    BEFORE('c', path, NULL, 0, NULL, 0, -1);
    track(fd, NULL);
    int done = syscall(SYS_close, fd);
    AFTER();
    return done;
}

ssize_t write(int fd, const void *data, size_t n) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_write, fd, data, n);
    int64_t offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    BEFORE('w', path, NULL, offset, data, n, -1);
    ssize_t done = syscall(SYS_write, fd, data, due_now == 2 ? n / 2 : n);
    AFTER();
    return done;
}

static ssize_t pwrite_any(int fd, const void *data, size_t n, off_t offset) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_pwrite64, fd, data, n, offset);
    BEFORE('w', path, NULL, offset, data, n, -1);
    ssize_t done = syscall(SYS_pwrite64, fd, data, due_now == 2 ? n / 2 : n, offset);
    AFTER();
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t offset) { return pwrite_any(fd, data, n, offset); }
ssize_t pwrite64(int fd, const void *data, size_t n, off_t offset) { return pwrite_any(fd, data, n, offset); }

/* Of several buffers the first is written: callers go on with the rest. */
ssize_t writev(int fd, const struct iovec *parts, int n_parts) {
    if (!path_of(fd)) return syscall(SYS_writev, fd, parts, n_parts);
    for (int part = 0; part < n_parts; part++)
        if (parts[part].iov_len) return write(fd, parts[part].iov_base, parts[part].iov_len);
    return 0;
}

static ssize_t pread_any(int fd, void *data, size_t n, off_t offset) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_pread64, fd, data, n, offset);
    BEFORE('r', path, NULL, offset, NULL, 0, -1);
    ssize_t done = syscall(SYS_pread64, fd, data, n, offset);
    AFTER();
    return done;
}
ssize_t pread(int fd, void *data, size_t n, off_t offset) { return pread_any(fd, data, n, offset); }
ssize_t pread64(int fd, void *data, size_t n, off_t offset) { return pread_any(fd, data, n, offset); }
ssize_t read(int fd, void *data, size_t n) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_read, fd, data, n);
    BEFORE('r', path, NULL, -1, NULL, 0, -1);
    ssize_t done = syscall(SYS_read, fd, data, n);
    AFTER();
    return done;
}

static int sync_any(int fd, long call) {
    const char *path = path_of(fd);
    if (!path) return syscall(call, fd);
    BEFORE('s', path, NULL, 0, NULL, 0, -1);
    int done = syscall(call, fd);
    AFTER();
    return done;
}
int fsync(int fd) { return sync_any(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_any(fd, SYS_fdatasync); }

static int truncate_any(int fd, off_t length) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_ftruncate, fd, length);
    BEFORE('t', path, NULL, length, NULL, 0, -1);
    int done = syscall(SYS_ftruncate, fd, length);
    AFTER();
    return done;
}
int ftruncate(int fd, off_t length) { return truncate_any(fd, length); }
int ftruncate64(int fd, off_t length) { return truncate_any(fd, length); }
/* The one that cannot be modelled in a trace: callers fall back on writing. */
int posix_fallocate(int fd, off_t offset, off_t n) { (void)fd; (void)offset; (void)n; return EOPNOTSUPP; }
int posix_fallocate64(int fd, off_t offset, off_t n) { (void)fd; (void)offset; (void)n; return EOPNOTSUPP; }
int fallocate(int fd, int mode, off_t offset, off_t n) { (void)fd; (void)mode; (void)offset; (void)n; errno = EOPNOTSUPP; return -1; }
int fallocate64(int fd, int mode, off_t offset, off_t n) { return fallocate(fd, mode, offset, n); }

int rename(const char *from, const char *to) {
    if (!in_home(from) && !in_home(to)) return syscall(SYS_rename, from, to);
    BEFORE('n', from, to, 0, NULL, 0, -1);
    int done = syscall(SYS_rename, from, to);
    AFTER();
    return done;
}

int unlink(const char *path) {
    if (!in_home(path)) return syscall(SYS_unlink, path);
    BEFORE('u', path, NULL, 0, NULL, 0, -1);
    int done = syscall(SYS_unlink, path);
    AFTER();
    return done;
}

int mkdir(const char *path, mode_t mode) {
    if (!in_home(path)) return syscall(SYS_mkdir, path, mode);
    BEFORE('d', path, NULL, 1, NULL, 0, -1);
    int done = syscall(SYS_mkdir, path, mode);
    AFTER();
    return done;
}

int rmdir(const char *path) {
    if (!in_home(path)) return syscall(SYS_rmdir, path);
    BEFORE('d', path, NULL, 0, NULL, 0, -1);
    int done = syscall(SYS_rmdir, path);
    AFTER();
    return done;
}

/* How many calls there were, for the caller who runs it unharmed; a line for each process. */
__attribute__((destructor)) static void tell(void) {
    const char *into = getenv("FAULT_COUNT");
    start();
    if (!into || !home_length) return;
    int fd = syscall(SYS_openat, AT_FDCWD, into, O_WRONLY | O_CREAT | O_APPEND, 0644);
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", counted);
    if (fd < 0 || syscall(SYS_write, fd, text, n) != n) _exit(99);
}
