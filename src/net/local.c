/* Unix stream sockets for the control channel: who is at the other end is told by the kernel, not by the peer. */
#include "net/net_internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

static enum err write_address(const char *path, struct sockaddr_un *out)
{
    const size_t n = strlen(path);
    if (n == 0 || n >= sizeof(out->sun_path))
        return ERR_INVALID;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, n);
    return ERR_OK;
}

static enum err fail(int fd)
{
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return ERR_SYSTEM;
}

enum err local_connect(const char *path, int *fd)
{
    struct sockaddr_un a;
    const enum err e = write_address(path, &a);
    if (e != ERR_OK)
        return e;
    const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || connect(s, (const struct sockaddr *)&a, sizeof(a)) < 0)
        return fail(s);
    *fd = s;
    return ERR_OK;
}

enum err local_remove_stale(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? ERR_OK : ERR_SYSTEM;
    if (!S_ISSOCK(st.st_mode))
        return ERR_EXISTS;
    int fd;
    if (local_connect(path, &fd) == ERR_OK) {
        close(fd);
        return ERR_EXISTS;
    }
    return errno == ECONNREFUSED && unlink(path) == 0 ? ERR_OK : ERR_SYSTEM;
}

enum err local_listen(const char *path, mode_t mode, gid_t group, int *fd)
{
    struct sockaddr_un a;
    enum err e = write_address(path, &a);
    if (e == ERR_OK)
        e = local_remove_stale(path);
    if (e != ERR_OK)
        return e;
    const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return ERR_SYSTEM;
    /* Born with its mode, which Linux takes from the socket: no name is followed that others might have changed. */
    const mode_t mask = umask(0);
    const int bound = fchmod(s, mode) == 0 ? bind(s, (const struct sockaddr *)&a, sizeof(a)) : -1;
    umask(mask);
    if (bound < 0)
        return fail(s);
    if ((group != (gid_t)-1 && lchown(path, (uid_t)-1, group) < 0) || listen(s, BACKLOG) < 0) {
        e = fail(s);
        unlink(path);
        return e;
    }
    *fd = s;
    return ERR_OK;
}

enum err local_accept(int listener, int *fd, uid_t *uid, gid_t *gid)
{
    int s;
    do
        s = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (s < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (s < 0)
        return errno == EAGAIN ? ERR_NOTFOUND : ERR_SYSTEM;
    struct ucred who;
    socklen_t n = sizeof(who);
    if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
        return fail(s);
    *fd = s;
    *uid = who.uid;
    *gid = who.gid;
    return ERR_OK;
}

enum err local_read(int fd, void *out, size_t cap, size_t *n)
{
    ssize_t got;
    do
        got = recv(fd, out, cap, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        *n = (size_t)got;
        return ERR_OK;
    }
    if (got == 0)
        return cap == 0 ? ERR_INVALID : ERR_STATE;
    if (errno == ECONNRESET)
        return ERR_STATE;
    if (errno != EAGAIN)
        return ERR_SYSTEM;
    *n = 0;
    return ERR_OK;
}

enum err local_write(int fd, struct view bytes, size_t *n)
{
    ssize_t put;
    do
        put = send(fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put < 0 && (errno == EPIPE || errno == ECONNRESET))
        return ERR_STATE;
    if (put < 0 && errno != EAGAIN)
        return ERR_SYSTEM;
    *n = put < 0 ? 0 : (size_t)put;
    return ERR_OK;
}
