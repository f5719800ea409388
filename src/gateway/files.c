/* Files that the unprivileged gateway writes: the directory of the user store, with what is in it, becomes its user's.
 */
#include "gateway/gateway_internal.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err give(const char *path, uid_t uid, gid_t gid)
{
    return lchown(path, uid, gid) == 0 || errno == ENOENT ? ERR_OK : ERR_SYSTEM;
}

static enum err give_directory_of(const char *file, uid_t uid, gid_t gid)
{
    char path[CONFIG_PATH_MAX];
    memcpy(path, file, sizeof(path));
    const char *directory = dirname(path);
    if (mkdir(directory, 0750) != 0 && errno != EEXIST)
        return ERR_SYSTEM;
    struct stat st;
    if (stat(directory, &st) != 0)
        return ERR_SYSTEM;
    /* a directory of root's that others use (/tmp, /etc) stays root's; ours are closed to the world */
    return st.st_mode & S_IRWXO ? ERR_OK : give(directory, uid, gid);
}

enum err hand_over_files(const struct gateway *g)
{
    const struct config *c = g->config;
    const struct passwd *user = getpwnam(c->run.user);
    const struct group *group = c->run.group[0] ? getgrnam(c->run.group) : NULL;
    if (!user)
        return ERR_NOTFOUND;
    const uid_t uid = user->pw_uid;
    const gid_t gid = group ? group->gr_gid : user->pw_gid;
    const char *const files[] = {c->users.database, c->users.key_file};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (give_directory_of(files[i], uid, gid) != ERR_OK || give(files[i], uid, gid) != ERR_OK)
            return ERR_SYSTEM;
    return give(c->control.socket, (uid_t)-1, c->control.group[0] ? (gid_t)-1 : gid);
}
