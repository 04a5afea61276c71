/* Stands between the binary and the C library, by LD_PRELOAD: while the file that FULL_WHILE names
 * exists, the disk has no room for Parquet files whose path contains FULL_WHERE, nor for the file
 * by which a watcher looks for room. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_full_for(int fd) {
    const char *flag = getenv("FULL_WHILE");
    if (!flag || access(flag, F_OK) != 0) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *where = getenv("FULL_WHERE");
    if (strstr(path, "/room.partial")) return 1;
    return strstr(path, ".parquet.partial") && (!where || strstr(path, where));
}

ssize_t write(int fd, const void *bytes, size_t n) {
    if (is_full_for(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, n);
}
