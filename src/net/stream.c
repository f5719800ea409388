/* TCP for the few who ask a daemon something: a listener, and its connections, which local_read() and local_write()
 * serve as well. */
#include "net/net_internal.h"

#include <errno.h>
#include <unistd.h>

#define BACKLOG 16

enum err stream_listen(const struct endpoint *local, int *fd)
{
    union sockaddr_any address;
    const int on = 1;
    const socklen_t n = sockaddr_write(&address, &local->addr, local->port);
    const int s = socket(local->addr.family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        return ERR_SYSTEM;
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 && bind(s, &address.any, n) == 0 &&
        listen(s, BACKLOG) == 0) {
        *fd = s;
        return ERR_OK;
    }
    const int saved = errno;
    close(s);
    errno = saved;
    return ERR_SYSTEM;
}

enum err stream_accept(int listener, int *fd)
{
    int s;
    do
        s = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (s < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (s < 0)
        return errno == EAGAIN ? ERR_NOTFOUND : ERR_SYSTEM;
    *fd = s;
    return ERR_OK;
}
