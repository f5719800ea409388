/* sekisho user profile: the file that sets up a user's device, from what the gateway tells of itself. */
#include "cli/cli_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "handout/handout.h"

struct making {
    struct handout h;
    enum handout_device device;
    enum handout_language language;
    struct handout_settings settings;
    struct pki_bytes p12, authorities;
    char password[PASSWORD_MAX];   /* of the PKCS#12 */
    char on_device[PATH_TEXT_MAX]; /* where that will lie */
    char text[HANDOUT_SIZE_MAX];   /* the file, with secrets */
    char steps[64 * 1024];
    size_t text_n;
};

static int read_options(const struct cli *cli, struct making *m)
{
    const char *language = cli->option[OPTION_LANGUAGE];
    if (cli->option[OPTION_FOR] == NULL || !handout_find(cli->option[OPTION_FOR], &m->device))
        return command_wrong(cli,
                             "Say what it is for with --for: windows, macos, ios, linux, sekisho, chromeos, android, "
                             "routeros, rtx or openwrt.");
    if (language != NULL && strcmp(language, "en") != 0 && strcmp(language, "ja") != 0)
        return command_wrong(cli, "--language takes \"en\" or \"ja\".");
    m->language = language != NULL && strcmp(language, "ja") == 0 ? HANDOUT_JAPANESE : HANDOUT_ENGLISH;
    if (cli->option[OPTION_CERTIFICATE] == NULL &&
        (cli->option[OPTION_AUTHORITIES] != NULL || cli->option[OPTION_PASSWORD_FILE] != NULL))
        return command_wrong(cli, "--authorities and --password-file go with --certificate.");
    return CLI_OK;
}

/* ---- what the gateway says ---- */

static int ask_settings(const struct cli *cli, struct making *m)
{
    struct ctl_request *r = ctl_request_new(CTL_VERB_HANDOUT_SETTINGS);
    struct ctl_handout told;
    json_t *data = NULL;
    if (r == NULL || ctl_set_text(r, CTL_ARG_USER, cli->operand) != ERR_OK) {
        ctl_request_free(r);
        return call_failed(cli, CLI_USAGE, CTL_CODE_INVALID, "The name must be text in UTF-8.");
    }
    int status = call(cli, r, &data);
    if (status != CLI_OK)
        return status;
    const enum err result = ctl_handout_read(json_object_get(data, "handout"), &told);
    json_decref(data);
    const struct handout_told texts = {told.server, told.psk,    told.logins, told.routes,
                                       told.dns,    told.domain, told.grid};
    if (result != ERR_OK || handout_settings_read(&texts, &m->settings) != ERR_OK)
        status = call_puzzled(cli);
    bytes_wipe(&told, sizeof told);
    handout_settings_fill(&m->settings, &m->h);
    return status;
}

/* ---- the certificate ---- */

static int read_certificate(const struct cli *cli, struct making *m)
{
    const struct store here = {.fd = AT_FDCWD, .path = "."};
    const char *file = cli->option[OPTION_CERTIFICATE], *slash = strrchr(file, '/');
    int status = store_read(cli, &here, file, &m->p12);
    if (status == CLI_OK && cli->option[OPTION_AUTHORITIES] != NULL)
        status = store_read(cli, &here, cli->option[OPTION_AUTHORITIES], &m->authorities);
    if (status == CLI_OK && cli->option[OPTION_PASSWORD_FILE] != NULL)
        status = password_from_file(cli, cli->option[OPTION_PASSWORD_FILE], m->password);
    snprintf(m->on_device, sizeof m->on_device, "/etc/sekisho/client/%s", slash != NULL ? slash + 1 : file);
    m->h.psk = VIEW_NONE;
    m->h.certificate.p12 = pki_bytes_view(&m->p12);
    m->h.certificate.authority = pki_bytes_view(&m->authorities);
    m->h.certificate.password = m->password;
    m->h.certificate.file = m->on_device;
    return status;
}

static int gather(const struct cli *cli, struct making *m)
{
    int status = ask_settings(cli, m);
    if (status == CLI_OK && cli->option[OPTION_CERTIFICATE] != NULL)
        status = read_certificate(cli, m);
    if (status != CLI_OK)
        return status;
    if (cli->option[OPTION_SERVER] != NULL)
        m->h.server = cli->option[OPTION_SERVER];
    if (m->h.server[0] == '\0')
        return command_wrong(cli,
                             "The gateway does not know by which name clients reach it. Say so with --server, or as "
                             "net.server in its configuration.");
    m->h.name = cli->option[OPTION_NAME] != NULL ? cli->option[OPTION_NAME] : m->h.server;
    m->h.user = cli->operand;
    return CLI_OK;
}

/* ---- the file and its steps ---- */

static int write_both(const struct cli *cli, struct making *m)
{
    const bool by_hand = cli->option[OPTION_BY_HAND] != NULL;
    char why[HANDOUT_WHY_MAX] = "";
    struct writer file = wr_init(m->text, sizeof m->text), steps = wr_init(m->steps, sizeof m->steps - 1);
    enum err result = by_hand ? ERR_OK : handout_write(&m->h, m->device, m->language, &file, why);
    if (result == ERR_OK)
        result = handout_steps(&m->h, m->device, by_hand, m->language, &steps, why);
    m->text_n = file.n;
    if (result != ERR_OK)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "%s", why);
    return CLI_OK;
}

static int tell_json(const struct cli *cli, const struct making *m, const char *output)
{
    char name[HANDOUT_FILENAME_MAX];
    json_t *out = json_pack("{s:s, s:s, s:s}", "for", handout_word(m->device), "filename",
                            handout_filename(&m->h, m->device, name), "steps", m->steps);
    if (output != NULL)
        json_object_set_new(out, "file", json_string(output));
    else if (m->text_n > 0)
        json_object_set_new(out, "content", json_stringn(m->text, m->text_n));
    return print_json(cli, out);
}

/* What is for people goes beside the file when that goes to standard output. */
static int hand_out(const struct cli *cli, const struct making *m)
{
    const char *output = cli->option[OPTION_OUTPUT];
    const struct store here = {.fd = AT_FDCWD, .path = "."};
    const bool by_hand = cli->option[OPTION_BY_HAND] != NULL;
    FILE *talk = output != NULL || by_hand ? cli->io->out : cli->io->err;
    int status = CLI_OK;
    if (output != NULL)
        status = store_write(cli, &here, output, 0600, by_hand ? view_str(m->steps) : view_of(m->text, m->text_n));
    if (status != CLI_OK || cli->json)
        return status != CLI_OK ? status : tell_json(cli, m, output);
    if (output == NULL && !by_hand)
        fwrite(m->text, 1, m->text_n, cli->io->out);
    if (output != NULL)
        fprintf(talk, "%s was written. It has %s in it: give it to its user by a safe way, and delete it then.\n\n",
                output, m->h.psk.n > 0 ? "the pre-shared key" : "the certificate with its private key");
    if (output == NULL || !by_hand)
        fputs(m->steps, talk);
    return CLI_OK;
}

int run_user_profile(struct cli *cli)
{
    struct making *m = calloc(1, sizeof *m);
    if (m == NULL)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    int status = read_options(cli, m);
    if (status == CLI_OK)
        status = gather(cli, m);
    if (status == CLI_OK)
        status = write_both(cli, m);
    if (status == CLI_OK)
        status = hand_out(cli, m);
    pki_bytes_free(&m->p12);
    pki_bytes_free(&m->authorities);
    bytes_wipe(m, sizeof *m);
    free(m);
    return status;
}
