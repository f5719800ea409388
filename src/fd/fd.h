/*
 * Files, pipes and memory behind a descriptor, read and written whole: the kernel may give or take less at a time than
 * it was asked for, and a signal may come between. Not for descriptors that do not block; those are net's.
 */
#ifndef SEKISHO_FD_H
#define SEKISHO_FD_H

#include "base/base.h"

/* Writes all of it. ERR_SYSTEM with errno; some of it may have gone out then. */
enum err fd_write(int fd, struct view bytes);
/* Reads cap bytes, or fewer where the end comes before. *n tells how many there are in out, also on failure, which is
 * ERR_SYSTEM with errno. */
enum err fd_read(int fd, void *out, size_t cap, size_t *n);
/* Whether systemd's journal takes what is written there (JOURNAL_STREAM, systemd.exec(5)). It knows the time of each
 * line, and reads "<4>" in front as its level (sd-daemon(3)). */
bool fd_is_journal(int fd);

#endif
