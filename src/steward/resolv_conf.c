/*
 * /etc/resolv.conf where no program owns it. The former file, or symbolic link, is kept under a second name beside it
 * and put back by a rename: the same inode, so the same bytes, mode, owner and attributes. Ours says in its first line
 * whose it is and bears a sum of its other lines, so that it is known for ours and unchanged, without a journal and
 * after a reboot too. Where the file is a mount point (containers), nothing can be renamed: it is written over.
 */
#include "steward/steward_internal.h"

#include "fd/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ETC         "/etc"
#define RESOLV_CONF ETC "/resolv.conf"
#define KEPT_PREFIX ".resolv.conf.sekisho."
#define KEPT_SUFFIX ".resolv.conf" /* in the state directory */
#define CONF_MAX    65536
#define HEADER      "# Sekisho wrote this for the connection %s (sum %016llx); what was here is put back when it ends.\n"
#define SERVERS_MAX 3 /* resolv.conf(5): MAXNS */

static const char *kept_path(const char *name, char out[static STEWARD_PATH])
{
    snprintf(out, STEWARD_PATH, ETC "/" KEPT_PREFIX "%s", name);
    return out;
}

static bool is_ours(const char *path, const char *name)
{
    char text[4096], header[256];
    size_t n;
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || steward_file_read(path, text, sizeof(text), &n) != ERR_OK)
        return false;
    char *rest = strchr(text, '\n');
    if (!rest)
        return false;
    snprintf(header, sizeof(header), HEADER, name, (unsigned long long)view_sum(view_str(rest + 1)));
    return strncmp(text, header, strlen(header)) == 0;
}

/* Where ours is: what the host reads; or, when another tunnel has come after us, the former file that it keeps. */
static bool find_ours(const char *name, char path[static STEWARD_PATH])
{
    snprintf(path, STEWARD_PATH, RESOLV_CONF);
    bool found = is_ours(path, name);
    DIR *dir = found ? NULL : opendir(ETC);
    if (!dir)
        return found;
    const struct dirent *entry;
    while (!found && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, KEPT_PREFIX, strlen(KEPT_PREFIX)) != 0 || strlen(entry->d_name) >= STEWARD_PATH / 2)
            continue;
        snprintf(path, STEWARD_PATH, ETC "/%.128s", entry->d_name);
        found = is_ours(path, name);
    }
    closedir(dir);
    return found;
}

bool steward_resolv_conf_stands(const char *name)
{
    char path[STEWARD_PATH];
    return find_ours(name, path);
}

static size_t append(char *out, size_t cap, size_t n, const char *word, const char *value)
{
    const int step = snprintf(out + n, cap - n, "%s%s", word, value);
    return step > 0 && (size_t)step < cap - n ? n + (size_t)step : n;
}

/* One that cannot ask by domain asks the tunnel's servers first, which know its names, and the former ones after them.
 */
static void compose(const struct steward_host *host, const struct steward_plan *plan, char *out, size_t cap)
{
    char body[2048], text[IP_TEXT_MAX];
    size_t n = 0, servers = 0;
    body[0] = '\0';
    for (size_t i = 0; i < plan->domain_count; i++)
        n = append(body, sizeof(body), n, i == 0 ? "search " : " ", plan->domains[i]);
    if (plan->domain_count > 0)
        n = append(body, sizeof(body), n, "\n", "");
    const size_t former = plan->dns_all ? 0 : host->former_dns_count;
    for (size_t i = 0; i < plan->dns_count + former && servers < SERVERS_MAX; i++, servers++) {
        const struct ip_addr *a = i < plan->dns_count ? &plan->dns[i] : &host->former_dns[i - plan->dns_count];
        n = append(body, sizeof(body), n, "nameserver ", ip_text(a, text));
        n = append(body, sizeof(body), n, "\n", "");
    }
    snprintf(out, cap, HEADER "%s", host->place.name, (unsigned long long)view_sum(view_str(body)), body);
}

static enum err fail(const char *what, char why[static STEWARD_WHY])
{
    steward_say(why, "cannot %s: %s", what, strerror(errno));
    return ERR_SYSTEM;
}

static bool is_mount_point(void)
{
    struct statx file, dir;
    return statx(AT_FDCWD, RESOLV_CONF, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &file) == 0 &&
           statx(AT_FDCWD, ETC, 0, STATX_BASIC_STATS, &dir) == 0 &&
           (file.stx_attributes & STATX_ATTR_MOUNT_ROOT || file.stx_dev_major != dir.stx_dev_major ||
            file.stx_dev_minor != dir.stx_dev_minor);
}

enum err steward_resolv_conf_put(const struct steward_host *host, const struct steward_plan *plan,
                                 char why[static STEWARD_WHY])
{
    char text[4096], kept[STEWARD_PATH], path[STEWARD_PATH];
    if (is_mount_point())
        return ERR_UNSUPPORTED;
    compose(host, plan, text, sizeof(text));
    kept_path(host->place.name, kept);
    if (!find_ours(host->place.name, path)) {
        snprintf(path, sizeof(path), RESOLV_CONF);
        unlink(kept); /* kept from a file that somebody has replaced since */
        if (linkat(AT_FDCWD, RESOLV_CONF, AT_FDCWD, kept, 0) < 0 && errno != ENOENT)
            return fail("keep the former " RESOLV_CONF, why);
    }
    if (steward_file_write(path, view_str(text), 0644) != ERR_OK)
        return fail("write " RESOLV_CONF, why);
    return ERR_OK;
}

static enum err write_over(struct view text)
{
    const int fd = open(RESOLV_CONF, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0)
        return ERR_SYSTEM;
    const bool good = fd_write(fd, text) == ERR_OK;
    return close(fd) == 0 && good ? ERR_OK : ERR_SYSTEM;
}

enum err steward_resolv_conf_overwrite(const struct steward_host *host, const struct steward_plan *plan,
                                       char why[static STEWARD_WHY])
{
    static char former[CONF_MAX];
    char text[4096], kept[STEWARD_PATH];
    size_t n;
    steward_place_path(&host->place, host->place.name, KEPT_SUFFIX, kept);
    if (!is_ours(RESOLV_CONF, host->place.name) &&
        (steward_file_read(RESOLV_CONF, former, sizeof(former), &n) != ERR_OK ||
         steward_file_write(kept, view_of(former, n), 0600) != ERR_OK))
        return fail("keep the former " RESOLV_CONF, why);
    compose(host, plan, text, sizeof(text));
    return write_over(view_str(text)) == ERR_OK ? ERR_OK : fail("write " RESOLV_CONF, why);
}

static enum err restore_renamed(const char *name, const char *kept, char why[static STEWARD_WHY])
{
    char path[STEWARD_PATH];
    struct stat st, now;
    const bool have = lstat(kept, &st) == 0;
    unlink(RESOLV_CONF STEWARD_TEMPORARY);
    if (find_ours(name, path)) {
        if ((have ? rename(kept, path) : unlink(path)) < 0) /* without one kept, there was none */
            return fail("put the former " RESOLV_CONF " back", why);
        return ERR_OK;
    }
    if (!have)
        return ERR_OK;
    const bool untouched = lstat(RESOLV_CONF, &now) == 0 && now.st_ino == st.st_ino && now.st_dev == st.st_dev;
    unlink(kept);
    if (!untouched)
        steward_say(why, RESOLV_CONF " was changed by another program meanwhile, and is left as it is");
    return ERR_OK;
}

/* Ended in the middle of writing, the file is neither ours nor anybody's: the former bytes are better than half of
 * ours. */
static bool is_half_ours(void)
{
    char text[4096], start[64];
    size_t n;
    snprintf(start, sizeof(start), "%.40s", HEADER);
    *strchr(start, '%') = '\0';
    return steward_file_read(RESOLV_CONF, text, sizeof(text), &n) == ERR_OK &&
           (n == 0 || (strncmp(text, start, strlen(start)) == 0 && !strchr(text, '\n')));
}

static enum err restore_overwritten(const struct steward_place *place, const char *kept, char why[static STEWARD_WHY])
{
    static char former[CONF_MAX];
    size_t n;
    if (steward_file_read(kept, former, sizeof(former), &n) != ERR_OK)
        return ERR_OK;
    if (!is_ours(RESOLV_CONF, place->name) && !is_half_ours())
        steward_say(why, RESOLV_CONF " was changed by another program meanwhile, and is left as it is");
    else if (write_over(view_of(former, n)) != ERR_OK)
        return fail("write the former " RESOLV_CONF " back", why);
    unlink(kept);
    return ERR_OK;
}

enum err steward_resolv_conf_restore(const struct steward_place *place, char why[static STEWARD_WHY])
{
    char kept[STEWARD_PATH];
    steward_place_path(place, place->name, KEPT_SUFFIX, kept);
    if (access(kept, F_OK) == 0)
        return restore_overwritten(place, kept, why);
    return restore_renamed(place->name, kept_path(place->name, kept), why);
}
