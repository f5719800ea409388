/* health: what the gateway needs of its host and itself, each with a sentence and, where something is wrong, a cure. */
#include "gateway/answer.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#define MEGABYTE    (UINT64_C(1) << 20)
#define DISK_WARN   (256 * MEGABYTE)
#define DISK_BAD    (32 * MEGABYTE)
#define CLOCK_SANE  INT64_C(1735689600) /* 2025: no clock that was ever set says less */
#define DAY         86400
#define EXPIRY_WARN (30 * DAY)
#define EXPIRY_BAD  (3 * DAY)
#define POOL_WARN   80  /* percent */
#define DROPS_LEAST 100 /* fewer are nothing to speak of */
#define DROPS_WARN  100 /* a hundredth of all packets */
#define DROPS_BAD   10
#define FORWARDING  "/proc/sys/net/ipv4/ip_forward"
#define STATE_OK    "ok"
#define STATE_WARN  "warn"
#define STATE_BAD   "bad"

/* One line; cure is "" when all is well. */
__attribute__((format(printf, 5, 6))) static void add(json_t *list, const char *word, const char *state,
                                                      const char *cure, const char *format, ...)
{
    struct ctl_check check = {0};
    va_list args;
    snprintf(check.word, sizeof(check.word), "%s", word);
    snprintf(check.state, sizeof(check.state), "%s", state);
    snprintf(check.cure, sizeof(check.cure), "%s", cure);
    va_start(args, format);
    vsnprintf(check.sentence, sizeof(check.sentence), format, args);
    va_end(args);
    json_array_append_new(list, ctl_check_json(&check));
}

/* ---- the host ---- */

static void check_disk(struct gateway *g, json_t *list)
{
    char path[CONFIG_PATH_MAX];
    struct statvfs fs;
    memcpy(path, g->config->users.database, sizeof(path));
    const char *directory = dirname(path);
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool told = fd >= 0 && fstatvfs(fd, &fs) == 0;
    if (fd >= 0)
        close(fd);
    if (!told) {
        add(list, "disk", STATE_WARN, "Look whether the directory is there and may be read.",
            "How much room %s has cannot be told.", directory);
        return;
    }
    const uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
    const bool bad = left < DISK_BAD, warn = left < DISK_WARN;
    add(list, "disk",
        bad    ? STATE_BAD
        : warn ? STATE_WARN
               : STATE_OK,
        warn ? "Make room: without it no login is noted down and no user can be changed." : "",
        "%llu MB are free for the user store.", (unsigned long long)(left / MEGABYTE));
}

static void check_store(struct gateway *g, json_t *list)
{
    char why[AAA_WHY_MAX] = "";
    if (aaa_store_check(g->aaa, why) == ERR_OK)
        add(list, "store", STATE_OK, "", "The user store is whole and can be written.");
    else
        add(list, "store", STATE_BAD, "See the disk; if the file is damaged, stop the gateway and bring back a copy.",
            "%s", why);
}

/* Certificates, one-time codes and ends of users go by the calendar. */
static void check_clock(json_t *list)
{
    struct timex t = {0};
    const bool set = clock_wall() >= CLOCK_SANE, kept = adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);
    if (!set)
        add(list, "clock", STATE_BAD, "Set the clock, and keep it with NTP.", "The clock of this host was never set.");
    else if (!kept)
        add(list, "clock", STATE_WARN, "Keep the clock with NTP, for one with timedatectl set-ntp true.",
            "Nothing keeps the clock of this host: one-time codes and certificates fail when it drifts.");
    else
        add(list, "clock", STATE_OK, "", "The clock of this host is kept by NTP.");
}

static void check_forwarding(json_t *list)
{
    char value = '?';
    const int fd = open(FORWARDING, O_RDONLY | O_CLOEXEC);
    const bool told = fd >= 0 && read(fd, &value, 1) == 1;
    if (fd >= 0)
        close(fd);
    if (told && value == '1')
        add(list, "forwarding", STATE_OK, "", "The host forwards packets.");
    else if (told)
        add(list, "forwarding", STATE_BAD, "Write 1 into " FORWARDING ", and find out what took it away.",
            "The host does not forward packets: clients reach the gateway and nothing behind it.");
    else
        add(list, "forwarding", STATE_WARN, "Look into " FORWARDING ".", "Whether the host forwards cannot be told.");
}

/* ---- the gateway ---- */

struct first_end {
    char name[CONFIG_NAME_MAX];
    int64_t until; /* 0: there is no certificate */
};

static void take_end(void *ctx, const char *name, int64_t until)
{
    struct first_end *first = ctx;
    if (first->until != 0 && first->until <= until)
        return;
    first->until = until;
    snprintf(first->name, sizeof(first->name), "%s", name);
}

static void check_certificates(struct gateway *g, json_t *list)
{
    static const char cure[] = "Issue a new one with 'sekisho pki issue' and read the configuration again.";
    struct first_end first = {0};
    certificates_each_end(g->certificates, take_end, &first);
    const long long left = first.until - clock_wall();
    if (first.until == 0)
        add(list, "certificate", STATE_OK, "", "The gateway has no certificate to expire.");
    else if (left <= 0)
        add(list, "certificate", STATE_BAD, cure, "The certificate \"%s\" has expired; clients refuse it.", first.name);
    else
        add(list, "certificate",
            left < EXPIRY_BAD    ? STATE_BAD
            : left < EXPIRY_WARN ? STATE_WARN
                                 : STATE_OK,
            left < EXPIRY_WARN ? cure : "", "The certificate \"%s\" is good for %lld days.", first.name, left / DAY);
}

static void check_pool(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used, uint32_t reserved)
{
    (void)reserved; /* those of users who are not here, too, wait for them */
    const uint64_t percent = size > 0 ? (uint64_t)used * 100 / size : 100;
    add(ctx, "pool",
        used >= size           ? STATE_BAD
        : percent >= POOL_WARN ? STATE_WARN
                               : STATE_OK,
        percent >= POOL_WARN ? "Give the pool a wider range, or end sessions that nobody needs." : "",
        "The pool \"%s\" has %u of %u addresses in use.", pool->name, used, size);
}

static void check_drops(struct gateway *g, json_t *list)
{
    const struct stack_counters c = answer_counters(g);
    const uint64_t packets = c.in_packets + c.out_packets;
    uint64_t drops = 0;
    int most = 1;
    for (int i = 1; i < DROP_COUNT; i++) {
        drops += c.drops[i];
        most = c.drops[i] > c.drops[most] ? i : most;
    }
    const bool few = drops < DROPS_LEAST;
    const bool bad = !few && drops > packets / DROPS_BAD, warn = !few && drops > packets / DROPS_WARN;
    if (drops == 0)
        add(list, "drops", STATE_OK, "", "No packet was dropped.");
    else
        add(list, "drops",
            bad    ? STATE_BAD
            : warn ? STATE_WARN
                   : STATE_OK,
            warn ? "See 'sekisho status --drops' for all of them." : "",
            "%llu packets were dropped beside %llu that went through; most often: %s", (unsigned long long)drops,
            (unsigned long long)packets, drop_sentence((enum drop)most));
}

char *answer_health(struct gateway *g, const struct ctl_request *r)
{
    json_t *list = json_array();
    (void)r;
    check_disk(g, list);
    check_store(g, list);
    check_clock(list);
    check_forwarding(list);
    check_certificates(g, list);
    aaa_pool_each(g->aaa, check_pool, list);
    check_drops(g, list);
    return ctl_reply_ok(ctl_data("checks", list));
}
