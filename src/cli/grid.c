/* sekisho user grid, user totp, user unlock, and grid show. Patterns are typed on the terminal, or come from a file. */
#include "cli/cli_internal.h"

#include <string.h>

#include "grid/grid.h"

#define QUESTION_MAX (2 * GRID_TEXT_MAX + 256)
#define LOCAL        "127.0.0.1" /* an administrator on the gateway asks */

static struct ctl_request *request(enum ctl_verb verb, const struct cli *cli)
{
    struct ctl_request *r = ctl_request_new(verb);
    if (r != NULL && ctl_set_text(r, CTL_ARG_USER, cli->operand) == ERR_OK)
        return r;
    ctl_request_free(r);
    return NULL;
}

/* r is taken; NULL counts as out of memory. */
static int ask(const struct cli *cli, struct ctl_request *r, enum ctl_arg arg, const char *text, json_t **data)
{
    const enum err result = r == NULL ? ERR_NOMEM : text == NULL ? ERR_OK : ctl_set_text(r, arg, text);
    if (result == ERR_OK)
        return call(cli, r, data);
    ctl_request_free(r);
    if (result == ERR_INVALID)
        return call_failed(cli, CLI_USAGE, CTL_CODE_INVALID, "The %s must be text in UTF-8.", ctl_arg_word(arg));
    return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
}

static int done(const struct cli *cli, json_t *data, const char *what)
{
    if (cli->json)
        return print_json(cli, data);
    fputs("The user ", cli->io->out);
    print_safe(cli->io->out, cli->operand);
    fprintf(cli->io->out, " %s.\n", what);
    json_decref(data);
    return CLI_OK;
}

static int act(const struct cli *cli, enum ctl_verb verb, const char *what)
{
    json_t *data = NULL;
    const int status = ask(cli, request(verb, cli), CTL_ARG_USER, NULL, &data);
    return status == CLI_OK ? done(cli, data, what) : status;
}

/* ---- grids ---- */

/* What a gateway tells is drawn only when it is a grid. */
static bool read_shape(const struct ctl_grid *g, struct grid_shape *out)
{
    if (g->blocks > UINT8_MAX || g->rows > UINT8_MAX || g->columns > UINT8_MAX)
        return false;
    *out = (struct grid_shape){(uint8_t)g->blocks, (uint8_t)g->rows, (uint8_t)g->columns, ""};
    view_copy_text(out->alphabet, sizeof out->alphabet, view_str(g->alphabet));
    return grid_shape_valid(out);
}

static int draw(const struct cli *cli, const json_t *data, struct ctl_grid *g, char text[static GRID_TEXT_MAX])
{
    struct grid_shape shape;
    if (ctl_grid_read(json_object_get(data, "grid"), g) != ERR_OK || !read_shape(g, &shape) ||
        strlen(g->cells) != grid_cells(&shape))
        return call_puzzled(cli);
    grid_text(&shape, g->cells, text, GRID_TEXT_MAX);
    return CLI_OK;
}

int run_grid_show(struct cli *cli)
{
    struct ctl_request *r = request(CTL_VERB_GRID_SHOW, cli);
    char text[GRID_TEXT_MAX];
    struct ctl_grid g;
    json_t *data = NULL;
    if (r != NULL && ctl_set_flag(r, CTL_ARG_PROVED, true) != ERR_OK) {
        ctl_request_free(r);
        r = NULL;
    }
    int status = ask(cli, r, CTL_ARG_SOURCE, LOCAL, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    status = draw(cli, data, &g, text);
    if (status == CLI_OK) {
        fprintf(cli->io->out, "Grid ");
        print_safe(cli->io->out, g.number);
        fputc('\n', cli->io->out);
        fputs(text, cli->io->out);
    }
    json_decref(data);
    return status;
}

/* ---- a new pattern ---- */

/* The empty grid with the cells' numbers, on the terminal. */
static int show_cells(const struct cli *cli, char question[static QUESTION_MAX])
{
    json_t *data = NULL;
    struct ctl_policy p;
    int status = call(cli, ctl_request_new(CTL_VERB_GRID_POLICY), &data);
    if (status != CLI_OK)
        return status;
    const enum err result = ctl_policy_read(json_object_get(data, "policy"), &p);
    json_decref(data);
    struct ctl_grid g = {.blocks = p.blocks, .rows = p.rows, .columns = p.columns};
    struct grid_shape shape;
    char text[2 * GRID_TEXT_MAX];
    memcpy(g.alphabet, p.alphabet, sizeof g.alphabet);
    if (result != ERR_OK || !read_shape(&g, &shape))
        return call_puzzled(cli);
    if (!p.enabled)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "Grids are off; set grid.enabled in the configuration.");
    grid_text(&shape, NULL, text, sizeof text);
    snprintf(question, QUESTION_MAX, "%sThe cells of the pattern in order, at least %u: ", text, (unsigned)p.least);
    return CLI_OK;
}

static int no_terminal(const struct cli *cli)
{
    return call_failed(cli, CLI_USAGE, CTL_CODE_INVALID, "There is no terminal to ask at, or no answer.");
}

static void tell_problems(const struct cli *cli, const json_t *data)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(data, "problems"), i, one)
    {
        struct ctl_problem p;
        if (ctl_problem_read(one, &p) != ERR_OK)
            continue;
        print_safe(cli->io->err, p.sentence);
        fputc('\n', cli->io->err);
    }
}

/* Reads grids until the gateway is content. data is taken. */
static int practise(const struct cli *cli, json_t *data)
{
    char text[GRID_TEXT_MAX], question[QUESTION_MAX], answer[PASSWORD_MAX] = "";
    struct ctl_enrolment e;
    struct ctl_grid g;
    int status = CLI_OK;
    while (status == CLI_OK) {
        if (ctl_enrolment_read(json_object_get(data, "enrolment"), &e) != ERR_OK)
            status = call_puzzled(cli);
        else if (e.rounds == 0)
            return done(cli, data, "logs in by the new pattern");
        else
            status = draw(cli, data, &g, text);
        json_decref(data);
        data = NULL;
        if (status != CLI_OK)
            break;
        snprintf(question, sizeof question,
                 "%s%sWhat stands on the pattern (%u to go): ", e.accepted ? "" : "That was wrong.\n", text,
                 (unsigned)e.rounds);
        struct ctl_request *r = request(CTL_VERB_GRID_PRACTISE, cli);
        if (!password_ask(question, true, answer))
            status = no_terminal(cli);
        else if (r != NULL && ctl_set_text(r, CTL_ARG_CODE, g.code) == ERR_OK) {
            status = ask(cli, r, CTL_ARG_ANSWER, answer, &data);
            r = NULL;
        } else {
            status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
        }
        ctl_request_free(r);
        bytes_wipe(answer, sizeof answer);
    }
    json_decref(data);
    return status;
}

int run_user_grid_enrol(struct cli *cli)
{
    char question[QUESTION_MAX], cells[PASSWORD_MAX] = "", phrase[PASSWORD_MAX] = "";
    struct ctl_enrolment e;
    json_t *data = NULL;
    int status = show_cells(cli, question);
    if (status == CLI_OK && !password_ask(question, true, cells))
        status = no_terminal(cli);
    if (status == CLI_OK && !password_ask("A phrase to type in front, or nothing: ", true, phrase))
        phrase[0] = '\0';
    if (status == CLI_OK) {
        struct ctl_request *r = request(CTL_VERB_GRID_ENROL, cli);
        if (r != NULL && phrase[0] != '\0' && ctl_set_text(r, CTL_ARG_PHRASE, phrase) != ERR_OK) {
            ctl_request_free(r);
            r = NULL;
        }
        status = ask(cli, r, CTL_ARG_CELLS, cells, &data);
    }
    bytes_wipe(cells, sizeof cells);
    bytes_wipe(phrase, sizeof phrase);
    if (status != CLI_OK)
        return status;
    if (ctl_enrolment_read(json_object_get(data, "enrolment"), &e) == ERR_OK && e.accepted) {
        fprintf(cli->io->err, "Somebody who knows how people draw needs about 2^%u guesses. Now read two grids.\n",
                (unsigned)e.bits);
        return practise(cli, data);
    }
    tell_problems(cli, data);
    json_decref(data);
    return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The pattern is too weak. Nothing was changed.");
}

int run_user_grid_off(struct cli *cli)
{
    return act(cli, CTL_VERB_GRID_OFF, "has no pattern any more and logs in by the password");
}

int run_user_unlock(struct cli *cli)
{
    return act(cli, CTL_VERB_GRID_UNLOCK, "is unlocked");
}

/* ---- one-time codes ---- */

int run_user_totp_on(struct cli *cli)
{
    char code[PASSWORD_MAX] = "";
    json_t *data = NULL;
    int status = ask(cli, request(CTL_VERB_TOTP_BEGIN, cli), CTL_ARG_USER, NULL, &data);
    if (status != CLI_OK)
        return status;
    const char *secret = json_string_value(json_object_get(data, "secret"));
    const char *uri = json_string_value(json_object_get(data, "uri"));
    if (secret == NULL || uri == NULL) {
        status = call_puzzled(cli);
    } else {
        fputs("Put this into an authenticator app:\n  ", cli->io->err);
        print_safe(cli->io->err, uri);
        fputs("\nor type the secret: ", cli->io->err);
        print_safe(cli->io->err, secret);
        fputc('\n', cli->io->err);
    }
    json_decref(data);
    data = NULL;
    if (status == CLI_OK && !password_ask("The six digits that the app shows: ", false, code))
        status = no_terminal(cli);
    if (status == CLI_OK)
        status = ask(cli, request(CTL_VERB_TOTP_CONFIRM, cli), CTL_ARG_ANSWER, code, &data);
    bytes_wipe(code, sizeof code);
    return status == CLI_OK ? done(cli, data, "has one-time codes") : status;
}

int run_user_totp_off(struct cli *cli)
{
    return act(cli, CTL_VERB_TOTP_OFF, "has no one-time codes any more");
}
