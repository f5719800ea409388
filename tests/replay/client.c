/* One client: who it is, where it is, what it remembers; and the datagrams it sends and hears. */
#include "tests/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- who and where ---- */

void client_outside(struct client *c, const struct step *s)
{
    char text[WORD_MAX], address[WORD_MAX];
    if (!step_option(s, "outside", 0, text))
        return;
    const char *colon = strrchr(text, ':'), *comma = strrchr(text, ',');
    wanted(colon && comma && colon < comma, "outside=IP:PORT,PORT");
    snprintf(address, sizeof(address), "%.*s", (int)(colon - text), text);
    wanted(ip_parse(address, &c->outside) == ERR_OK, "an address");
    c->ports[0] = (uint16_t)strtoul(colon + 1, NULL, 10);
    c->ports[1] = (uint16_t)strtoul(comma + 1, NULL, 10);
    client_let(c, "outside", view_of(c->outside.b, ip_addr_size(&c->outside)));
}

void client_start(struct client *c, struct gateway *g, const struct step *s)
{
    char text[WORD_MAX];
    *c = (struct client){.gateway = g,
                         .random = g->random,
                         .ports = {IKE_PORT, IKE_NATT_PORT},
                         .ike_port = IKE_PORT,
                         .l2tp_port = (uint16_t)step_number(s, "l2tp", L2TP_PORT)};
    wanted(g->stack != NULL, "a gateway first");
    wanted(step_word(s, 1, text), "a name");
    snprintf(c->name, sizeof(c->name), "%.31s", text);
    wanted(step_option(s, "inside", 0, text) && ip_parse(text, &c->inside) == ERR_OK, "inside=IP");
    c->outside = c->inside;
    client_let(c, "inside", view_of(c->inside.b, ip_addr_size(&c->inside)));
    client_let(c, "outside", view_of(c->outside.b, ip_addr_size(&c->outside)));
    client_outside(c, s);
    if (!step_option(s, "psk", 0, text))
        strcpy(text, "a strong key");
    wanted(secret_set(&c->psk, view_str(text)) == ERR_OK, "a shorter key");
}

void client_use_ike(struct client *c, const char *cookie)
{
    uint8_t bytes[8];
    struct writer w = wr_init(bytes, sizeof(bytes));
    wr_u64(&w, strtoull(cookie, NULL, 16));
    for (size_t i = 0; i < c->ike_n; i++)
        if (memcmp(c->ike[i].icookie, bytes, sizeof(bytes)) == 0) {
            c->current = &c->ike[i];
            return;
        }
    wanted(c->ike_n < ARRAY_LEN(c->ike), "fewer IKE SAs");
    c->current = &c->ike[c->ike_n++];
    memcpy(c->current->icookie, bytes, sizeof(bytes));
    client_let(c, "icookie", VIEW(bytes));
}

void client_use_pair(struct client *c, const char *spi)
{
    for (c->pair = 0; c->pair < c->pairs_n; c->pair++)
        if (c->pairs[c->pair].spi_ours == strtoul(spi, NULL, 16))
            return;
    broken("no pair has the SPI %s", spi);
}

/* ---- what it remembers ---- */

struct variable *client_variable(struct client *c, const char *name)
{
    for (size_t i = 0; i < c->variables_n; i++)
        if (strcmp(c->variables[i].name, name) == 0)
            return &c->variables[i];
    return NULL;
}

void client_let(struct client *c, const char *name, struct view bytes)
{
    struct variable *v = client_variable(c, name);
    if (!v) {
        wanted(c->variables_n < ARRAY_LEN(c->variables), "fewer variables");
        v = &c->variables[c->variables_n++];
        snprintf(v->name, sizeof(v->name), "%s", name);
    }
    wanted(bytes.n <= sizeof(v->bytes), "a shorter value");
    memcpy(v->bytes, bytes.p, bytes.n);
    v->n = bytes.n;
}

static struct view remembered(struct client *c, const char *name)
{
    const struct variable *v = client_variable(c, name);
    if (!v)
        broken("$%s is not known", name);
    return view_of(v->bytes, v->n);
}

static void login_mschap(struct client *c, struct view user, struct view password)
{
    uint8_t hash[MSCHAP_NT_HASH_SIZE], response[MSCHAP_NT_RESPONSE], success[MSCHAP_AUTH_RESPONSE];
    char digits[2 * MSCHAP_AUTH_RESPONSE + 3] = "S=";
    const struct view challenge = remembered(c, "challenge"), peer = remembered(c, "peer_challenge");
    wanted(challenge.n == MSCHAP_CHALLENGE_SIZE && peer.n == MSCHAP_CHALLENGE_SIZE, "challenges of 16 bytes");
    wanted(mschap_nt_hash(password, hash) == ERR_OK &&
               mschapv2_nt_response(hash, challenge.p, peer.p, user, response) == ERR_OK &&
               mschapv2_authenticator_response(hash, response, challenge.p, peer.p, user, success) == ERR_OK,
           "MS-CHAPv2");
    for (size_t i = 0; i < sizeof(success); i++)
        snprintf(digits + 2 + 2 * i, 3, "%02X", success[i]);
    client_let(c, "response", VIEW(response));
    client_let(c, "success", view_str(digits));
}

void client_login(struct client *c, const struct step *s)
{
    char method[WORD_MAX], user[WORD_MAX], password[WORD_MAX];
    uint8_t response[CHAP_MD5_SIZE];
    wanted(step_word(s, 1, method) && step_option(s, "user", 0, user) && step_option(s, "password", 0, password),
           "a method, user= and password=");
    if (strcmp(method, "mschapv2") == 0) {
        login_mschap(c, view_str(user), view_str(password));
        return;
    }
    wanted(strcmp(method, "chap-md5") == 0, "mschapv2 or chap-md5");
    const uint8_t id = (uint8_t)step_number(s, "id", 1);
    wanted(chap_md5_response(id, view_str(password), remembered(c, "challenge"), response) == ERR_OK, "CHAP-MD5");
    client_let(c, "response", VIEW(response));
}

/* ---- datagrams ---- */

static struct path path_of(const struct client *c, uint16_t local, uint16_t remote)
{
    return (struct path){.local = {c->gateway->address, local}, .remote = {c->outside, remote}};
}

struct path client_path_ike(const struct client *c)
{
    return path_of(c, c->ike_port, c->ports[c->ike_port == IKE_NATT_PORT]);
}

struct path client_path_esp(const struct client *c, const struct pair *p)
{
    return p->udp ? path_of(c, IKE_NATT_PORT, c->ports[1]) : path_of(c, 0, 0);
}

struct path client_path_plain(const struct client *c)
{
    return path_of(c, L2TP_PORT, c->l2tp_port);
}

void client_send_bytes(struct client *c, const struct path *path, const uint8_t *bytes, size_t n)
{
    wanted(n <= sizeof(c->last), "a smaller datagram");
    gateway_no_drops(c->gateway);
    if (bytes != c->last)
        memcpy(c->last, bytes, n);
    c->last_n = n;
    c->last_path = *path;
    gateway_receive(c->gateway, path, c->last, n);
}

static bool is_mine(const struct client *c, const struct endpoint *to)
{
    return ip_equal(&to->addr, &c->outside) &&
           (to->port == 0 || to->port == c->ports[0] || to->port == c->ports[1] || to->port == c->l2tp_port);
}

void client_hear_nothing(const struct client *c)
{
    for (const struct sent *s = c->gateway->sent; s; s = s->next)
        if (is_mine(c, &s->path.remote))
            broken("a datagram of %zu bytes to %s was not expected", s->n, c->name);
}

struct view client_hear(struct client *c, const struct path *path)
{
    char to[ENDPOINT_TEXT_MAX], wanted_to[ENDPOINT_TEXT_MAX];
    struct sent **at = &c->gateway->sent;
    while (*at && !is_mine(c, &(*at)->path.remote))
        at = &(*at)->next;
    struct sent *s = *at;
    if (!s)
        broken("nothing came for %s", c->name);
    if (path && !path_equal(path, &s->path))
        broken("came from port %u to %s, not from port %u to %s", s->path.local.port,
               endpoint_text(&s->path.remote, to), path->local.port, endpoint_text(&path->remote, wanted_to));
    wanted(s->n <= sizeof(c->heard), "a smaller datagram");
    memcpy(c->heard, s->bytes, s->n);
    c->heard_n = s->n;
    *at = s->next;
    free(s);
    return view_of(c->heard, c->heard_n);
}
