/* Rules for nftables through its own program, one transaction a call. No shell, no inherited environment. */
#include "net/net_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLE_NAME_MAX 64

static const char *find_nft(void)
{
    static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft", "/usr/bin/nft"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* The rules in memory as a file: nft may read and complain in any order without either side waiting for the other. */
static int file_of(struct view bytes)
{
    const int fd = memfd_create("rules", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    while (bytes.n > 0) {
        const ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            close(fd);
            return -1;
        }
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static enum err start(const char *program, int input, int output, pid_t *pid)
{
    char *const argv[] = {(char[]){"nft"}, (char[]){"-f"}, (char[]){"-"}, NULL};
    char *const environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, (char[]){"LC_ALL=C"}, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0)
        return ERR_NOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return ERR_NOMEM;
    }
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawn(pid, program, &files, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    errno = error;
    return error ? ERR_SYSTEM : ERR_OK;
}

/* Keeps what fits and reads on to the end, so that the program is never stopped by a full pipe. */
static void collect(int fd, char *message, size_t cap)
{
    char buffer[512];
    size_t kept = 0;
    ssize_t n;
    while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        const size_t room = cap > kept + 1 ? cap - kept - 1 : 0;
        const size_t take = (size_t)n < room ? (size_t)n : room;
        memcpy(message + kept, buffer, take);
        kept += take;
    }
    if (cap > 0)
        message[kept] = '\0';
}

static enum err run(const char *program, int input, char *message, size_t cap)
{
    int output[2];
    if (pipe2(output, O_CLOEXEC) < 0)
        return ERR_SYSTEM;
    pid_t pid;
    const enum err e = start(program, input, output[1], &pid);
    close(output[1]);
    if (e != ERR_OK) {
        close(output[0]);
        return e;
    }
    collect(output[0], message, cap);
    close(output[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return ERR_SYSTEM;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ERR_OK : ERR_INVALID;
}

enum err nft_apply(struct view ruleset, char *message, size_t cap)
{
    if (cap > 0)
        message[0] = '\0';
    const char *program = find_nft();
    if (!program)
        return ERR_NOTFOUND;
    const int input = file_of(ruleset);
    if (input < 0)
        return ERR_SYSTEM;
    const enum err e = run(program, input, message, cap);
    close(input);
    return e;
}

static bool is_word(const char *s)
{
    const size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
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
