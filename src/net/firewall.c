/* Rules for nftables through its own program, one transaction a call. */
#include "net/net_internal.h"

#include <stdio.h>

#define TABLE_NAME_MAX 96
#define NFT_TIME       (10 * USEC_SEC)

enum err nft_apply(struct view ruleset, char *message, size_t cap)
{
    if (cap > 0)
        message[0] = '\0';
    char program[PROGRAM_PATH];
    if (!program_find("nft", program))
        return ERR_NOTFOUND;
    const char *const argv[] = {program, "-f", "-", NULL};
    return program_run(argv, ruleset, NFT_TIME, message, cap);
}

static bool is_word(const char *s)
{
    const size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return n > 0 && n <= TABLE_NAME_MAX && s[n] == '\0';
}

enum err nft_table_remove(const char *family, const char *table)
{
    char text[4 * TABLE_NAME_MAX + 64], message[256];
    if (!is_word(family) || !is_word(table))
        return ERR_INVALID;
    /* Added first, so that removing one that is not there is no error. */
    const int n = snprintf(text, sizeof(text), "add table %s %s\ndelete table %s %s\n", family, table, family, table);
    if (n < 0 || (size_t)n >= sizeof(text))
        return ERR_LIMIT;
    return nft_apply(view_of(text, (size_t)n), message, sizeof(message));
}
