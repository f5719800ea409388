/* Giving up rights: user, groups, capabilities, core dumps; and a process that clears up after ours has ended. */
#include "net/net_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t capabilities_of(uint32_t rights)
{
    return (rights & RIGHT_NET_ADMIN ? 1ull << CAP_NET_ADMIN : 0) | (rights & RIGHT_NET_RAW ? 1ull << CAP_NET_RAW : 0) |
           (rights & RIGHT_NET_BIND_SERVICE ? 1ull << CAP_NET_BIND_SERVICE : 0);
}

static enum err find_user(const char *user, const char *group, uid_t *uid, gid_t *gid)
{
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return ERR_NOTFOUND;
    const uid_t u = pw->pw_uid;
    gid_t g = pw->pw_gid;
    if (group) {
        const struct group *gr = getgrnam(group);
        if (!gr)
            return ERR_NOTFOUND;
        g = gr->gr_gid;
    }
    *uid = u;
    *gid = g;
    return ERR_OK;
}

/* What leaves the bounding set can never be had again, not by running a program with file capabilities either. */
static void empty_bounding_set(void)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static enum err set_capabilities(uint64_t wanted)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &head, data) < 0)
        return ERR_SYSTEM;
    const uint64_t had = data[0].permitted | (uint64_t)data[1].permitted << 32;
    const uint64_t kept = had & wanted;
    for (int i = 0; i < 2; i++) {
        data[i].permitted = data[i].effective = (uint32_t)(kept >> (32 * i));
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, data) < 0 ? ERR_SYSTEM : ERR_OK;
}

static enum err change_user(uid_t uid, gid_t gid)
{
    if (setgroups(1, &gid) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return ERR_SYSTEM;
    return ERR_OK;
}

enum err privilege_drop(const char *user, const char *group, uint32_t keep)
{
    if (geteuid() == 0) {
        uid_t uid;
        gid_t gid;
        enum err e = find_user(user, group, &uid, &gid);
        if (e != ERR_OK)
            return e;
        empty_bounding_set(); /* needs CAP_SETPCAP, so it comes first */
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
            return ERR_SYSTEM;
        e = change_user(uid, gid);
        if (e != ERR_OK)
            return e;
        if (uid != 0 && (setuid(0) == 0 || getuid() != uid))
            return ERR_SYSTEM; /* it has not worked, whatever the kernel said */
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return ERR_SYSTEM;
    return set_capabilities(capabilities_of(keep));
}

enum err memory_protect(void)
{
    const struct rlimit none = {0, 0}, all = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return ERR_SYSTEM;
    /* Without the limit out of the way, locking what is yet to come would make later allocations fail. Pages are locked
     * as they are touched: the untouched rest of thread stacks costs nothing. */
    if (setrlimit(RLIMIT_MEMLOCK, &all) < 0 || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        return ERR_SYSTEM;
    return ERR_OK;
}

static void wait_and_act(int lifeline, void (*act)(void *ctx), void *ctx)
{
    /* Nothing of the parent's may stay open here, or its ports and devices would live on after it. */
    if (lifeline != 3)
        dup2(lifeline, 3);
    close_range(4, ~0u, 0);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    setsid();
    prctl(PR_SET_NAME, "sekisho-after");
    char byte;
    while (read(3, &byte, 1) < 0 && errno == EINTR)
        ;
    act(ctx);
    _exit(0);
}

enum err aftermath_start(void (*act)(void *ctx), void *ctx, struct aftermath *out)
{
    int lifeline[2];
    if (pipe2(lifeline, O_CLOEXEC) < 0)
        return ERR_SYSTEM;
    const pid_t pid = fork();
    if (pid == 0) {
        close(lifeline[1]);
        wait_and_act(lifeline[0], act, ctx);
    }
    const int saved = errno;
    close(lifeline[0]);
    if (pid < 0) {
        close(lifeline[1]);
        errno = saved;
        return ERR_SYSTEM;
    }
    *out = (struct aftermath){pid, lifeline[1]}; /* open as long as this process lives */
    return ERR_OK;
}

void aftermath_end(struct aftermath *aftermath)
{
    if (aftermath->pid <= 0)
        return;
    close(aftermath->lifeline);
    while (waitpid(aftermath->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    aftermath->pid = 0;
}
