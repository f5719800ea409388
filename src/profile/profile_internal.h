/* The parts of profile: table.c is the schema, profile.c the whole and its judge, key.c bytes of keys, files.c what is
 * read from files, keyfile.c the syntax of NetworkManager's files and nm.c their meaning. */
#ifndef SEKISHO_PROFILE_INTERNAL_H
#define SEKISHO_PROFILE_INTERNAL_H

#include "profile/profile.h"

extern const struct schema profile_schema;

/* The bytes of a key as psk_encoding says. ERR_INVALID: it is not written so; ERR_LIMIT: it is too long. */
enum err profile_key_decode(const char *encoding, const char *text, struct secret *out);
/* The same of a profile that has one, in a sentence; without one *key is untouched. */
enum err profile_key_check(const struct profile *p, struct secret *key, struct config_error *e);

/* ---- NetworkManager's keyfile: [group], key=value ---- */

#define KEYFILE_ENTRIES_MAX 256
#define KEYFILE_VALUE_MAX   1024

struct keyfile_entry {
    char group[32], key[64];
    char value[KEYFILE_VALUE_MAX]; /* unescaped */
    uint32_t line;
    bool used;
};

struct keyfile {
    struct keyfile_entry *entry;
    size_t count;
};

/* ERR_INVALID with the sentence, ERR_NOMEM. */
enum err keyfile_parse(struct view text, struct keyfile *out, struct config_error *e);
void keyfile_done(struct keyfile *k); /* wipes; harmless when nothing is in it */
/* The last of that name, marked as used; NULL: not there, or empty. */
const char *keyfile_get(struct keyfile *k, const char *group, const char *key);

#endif
