/*
 * What a user may type at this moment: the password, with a one-time code after it or without; what stands on the cells
 * of the pattern in each grid that is open, with the grid's number in front or without, with a code or without; and
 * what was typed last, for a device that comes back. A grid that was shown in band counts where the answer comes by the
 * same way.
 *
 * The list has the same length for everybody, and the same work goes into it: what somebody may not type, or who does
 * not exist, has an empty entry that the judge tries all the same.
 */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <string.h>

struct codes {
    bool wanted;               /* one has to be typed */
    bool usable[CHOICE_STEPS]; /* not used yet, nor a later one */
    uint64_t step[CHOICE_STEPS];
    char text[CHOICE_STEPS][TOTP_CODE_SIZE];
};

static void codes_make(const struct proving *p, enum config_totp mode, int64_t wall, struct codes *out)
{
    *out = (struct codes){.wanted = mode != CONFIG_TOTP_OFF && p->record.found && p->row.user.totp};
    if (mode == CONFIG_TOTP_OFF)
        return;
    for (size_t i = 0; i < CHOICE_STEPS; i++) {
        out->step[i] = (uint64_t)wall / TOTP_STEP + i - 1;
        const bool made = totp_code(VIEW(p->totp), out->step[i], out->text[i]) == ERR_OK;
        out->usable[i] = made && out->wanted && out->step[i] > p->row.totp_step;
    }
}

static struct choice *add(struct proving *p, enum choice_kind kind)
{
    struct choice *c = &p->choice[p->choices++];
    *c = (struct choice){.kind = kind};
    return c;
}

static void write(struct choice *c, struct view first, struct view second, struct view third)
{
    struct writer w = wr_init(c->text, sizeof(c->text));
    wr_view(&w, first);
    wr_view(&w, second);
    wr_view(&w, third);
    c->n = wr_written(&w).n;
}

/* ---- the password ---- */

/* Who has a pattern has chosen it in place of the password; the group may say otherwise. Whose group wants a pattern
 * still comes to the portal by the password until there is one. */
static bool password_allowed(const struct aaa *a, const struct proving *p, bool portal)
{
    const char *login = p->row.group.login;
    if (!p->record.found)
        return false;
    if (!a->grid.enabled || strcmp(login, "password") == 0)
        return true;
    if (p->row.user.grid)
        return a->grid.totp == CONFIG_TOTP_ALTERNATIVE && p->row.user.totp;
    return portal || strcmp(login, "grid") != 0;
}

static void add_passwords(const struct aaa *a, struct proving *p, const struct codes *codes, bool portal)
{
    const bool allowed = password_allowed(a, p, portal);
    const size_t n = a->grid.enabled && a->grid.totp != CONFIG_TOTP_OFF ? CHOICE_STEPS : 1;
    for (size_t i = 0; i < n; i++) {
        struct choice *c = add(p, CHOICE_PASSWORD);
        const bool usable = codes->wanted ? codes->usable[i] : i == 0;
        if (!allowed || !usable)
            continue;
        c->step = codes->wanted ? codes->step[i] : 0;
        write(c, p->record.password, VIEW_NONE, codes->wanted ? view_str(codes->text[i]) : VIEW_NONE);
    }
}

/* ---- grids ---- */

static void add_grid(const struct aaa *a, struct proving *p, const struct codes *codes, uint16_t place, bool open,
                     const char *answer)
{
    const bool second = a->grid.totp == CONFIG_TOTP_SECOND, wanted = second && codes->wanted;
    const size_t n = second ? CHOICE_STEPS : 1;
    char number[4];
    snprintf(number, sizeof(number), "%u", desk_at(a->desk, place)->number);
    for (size_t i = 0; i < 2 * n; i++) {
        struct choice *c = add(p, CHOICE_GRID);
        const size_t step = i / 2;
        if (!open || !(wanted ? codes->usable[step] : step == 0))
            continue;
        c->place = place;
        c->step = wanted ? codes->step[step] : 0;
        write(c, i % 2 == 1 ? view_str(number) : VIEW_NONE, view_str(answer),
              wanted ? view_str(codes->text[step]) : VIEW_NONE);
    }
}

static void add_grids(const struct aaa *a, const struct aaa_request *r, struct proving *p, const struct codes *codes)
{
    static const uint8_t nothing[GRID_ID_SIZE];
    const bool in_band = r->session != 0 && r->proof.method == AAA_METHOD_PAP;
    const size_t places = in_band ? DESK_READ : DESK_OPEN;
    uint16_t place[DESK_READ] = {0};
    uint8_t meant[GRID_ID_SIZE];
    const bool coded = r->proof.code != NULL && grid_code_parse(r->proof.code, meant) == ERR_OK;
    const bool reads = p->record.found && p->row.user.grid && grid_secret_fits(&p->secret, &a->shape);
    const struct grid_secret *secret = reads ? &p->secret : &a->nobody_secret;
    char cells[GRID_CELLS_MAX + 1], answer[GRID_ANSWER_MAX];
    const size_t n = desk_open_to(a->desk, p->asked, p->source, in_band ? r->session : 0, a->grid.bind, r->now, place);
    for (size_t i = 0; i < places; i++) {
        const struct opening *o = desk_at(a->desk, place[i]);
        const bool meets = i < n && (!coded || bytes_equal_ct(o->id, meant, sizeof(meant)));
        const bool drawn = grid_draw(a->grid_key, i < n ? o->id : nothing, &a->shape, cells) == ERR_OK;
        (void)grid_answer(secret, cells, answer);
        add_grid(a, p, codes, place[i], reads && meets && drawn, answer);
        p->open += reads && meets;
    }
    bytes_wipe(cells, sizeof(cells));
    bytes_wipe(answer, sizeof(answer));
}

/* ---- coming back ---- */

static void add_ticket(const struct aaa *a, const struct aaa_request *r, struct proving *p)
{
    struct choice *c = add(p, CHOICE_TICKET);
    struct view text;
    if (a->grid.reconnect == 0 || r->session == 0)
        return;
    c->ticket = tickets_find(a->tickets, p->user, p->source, r->station ? r->station : "", r->now,
                             a->grid.reconnect * USEC_SEC, a->grid.reconnect_longest * USEC_SEC, &text);
    if (c->ticket >= 0 && p->record.found)
        write(c, text, VIEW_NONE, VIEW_NONE);
}

void choices_make(const struct aaa *a, const struct aaa_request *r, struct proving *p)
{
    struct codes codes;
    codes_make(p, a->grid.enabled ? (enum config_totp)a->grid.totp : CONFIG_TOTP_OFF, r->wall, &codes);
    add_passwords(a, p, &codes, r->session == 0);
    if (a->grid.enabled) {
        add_grids(a, r, p, &codes);
        add_ticket(a, r, p);
    }
    for (size_t i = 0; i < p->choices; i++) {
        p->text[i] = view_of(p->choice[i].text, p->choice[i].n);
        p->guessable = p->guessable || p->choice[i].n > 0;
    }
    p->record.password = p->text[0];
    p->record.others = p->text + 1;
    p->record.others_n = p->choices - 1;
    bytes_wipe(&codes, sizeof(codes));
}
