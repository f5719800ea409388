/*
 * The event loop: epoll, one clock reading a wake-up, and one function at the end of every turn.
 *
 * Sleeping and waking is a handshake of two flags. A waker raises `pending` and then looks whether the loop is
 * `asleep`; the loop declares itself asleep and then looks at `pending`. Whoever comes second sees the other, so that a
 * wake-up is never lost, and one to a loop that is awake costs no system call.
 */
#include "net/net_internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 64 /* descriptors handled in one iteration */

#define WATCHES_STEP 8

struct watch {
    int fd;
    void (*ready)(void *ctx, uint32_t what); /* NULL: a free place */
    void *ctx;
    uint32_t generation; /* tells an event for an earlier user of the same place */
};

struct loop {
    int epoll, event;
    struct watch *watches; /* few, in any order: an event names its place */
    size_t n_watches;
    usec_t (*turn)(void *ctx, usec_t now);
    void *turn_ctx;
    usec_t now, deadline, spin;
    bool busy; /* the last iteration had work */
    atomic_bool pending, asleep, stop;
};

usec_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (usec_t)t.tv_sec * USEC_SEC + (usec_t)t.tv_nsec / 1000;
}

usec_t clock_boot(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (usec_t)t.tv_sec * USEC_SEC + (usec_t)t.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
    return (int64_t)time(NULL);
}

static void drain_event(void *ctx, uint32_t what)
{
    (void)what;
    const struct loop *loop = ctx;
    uint64_t n;
    while (read(loop->event, &n, sizeof(n)) > 0)
        ;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return NULL;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->deadline = USEC_NEVER;
    loop->now = clock_now();
    if (loop->epoll < 0 || loop->event < 0 || loop_add(loop, loop->event, LOOP_READ, drain_event, loop) != ERR_OK) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->event >= 0)
        close(loop->event);
    free(loop->watches);
    free(loop);
}

static uint32_t epoll_bits(uint32_t interest)
{
    return (interest & LOOP_READ ? (uint32_t)EPOLLIN : 0) | (interest & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static uint32_t loop_bits(uint32_t events)
{
    return (events & EPOLLIN ? LOOP_READ : 0) | (events & EPOLLOUT ? LOOP_WRITE : 0) |
           (events & (EPOLLERR | EPOLLHUP) ? LOOP_ERROR : 0);
}

static struct epoll_event event_of(const struct loop *loop, size_t place, uint32_t interest)
{
    const uint64_t generation = loop->watches[place].generation;
    return (struct epoll_event){.events = epoll_bits(interest), .data.u64 = generation << 32 | (uint32_t)place};
}

static struct watch *find_watch(const struct loop *loop, int fd)
{
    for (size_t i = 0; i < loop->n_watches; i++)
        if (loop->watches[i].ready && loop->watches[i].fd == fd)
            return &loop->watches[i];
    return NULL;
}

static enum err free_place(struct loop *loop, size_t *place)
{
    for (*place = 0; *place < loop->n_watches; (*place)++)
        if (!loop->watches[*place].ready)
            return ERR_OK;
    struct watch *watches = realloc(loop->watches, (loop->n_watches + WATCHES_STEP) * sizeof(*watches));
    if (!watches)
        return ERR_NOMEM;
    memset(watches + loop->n_watches, 0, WATCHES_STEP * sizeof(*watches));
    loop->watches = watches;
    loop->n_watches += WATCHES_STEP;
    return ERR_OK;
}

enum err loop_add(struct loop *loop, int fd, uint32_t interest, void (*ready)(void *ctx, uint32_t what), void *ctx)
{
    size_t place;
    if (fd < 0 || !ready)
        return ERR_INVALID;
    if (find_watch(loop, fd))
        return ERR_EXISTS;
    const enum err e = free_place(loop, &place);
    if (e != ERR_OK)
        return e;
    struct watch *w = &loop->watches[place];
    w->generation++;
    struct epoll_event event = event_of(loop, place, interest);
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return ERR_SYSTEM;
    w->fd = fd;
    w->ready = ready;
    w->ctx = ctx;
    return ERR_OK;
}

enum err loop_change(struct loop *loop, int fd, uint32_t interest)
{
    const struct watch *w = find_watch(loop, fd);
    if (!w)
        return ERR_NOTFOUND;
    struct epoll_event event = event_of(loop, (size_t)(w - loop->watches), interest);
    return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) < 0 ? ERR_SYSTEM : ERR_OK;
}

void loop_remove(struct loop *loop, int fd)
{
    struct watch *w = find_watch(loop, fd);
    if (!w)
        return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    w->ready = NULL;
}

void loop_on_turn(struct loop *loop, usec_t (*turn)(void *ctx, usec_t now), void *ctx)
{
    loop->turn = turn;
    loop->turn_ctx = ctx;
}

void loop_set_spin(struct loop *loop, usec_t duration)
{
    loop->spin = duration;
}

usec_t loop_now(const struct loop *loop)
{
    return loop->now;
}

/* Looks for events over and over instead of sleeping, until `until` or a wake-up. A wake-up from sleep costs more than
 * the packets that come within the next microseconds of a busy time. */
static int poll_awake(struct loop *loop, struct epoll_event *events, usec_t until)
{
    int n;
    do
        n = epoll_wait(loop->epoll, events, EVENTS_MAX, 0);
    while (n == 0 && !atomic_load(&loop->pending) && !atomic_load(&loop->stop) && clock_now() < until);
    return n;
}

static int sleep_until(struct loop *loop, struct epoll_event *events, usec_t deadline)
{
    atomic_store(&loop->asleep, true);
    const usec_t now = clock_now();
    int n;
    if (atomic_load(&loop->pending) || deadline <= now) {
        n = epoll_wait(loop->epoll, events, EVENTS_MAX, 0);
    } else if (deadline == USEC_NEVER) {
        n = epoll_wait(loop->epoll, events, EVENTS_MAX, -1);
    } else {
        const usec_t left = deadline - now;
        const struct timespec t = {.tv_sec = (time_t)(left / USEC_SEC), .tv_nsec = (long)(left % USEC_SEC * 1000)};
        n = epoll_pwait2(loop->epoll, events, EVENTS_MAX, &t, NULL);
        if (n < 0 && errno == ENOSYS) { /* before Linux 5.11: whole milliseconds, rounded up */
            const usec_t msec = left / USEC_MSEC + 1;
            n = epoll_wait(loop->epoll, events, EVENTS_MAX, msec > 3600000 ? 3600000 : (int)msec);
        }
    }
    atomic_store(&loop->asleep, false);
    return n;
}

static void dispatch(struct loop *loop, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        const size_t place = (uint32_t)events[i].data.u64;
        const uint32_t generation = (uint32_t)(events[i].data.u64 >> 32);
        const struct watch w = loop->watches[place];
        if (!w.ready || w.generation != generation)
            continue; /* removed by an earlier function of this iteration */
        w.ready(w.ctx, loop_bits(events[i].events));
    }
}

static void take_turn(struct loop *loop)
{
    if (loop->turn)
        loop->deadline = loop->turn(loop->turn_ctx, loop->now);
}

enum err loop_once(struct loop *loop, usec_t max_wait)
{
    struct epoll_event events[EVENTS_MAX];
    const usec_t start = clock_now();
    const usec_t limit = max_wait > USEC_NEVER - start ? USEC_NEVER : start + max_wait;
    const usec_t deadline = usec_min(loop->deadline, limit);
    int n = 0;
    if (loop->busy && loop->spin > 0)
        n = poll_awake(loop, events, usec_min(deadline, start + loop->spin));
    if (n == 0)
        n = sleep_until(loop, events, deadline);
    if (n < 0 && errno != EINTR)
        return ERR_SYSTEM;
    const bool woken = atomic_exchange(&loop->pending, false);
    loop->busy = n > 0 || woken;
    loop->now = clock_now();
    dispatch(loop, events, n);
    take_turn(loop);
    return ERR_OK;
}

enum err loop_run(struct loop *loop)
{
    enum err e = ERR_OK;
    loop->now = clock_now();
    take_turn(loop);
    while (e == ERR_OK && !atomic_load(&loop->stop))
        e = loop_once(loop, USEC_NEVER);
    atomic_store(&loop->stop, false);
    return e;
}

int loop_fd(const struct loop *loop)
{
    return loop->epoll;
}

void loop_wake(struct loop *loop)
{
    if (atomic_exchange(&loop->pending, true) || !atomic_load(&loop->asleep))
        return;
    const uint64_t one = 1;
    const int saved = errno;
    /* Cannot fail but by overflow, and then the descriptor is readable already. */
    if (write(loop->event, &one, sizeof(one)) < 0)
        errno = saved;
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stop, true);
    loop_wake(loop);
}
