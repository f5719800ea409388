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

/* Adds one line without a cure, as when all is well. */
__attribute__((format(printf, 5, 6))) static void add(json_t *list, const char *of, const char *state, const char *word,
                                                      const char *text, ...)
{
    struct ctl_check check = {0};
    va_list args;
    snprintf(check.word, sizeof(check.word), "%s", of);
    snprintf(check.state, sizeof(check.state), "%s", state);
    va_start(args, text);
    told_write(&check.told, check.sentence, sizeof(check.sentence), word, text, args);
    va_end(args);
    json_array_append_new(list, ctl_check_json(&check));
}

/* What helps against what the newest line tells. */
static void cure(json_t *list, const char *word, const char *text)
{
    json_t *line = json_array_get(list, json_array_size(list) - 1);
    struct telling told = {0};
    snprintf(told.word, sizeof(told.word), "%s", word);
    json_object_set_new(line, "cure", json_string(text));
    json_object_set_new(line, "cure_told", ctl_told_json(&told));
}

static const char *state_of(bool bad, bool warn)
{
    return bad ? STATE_BAD : warn ? STATE_WARN : STATE_OK;
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
        add(list, "disk", STATE_WARN, TOLD(DISK_UNKNOWN), directory);
        cure(list, TOLD(DISK_UNKNOWN_CURE));
        return;
    }
    const uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
    const bool bad = left < DISK_BAD, warn = left < DISK_WARN;
    add(list, "disk", state_of(bad, warn), TOLD(DISK_FREE), (unsigned long long)(left / MEGABYTE));
    if (warn)
        cure(list, TOLD(DISK_CURE));
}

static void check_store(struct gateway *g, json_t *list)
{
    struct aaa_why why = {0};
    if (aaa_store_check(g->aaa, &why) == ERR_OK) {
        add(list, "store", STATE_OK, TOLD(STORE_GOOD));
        return;
    }
    struct ctl_check check = {.word = "store", .state = STATE_BAD, .told = why.told};
    snprintf(check.sentence, sizeof(check.sentence), "%s", why.sentence);
    json_array_append_new(list, ctl_check_json(&check));
    cure(list, TOLD(STORE_CURE));
}

/* Certificates, one-time codes and ends of users go by the calendar. */
static void check_clock(json_t *list)
{
    struct timex t = {0};
    const bool set = clock_wall() >= CLOCK_SANE, kept = adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);
    if (!set) {
        add(list, "clock", STATE_BAD, TOLD(CLOCK_UNSET));
        cure(list, TOLD(CLOCK_UNSET_CURE));
    } else if (!kept) {
        add(list, "clock", STATE_WARN, TOLD(CLOCK_LOOSE));
        cure(list, TOLD(CLOCK_LOOSE_CURE));
    } else {
        add(list, "clock", STATE_OK, TOLD(CLOCK_GOOD));
    }
}

static void check_forwarding(json_t *list)
{
    char value = '?';
    const int fd = open(FORWARDING, O_RDONLY | O_CLOEXEC);
    const bool told = fd >= 0 && read(fd, &value, 1) == 1;
    if (fd >= 0)
        close(fd);
    if (told && value == '1') {
        add(list, "forwarding", STATE_OK, TOLD(FORWARDING_ON));
    } else if (told) {
        add(list, "forwarding", STATE_BAD, TOLD(FORWARDING_OFF));
        cure(list, TOLD(FORWARDING_OFF_CURE));
    } else {
        add(list, "forwarding", STATE_WARN, TOLD(FORWARDING_UNKNOWN));
        cure(list, TOLD(FORWARDING_UNKNOWN_CURE));
    }
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
    struct first_end first = {0};
    certificates_each_end(g->certificates, take_end, &first);
    const long long left = first.until - clock_wall();
    if (first.until == 0)
        add(list, "certificate", STATE_OK, TOLD(CERTIFICATE_NONE));
    else if (left <= 0)
        add(list, "certificate", STATE_BAD, TOLD(CERTIFICATE_EXPIRED), first.name);
    else
        add(list, "certificate", state_of(left < EXPIRY_BAD, left < EXPIRY_WARN), TOLD(CERTIFICATE_DAYS), first.name,
            left / DAY);
    if (first.until != 0 && left < EXPIRY_WARN)
        cure(list, TOLD(CERTIFICATE_CURE));
}

static void check_pool(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used, uint32_t reserved)
{
    (void)reserved; /* those of users who are not here, too, wait for them */
    const uint64_t percent = size > 0 ? (uint64_t)used * 100 / size : 100;
    add(ctx, "pool", state_of(used >= size, percent >= POOL_WARN), TOLD(POOL_USE), pool->name, used, size);
    if (percent >= POOL_WARN)
        cure(ctx, TOLD(POOL_CURE));
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
    if (drops == 0) {
        add(list, "drops", STATE_OK, TOLD(DROPS_NONE));
        return;
    }
    add(list, "drops", state_of(bad, warn), TOLD(DROPS_SOME), (unsigned long long)drops, (unsigned long long)packets,
        drop_word((enum drop)most));
    if (warn)
        cure(list, TOLD(DROPS_CURE));
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
