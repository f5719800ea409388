/* Files read whole, up to a limit, and the secrets in them. */
#include "config/config_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void config_file_done(struct config_file *f)
{
    if (f->text != NULL)
        bytes_wipe(f->text, f->n);
    free(f->text);
    *f = (struct config_file){0};
}

static enum err read_all(int fd, struct config_file *f, size_t max)
{
    f->text = malloc(max + 1);
    if (f->text == NULL)
        return ERR_NOMEM;
    const enum err result = fd_read(fd, f->text, max + 1, &f->n);
    return result == ERR_OK && f->n > max ? ERR_LIMIT : result;
}

static enum err open_and_read(const char *path, size_t max, struct config_file *f)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ERR_SYSTEM;
    enum err result = ERR_SYSTEM;
    if (fstat(fd, &st) == 0) {
        f->shared = (st.st_mode & S_IRWXO) != 0;
        result = S_ISREG(st.st_mode) ? read_all(fd, f, max) : ERR_INVALID;
    }
    int kept = errno;
    close(fd);
    errno = kept;
    return result;
}

/* The sentence for a file that could not be read. */
static enum err tell(enum err result, const char *path, size_t max, uint32_t line, const char *key,
                     struct config_error *e)
{
    if (result == ERR_SYSTEM)
        config_tell(e, line, key, TOLD(FILE_UNREADABLE), path, strerror(errno));
    else if (result == ERR_LIMIT)
        config_tell(e, line, key, TOLD(FILE_LARGE), path, max);
    else if (result == ERR_INVALID)
        config_tell(e, line, key, TOLD(FILE_NOT_REGULAR), path);
    else if (result == ERR_NOMEM)
        config_tell(e, line, key, TOLD(FILE_MEMORY), path);
    return result == ERR_LIMIT ? ERR_INVALID : result;
}

enum err config_file_read(const char *path, size_t max, uint32_t line, const char *key, struct config_file *out,
                          struct config_error *e)
{
    *out = (struct config_file){0};
    return tell(open_and_read(path, max, out), path, max, line, key, e);
}

enum err config_file_read_fd(int fd, size_t max, struct config_file *out, struct config_error *e)
{
    *out = (struct config_file){0};
    return tell(read_all(fd, out, max), e->file, max, 0, "", e);
}

enum err config_secret(struct view text, size_t most, struct secret *out, uint32_t line, const char *key,
                       struct config_error *e)
{
    size_t n = text.n;
    if (n > 0 && text.p[n - 1] == '\n')
        n--;
    if (n > 0 && text.p[n - 1] == '\r')
        n--;
    if (n < CONFIG_SECRET_MIN || n > most)
        return config_tell(e, line, key, TOLD(SECRET_LENGTH), n, CONFIG_SECRET_MIN, most);
    for (size_t i = 0; i < n; i++)
        if (text.p[i] < ' ' || text.p[i] == 0x7f)
            return config_tell(e, line, key, TOLD(SECRET_LINES));
    return secret_set(out, view_of(text.p, n));
}
