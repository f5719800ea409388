/* The journal: what was done to the host, or is about to be, so that another process can undo it. Lines of text, a word
 * and its value, since somebody may have to read it at a bad moment. */
#include "steward/steward_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER     "sekisho-undo 1\n"
#define RECORD_MAX 1024

bool steward_record_matters(const struct steward_record *record)
{
    return record->link || record->routes || record->priority || record->guard || record->resolver != RESOLVER_NONE;
}

enum err steward_record_write(const struct steward_place *place, const struct steward_record *record)
{
    char text[RECORD_MAX], path[STEWARD_PATH];
    const int n = snprintf(text, sizeof(text),
                           HEADER "iface %s\nindex %u\nnumber %u\npriority %u\nlink %u\nmtu %u\nup %u\nroutes %u\n"
                                  "guard %u\nresolver %u\n",
                           record->iface, record->iface_index, record->number, record->priority, record->link,
                           record->old_mtu, record->old_up, record->routes, record->guard, record->resolver);
    steward_place_path(place, place->name, ".undo", path);
    if (!steward_record_matters(record)) {
        if (unlink(path) < 0 && errno != ENOENT)
            return ERR_SYSTEM;
        return ERR_OK;
    }
    return steward_file_write(path, view_of(text, (size_t)n), 0600);
}

/* "word value" at *p, which is moved behind the line's end. */
static bool take_word(char **p, const char *word, char **value)
{
    const size_t n = strlen(word);
    char *end = strchr(*p, '\n');
    if (!end || strncmp(*p, word, n) != 0 || (*p)[n] != ' ')
        return false;
    *end = '\0';
    *value = *p + n + 1;
    *p = end + 1;
    return true;
}

static bool take_number(char **p, const char *word, uint32_t max, uint32_t *out)
{
    char *value, *end;
    if (!take_word(p, word, &value) || value[0] < '0' || value[0] > '9')
        return false;
    errno = 0;
    const unsigned long long v = strtoull(value, &end, 10);
    if (errno || *end || v > max)
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool take_flag(char **p, const char *word, bool *out)
{
    uint32_t v;
    if (!take_number(p, word, 1, &v))
        return false;
    *out = v == 1;
    return true;
}

enum err steward_record_parse(char *text, struct steward_record *out)
{
    struct steward_record r = {.iface = ""};
    char *p = text, *iface;
    if (strncmp(p, HEADER, strlen(HEADER)) != 0)
        return ERR_MALFORMED;
    p += strlen(HEADER);
    if (!take_word(&p, "iface", &iface) || !steward_iface_is_good(iface))
        return ERR_MALFORMED;
    snprintf(r.iface, sizeof(r.iface), "%s", iface);
    const bool good = take_number(&p, "index", INT32_MAX, &r.iface_index) &&
                      take_number(&p, "number", STEWARD_NUMBERS, &r.number) &&
                      take_number(&p, "priority", INT32_MAX, &r.priority) && take_flag(&p, "link", &r.link) &&
                      take_number(&p, "mtu", 65535, &r.old_mtu) && take_flag(&p, "up", &r.old_up) &&
                      take_flag(&p, "routes", &r.routes) && take_flag(&p, "guard", &r.guard) &&
                      take_number(&p, "resolver", RESOLVER_IN_PLACE, &r.resolver) && *p == '\0' && r.number > 0;
    if (!good)
        return ERR_MALFORMED;
    *out = r;
    return ERR_OK;
}

enum err steward_record_read(const struct steward_place *place, struct steward_record *out)
{
    char text[RECORD_MAX], path[STEWARD_PATH];
    struct stat st;
    size_t n;
    steward_place_path(place, place->name, ".undo", path);
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
        return ERR_MALFORMED;
    const enum err e = steward_file_read(path, text, sizeof(text), &n);
    if (e != ERR_OK)
        return e == ERR_LIMIT ? ERR_MALFORMED : e;
    return strlen(text) == n ? steward_record_parse(text, out) : ERR_MALFORMED;
}

enum err steward_journal(struct steward_host *host, const struct steward_record *changed, char why[static STEWARD_WHY])
{
    if (memcmp(&host->record, changed, sizeof(*changed)) == 0)
        return ERR_OK;
    if (steward_record_write(&host->place, changed) != ERR_OK) {
        steward_say(why, "cannot write the journal in %s: %s", host->place.dir, strerror(errno));
        return ERR_SYSTEM;
    }
    host->record = *changed;
    return ERR_OK;
}
