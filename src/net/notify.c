/* Telling the service manager how things are: one datagram to the socket that it has named (sd_notify(3)'s protocol).
 */
#include "net/net_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum err notify_service(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || !*name)
        return ERR_NOTFOUND;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const size_t n = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || n >= sizeof(to.sun_path))
        return ERR_INVALID;
    memcpy(to.sun_path, name, n);
    if (name[0] == '@') /* how an abstract name is written */
        to.sun_path[0] = '\0';
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_SYSTEM;
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    const bool sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size) >= 0;
    const int saved = errno;
    close(fd);
    errno = saved;
    return sent ? ERR_OK : ERR_SYSTEM;
}
