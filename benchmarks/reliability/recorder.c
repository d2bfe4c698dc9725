/* Writes down each call that changes what is below a folder, with its data, in the order of time.
 *
 * Loaded before the C library (LD_PRELOAD), so that it stands between SQLite and Python on the one
 * side and the system on the other. Nothing happens until `recorder_begin` is called. What is
 * written down can be read by `recorder.py`. Linux with glibc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static int out = -1;
/* Held over a call and its entry, so that entries stand in the order of what happened. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct __attribute__((packed)) head {
    char what;
    uint32_t first, second;
    uint64_t node;
    int64_t place;
};

static void note(char what, uint64_t node, int64_t place, const void *first, size_t length,
                 const char *second) {
    size_t more = second ? strlen(second) : 0;
    struct head head = {what, (uint32_t)length, (uint32_t)more, node, place};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)first, length}, {(void *)second, more}};
    if (writev(out, parts, 3) != (ssize_t)(sizeof head + length + more)) abort();
}

void recorder_begin(const char *below, const char *log) {
    snprintf(folder, sizeof folder, "%s", below);
    out = REAL(open)(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* Something that the program says of itself. */
void recorder_mark(const char *text) {
    pthread_mutex_lock(&turn);
    note('m', 0, 0, text, strlen(text), NULL);
    pthread_mutex_unlock(&turn);
}

void recorder_end(void) {
    close(out);
    out = -1;
}

static int below(const char *path) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static void path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
}

/* The whole path of a name; whether it is below the folder. */
static int whole(int at, const char *path, char *full) {
    if (out < 0) return 0;
    if (path[0] == '/') {
        snprintf(full, PATH_MAX, "%s", path);
    } else if (at == AT_FDCWD) {
        if (!realpath(".", full)) return 0;
        size_t length = strlen(full);
        snprintf(full + length, PATH_MAX - length, "/%s", path);
    } else {
        path_of(at, full);
        size_t length = strlen(full);
        snprintf(full + length, PATH_MAX - length, "/%s", path);
    }
    return below(full);
}

/* The number of what is open, 0 where that is elsewhere. */
static uint64_t node_of(int descriptor) {
    char path[PATH_MAX];
    struct stat found;
    int kept = errno;
    if (out < 0) return 0;
    path_of(descriptor, path);
    uint64_t node = below(path) && !fstat(descriptor, &found) ? found.st_ino : 0;
    errno = kept;
    return node;
}

/* One at a time: the entry follows what it tells of, and only where that was done. */
#define IN_TURN(type, call, entry)                                             \
    pthread_mutex_lock(&turn);                                                 \
    type result = call;                                                        \
    int kept = errno;                                                          \
    if (result >= 0) { entry; }                                                \
    errno = kept;                                                              \
    pthread_mutex_unlock(&turn);                                               \
    return result;

static void opened(int descriptor, const char *full, int flags, int existed) {
    struct stat found;
    if (fstat(descriptor, &found)) abort();
    if (!existed) note('c', found.st_ino, 0, full, strlen(full), NULL);
    else if (flags & O_TRUNC) note('t', found.st_ino, 0, "", 0, NULL);
}

#define OPENING(name, parameters, at, arguments)                               \
    int name parameters {                                                      \
        char full[PATH_MAX];                                                   \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = va_arg(rest, mode_t);                                    \
        va_end(rest);                                                          \
        if (!(flags & (O_CREAT | O_TRUNC)) || !whole(at, path, full)) return REAL(name) arguments; \
        int existed = !faccessat(at, path, F_OK, 0);                           \
        IN_TURN(int, REAL(name) arguments, opened(result, full, flags, existed)) \
    }
OPENING(open, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPENING(openat, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))
OPENING(openat64, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))

#define CHANGING(type, name, parameters, arguments, entry)                     \
    type name parameters {                                                     \
        uint64_t node = node_of(descriptor);                                   \
        if (!node) return REAL(name) arguments;                                \
        IN_TURN(type, REAL(name) arguments, entry)                             \
    }
CHANGING(ssize_t, write, (int descriptor, const void *data, size_t size), (descriptor, data, size),
         note('w', node, lseek(descriptor, 0, SEEK_CUR) - result, data, (size_t)result, NULL))
CHANGING(ssize_t, pwrite, (int descriptor, const void *data, size_t size, off_t place),
         (descriptor, data, size, place), note('w', node, place, data, (size_t)result, NULL))
CHANGING(ssize_t, pwrite64, (int descriptor, const void *data, size_t size, off64_t place),
         (descriptor, data, size, place), note('w', node, place, data, (size_t)result, NULL))
CHANGING(int, ftruncate, (int descriptor, off_t size), (descriptor, size),
         note('t', node, size, "", 0, NULL))
CHANGING(int, ftruncate64, (int descriptor, off64_t size), (descriptor, size),
         note('t', node, size, "", 0, NULL))
CHANGING(int, fsync, (int descriptor), (descriptor), note('s', node, 0, "", 0, NULL))
CHANGING(int, fdatasync, (int descriptor), (descriptor), note('s', node, 0, "", 0, NULL))

#define NAMING(name, parameters, from, path, to, other, arguments, what)       \
    int name parameters {                                                      \
        char full[PATH_MAX], second[PATH_MAX];                                 \
        if (!whole(from, path, full) || !whole(to, other, second)) return REAL(name) arguments; \
        IN_TURN(int, REAL(name) arguments, note(what, 0, 0, full, strlen(full), second)) \
    }
NAMING(rename, (const char *from, const char *to), AT_FDCWD, from, AT_FDCWD, to, (from, to), 'r')
NAMING(renameat, (int a, const char *from, int b, const char *to), a, from, b, to, (a, from, b, to), 'r')
NAMING(link, (const char *from, const char *to), AT_FDCWD, from, AT_FDCWD, to, (from, to), 'l')
NAMING(linkat, (int a, const char *from, int b, const char *to, int flags), a, from, b, to, (a, from, b, to, flags), 'l')

#define UNNAMING(name, parameters, at, arguments)                              \
    int name parameters {                                                      \
        char full[PATH_MAX];                                                   \
        if (!whole(at, path, full)) return REAL(name) arguments;               \
        IN_TURN(int, REAL(name) arguments, note('u', 0, 0, full, strlen(full), NULL)) \
    }
UNNAMING(unlink, (const char *path), AT_FDCWD, (path))
UNNAMING(unlinkat, (int at, const char *path, int flags), at, (at, path, flags))
UNNAMING(rmdir, (const char *path), AT_FDCWD, (path))

static void made(const char *full) {
    struct stat found;
    if (stat(full, &found)) abort();
    note('d', found.st_ino, 0, full, strlen(full), NULL);
}

#define MAKING(name, parameters, at, arguments)                                \
    int name parameters {                                                      \
        char full[PATH_MAX];                                                   \
        if (!whole(at, path, full)) return REAL(name) arguments;               \
        IN_TURN(int, REAL(name) arguments, made(full))                         \
    }
MAKING(mkdir, (const char *path, mode_t mode), AT_FDCWD, (path, mode))
MAKING(mkdirat, (int at, const char *path, mode_t mode), at, (at, path, mode))

/* Refused, so that whoever copies takes the other way, by reading and writing. */
#define REFUSING(name, offset)                                                 \
    ssize_t name(int descriptor, int from, offset *place, size_t size) {       \
        if (!node_of(descriptor)) return REAL(name)(descriptor, from, place, size); \
        errno = EINVAL;                                                        \
        return -1;                                                             \
    }
ssize_t sendfile(int, int, off_t *, size_t);
ssize_t sendfile64(int, int, off64_t *, size_t);
REFUSING(sendfile, off_t)
REFUSING(sendfile64, off64_t)
