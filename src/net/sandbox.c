/*
 * The seccomp filter of a running gateway, client or portal. It has its sockets, its TUN and its tables by now: from
 * here on a gateway may use files, answer on sockets, ask RADIUS and databases, and start threads; a client may read
 * files, ask name servers and start threads; a portal may read files, serve whoever connects and ask the gateway. None
 * may run a program, open a raw socket or TUN, or make memory both writable and executable.
 */
#include "net/net_internal.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>

#define TYPE_MASK 0xf /* of socket()'s second argument, below its flags */

static int allow_all(scmp_filter_ctx filter, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) < 0)
            return -1;
    return 0;
}

/* What changes files: a gateway's databases. */
static int allow_changes(scmp_filter_ctx filter)
{
    static const int calls[] = {
#define ALLOW(call)
#define ALLOW_GATEWAY(call) SCMP_SYS(call),
#include "net/sandbox.def"
#undef ALLOW
#undef ALLOW_GATEWAY
#if defined(__x86_64__) /* spellings that newer architectures do not have */
        SCMP_SYS(rename),
        SCMP_SYS(mkdir),
        SCMP_SYS(chmod),
#endif
    };
    return allow_all(filter, calls, ARRAY_LEN(calls));
}

static int allow_plain(scmp_filter_ctx filter)
{
    static const int calls[] = {
#define ALLOW(call) SCMP_SYS(call),
#define ALLOW_GATEWAY(call)
#include "net/sandbox.def"
#undef ALLOW
#undef ALLOW_GATEWAY
#if defined(__x86_64__) /* spellings that newer architectures do not have */
        SCMP_SYS(open),
        SCMP_SYS(stat),
        SCMP_SYS(lstat),
        SCMP_SYS(access),
        SCMP_SYS(readlink),
        SCMP_SYS(unlink),
        SCMP_SYS(poll),
        SCMP_SYS(select),
        SCMP_SYS(dup2),
        SCMP_SYS(epoll_wait),
        SCMP_SYS(time),
        SCMP_SYS(getrlimit),
#endif
    };
    return allow_all(filter, calls, ARRAY_LEN(calls));
}

static int allow_sockets(scmp_filter_ctx filter, enum sandbox_for who)
{
    static const uint64_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    static const uint64_t types[] = {SOCK_STREAM, SOCK_DGRAM};
    const size_t family_count = who == SANDBOX_PORTAL ? 1 : ARRAY_LEN(families);
    for (size_t f = 0; f < family_count; f++)
        for (size_t t = 0; t < ARRAY_LEN(types); t++)
            if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, families[f]),
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, types[t])) < 0)
                return -1;
    if (who == SANDBOX_PORTAL)
        return 0;
    /* libc asks for the host's addresses before it sorts those of a name: a question, whatever the type is called */
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
                            SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, SOCK_RAW));
}

/* Shared libraries may still be loaded (name services, OpenSSL's providers): their code is mapped, never written. */
static int allow_memory(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC)) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Threads, no processes. A filter cannot look into clone3()'s arguments; told that it does not exist, libc uses
 * clone(). */
static int allow_threads(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) |
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)) |
           /* reading limits, not setting them */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
}

/* Questions, and whether a socket waits: none of these changes a device. */
static int allow_ioctls(scmp_filter_ctx filter)
{
    static const uint64_t requests[] = {FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ, SIOCGIFINDEX, SIOCGIFNAME};
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, requests[i])) < 0)
            return -1;
    return 0;
}

enum err sandbox_enter(enum sandbox_for who, enum sandbox mode)
{
    scmp_filter_ctx filter = seccomp_init(mode == SANDBOX_LOG ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return ERR_NOMEM;
    enum err e = ERR_SYSTEM;
    if (allow_plain(filter) == 0 && (who != SANDBOX_GATEWAY || allow_changes(filter) == 0) &&
        allow_sockets(filter, who) == 0 && allow_memory(filter) == 0 && allow_threads(filter) == 0 &&
        allow_ioctls(filter) == 0 && seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0) {
        const int result = seccomp_load(filter);
        e = result == 0 ? ERR_OK : result == -EINVAL || result == -ENOSYS ? ERR_UNSUPPORTED : ERR_SYSTEM;
        errno = -result;
    }
    seccomp_release(filter);
    return e;
}
