/*
 * Files that the unprivileged gateway writes: the directory of the user store, with what is in it, becomes its user's.
 * From the second start on that directory is the user's, who may have put links there: root follows none.
 */
#include "gateway/gateway_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct owner {
    uid_t uid;
    gid_t gid;
};

/* A regular file of one name only, in an open directory; one that is not there yet is the user's to make. */
static enum err give_file(int directory, const char *name, struct owner to)
{
    struct stat st;
    const int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_OK : ERR_SYSTEM;
    errno = EPERM;
    const bool ours = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
    const enum err e = ours && fchown(fd, to.uid, to.gid) == 0 ? ERR_OK : ERR_SYSTEM;
    const int saved = errno;
    close(fd);
    errno = saved;
    return e;
}

/* A directory of root's that others use (/tmp, /etc) stays root's; ours are closed to the world. */
static enum err give_directory(int directory, struct owner to)
{
    struct stat st;
    if (fstat(directory, &st) != 0)
        return ERR_SYSTEM;
    return st.st_mode & S_IRWXO || fchown(directory, to.uid, to.gid) == 0 ? ERR_OK : ERR_SYSTEM;
}

/* The file, and what SQLite keeps beside a database. */
static enum err give_with_directory(const char *file, struct owner to)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char path[CONFIG_PATH_MAX], base[CONFIG_PATH_MAX], name[CONFIG_PATH_MAX + 16];
    memcpy(path, file, sizeof(path));
    memcpy(base, file, sizeof(base));
    const char *parent = dirname(path), *last = basename(base);
    if (mkdir(parent, 0750) != 0 && errno != EEXIST)
        return ERR_SYSTEM;
    const int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return ERR_SYSTEM;
    enum err e = give_directory(directory, to);
    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(endings); i++) {
        snprintf(name, sizeof(name), "%s%s", last, endings[i]);
        e = give_file(directory, name, to);
    }
    const int saved = errno;
    close(directory);
    errno = saved;
    return e;
}

enum err hand_over_files(const struct gateway *g)
{
    const struct config *c = g->config;
    const struct passwd *user = getpwnam(c->run.user);
    const struct group *group = c->run.group[0] ? getgrnam(c->run.group) : NULL;
    if (!user)
        return ERR_NOTFOUND;
    const struct owner to = {user->pw_uid, group ? group->gr_gid : user->pw_gid};
    if (give_with_directory(c->users.database, to) != ERR_OK || give_with_directory(c->users.key_file, to) != ERR_OK)
        return ERR_SYSTEM;
    const bool grouped = c->control.group[0] != '\0';
    return lchown(c->control.socket, (uid_t)-1, grouped ? (gid_t)-1 : to.gid) == 0 ? ERR_OK : ERR_SYSTEM;
}
