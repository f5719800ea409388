/* `sekisho profile`: connections under names, a file each. */
#include "cli/cli_internal.h"

#include "fd/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- files ---- */

static int refused(const struct cli *cli, const char *path, int error)
{
    if (error == EACCES || error == EPERM)
        return call_failed(cli, CLI_NO_RIGHTS, CTL_CODE_DENIED, "This needs the rights of root: sudo sekisho %s%s%s",
                           cli->command->words, cli->operand != NULL ? " " : "",
                           cli->operand != NULL ? cli->operand : "");
    return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "%s: %s.", path, strerror(error));
}

static int load(const struct cli *cli, const char *name, char path[static CONFIG_PATH_MAX], struct profile **out)
{
    struct config_error e;
    int status = profile_path(cli, name, path);
    if (status != CLI_OK)
        return status;
    if (access(path, R_OK) != 0 && errno == ENOENT)
        return call_failed(cli, CLI_FAILED, CTL_CODE_NOT_FOUND, "There is no profile %s.", name);
    if (access(path, R_OK) != 0)
        return refused(cli, path, errno);
    return profile_load(path, out, &e) == ERR_OK ? CLI_OK : profile_wrong(cli, &e);
}

/* Writes the file whole or not at all: under another name first. */
static int put_file(const struct cli *cli, const char *path, const char *text, size_t n, bool replace)
{
    char draft[CONFIG_PATH_MAX + 8];
    (void)mkdir("/etc/sekisho", 0755);
    (void)mkdir(profiles_directory(cli), 0700);
    snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    int fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return refused(cli, path, errno);
    bool ok = fd_write(fd, view_of(text, n)) == ERR_OK && fsync(fd) == 0;
    int error = errno;
    close(fd);
    if (ok && renameat2(AT_FDCWD, draft, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE) == 0)
        return CLI_OK;
    error = ok ? errno : error;
    (void)unlink(draft);
    if (error == EEXIST)
        return call_failed(cli, CLI_FAILED, CTL_CODE_EXISTS, "%s is there already; --replace writes over it.", path);
    return refused(cli, path, error);
}

static int store(const struct cli *cli, const struct profile *p, const char *path, bool replace)
{
    char *text = malloc(PROFILE_SIZE_MAX);
    struct writer w = wr_init(text, text != NULL ? PROFILE_SIZE_MAX : 0);
    int status = text != NULL && profile_write(p, true, &w) == ERR_OK
                     ? put_file(cli, path, text, w.n, replace)
                     : call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    if (text != NULL)
        bytes_wipe(text, PROFILE_SIZE_MAX);
    free(text);
    return status;
}

static int done(const struct cli *cli, const char *name, const char *what)
{
    if (cli->json)
        return print_json(cli, json_pack("{s:s}", "profile", name));
    fprintf(cli->io->out, "The profile %s %s\n", name, what);
    return CLI_OK;
}

/* ---- add, set ---- */

/* Files of secrets stay where they are: the profile only names them. */
static int name_file(const struct cli *cli, struct profile_secret *s, const char *file, const char *what)
{
    char *path = strcmp(file, "-") != 0 ? realpath(file, NULL) : NULL;
    int status = CLI_OK;
    if (path != NULL && strlen(path) < sizeof s->file) {
        bytes_wipe(s->value, sizeof s->value);
        snprintf(s->file, sizeof s->file, "%s", path);
    } else {
        status = secret_from_file(cli, s, file, what);
    }
    free(path);
    return status;
}

static int apply(const struct cli *cli, struct profile *p)
{
    const char *psk = cli->option[OPTION_PSK_FILE], *password = cli->option[OPTION_PASSWORD_FILE];
    struct config_error e = {0};
    int status = options_apply(cli, p);
    if (status == CLI_OK && psk != NULL)
        status = name_file(cli, &p->psk, psk, "pre-shared key");
    if (status == CLI_OK && password != NULL) {
        p->password_command[0] = '\0';
        status = name_file(cli, &p->password, password, "password");
    }
    if (status == CLI_OK && profile_check(p, &e) != ERR_OK)
        status = command_wrong(cli, "%s: %s", e.key, e.sentence);
    return status;
}

/* What is missing may be written down too; Enter leaves it to be asked for at each connection. */
static int offer_secrets(const struct cli *cli, struct profile *p)
{
    bool psk = p->psk.value[0] == '\0' && p->psk.file[0] == '\0' && p->certificate.certificate.file[0] == '\0';
    bool password = p->password.value[0] == '\0' && p->password.file[0] == '\0' && p->password_command[0] == '\0';
    int status = CLI_OK;
    if (!cli->io->terminal || cli->json)
        return status;
    if (psk)
        status = secret_offer(cli, &p->psk, "Pre-shared key (Enter: ask each time): ", "pre-shared key");
    if (status == CLI_OK && password && (profile_needs(p) & PROFILE_NEEDS_PASSWORD) != 0)
        status = secret_offer(cli, &p->password, "Password (Enter: ask each time): ", "password");
    return status;
}

int run_profile_add(struct cli *cli)
{
    char path[CONFIG_PATH_MAX];
    struct profile *p = profile_new();
    int status = profile_path(cli, cli->operand, path);
    if (p == NULL)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    if (status == CLI_OK && access(path, F_OK) == 0 && cli->option[OPTION_REPLACE] == NULL)
        status = call_failed(cli, CLI_FAILED, CTL_CODE_EXISTS,
                             "The profile %s is there already; --replace writes over it.", cli->operand);
    if (status == CLI_OK)
        status = apply(cli, p);
    if (status == CLI_OK)
        status = offer_secrets(cli, p);
    if (status == CLI_OK)
        status = store(cli, p, path, cli->option[OPTION_REPLACE] != NULL);
    profile_free(p);
    if (status == CLI_OK && !cli->json)
        fprintf(cli->io->out, "Connect with: sudo sekisho connect %s\n", cli->operand);
    return status == CLI_OK ? done(cli, cli->operand, "was added.") : status;
}

int run_profile_set(struct cli *cli)
{
    char path[CONFIG_PATH_MAX];
    struct profile *p = NULL;
    int status = load(cli, cli->operand, path, &p);
    if (status == CLI_OK)
        status = apply(cli, p);
    if (status == CLI_OK)
        status = store(cli, p, path, true);
    profile_free(p);
    return status == CLI_OK ? done(cli, cli->operand, "was changed. It goes from the next connection on.") : status;
}

/* ---- list, show ---- */

/* NAME of NAME.conf. */
static int by_ending(const struct dirent *d)
{
    char name[PROFILE_NAME_MAX];
    size_t n = strlen(d->d_name);
    if (n <= 5 || n - 5 >= sizeof name || strcmp(d->d_name + n - 5, ".conf") != 0)
        return 0;
    snprintf(name, sizeof name, "%.*s", (int)(n - 5), d->d_name);
    return profile_name_good(name);
}

static void add_row(const struct cli *cli, struct table *t, json_t *list, const char *name)
{
    char path[CONFIG_PATH_MAX], safe[CONFIG_ERROR_TEXT_MAX];
    struct profile *p = NULL;
    struct config_error e;
    struct ctl_link link = {0};
    struct ctl_error ignored;
    if (profile_path(cli, name, path) != CLI_OK)
        return;
    bool good = profile_load(path, &p, &e) == ERR_OK;
    if (engine_path(cli, name, path) == CLI_OK)
        (void)engine_link(path, &link, &ignored);
    table_add(t, name);
    table_add(t, good ? p->server : config_error_text(&e, safe));
    table_add(t, good ? p->user : "");
    table_add(t, link.state);
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", name, "server", good ? p->server : "",
                                          "user", good ? p->user : "", "state", link.state, "good", good));
    profile_free(p);
}

int run_profile_list(struct cli *cli)
{
    static const char *const head[] = {"NAME", "SERVER", "USER", "STATE"};
    struct table t;
    struct dirent **files = NULL;
    int n = scandir(profiles_directory(cli), &files, by_ending, alphasort);
    if (n < 0 && errno != ENOENT)
        return refused(cli, profiles_directory(cli), errno);
    json_t *list = json_array();
    table_init(&t, head, ARRAY_LEN(head));
    for (int i = 0; i < n; i++) {
        files[i]->d_name[strlen(files[i]->d_name) - 5] = '\0';
        add_row(cli, &t, list, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    if (cli->json) {
        table_done(&t);
        return print_json(cli, ctl_data("profiles", list));
    }
    json_decref(list);
    if (n <= 0) {
        table_done(&t);
        fputs("There is no profile. Add one with: sekisho profile add NAME --server SERVER --user NAME\n",
              cli->io->out);
        return CLI_OK;
    }
    return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
}

int run_profile_show(struct cli *cli)
{
    char path[CONFIG_PATH_MAX], key[CONFIG_NAME_MAX], text[SCHEMA_TEXT_MAX];
    struct profile *p = NULL, *plain = profile_new();
    int status = plain != NULL ? load(cli, cli->operand, path, &p) : CLI_FAILED;
    json_t *all = json_object();
    for (size_t i = 0; status == CLI_OK && profile_key(i, key) != NULL; i++) {
        char usual[SCHEMA_TEXT_MAX];
        if (strcmp(profile_get(p, key, text), profile_get(plain, key, usual)) == 0)
            continue;
        if (profile_key_secret(key))
            snprintf(text, sizeof text, "(set)");
        json_object_set_new(all, key, json_string(text));
        if (!cli->json) {
            fprintf(cli->io->out, "%-26s ", key);
            print_safe(cli->io->out, text);
            fputc('\n', cli->io->out);
        }
    }
    bytes_wipe(text, sizeof text);
    profile_free(p);
    profile_free(plain);
    if (status == CLI_OK && cli->json)
        return print_json(cli, ctl_data("profile", all));
    json_decref(all);
    return status;
}

/* ---- del, export, import ---- */

int run_profile_del(struct cli *cli)
{
    char path[CONFIG_PATH_MAX];
    int status = profile_path(cli, cli->operand, path);
    if (status != CLI_OK)
        return status;
    if (unlink(path) == 0)
        return done(cli, cli->operand, "was removed.");
    if (errno == ENOENT)
        return call_failed(cli, CLI_FAILED, CTL_CODE_NOT_FOUND, "There is no profile %s.", cli->operand);
    return refused(cli, path, errno);
}

int run_profile_export(struct cli *cli)
{
    char path[CONFIG_PATH_MAX];
    struct profile *p = NULL;
    char *text = malloc(PROFILE_SIZE_MAX);
    int status = load(cli, cli->operand, path, &p);
    struct writer w = wr_init(text, text != NULL ? PROFILE_SIZE_MAX : 0);
    if (status == CLI_OK && cli->option[OPTION_SECRETS] == NULL)
        profile_forget(p);
    if (status == CLI_OK && (text == NULL || profile_write(p, false, &w) != ERR_OK))
        status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    if (status == CLI_OK && fwrite(text, 1, w.n, cli->io->out) != w.n)
        status = CLI_FAILED;
    if (text != NULL)
        bytes_wipe(text, PROFILE_SIZE_MAX);
    free(text);
    profile_free(p);
    return status;
}

/* A connection of NetworkManager has groups in brackets, which ours has not. */
static bool is_keyfile(const struct config_file *f)
{
    const char *p = f->text, *end = f->text + f->n;
    while (p < end && *p != '[') {
        if (*p != '#' && *p != ' ' && *p != '\t' && *p != '\r' && *p != '\n')
            return false;
        const char *line = memchr(p, '\n', (size_t)(end - p));
        p = *p != '#' ? p + 1 : line != NULL ? line : end;
    }
    return p < end;
}

static void name_from(const char *file, char out[static PROFILE_NAME_MAX])
{
    const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file, *dot = strrchr(base, '.');
    size_t n = dot != NULL ? (size_t)(dot - base) : strlen(base);
    snprintf(out, PROFILE_NAME_MAX, "%.*s", (int)n, base);
    for (char *p = out; *p != '\0'; p++)
        *p = *p == ' ' ? '-' : *p;
}

static void say_notes(const struct cli *cli, const char *notes)
{
    for (const char *p = notes; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        char line[512];
        snprintf(line, sizeof line, "%.*s", (int)n, p);
        print_safe(cli->io->err, line);
        fputc('\n', cli->io->err);
        p += n + 1;
    }
}

int run_profile_import(struct cli *cli)
{
    char path[CONFIG_PATH_MAX], name[PROFILE_NAME_MAX], notes[PROFILE_NOTES_MAX] = "";
    struct config_error e = {0};
    struct config_file f;
    struct profile *p = NULL;
    if (cli->option[OPTION_NAME] != NULL)
        snprintf(name, sizeof name, "%s", cli->option[OPTION_NAME]);
    else
        name_from(cli->operand, name);
    int status = profile_path(cli, name, path);
    if (status != CLI_OK)
        return status;
    enum err result = config_file_read(cli->operand, PROFILE_SIZE_MAX, 0, "", &f, &e);
    struct view text = view_of(f.text, f.n);
    if (result == ERR_OK)
        result = is_keyfile(&f) ? profile_import_nm(text, cli->operand, &p, notes, &e)
                                : profile_parse(text, cli->operand, &p, &e);
    config_file_done(&f);
    if (result != ERR_OK)
        return profile_wrong(cli, &e);
    status = store(cli, p, path, cli->option[OPTION_REPLACE] != NULL);
    profile_free(p);
    if (status == CLI_OK)
        say_notes(cli, notes);
    return status == CLI_OK ? done(cli, name, "was imported.") : status;
}

/* ---- edit ---- */

static int run_editor(const struct cli *cli, const char *path)
{
    const char *editor = getenv("VISUAL") != NULL ? getenv("VISUAL") : getenv("EDITOR");
    int end = 0;
    fflush(cli->io->out);
    pid_t child = fork();
    if (child == 0) {
        setenv("SEKISHO_EDIT", path, 1);
        char command[512];
        snprintf(command, sizeof command, "%s \"$SEKISHO_EDIT\"", editor != NULL && editor[0] ? editor : "vi");
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &end, 0) != child || !WIFEXITED(end) || WEXITSTATUS(end) != 0)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The editor failed; nothing was changed.");
    return CLI_OK;
}

/* A draft beside the profile, which takes its place only when it is right. */
int run_profile_edit(struct cli *cli)
{
    char path[CONFIG_PATH_MAX], draft[CONFIG_PATH_MAX + 8];
    struct config_error e = {0};
    struct config_file f;
    struct profile *p = NULL;
    int status = load(cli, cli->operand, path, &p);
    profile_free(p);
    if (status != CLI_OK)
        return status;
    snprintf(draft, sizeof draft, "%s.edit", path);
    if (config_file_read(path, PROFILE_SIZE_MAX, 0, "", &f, &e) != ERR_OK)
        return profile_wrong(cli, &e);
    status = put_file(cli, draft, f.text, f.n, true);
    config_file_done(&f);
    if (status == CLI_OK)
        status = run_editor(cli, draft);
    if (status == CLI_OK && profile_load(draft, &p, &e) != ERR_OK) {
        (void)profile_wrong(cli, &e);
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "Nothing was changed. What you wrote is in %s.", draft);
    }
    profile_free(status == CLI_OK ? p : NULL);
    if (status == CLI_OK && rename(draft, path) != 0)
        status = refused(cli, path, errno);
    if (status != CLI_OK) {
        (void)unlink(draft);
        return status;
    }
    return done(cli, cli->operand, "was changed. It goes from the next connection on.");
}
