/* Running another program for one short job: no shell, no inherited environment or descriptors, a limit on its time. */
#include "net/net_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *program_find(const char *name, char out[static PROGRAM_PATH])
{
    /* What an administrator has put beside the distribution's comes first. */
    static const char *const places[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const int n = snprintf(out, PROGRAM_PATH, "%s/%s", places[i], name);
        if (n > 0 && n < PROGRAM_PATH && access(out, X_OK) == 0)
            return out;
    }
    return NULL;
}

/* The input in memory as a file: the program may read and complain in any order without either side waiting. */
static int file_of(struct view bytes)
{
    const int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fd_write(fd, bytes) == ERR_OK && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    close(fd);
    return -1;
}

static void place(int fd, int target)
{
    if (fd == target)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, target);
}

/* The child, up to the program. It ends with its parent: what a killed one had begun shall not be done after others
 * have cleaned up behind it. A group of its own, so that its own children can be stopped with it. */
static _Noreturn void become(const char *const *argv, int input, int output, int failure, pid_t parent)
{
    char *const environment[] = {(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                                 (char[]){"LC_ALL=C"}, NULL};
    sigset_t none;
    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    place(input, STDIN_FILENO);
    place(output, STDOUT_FILENO);
    place(output, STDERR_FILENO);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
        execve(argv[0], (char *const *)argv, environment);
    const int error = errno;
    if (write(failure, &error, sizeof(error)) < 0)
        _exit(126);
    _exit(127);
}

static enum err start(const char *const *argv, int input, int output, pid_t *pid)
{
    int failure[2], error = 0;
    if (pipe2(failure, O_CLOEXEC) < 0)
        return ERR_SYSTEM;
    const pid_t parent = getpid();
    *pid = fork();
    if (*pid == 0)
        become(argv, input, output, failure[1], parent);
    const int saved = errno;
    close(failure[1]);
    ssize_t n = 0;
    while (*pid > 0 && (n = read(failure[0], &error, sizeof(error))) < 0 && errno == EINTR)
        ; /* closed by the program's start */
    close(failure[0]);
    if (*pid > 0 && n <= 0)
        return ERR_OK;
    if (*pid > 0)
        waitpid(*pid, NULL, 0);
    errno = *pid > 0 ? error : saved;
    return ERR_SYSTEM;
}

/* Keeps what fits and reads on to the end, so that the program is never stopped by a full pipe. False: time is up. */
static bool collect(int fd, usec_t until, char *message, size_t cap)
{
    char buffer[512];
    size_t kept = 0;
    bool ended = false;
    while (!ended) {
        const usec_t now = clock_now();
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (now >= until || poll(&ready, 1, (int)((until - now) / USEC_MSEC) + 1) < 0) {
            if (now >= until || errno != EINTR)
                break;
            continue;
        }
        if (!ready.revents)
            continue;
        const ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        ended = n <= 0;
        const size_t room = cap > kept + 1 ? cap - kept - 1 : 0;
        const size_t take = n <= 0 ? 0 : (size_t)n < room ? (size_t)n : room;
        memcpy(message + kept, buffer, take);
        kept += take;
    }
    if (cap > 0)
        message[kept] = '\0';
    return ended;
}

static enum err wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return ERR_SYSTEM;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ERR_OK : ERR_INVALID;
}

static enum err run(const char *const *argv, int input, usec_t limit, char *message, size_t cap)
{
    int output[2];
    if (pipe2(output, O_CLOEXEC) < 0)
        return ERR_SYSTEM;
    pid_t pid;
    enum err e = start(argv, input, output[1], &pid);
    close(output[1]);
    if (e == ERR_OK) {
        const bool ended = collect(output[0], clock_now() + limit, message, cap);
        if (!ended)
            kill(-pid, SIGKILL);
        e = wait_for(pid);
        if (!ended) {
            errno = ETIMEDOUT;
            e = ERR_SYSTEM;
        }
    }
    close(output[0]);
    return e;
}

enum err program_run(const char *const *argv, struct view input, usec_t limit, char *message, size_t cap)
{
    if (cap > 0)
        message[0] = '\0';
    const int fd = file_of(input);
    if (fd < 0)
        return ERR_SYSTEM;
    const enum err e = run(argv, fd, limit, message, cap);
    const int saved = errno;
    close(fd);
    errno = saved;
    return e;
}
