#include "fd/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

bool fd_is_journal(int fd)
{
    struct stat st;
    char own[48];
    const char *journal = getenv("JOURNAL_STREAM");
    if (!journal || fstat(fd, &st) != 0)
        return false;
    snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return strcmp(own, journal) == 0;
}
