/* A host of its own for a steward: namespaces with an uplink, an /etc and a /run that are empty but for what a test
 * puts there, and a way to see whether anything was left behind. */
#ifndef SEKISHO_TEST_STEWARD_WORLD_H
#define SEKISHO_TEST_STEWARD_WORLD_H

#include "net/net.h"
#include "steward/steward.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_SKIPPED 77
#define SNAPSHOT     65536
#define NAME         "office"

static struct tun *wire; /* the uplink: what goes out is read here */

static inline struct ip_addr ip(const char *text)
{
    struct ip_addr a;
    assert_int_equal(ip_parse(text, &a), ERR_OK);
    return a;
}

static inline void write_text(const char *path, const char *text, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
    close(fd);
}

static inline void read_text(const char *path, char *out, size_t cap)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, out, cap - 1);
    out[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        close(fd);
}

/* The dynamic loader's list is the one thing of /etc that other programs cannot run without. */
static inline void empty_etc(void)
{
    static char cache[1 << 22];
    const int from = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
    const ssize_t n = from < 0 ? 0 : read(from, cache, sizeof(cache));
    if (from >= 0)
        close(from);
    if (mount("etc", "/etc", "tmpfs", 0, "mode=755") < 0)
        exit(EXIT_SKIPPED);
    const int to = open("/etc/ld.so.cache", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (to < 0 || write(to, cache, (size_t)n) != n)
        exit(EXIT_SKIPPED);
    close(to);
}

static inline void enter_world(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("run", "/run", "tmpfs", 0, "mode=755") < 0 ||
        mount("bin", "/usr/local/bin", "tmpfs", 0, "mode=755") < 0) {
        printf("Skipped: this test needs root and namespaces of its own (%s).\n", strerror(errno));
        exit(EXIT_SKIPPED);
    }
    empty_etc();
    sysctl_set("net/ipv6/conf/default/addr_gen_mode",
               "1"); /* link-local addresses come late, in the middle of a test */
    const struct tun_config config = {.name = "wire0", .queues = 1};
    const struct ip_addr here = {4, {192, 0, 2, 2}}, here6 = {6, {0x20, 1, 0xd, 0xb8, [15] = 2}};
    const struct route out = {.to.family = 4, .via = {4, {192, 0, 2, 1}}};
    if (iface_set_up(iface_index("lo"), true) != ERR_OK || tun_open(&config, &wire) != ERR_OK ||
        iface_address_add(tun_iface(wire), &here, 24, NULL) != ERR_OK ||
        iface_address_add(tun_iface(wire), &here6, 64, NULL) != ERR_OK ||
        iface_set_up(tun_iface(wire), true) != ERR_OK || route_add(&out) != ERR_OK) {
        printf("Skipped: no uplink can be made in this namespace.\n");
        exit(EXIT_SKIPPED);
    }
}

static inline void add_output(char *out, const char *program, const char *const *args)
{
    char path[PROGRAM_PATH];
    const char *argv[12] = {program_find(program, path)};
    for (size_t i = 0; args[i]; i++)
        argv[i + 1] = args[i];
    const size_t n = strlen(out);
    if (argv[0])
        program_run(argv, VIEW_NONE, 5 * USEC_SEC, out + n, SNAPSHOT - n);
}

static inline void add_file(char *out, const char *path)
{
    struct stat st;
    char text[4096];
    const size_t n = strlen(out);
    if (lstat(path, &st) < 0) {
        snprintf(out + n, SNAPSHOT - n, "%s: none\n", path);
        return;
    }
    ssize_t link = S_ISLNK(st.st_mode) ? readlink(path, text, sizeof(text) - 1) : 0;
    if (S_ISLNK(st.st_mode))
        text[link < 0 ? 0 : link] = '\0';
    else
        read_text(path, text, sizeof(text));
    snprintf(out + n, SNAPSHOT - n, "%s: inode %lu mode %o owner %u:%u modified %ld.%09ld\n%s\n", path,
             (unsigned long)st.st_ino, st.st_mode, st.st_uid, st.st_gid, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
             text);
}

/* Everything that a steward may change, as text. */
static inline void snapshot(char out[static SNAPSHOT])
{
    static const char *const questions[][8] = {
        {"-o", "-4", "addr"},
        {"-o", "link"},
        {"rule"},
        {"-6", "rule"},
        {"route", "show", "table", "all"},
        {"-6", "-N", "route", "show", "table", "all"},
    };
    static const char *const tables[] = {"list", "ruleset", NULL}, *const files[] = {"-A", "/etc", NULL};
    char value[64];
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        add_output(out, "ip", questions[i]);
    add_output(out, "nft", tables);
    add_output(out, "ls", files);
    assert_int_equal(sysctl_get("net/ipv4/conf/all/src_valid_mark", value, sizeof(value)), ERR_OK);
    strcat(out, value);
    strcat(out, "\n");
    add_file(out, "/etc/resolv.conf");
}

static inline void assert_same_host(const char *before)
{
    static char now[SNAPSHOT];
    snapshot(now);
    size_t line = 0, n = 0;
    while (before[n] && before[n] == now[n])
        if (before[n++] == '\n')
            line = n;
    if (before[n] || now[n])
        fail_msg("the host differs from\n%.300s\nand is\n%.300s", before + line, now + line);
}

static inline struct tun *make_tunnel(const char *name)
{
    struct tun *tun;
    struct tun_config config = {.queues = 1};
    snprintf(config.name, sizeof(config.name), "%s", name);
    if (tun_open(&config, &tun) != ERR_OK)
        return NULL;
    /* Up once, which gives it its queueing discipline for good. */
    return iface_set_up(tun_iface(tun), true) == ERR_OK && iface_set_up(tun_iface(tun), false) == ERR_OK ? tun : NULL;
}

static inline struct tun *open_tunnel(const char *name)
{
    struct tun *tun = make_tunnel(name);
    assert_non_null(tun);
    return tun;
}

static inline struct steward *start_steward(const char *name, const char *iface)
{
    struct steward *steward = NULL;
    char why[STEWARD_WHY];
    const struct steward_config config = {.name = name, .iface = iface};
    if (steward_fork(&steward, why) != ERR_OK || steward_start(steward, &config, why) != ERR_OK)
        fail_msg("%s", why);
    return steward;
}

static inline void apply(struct steward *steward, const struct steward_plan *plan)
{
    char why[STEWARD_WHY];
    if (steward_apply(steward, plan, why) != ERR_OK)
        fail_msg("%s", why);
}

static inline struct steward_plan whole_traffic(void)
{
    return (struct steward_plan){.address = {4, {10, 9, 0, 2}},
                                 .remote = {4, {10, 9, 0, 1}},
                                 .mtu = 1400,
                                 .everything = true,
                                 .server = {4, {198, 51, 100, 1}}};
}

/* The interface by which a packet with this mark would leave; 0: by none. */
static inline uint32_t way(const char *to, uint32_t mark)
{
    struct route found;
    const struct ip_addr addr = ip(to);
    return route_lookup_marked(&addr, mark, &found) == ERR_OK ? found.iface : 0;
}

/* How many frames of IPv4 have left by it since they were counted last. */
static inline size_t frames(struct tun *from)
{
    struct frame list[TUN_BATCH];
    size_t n = 0, got;
    while ((got = tun_read(from, list, TUN_BATCH)) > 0)
        for (size_t i = 0; i < got; i++)
            n += list[i].len >= 20 && list[i].data[0] >> 4 == 4; /* the kernel's own IPv6 solicitations are not meant */
    return n;
}

static inline void send_datagram(const char *to, uint16_t from_port, uint16_t port, uint32_t mark)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(from_port)},
                       peer = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct ip_addr addr = ip(to);
    memcpy(&peer.sin_addr, addr.b, 4);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    sendto(fd, "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer));
    close(fd);
}

/* A reload of the host's own rules, which begins with this. */
static inline void sweep_rules_away(void)
{
    char said[64];
    assert_int_equal(nft_apply(view_str("flush ruleset\n"), said, sizeof(said)), ERR_OK);
}

/* A client in a process of its own, which tells its mark when its plan stands. */
struct client {
    pid_t pid;
    int ready;
    uint32_t mark;
};

/* Without asserts, which would carry on with the next tests in this process: a client whose steward has been killed
 * fails, until it is killed itself. */
static inline _Noreturn void be_client(const char *name, const char *iface, const struct steward_plan *plan,
                                       bool restless, int ready)
{
    char why[STEWARD_WHY] = "no tunnel";
    struct steward *steward = NULL;
    struct tun *tun = make_tunnel(iface);
    const struct steward_config config = {.name = name, .iface = tun ? tun_name(tun) : ""};
    if (!tun || steward_fork(&steward, why) != ERR_OK || steward_start(steward, &config, why) != ERR_OK ||
        steward_apply(steward, plan, why) != ERR_OK) {
        print_message("a client failed: %s\n", why);
        _exit(1);
    }
    const uint32_t mark = steward_mark(steward);
    if (write(ready, &mark, sizeof(mark)) != sizeof(mark))
        _exit(1);
    while (restless && steward_undo(steward, why) == ERR_OK && steward_apply(steward, plan, why) == ERR_OK)
        ;
    for (;;)
        pause();
}

/* restless: it undoes and applies without end. */
static inline struct client launch_client(const char *name, const char *iface, const struct steward_plan *plan,
                                          bool restless)
{
    int ready[2];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    const struct client client = {.pid = fork(), .ready = ready[0]};
    if (client.pid == 0)
        be_client(name, iface, plan, restless, ready[1]);
    close(ready[1]);
    return client;
}

static inline uint32_t wait_for_client(const struct client *client)
{
    uint32_t mark = 0;
    assert_int_equal(read(client->ready, &mark, sizeof(mark)), sizeof(mark));
    return mark;
}

static inline struct client start_client(const char *name, const char *iface, const struct steward_plan *plan)
{
    struct client client = launch_client(name, iface, plan, false);
    client.mark = wait_for_client(&client);
    close(client.ready);
    return client;
}

static inline pid_t steward_of(const struct client *client)
{
    char path[64], text[32];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", client->pid, client->pid);
    read_text(path, text, sizeof(text));
    return (pid_t)atoi(text);
}

static inline void kill_client(const struct client *client)
{
    assert_int_equal(kill(client->pid, SIGKILL), 0);
    assert_int_equal(waitpid(client->pid, NULL, 0), client->pid);
}

/* A steward lives as long as its lock is there. */
static inline void wait_for_steward(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), STEWARD_DIR "/%s.lock", name);
    for (int i = 0; i < 6000 && access(path, F_OK) == 0; i++)
        usleep(10000);
    assert_int_not_equal(access(path, F_OK), 0);
}

#endif
