#include "fd/fd.h"

#include <errno.h>
#include <unistd.h>

enum err fd_write(int fd, struct view bytes)
{
    while (bytes.n > 0) {
        const ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_SYSTEM;
        bytes = view_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return ERR_OK;
}

enum err fd_read(int fd, void *out, size_t cap, size_t *n)
{
    for (*n = 0; *n < cap;) {
        const ssize_t got = read(fd, (uint8_t *)out + *n, cap - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ERR_SYSTEM;
        if (got == 0)
            break;
        *n += (size_t)got;
    }
    return ERR_OK;
}
