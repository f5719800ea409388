/*
 * What a router knows outlives it in a file beside its control socket, and the next one begins with that. The file is
 * opened while there are rights and written in place: the sandbox allows neither making nor renaming files. It lies in
 * /run, so a boot begins without; what the times in it mean, a boot knows by its number.
 */
#include "router/router_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX  ".state"
#define BOOT_ID "kernel/random/boot_id"
#define SOON    (100 * USEC_MSEC) /* after a change */

/* ---- the file ---- */

/* /run/sekisho/router.sock leads to /run/sekisho/router.state. */
static bool path_of(const char *socket, char out[static PATH_MAX_BYTES])
{
    const size_t n = strlen(socket), stem = n > 5 && strcmp(socket + n - 5, ".sock") == 0 ? n - 5 : n;
    if (stem + sizeof(SUFFIX) > PATH_MAX_BYTES)
        return false;
    memcpy(out, socket, stem);
    memcpy(out + stem, SUFFIX, sizeof(SUFFIX));
    return true;
}

void restart_open(struct router *r)
{
    char path[PATH_MAX_BYTES], boot[64] = "";
    struct stat st;
    r->state = -1;
    if (!r->tracker || !path_of(r->options->socket, path))
        return;
    (void)sysctl_get(BOOT_ID, boot, sizeof(boot));
    r->boot = view_sum(view_str(boot));
    r->state = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (r->state >= 0 && fstat(r->state, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0)
        return;
    router_say(r, "warning", "restart", "%s: %s. A router that starts after this one begins without its bindings.",
               path, r->state < 0 ? strerror(errno) : "is no file of root's");
    if (r->state >= 0)
        close(r->state);
    r->state = -1;
}

static bool read_copy(int fd, unsigned which, uint8_t *out, size_t *n)
{
    return lseek(fd, (off_t)which * SAVED_SIZE, SEEK_SET) >= 0 && fd_read(fd, out, SAVED_SIZE, n) == ERR_OK;
}

/* ---- back ---- */

struct restored {
    uint32_t counts[ROUTER_RESTORES];
    uint32_t inside[ROUTER_INSIDE_MAX];
};

static enum router_restore restore_one(struct router *r, const struct restored *done,
                                       const struct tracker_binding_info *b)
{
    if (address_device(done->inside, r->options->inside_count, b->host) == 0)
        return ROUTER_RESTORE_INSIDE;
    if (!tracker_restore(r->tracker, clock_now(), b))
        return ROUTER_RESTORE_STALE;
    binding_server(r, b->server);
    return ROUTER_RESTORE_DONE;
}

/* Those of the way in come last: tracker_restore(). */
static void restore_way(struct router *r, struct restored *done, struct reader entries, enum tracker_way way)
{
    struct tracker_binding_info b;
    while (saved_next(&entries, &b))
        if (b.way == way)
            done->counts[restore_one(r, done, &b)]++;
    if (!rd_ok(&entries) && way == TRACKER_OUT)
        done->counts[ROUTER_RESTORE_MALFORMED]++;
}

static void restore(struct router *r, const struct saved_head *head, struct reader entries)
{
    struct restored done = {.counts = {0}};
    struct tracker_binding_info b;
    const bool fits = head->outside == r->address && head->boot == r->boot;
    for (size_t i = 0; i < r->options->inside_count; i++)
        done.inside[i] = iface_index(r->options->inside[i]);
    if (fits) {
        restore_way(r, &done, entries, TRACKER_OUT);
        restore_way(r, &done, entries, TRACKER_IN);
    }
    while (!fits && saved_next(&entries, &b))
        done.counts[head->boot == r->boot ? ROUTER_RESTORE_OUTSIDE : ROUTER_RESTORE_BOOT]++;
    for (int i = 0; i < ROUTER_RESTORES; i++)
        if (done.counts[i] > 0)
            router_say(r, "info", "restart", "%s: %u %s", router_restore_word((enum router_restore)i), done.counts[i],
                       router_restore_sentence((enum router_restore)i));
}

void restart_restore(struct router *r)
{
    uint8_t *bytes = r->state >= 0 ? malloc(2 * SAVED_SIZE) : NULL;
    struct saved_head head = {.generation = 0}, other;
    struct reader entries, list;
    bool found = false;
    size_t read = 0;
    r->save_at = r->state >= 0 ? 0 : USEC_NEVER;
    for (unsigned i = 0; bytes && i < 2; i++) {
        size_t n = 0;
        uint8_t *copy = bytes + i * SAVED_SIZE;
        if (read_copy(r->state, i, copy, &n) && saved_open(view_of(copy, n), &other, &list) &&
            (!found || other.generation > head.generation)) {
            head = other;
            entries = list;
            found = true;
        }
        read += n;
    }
    if (found)
        restore(r, &head, entries);
    else if (read > 0)
        router_say(
            r, "warning", "restart",
            "The bindings that a router has left behind cannot be read. They are learnt again from the traffic.");
    r->generation = head.generation;
    free(bytes);
}

/* ---- forth ---- */

void restart_soon(struct router *r)
{
    if (r->state >= 0)
        r->save_at = usec_min(r->save_at, loop_now(r->loop) + SOON);
}

static bool is_kept(const struct tracker_binding_info *b)
{
    return b->host != 0 && (b->ike ? b->way == TRACKER_OUT : b->way == TRACKER_OUT || b->state == TRACKER_STATE_BOUND);
}

static bool write_copy(int fd, unsigned which, struct view v)
{
    return lseek(fd, (off_t)which * SAVED_SIZE, SEEK_SET) >= 0 && fd_write(fd, v) == ERR_OK;
}

void restart_save(struct router *r)
{
    struct tracker_binding_info b;
    size_t n = 0;
    r->save_at = USEC_NEVER;
    if (r->state < 0 || r->address == 0)
        return;
    for (const void *at = NULL; tracker_binding_next(r->tracker, &at, &b);)
        n += is_kept(&b);
    const size_t cap = saved_size(n < SAVED_ENTRIES ? n : SAVED_ENTRIES);
    uint8_t *bytes = malloc(cap);
    if (!bytes)
        return;
    const struct saved_head head = {.outside = r->address, .generation = ++r->generation, .boot = r->boot};
    struct saved_writer s;
    saved_begin(&s, bytes, cap, &head);
    for (const void *at = NULL; tracker_binding_next(r->tracker, &at, &b);)
        if (is_kept(&b) && !saved_add(&s, &b))
            break;
    if (!write_copy(r->state, r->generation & 1, saved_end(&s)) && !r->save_failed) {
        r->save_failed = true;
        router_say(r, "warning", "restart", "The file of bindings cannot be written: %s.", strerror(errno));
    }
    free(bytes);
}
