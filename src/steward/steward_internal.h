/* What the files of the steward share. */
#ifndef SEKISHO_STEWARD_INTERNAL_H
#define SEKISHO_STEWARD_INTERNAL_H

#include "net/net.h"
#include "steward/steward.h"

#include <string.h>

/* ---- numbers: mark and table ----
 *
 * A steward's number, 1 to STEWARD_NUMBERS, gives its mark and its table. All marks are of one class, and no tunnel's
 * table is for packets of that class: two tunnels cannot swallow each other's packets in a circle. */

#define STEWARD_NUMBERS    200
#define STEWARD_MARK_CLASS 0x5e4b0000u
#define STEWARD_MARK_MASK  0xffffff00u
#define STEWARD_TABLES     21000u

static inline uint32_t steward_number_mark(uint32_t number)
{
    return STEWARD_MARK_CLASS | number;
}

static inline uint32_t steward_number_table(uint32_t number)
{
    return STEWARD_TABLES + number;
}

/* Chooses a number whose mark and table nobody uses, and keeps it as long as `marks` (steward_marks_open()) is open.
 * ERR_LIMIT: there is none. */
enum err steward_number_choose(int marks, uint32_t *number);
/* Two neighbouring priorities that no rule of either family has; 0: there are none. */
uint32_t steward_priority_choose(void);

/* ---- the state directory ---- */

struct steward_place {
    char dir[128];
    char name[STEWARD_NAME_MAX];
    int lock;  /* NAME.lock: as long as it is held, a steward of this name lives; while it acts, there is text in it */
    int marks; /* the file `marks`, whose bytes stand for numbers; byte 0 is for acts on what stewards share */
};

/* Makes the directory and takes the name's lock. ERR_EXISTS: somebody has it. */
enum err steward_place_open(const char *dir, const char *name, struct steward_place *out, char why[static STEWARD_WHY]);
void steward_place_close(struct steward_place *place);
/* One steward at a time: waits. */
void steward_place_enter(const struct steward_place *place);
void steward_place_leave(const struct steward_place *place);

#define STEWARD_PATH 256
/* "DIR/STEM" and the suffix; returns out. */
const char *steward_place_path(const struct steward_place *place, const char *stem, const char *suffix,
                               char out[static STEWARD_PATH]);

#define STEWARD_TEMPORARY ".sekisho.new" /* a file's name while it is written */

/* A file as a whole, with these permissions. Atomic. */
enum err steward_file_write(const char *path, struct view bytes, mode_t mode);
/* ERR_LIMIT: longer than cap - 1. Ends with NUL. ERR_NOTFOUND. */
enum err steward_file_read(const char *path, char *out, size_t cap, size_t *n);

/* ---- the record of what was done: the journal ---- */

enum resolver {
    RESOLVER_NONE,
    RESOLVER_RESOLVED, /* systemd-resolved, by resolvectl */
    RESOLVER_RESOLVCONF,
    RESOLVER_FILE,     /* /etc/resolv.conf replaced */
    RESOLVER_IN_PLACE, /* /etc/resolv.conf, which is a mount point, written over */
};

struct steward_record {
    char iface[STEWARD_IFACE];
    uint32_t iface_index, number;
    uint32_t priority; /* of the first of two rules; 0: none were made */
    bool link;         /* MTU and state are changed, addresses may have been added */
    uint32_t old_mtu;
    bool old_up;
    bool routes;       /* the table may hold routes */
    bool guard;        /* the nft table may be there */
    uint32_t resolver; /* enum resolver */
};

enum err steward_record_write(const struct steward_place *place, const struct steward_record *record);
/* ERR_NOTFOUND: there is none. ERR_MALFORMED: it is not one that root has written. */
enum err steward_record_read(const struct steward_place *place, struct steward_record *out);
/* Reads a journal's text, which it cuts into words. ERR_MALFORMED. */
enum err steward_record_parse(char *text, struct steward_record *out);
/* Whether something is left to undo. */
bool steward_record_matters(const struct steward_record *record);

/* ---- the host, as one steward sees and changes it ---- */

struct steward_host {
    struct steward_place place;
    struct steward_record record;
    struct steward_plan plan; /* as applied; all zero: as found */
    struct ip_addr former_dns[STEWARD_DNS];
    size_t former_dns_count;
};

/* Writes the record when it has changed, before the act. */
enum err steward_journal(struct steward_host *host, const struct steward_record *changed, char why[static STEWARD_WHY]);

/* The parts of a plan. Each makes its part of the host as planned, by what the kernel and the record say of today; with
 * a plan of zero it undoes. On failure `why` holds a sentence. */
enum err steward_guard_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);
enum err steward_link_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);
enum err steward_routes_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);
enum err steward_rules_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);
enum err steward_filter_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);
enum err steward_dns_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);

/* All parts, in order; on failure as before. */
enum err steward_host_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);
/* All that can be undone, even when a part fails. `why`: the first failure, or a remark. */
enum err steward_host_undo(struct steward_host *host, char why[static STEWARD_WHY]);
/* Undoes what the journal of this place, and a resolv.conf of this name, tell of. */
enum err steward_host_clean(struct steward_host *host, char why[static STEWARD_WHY]);

#define STEWARD_TABLE_TEXT 8192 /* bytes of an nft table's text with NUL */

/* Whether replies from the server could be dropped, as an interface takes packets only from where it would send to
 * (rp_filter 1). */
bool steward_filter_is_strict(const char *own_iface);
/* The rules for a plan; an empty text when none are needed. ERR_LIMIT: too long. */
enum err steward_guard_text(const struct steward_host *host, const struct steward_plan *plan, bool strict, char *out,
                            size_t cap);

/* ---- /etc/resolv.conf ---- */

/* Puts ours in place of the file; where that is a mount point, *resolver becomes RESOLVER_IN_PLACE after the former
 * bytes were kept in the state directory. */
enum err steward_resolv_conf_put(const struct steward_host *host, const struct steward_plan *plan,
                                 char why[static STEWARD_WHY]);
enum err steward_resolv_conf_overwrite(const struct steward_host *host, const struct steward_plan *plan,
                                       char why[static STEWARD_WHY]);
/* Whether the one that the host reads is ours and unchanged. */
bool steward_resolv_conf_stands(const char *name);
/* Puts the former one back, whichever way it was kept. Harmless when there is nothing of ours. `why`: a remark when
 * somebody else has changed it. */
enum err steward_resolv_conf_restore(const struct steward_place *place, char why[static STEWARD_WHY]);

/* ---- what client and steward say to each other ---- */

enum steward_verb { STEWARD_APPLY = 1, STEWARD_UNDO = 2 };

struct steward_request {
    enum steward_verb verb;
    struct steward_plan plan;
};

#define STEWARD_ADDR_SIZE 17
#define STEWARD_REQUEST_SIZE                                                                                           \
    (2 + 4 * STEWARD_ADDR_SIZE + 4 + 1 + 3 + STEWARD_ROUTES * (STEWARD_ADDR_SIZE + 1) +                                \
     STEWARD_DNS * STEWARD_ADDR_SIZE + STEWARD_DOMAINS * STEWARD_DOMAIN)
#define STEWARD_REPLY_SIZE (1 + 4 + STEWARD_WHY)

struct steward_reply {
    enum err result;
    uint32_t mark;
    char why[STEWARD_WHY];
};

/* ERR_INVALID: a count or a text is too long to be said. */
enum err steward_request_write(const struct steward_request *request, uint8_t out[static STEWARD_REQUEST_SIZE]);
/* ERR_MALFORMED: not of this form. It is not judged yet. */
enum err steward_request_read(struct view bytes, struct steward_request *out);
/* Whether a plan is one that may be carried out: `why` names the field. */
enum err steward_plan_judge(const struct steward_plan *plan, char why[static STEWARD_WHY]);
void steward_reply_write(const struct steward_reply *reply, uint8_t out[static STEWARD_REPLY_SIZE]);
enum err steward_reply_read(struct view bytes, struct steward_reply *out);

bool steward_name_is_good(const char *name);
bool steward_iface_is_good(const char *name);

/* ---- the process ---- */

/* The first message to a steward, as the memory of this one program; NUL-terminated. */
struct steward_order {
    char name[STEWARD_NAME_MAX], dir[128], iface[STEWARD_IFACE];
};

/* The steward's life, which begins with waiting for its order; does not return. */
_Noreturn void steward_serve(int fd);

__attribute__((format(printf, 2, 3))) void steward_say(char why[static STEWARD_WHY], const char *format, ...);

#endif
