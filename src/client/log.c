/*
 * The log in a file, for an engine that a person started from a terminal: it outlives that, and where no service
 * manager collects what it says, this does. Only the latest part is kept, so that years of it do not fill /run.
 */
#include "client/client_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIZE_MAX_BYTES (256 << 10)
#define KEPT_BYTES     (128 << 10)

bool log_open(const char *file, char *why, size_t cap)
{
    struct stat st;
    const int fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
    const bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
                      dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0;
    if (!good)
        snprintf(why, cap, "The log %s cannot be opened: %s.", file,
                 fd < 0 ? strerror(errno) : "it is somebody else's");
    if (fd >= 0)
        close(fd);
    return good;
}

/* In UTC: the sandbox has no need to read what the local time is. */
void log_stamp(void)
{
    char text[32];
    struct tm tm;
    const time_t now = time(NULL);
    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    fprintf(stderr, "%s  ", text);
}

void log_trim(void)
{
    static char kept[KEPT_BYTES];
    struct stat st;
    if (fstat(STDERR_FILENO, &st) < 0 || st.st_size <= SIZE_MAX_BYTES)
        return;
    const ssize_t n = pread(STDERR_FILENO, kept, sizeof(kept), st.st_size - (off_t)sizeof(kept));
    const char *line = n > 0 ? memchr(kept, '\n', (size_t)n) : NULL;
    if (!line || ftruncate(STDERR_FILENO, 0) < 0)
        return;
    line++;
    fwrite(line, 1, (size_t)(kept + n - line), stderr);
    fflush(stderr);
}
