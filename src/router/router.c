/*
 * The router's life: everything that takes root is opened in a ladder, each step with its own sentence; then the
 * process becomes an ordinary user in a sandbox, who may still change the kernel's tables and nothing else. An orderly
 * end takes the table away. After a crash it stays: the kernel goes on with TCP, UDP and all that is bound, and the
 * next start puts a new table in its place in one transaction
 * (docs/decisions/0022-kernel-forwards-user-space-learns.md).
 */
#include "router/router_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLOWS_MAX   16384
#define COUNT_EVERY (2 * USEC_SEC)
#define SWEEP_EVERY 15                /* counts */
#define SETTLE      (300 * USEC_MSEC) /* an interface tells its new address in several changes */
#define FORWARD     "net/ipv4/ip_forward"

/* ---- telling ---- */

void router_tell(struct router *r, const struct log_line *line)
{
    log_write(r->options->json ? LOG_JSON : r->journal ? LOG_JOURNAL : LOG_TEXT, line);
    if (r->listeners <= 0)
        return;
    char *event = log_event_line(line);
    if (event)
        control_tell(r->control, event);
    ctl_line_free(event);
}

void router_say(struct router *r, const char *level, const char *type, const char *format, ...)
{
    char text[ROUTER_WHY];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    router_tell(r, &(struct log_line){.level = level, .type = type, .text = text});
}

/* Ends the loop with this exit status. */
static void router_end(struct router *r, int status)
{
    r->status = status;
    loop_stop(r->loop);
}

/* ---- the loop ---- */

static void out_ready(void *ctx, uint32_t what)
{
    (void)what;
    learn_ready(ctx, GROUP_OUT);
}

static void in_ready(void *ctx, uint32_t what)
{
    (void)what;
    learn_ready(ctx, GROUP_IN);
}

static void error_ready(void *ctx, uint32_t what)
{
    (void)what;
    learn_ready(ctx, GROUP_ERROR);
}

static void signal_ready(void *ctx, uint32_t what)
{
    struct router *r = ctx;
    (void)what;
    if (signals_read(r->signals) != 0)
        router_end(r, EXIT_OK);
}

static void monitor_ready(void *ctx, uint32_t what)
{
    struct router *r = ctx;
    (void)what;
    const uint32_t changes = monitor_read(r->monitor, 0);
    if (changes & (MONITOR_ADDRESSES | MONITOR_LINKS))
        r->look_at = usec_min(r->look_at, loop_now(r->loop) + SETTLE);
    if (changes)
        shortcut_look(r, changes & (MONITOR_ADDRESSES | MONITOR_ROUTES));
}

static void count(struct router *r, usec_t now)
{
    static unsigned rounds;
    const enum err e = binding_count(r);
    r->count_at = now + COUNT_EVERY;
    restart_soon(r); /* when they were used is kept, too */
    if (e == ERR_NOTFOUND) {
        router_say(r, "error", "kernel",
                   "Somebody has removed the table " ROUTER_TABLE " (nft flush ruleset?). The router ends; start it "
                   "again to set it up anew.");
        router_end(r, EXIT_OTHER);
    } else if (r->tracker && ++rounds % SWEEP_EVERY == 0) {
        binding_sweep(r);
    }
}

static usec_t turn(void *ctx, usec_t now)
{
    struct router *r = ctx;
    if (r->count_at <= now)
        count(r, now);
    if (r->look_at <= now) {
        r->look_at = USEC_NEVER;
        address_look(r);
    }
    if (r->resync_at <= now)
        binding_resync(r);
    if (r->shortcut.empty_at <= now)
        shortcut_empty(r);
    if (r->tracker)
        learn_turn(r, now);
    if (r->save_at <= now)
        restart_save(r);
    usec_t next = usec_min(usec_min(r->count_at, r->save_at), usec_min(r->look_at, r->resync_at));
    next = usec_min(next, r->shortcut.empty_at);
    return r->tracker ? usec_min(next, tracker_deadline(r->tracker)) : next;
}

static void listeners_changed(void *ctx, int change)
{
    struct router *r = ctx;
    r->listeners += change;
}

/* ---- the way up ---- */

static bool check_interfaces(struct router *r, char why[static ROUTER_WHY])
{
    const struct router_options *o = r->options;
    for (size_t i = 0; i <= o->inside_count; i++) {
        const char *name = i < o->inside_count ? o->inside[i] : o->outside;
        if (iface_index(name) == 0) {
            snprintf(why, ROUTER_WHY, "There is no interface %.15s. 'ip link' lists those that there are.", name);
            return false;
        }
        if (i < o->inside_count && strcmp(name, o->outside) == 0) {
            snprintf(why, ROUTER_WHY, "The interface %.15s cannot be inside and outside.", name);
            return false;
        }
    }
    if (address_of(o->outside, &r->address))
        return true;
    snprintf(why, ROUTER_WHY, "The outside interface %.15s has no IPv4 address yet. Give it one, or wait for DHCP.",
             o->outside);
    return false;
}

static bool open_loop(struct router *r, char why[static ROUTER_WHY])
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    r->loop = loop_new();
    if (r->loop && signals_open(numbers, ARRAY_LEN(numbers), &r->signals) == ERR_OK &&
        loop_add(r->loop, r->signals, LOOP_READ, signal_ready, r) == ERR_OK && monitor_open(&r->monitor) == ERR_OK &&
        loop_add(r->loop, r->monitor, LOOP_READ, monitor_ready, r) == ERR_OK)
        return true;
    snprintf(why, ROUTER_WHY, "No more files can be opened: %s.", strerror(errno));
    return false;
}

static bool open_control(struct router *r, char why[static ROUTER_WHY])
{
    char reason[ROUTER_WHY - 64];
    const struct passwd *user = getpwnam(r->options->user);
    const struct control_config config = {
        .loop = r->loop,
        .path = r->options->socket,
        .own_uid = user ? user->pw_uid : 0,
        .refusal = "Only root may ask the router.",
        .answer = router_answer,
        .listeners = listeners_changed,
        .ctx = r,
    };
    if (strcmp(r->options->socket, ROUTER_DEFAULT_SOCKET) == 0)
        (void)mkdir("/run/sekisho", 0755); /* systemd's unit has made it */
    r->control = control_new(&config, reason, sizeof(reason));
    if (!r->control)
        snprintf(why, ROUTER_WHY, "The control socket: %s.", reason);
    return r->control != NULL;
}

static bool open_learning(struct router *r, char why[static ROUTER_WHY])
{
    static void (*const ready[GROUP_COUNT])(void *ctx, uint32_t what) = {out_ready, in_ready, error_ready};
    r->flows = flows_new(FLOWS_MAX);
    if (!r->flows || (r->options->passthrough && !learn_init(r))) {
        snprintf(why, ROUTER_WHY, "There is no memory.");
        return false;
    }
    for (int i = 0; r->tracker && i < GROUP_COUNT; i++)
        if (loop_add(r->loop, kernel_group_fd(r->kernel, (enum router_group)i), LOOP_READ, ready[i], r) != ERR_OK)
            return false;
    batch_begin(&r->batch);
    return true;
}

static bool set_up_table(const struct router *r, char why[static ROUTER_WHY])
{
    char ruleset[RULESET_MAX], message[ROUTER_WHY - 192];
    if (!ruleset_write(r->options, r->address, ruleset)) {
        snprintf(why, ROUTER_WHY, "The names of the interfaces are too long for a table.");
        return false;
    }
    const enum err e = nft_apply(view_str(ruleset), message, sizeof(message));
    if (e == ERR_NOTFOUND)
        snprintf(why, ROUTER_WHY, "The program nft is not there. Install nftables.");
    else if (e != ERR_OK)
        snprintf(why, ROUTER_WHY,
                 "The kernel or nft refuses the table: %s (it takes nf_tables with nat, masquerade, log, fib, ct and "
                 "limit)",
                 message[0] ? message : strerror(errno));
    return e == ERR_OK;
}

static bool become_ordinary(struct router *r, char why[static ROUTER_WHY])
{
    const char *user = r->options->user;
    if (memory_protect() != ERR_OK)
        router_say(r, "warning", "router", "Memory cannot be locked: %s. It may be swapped out.", strerror(errno));
    const enum err e = privilege_drop(user, NULL, RIGHT_NET_ADMIN);
    if (e != ERR_OK) {
        snprintf(why, ROUTER_WHY,
                 "Cannot become the user %.64s: %s. Make it with 'useradd --system %.64s', or say "
                 "--run-as root.",
                 user, e == ERR_NOTFOUND ? "there is none" : strerror(errno), user);
        return false;
    }
    if (SANDBOXED && sandbox_enter(SANDBOX_CLIENT, SANDBOX_KILL) != ERR_OK)
        router_say(r, "warning", "router", "This kernel has no seccomp; the router runs without its sandbox.");
    return true;
}

static bool set_up_forwarding(bool *was_off, char why[static ROUTER_WHY])
{
    char value[8] = "";
    *was_off = sysctl_get(FORWARD, value, sizeof(value)) == ERR_OK && value[0] == '0';
    if (!*was_off || sysctl_set(FORWARD, "1") == ERR_OK)
        return true;
    snprintf(why, ROUTER_WHY, "Forwarding (net.ipv4.ip_forward) cannot be switched on: %s.", strerror(errno));
    return false;
}

static void take_down(struct router *r, bool was_off)
{
    batch_begin(&r->batch);
    (void)batch_delete_table(&r->batch, TABLE_RULES);
    if (r->shortcut.there)
        (void)batch_delete_table(&r->batch, TABLE_SHORTCUT);
    if (kernel_commit(r->kernel, &r->batch) != ERR_OK && errno != ENOENT)
        router_say(r, "warning", "kernel", "The table " ROUTER_TABLE " cannot be removed: %s.", strerror(errno));
    if (was_off && sysctl_set(FORWARD, "0") != ERR_OK)
        router_say(r, "warning", "kernel", "Forwarding cannot be switched off again: %s.", strerror(errno));
}

static void close_all(struct router *r)
{
    control_free(r->control);
    learn_done(r);
    shortcut_done(r);
    flows_free(r->flows);
    free(r->servers);
    kernel_close(r->kernel);
    if (r->signals >= 0)
        close(r->signals);
    if (r->monitor >= 0)
        close(r->monitor);
    if (r->state >= 0)
        close(r->state);
    loop_free(r->loop);
}

/* With the table in place. */
static bool serve(struct router *r, char why[static ROUTER_WHY])
{
    char address[IP_TEXT_MAX];
    const struct ip_addr a = ip4_addr(r->address);
    if (!become_ordinary(r, why))
        return false;
    r->started_wall = clock_wall();
    r->journal = fd_is_journal(STDERR_FILENO);
    r->count_at = clock_now() + COUNT_EVERY;
    r->look_at = 0; /* it may have changed since it was asked for */
    r->resync_at = USEC_NEVER;
    restart_restore(r);
    if (r->tracker)
        learn_turn(r, clock_now());
    loop_on_turn(r->loop, turn, r);
    router_say(r, "info", "router", "Up: passthrough %s, outside %s with %s.", r->options->passthrough ? "on" : "off",
               r->options->outside, ip_text(&a, address));
    (void)notify_service("READY=1");
    if (loop_run(r->loop) != ERR_OK)
        r->status = EXIT_OTHER;
    restart_save(r);
    (void)notify_service("STOPPING=1");
    return true;
}

static bool run(struct router *r, char why[static ROUTER_WHY])
{
    bool was_off = false;
    r->kernel = kernel_open(r->options, why);
    if (!r->kernel || !open_loop(r, why) || !open_control(r, why) || !open_learning(r, why))
        return false;
    restart_open(r);
    if (!set_up_table(r, why))
        return false;
    shortcut_set_up(r);
    const bool served = set_up_forwarding(&was_off, why) && serve(r, why);
    take_down(r, was_off);
    return served;
}

int router_run(const struct router_options *options)
{
    char why[ROUTER_WHY] = "";
    static struct router router;
    struct router *r = &router;
    *r = (struct router){.options = options, .signals = -1, .monitor = -1, .state = -1};
    int status = EXIT_OTHER;
    if (geteuid() != 0) {
        snprintf(why, sizeof(why), "It takes root to route for others.");
        status = cause_exit_status(CAUSE_NO_RIGHTS);
    } else if (!check_interfaces(r, why)) {
        status = cause_exit_status(CAUSE_NO_NETWORK);
    } else if (run(r, why)) {
        status = r->status;
    }
    if (why[0])
        fprintf(stderr, "sekisho-router: %s\n", why);
    close_all(r);
    return status;
}
