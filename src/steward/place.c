/* The state directory: who may write there, the lock of a name, the lock of what stewards share, whole files. */
#include "steward/steward_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *steward_place_path(const struct steward_place *place, const char *stem, const char *suffix,
                               char out[static STEWARD_PATH])
{
    snprintf(out, STEWARD_PATH, "%s/%s%s", place->dir, stem, suffix);
    return out;
}

static enum err make_directories(const char *dir)
{
    char path[sizeof(((struct steward_place *)0)->dir)];
    snprintf(path, sizeof(path), "%s", dir);
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        const char end = *p;
        *p = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return ERR_SYSTEM;
        if (end == '\0')
            return ERR_OK;
        *p = end;
    }
}

/* A journal in a directory where others can write is an order from anybody. */
static bool is_ours_alone(const char *dir)
{
    struct stat st;
    return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* For a steward whose client has just died, to end its work: as long as it is at work, and a while more. */
#define PATIENCE  (3 * USEC_SEC)
#define LAST_CALL (60 * USEC_SEC)

/* Whoever held it may have removed the file between our opening and our locking it. */
static int take_lock(const char *path)
{
    const usec_t end = clock_now() + LAST_CALL;
    usec_t until = clock_now() + PATIENCE;
    for (;;) {
        const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return -1;
        struct stat held = {0}, named;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &held) < 0) {
            const int saved = errno;
            if (fstat(fd, &held) == 0 && held.st_size > 0)
                until = usec_min(clock_now() + PATIENCE, end);
            close(fd);
            errno = saved;
            if (saved != EWOULDBLOCK || clock_now() >= until)
                return -1;
            usleep(20000);
            continue;
        }
        if (lstat(path, &named) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev)
            return fd;
        close(fd);
    }
}

enum err steward_place_open(const char *dir, const char *name, struct steward_place *out, char why[static STEWARD_WHY])
{
    struct steward_place place = {.lock = -1, .marks = -1};
    char path[STEWARD_PATH];
    dir = dir ? dir : STEWARD_DIR;
    if (dir[0] != '/' || strlen(dir) >= sizeof(place.dir) || !steward_name_is_good(name)) {
        steward_say(why, "'%.64s' is no name for a connection: letters, digits, '_', '-' and '.' make one", name);
        return ERR_INVALID;
    }
    memcpy(place.dir, dir, strlen(dir) + 1);
    memcpy(place.name, name, strlen(name) + 1);
    if (make_directories(dir) != ERR_OK) {
        steward_say(why, "cannot make %s: %s", dir, strerror(errno));
        return ERR_SYSTEM;
    }
    if (!is_ours_alone(dir)) {
        steward_say(why, "%s must be a directory of root's in which nobody else can write", dir);
        return ERR_INVALID;
    }
    place.lock = take_lock(steward_place_path(&place, name, ".lock", path));
    if (place.lock < 0) {
        const bool taken = errno == EWOULDBLOCK;
        steward_say(why, taken ? "the connection %s is in use by a process that lives" : "cannot lock %s.lock: %s",
                    name, strerror(errno));
        return taken ? ERR_EXISTS : ERR_SYSTEM;
    }
    place.marks = open(steward_place_path(&place, "marks", "", path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (place.marks < 0) {
        steward_say(why, "cannot open %s: %s", path, strerror(errno));
        steward_place_close(&place);
        return ERR_SYSTEM;
    }
    *out = place;
    return ERR_OK;
}

void steward_place_close(struct steward_place *place)
{
    char path[STEWARD_PATH];
    if (place->lock >= 0) {
        unlink(steward_place_path(place, place->name, ".lock", path)); /* while it is held */
        close(place->lock);
    }
    if (place->marks >= 0)
        close(place->marks);
    place->lock = place->marks = -1;
}

static void lock_first_byte(const struct steward_place *place, short type)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    while (fcntl(place->marks, F_OFD_SETLKW, &range) < 0 && errno == EINTR)
        ;
}

void steward_place_enter(const struct steward_place *place)
{
    (void)!pwrite(place->lock, "acting\n", 7, 0); /* without it others wait a shorter time, no more */
    lock_first_byte(place, F_WRLCK);
}

void steward_place_leave(const struct steward_place *place)
{
    lock_first_byte(place, F_UNLCK);
    (void)!ftruncate(place->lock, 0);
}

enum err steward_file_write(const char *path, struct view bytes, mode_t mode)
{
    char temporary[STEWARD_PATH + sizeof(STEWARD_TEMPORARY)];
    snprintf(temporary, sizeof(temporary), "%s" STEWARD_TEMPORARY, path);
    unlink(temporary);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ERR_SYSTEM;
    const bool good = fd_write(fd, bytes) == ERR_OK && fchmod(fd, mode) == 0;
    const bool done = close(fd) == 0 && good && rename(temporary, path) == 0;
    if (done)
        return ERR_OK;
    const int saved = errno;
    unlink(temporary);
    errno = saved;
    return ERR_SYSTEM;
}

enum err steward_file_read(const char *path, char *out, size_t cap, size_t *n)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
    size_t got;
    const enum err e = fd_read(fd, out, cap, &got);
    const int saved = errno;
    close(fd);
    errno = saved;
    if (e != ERR_OK)
        return e;
    if (got == cap)
        return ERR_LIMIT;
    out[got] = '\0';
    *n = got;
    return ERR_OK;
}
