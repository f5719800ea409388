/* Facts and switches of the host: its name servers, and values under /proc/sys. */
#include "net/net_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_SIZE 256

static bool is_loopback(const struct ip_addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == 4 ? a->b[0] == 127 : memcmp(a->b, one, sizeof(one)) == 0;
}

/* resolv.conf(5): a line "nameserver" and a numeric address. Link-local ones with a zone mean nothing to others. */
static bool read_server(char *line, struct ip_addr *out)
{
    char *rest = NULL;
    const char *word = strtok_r(line, " \t\r\n", &rest);
    if (!word || strcmp(word, "nameserver") != 0)
        return false;
    const char *address = strtok_r(NULL, " \t\r\n", &rest);
    return address && ip_parse(address, out) == ERR_OK && !is_loopback(out);
}

static size_t read_servers(const char *path, struct ip_addr *out, size_t max)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    char line[512];
    size_t n = 0;
    while (n < max && fgets(line, sizeof(line), f)) {
        struct ip_addr server;
        if (read_server(line, &server))
            out[n++] = server;
    }
    fclose(f);
    return n;
}

size_t host_dns_servers(struct ip_addr *out, size_t max)
{
    /* A forwarder that answers on loopback has a list of its own with the real servers: systemd-resolved, the dnsmasq
     * that NetworkManager starts, and the one that resolvconf tells. */
    static const char *const paths[] = {"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf",
                                        "/run/NetworkManager/no-stub-resolv.conf", "/run/dnsmasq/resolv.conf"};
    size_t n = 0;
    for (size_t i = 0; n == 0 && i < ARRAY_LEN(paths); i++)
        n = read_servers(paths[i], out, max);
    return n;
}

static enum err sysctl_path(const char *name, char out[static PATH_SIZE])
{
    if (name[0] == '/' || strstr(name, ".."))
        return ERR_INVALID;
    const int n = snprintf(out, PATH_SIZE, "/proc/sys/%s", name);
    return n > 0 && n < PATH_SIZE ? ERR_OK : ERR_INVALID;
}

enum err sysctl_set(const char *name, const char *value)
{
    char path[PATH_SIZE];
    const enum err e = sysctl_path(name, path);
    if (e != ERR_OK)
        return e;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
    const size_t n = strlen(value);
    const bool good = write(fd, value, n) == (ssize_t)n;
    const int saved = errno;
    close(fd);
    errno = saved;
    return good ? ERR_OK : ERR_SYSTEM;
}

enum err sysctl_get(const char *name, char *out, size_t cap)
{
    char path[PATH_SIZE];
    const enum err e = sysctl_path(name, path);
    if (e != ERR_OK || cap == 0)
        return e != ERR_OK ? e : ERR_LIMIT;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
    const ssize_t n = read(fd, out, cap - 1);
    const int saved = errno;
    close(fd);
    errno = saved;
    if (n < 0)
        return ERR_SYSTEM;
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return ERR_OK;
}
