/* The directory of an authority: its files are read whole, and written beside themselves before they take their place.
 */
#include "cli/cli_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_DIRECTORY "/etc/sekisho/pki"

static int failed(const struct cli *cli, const struct store *s, const char *name, const char *what)
{
    return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "%s%s%s cannot be %s: %s.", s->path, name[0] ? "/" : "", name,
                       what, strerror(errno));
}

/* Public parts are for the gateway to read, which is nobody special once it runs; keys are for the owner alone. */
static bool make_directories(const struct store *s)
{
    char sub[PATH_TEXT_MAX];
    const char *const names[] = {"", "/issued", "/private"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(sub, sizeof sub, "%s%s", s->path, names[i]);
        if (mkdir(sub, i == 2 ? 0700 : 0755) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

int store_open(const struct cli *cli, bool make, struct store *s)
{
    s->path = cli->option[OPTION_DIRECTORY] != NULL ? cli->option[OPTION_DIRECTORY] : DEFAULT_DIRECTORY;
    if (strlen(s->path) > PATH_TEXT_MAX - 32)
        return command_wrong(cli, "The path of the directory is too long.");
    if (make && !make_directories(s))
        return failed(cli, s, "", "made");
    s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->fd < 0 && errno == ENOENT)
        return call_failed(cli, CLI_FAILED, "not-found",
                           "There is no authority in %s; make one with: sekisho pki init NAME", s->path);
    if (s->fd < 0)
        return failed(cli, s, "", "opened");
    if (flock(s->fd, LOCK_EX) == 0) /* another sekisho pki may be at work */
        return CLI_OK;
    close(s->fd);
    return failed(cli, s, "", "locked");
}

void store_close(struct store *s)
{
    close(s->fd);
}

bool store_has(const struct store *s, const char *name)
{
    return faccessat(s->fd, name, F_OK, 0) == 0;
}

static bool read_all(int fd, struct pki_bytes *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size > PKI_CRL_MAX || (out->p = calloc(1, (size_t)st.st_size + 1)) == NULL)
        return false;
    return fd_read(fd, out->p, (size_t)st.st_size, &out->n) == ERR_OK && out->n == (size_t)st.st_size;
}

int store_read(const struct cli *cli, const struct store *s, const char *name, struct pki_bytes *out)
{
    int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
    *out = (struct pki_bytes){0};
    bool ok = fd >= 0 && read_all(fd, out);
    if (!ok)
        (void)failed(cli, s, name, "read");
    if (fd >= 0)
        close(fd);
    if (!ok)
        pki_bytes_free(out);
    return ok ? CLI_OK : CLI_FAILED;
}

int store_write(const struct cli *cli, const struct store *s, const char *name, mode_t mode, struct view what)
{
    char beside[PATH_TEXT_MAX];
    if (snprintf(beside, sizeof beside, "%s.new", name) >= (int)sizeof beside)
        return command_wrong(cli, "The path of the file is too long.");
    (void)unlinkat(s->fd, beside, 0);
    int fd = openat(s->fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool ok = fd >= 0 && fchmod(fd, mode) == 0 && fd_write(fd, what) == ERR_OK && fsync(fd) == 0 &&
              renameat(s->fd, beside, s->fd, name) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (ok)
        return CLI_OK;
    (void)unlinkat(s->fd, beside, 0);
    errno = error;
    return failed(cli, s, name[0] == '/' ? name + 1 : name, "written");
}
