/* Makes the nth call that writes below a folder fail, or end the process.
 *
 * Loaded before the C library (LD_PRELOAD), so that it stands between SQLite and Python on the one
 * side and the system on the other. Nothing happens until `fault_arm` is called. Linux with glibc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[PATH_MAX];
static int wanted, code, lasting, count, armed;

/* nth: 0 counts only. error: a number of errno.h, or -1 for SIGKILL. stays: all later ones fail. */
void fault_arm(const char *below, int nth, int error, int stays) {
    snprintf(folder, sizeof folder, "%s", below);
    wanted = nth;
    code = error;
    lasting = stays;
    count = 0;
    armed = 1;
}

/* How many calls there were. */
int fault_disarm(void) {
    armed = 0;
    return count;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int below(const char *path) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static int open_below(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static int named_below(int at, const char *path) {
    return path[0] == '/' ? below(path) : at != AT_FDCWD && open_below(at);
}

/* Whether this call is to fail; errno is set then. */
static int fails(int inside) {
    if (!armed || !inside) return 0;
    count++;
    if (!wanted || count < wanted || (count > wanted && !lasting)) return 0;
    if (code < 0) kill(getpid(), SIGKILL);
    errno = code;
    return 1;
}

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }

#define OPENING(name)                                                          \
    int name(const char *path, int flags, ...) {                               \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = va_arg(rest, mode_t);                                    \
        va_end(rest);                                                          \
        if (armed && writes(flags) && fails(named_below(AT_FDCWD, path))) return -1; \
        return REAL(name)(path, flags, mode);                                  \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name)                                                       \
    int name(int at, const char *path, int flags, ...) {                       \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = va_arg(rest, mode_t);                                    \
        va_end(rest);                                                          \
        if (armed && writes(flags) && fails(named_below(at, path))) return -1; \
        return REAL(name)(at, path, flags, mode);                              \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

/* A disk that fails in the middle has taken the first half, and so has one that is pulled out. */
ssize_t write(int descriptor, const void *data, size_t size) {
    if (!armed || !open_below(descriptor)) return REAL(write)(descriptor, data, size);
    int next = wanted && count + 1 == wanted && code != ENOSPC && code != EROFS;
    if (next && size > 1) (void)!REAL(write)(descriptor, data, size / 2);
    return fails(1) ? -1 : REAL(write)(descriptor, data, size);
}

#define WRITING_AT(name)                                                       \
    ssize_t name(int descriptor, const void *data, size_t size, off64_t place) { \
        if (!armed || !open_below(descriptor)) return REAL(name)(descriptor, data, size, place); \
        int next = wanted && count + 1 == wanted && code != ENOSPC && code != EROFS; \
        if (next && size > 1) (void)!REAL(name)(descriptor, data, size / 2, place); \
        return fails(1) ? -1 : REAL(name)(descriptor, data, size, place);      \
    }
WRITING_AT(pwrite)
WRITING_AT(pwrite64)

#define ON_DESCRIPTOR(name, parameters, arguments)                             \
    int name parameters {                                                      \
        return armed && fails(open_below(descriptor)) ? -1 : REAL(name) arguments; \
    }
ON_DESCRIPTOR(fsync, (int descriptor), (descriptor))
ON_DESCRIPTOR(fdatasync, (int descriptor), (descriptor))
ON_DESCRIPTOR(ftruncate, (int descriptor, off_t size), (descriptor, size))
ON_DESCRIPTOR(ftruncate64, (int descriptor, off64_t size), (descriptor, size))

#define ON_NAME(name, parameters, at, path, arguments)                         \
    int name parameters {                                                      \
        return armed && fails(named_below(at, path)) ? -1 : REAL(name) arguments; \
    }
ON_NAME(rename, (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(renameat, (int a, const char *from, int b, const char *to), b, to, (a, from, b, to))
ON_NAME(link, (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(linkat, (int a, const char *from, int b, const char *to, int flags), b, to, (a, from, b, to, flags))
ON_NAME(unlink, (const char *path), AT_FDCWD, path, (path))
ON_NAME(unlinkat, (int at, const char *path, int flags), at, path, (at, path, flags))
ON_NAME(mkdir, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
ON_NAME(mkdirat, (int at, const char *path, mode_t mode), at, path, (at, path, mode))
ON_NAME(rmdir, (const char *path), AT_FDCWD, path, (path))

#define COPYING(name, offset)                                                  \
    ssize_t name(int descriptor, int from, offset *place, size_t size) {       \
        return armed && fails(open_below(descriptor)) ? -1 : REAL(name)(descriptor, from, place, size); \
    }
ssize_t sendfile(int, int, off_t *, size_t);
ssize_t sendfile64(int, int, off64_t *, size_t);
COPYING(sendfile, off_t)
COPYING(sendfile64, off64_t)
