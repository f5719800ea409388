/* The key that seals the passwords: 32 bytes in a file that only its owner may read. */
#include "aaa/aaa_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err check_file(int fd, const char *path, struct aaa_why *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return aaa_why(why, ERR_SYSTEM, TOLD(KEY_UNREADABLE), path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size != SEAL_KEY_SIZE)
        return aaa_why(why, ERR_INVALID, TOLD(KEY_SIZE), path, SEAL_KEY_SIZE);
    if (st.st_mode & S_IRWXO)
        return aaa_why(why, ERR_INVALID, TOLD(KEY_OPEN_TO_OTHERS), path);
    return ERR_OK;
}

/* ERR_NOTFOUND when there is no such file. */
enum err key_read(const char *path, uint8_t key[static SEAL_KEY_SIZE], struct aaa_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return aaa_why(why, errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM, TOLD(KEY_UNREADABLE), path, strerror(errno));
    enum err result = check_file(fd, path, why);
    size_t n = 0;
    if (result == ERR_OK && (fd_read(fd, key, SEAL_KEY_SIZE, &n) != ERR_OK || n != SEAL_KEY_SIZE))
        result = aaa_why(why, ERR_SYSTEM, TOLD(KEY_CUT), path);
    close(fd);
    return result;
}

enum err key_make(const char *path, const struct random *rng, uint8_t key[static SEAL_KEY_SIZE], struct aaa_why *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return aaa_why(why, ERR_SYSTEM, TOLD(KEY_UNMADE), path, strerror(errno));
    random_fill(rng, key, SEAL_KEY_SIZE);
    bool ok = fd_write(fd, view_of(key, SEAL_KEY_SIZE)) == ERR_OK && fsync(fd) == 0;
    int kept = errno;
    ok = close(fd) == 0 && ok;
    if (ok)
        return ERR_OK;
    (void)unlink(path);
    return aaa_why(why, ERR_SYSTEM, TOLD(KEY_UNWRITTEN), path, strerror(kept));
}
