/* sekisho-client: the engine of one connection, by a profile or by options alone. */
#include "client/client_internal.h"

#include "profile/profile.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECRET_FILE_MAX 512

static const char usage[] =
    "sekisho-client: connects this host to an L2TP/IPsec server and keeps it connected\n"
    "  sekisho-client --profile FILE [--name NAME] [--log text|json]\n"
    "      [--profile-fd N]        read the profile from this descriptor instead\n"
    "      [--log-file FILE]       keep the latest of the log there\n"
    "      [--ready-fd N]          write a line there once the control socket listens, or why not\n"
    "  sekisho-client --server NAME --psk-file FILE --user NAME --password-file FILE\n"
    "      [--tun NAME]            interface to make (sekisho0)\n"
    "      [--route PREFIX]...     send this network through the tunnel; 0.0.0.0/0 for everything\n"
    "      [--encap auto|force|off] ESP in UDP: as needed, always, never\n"
    "      [--ike LIST] [--esp LIST] proposals, e.g. aes256-sha1-modp2048, aes128gcm16\n"
    "      [--identity TEXT]       @group, name@host, host or address, when the server does not go by our address\n"
    "      [--aggressive]          aggressive mode, for servers that take nothing else; weaker\n"
    "      [--pfs]                 perfect forward secrecy in quick mode\n"
    "      [--local ADDRESS]       use this address of the host\n"
    "      [--stay never|up|always] connect again: never, once it was up, whatever happens (never)\n"
    "      [--run-as USER]         whom to become once all is open (sekisho; root: stay root)\n"
    "      [--log text|json]\n"
    "  sekisho-client --clean NAME  undoes what a connection that was killed has left behind\n"
    "Ends with 0 after SIGINT or SIGTERM; else the status tells why, see sekisho-client(8).\n";

struct line {
    struct client_options o;
    char psk[SECRET_FILE_MAX], password[SECRET_FILE_MAX];
    const char *psk_file, *password_file, *clean, *profile;
    int profile_fd; /* -1: none */
    bool named;
};

/* ---- values ---- */

static bool take_route(struct wishes *w, char *text)
{
    struct steward_prefix route = {.bits = 32};
    char *slash = strchr(text, '/'), *end = NULL;
    if (slash)
        *slash++ = '\0';
    if (ip_parse(text, &route.to) != ERR_OK || route.to.family != 4)
        return false;
    if (slash) {
        const unsigned long bits = strtoul(slash, &end, 10);
        if (end == slash || *end != '\0' || bits > 32)
            return false;
        route.bits = (uint8_t)bits;
    }
    if (route.bits == 0) {
        w->everything = w->leave_ipv6 = true;
        return true;
    }
    if (w->route_count == STEWARD_ROUTES)
        return false;
    w->routes[w->route_count++] = route;
    return true;
}

static bool take_stay(struct client_options *o, const char *text)
{
    static const char *const words[] = {"never", "up", "always"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i], text) == 0) {
            o->connection.stay = (enum sekisho_stay)i;
            return true;
        }
    return false;
}

static bool take_name(char *out, size_t cap, const char *text)
{
    if (!text[0] || strlen(text) >= cap)
        return false;
    strcpy(out, text);
    return true;
}

static bool take_number(const char *text, int *out)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || n > 1u << 20)
        return false;
    *out = (int)n;
    return true;
}

static bool take(struct line *line, int option, char *value)
{
    struct client_options *o = &line->o;
    switch (option) {
    case 's':
        o->connection.server = o->server_text = value;
        return value[0] != '\0';
    case 'l':
        o->connection.local = value;
        return true;
    case 'k':
        line->psk_file = value;
        return true;
    case 'u':
        o->connection.user = value;
        return true;
    case 'p':
        line->password_file = value;
        return true;
    case 't':
        return take_name(o->iface, sizeof(o->iface), value);
    case 'r':
        return take_route(&o->wishes, value);
    case 'e':
        o->connection.encapsulation = value;
        return true;
    case 'i':
        o->connection.ike_proposal = value;
        return true;
    case 'E':
        o->connection.esp_proposal = value;
        return true;
    case 'f':
        o->connection.pfs = true;
        return true;
    case 'I':
        o->connection.identity = value;
        return true;
    case 'A':
        o->connection.aggressive = true;
        return true;
    case 'S':
        return take_stay(o, value);
    case 'a':
        o->user = value;
        return true;
    case 'P':
        line->profile = value;
        return true;
    case 'F':
        return take_number(value, &line->profile_fd);
    case 'R':
        return take_number(value, &o->ready_fd);
    case 'n':
        line->named = true;
        return take_name(o->name, sizeof(o->name), value);
    case 'c':
        line->clean = value;
        return true;
    case 'O':
        o->log_file = value;
        return value[0] == '/';
    case 'L':
        o->json = strcmp(value, "json") == 0;
        return o->json || strcmp(value, "text") == 0;
    default:
        return false;
    }
}

/* ---- secrets ---- */

/* The first line of a file. */
static bool read_secret(const char *name, char *out, size_t cap)
{
    FILE *f = fopen(name, "re");
    if (!f) {
        perror(name);
        return false;
    }
    struct stat st;
    if (fstat(fileno(f), &st) == 0 && st.st_mode & S_IRWXO) {
        fprintf(stderr, "sekisho-client: others may read %s; take that away with chmod o= %s\n", name, name);
        fclose(f);
        return false;
    }
    setvbuf(f, NULL, _IONBF, 0); /* leaves no copy in a buffer */
    const bool read = fgets(out, (int)cap, f) != NULL;
    fclose(f);
    out[read ? strcspn(out, "\r\n") : 0] = '\0';
    if (out[0])
        return true;
    fprintf(stderr, "sekisho-client: %s is empty\n", name);
    return false;
}

static bool read_secrets(struct line *line)
{
    if (!read_secret(line->psk_file, line->psk, sizeof(line->psk)) ||
        !read_secret(line->password_file, line->password, sizeof(line->password)))
        return false;
    line->o.connection.psk = line->psk;
    line->o.connection.psk_size = strlen(line->psk);
    line->o.connection.password = line->password;
    return true;
}

/* Ends with an error before the engine could say so. */
static int refuse(const struct client_options *o, const char *sentence)
{
    fprintf(stderr, "sekisho-client: %s\n", sentence);
    client_tell_starter(o, ctl_reply_error(CTL_CODE_INVALID, sentence));
    steward_end(o->steward);
    return EXIT_OTHER;
}

static bool fork_steward(struct client_options *o)
{
    char why[STEWARD_WHY];
    const enum err e = steward_fork(&o->steward, why);
    if (e != ERR_OK)
        refuse(o, why[0] ? why : err_text(e));
    return e == ERR_OK;
}

static int run(struct line *line)
{
    if (!line->o.connection.server || !line->psk_file || !line->o.connection.user || !line->password_file) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!line->named)
        snprintf(line->o.name, sizeof(line->o.name), "%s", line->o.iface);
    int status = EXIT_OTHER;
    if (!fork_steward(&line->o))
        return status;
    if (read_secrets(line))
        status = client_run(&line->o);
    else
        steward_end(line->o.steward);
    bytes_wipe(line, sizeof(*line));
    return status;
}

/* ---- profiles ---- */

/* The name of a profile is that of its file, without what follows the last dot. */
static void name_after(struct client_options *o, const char *file)
{
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    const char *dot = strrchr(base, '.');
    const size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    if (n > 0 && n < sizeof(o->name)) {
        memcpy(o->name, base, n);
        o->name[n] = '\0';
    }
}

static int run_profile(struct line *line)
{
    struct profile *profile = NULL;
    struct config_error error;
    char text[CONFIG_ERROR_TEXT_MAX];
    const char *file = line->profile ? line->profile : "the profile";
    if (!line->named && line->profile)
        name_after(&line->o, line->profile);
    snprintf(line->o.iface, sizeof(line->o.iface), "sk-%.12s", line->o.name);
    if (!fork_steward(&line->o))
        return EXIT_OTHER;
    enum err e = line->profile ? profile_load(file, &profile, &error)
                               : profile_load_fd(line->profile_fd, file, &profile, &error);
    if (e == ERR_OK)
        e = profile_secrets(profile, getenv("CREDENTIALS_DIRECTORY"), file, &error);
    int status;
    line->o.control = true;
    if (e != ERR_OK)
        status = refuse(&line->o, config_error_text(&error, text));
    else if (!client_take_profile(profile, &line->o, text, sizeof(text)))
        status = refuse(&line->o, text);
    else
        status = client_run(&line->o);
    profile_free(profile);
    return status;
}

static int clean(const char *name)
{
    char why[STEWARD_WHY] = "";
    const enum err e = steward_clean(NULL, name, why);
    if (why[0])
        fprintf(stderr, "sekisho-client: %s\n", why);
    if (e != ERR_OK)
        return EXIT_OTHER;
    char path[CONFIG_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s.sock", CTL_CLIENT_DIRECTORY, name);
    (void)local_remove_stale(path); /* the engine could not, without its rights */
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"profile", required_argument, NULL, 'P'},
        {"profile-fd", required_argument, NULL, 'F'},
        {"name", required_argument, NULL, 'n'},
        {"ready-fd", required_argument, NULL, 'R'},
        {"server", required_argument, NULL, 's'},
        {"psk-file", required_argument, NULL, 'k'},
        {"user", required_argument, NULL, 'u'},
        {"password-file", required_argument, NULL, 'p'},
        {"tun", required_argument, NULL, 't'},
        {"route", required_argument, NULL, 'r'},
        {"encap", required_argument, NULL, 'e'},
        {"ike", required_argument, NULL, 'i'},
        {"esp", required_argument, NULL, 'E'},
        {"local", required_argument, NULL, 'l'},
        {"pfs", no_argument, NULL, 'f'},
        {"identity", required_argument, NULL, 'I'},
        {"aggressive", no_argument, NULL, 'A'},
        {"stay", required_argument, NULL, 'S'},
        {"run-as", required_argument, NULL, 'a'},
        {"log", required_argument, NULL, 'L'},
        {"log-file", required_argument, NULL, 'O'},
        {"clean", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct line line = {.o = {.name = "sekisho0", .iface = "sekisho0", .user = "sekisho", .ready_fd = -1},
                        .profile_fd = -1};
    sekisho_options_init(&line.o.connection);
    line.o.connection.stay = SEKISHO_STAY_NEVER;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (!take(&line, option, optarg)) {
            if (option != '?')
                fprintf(stderr, "sekisho-client: \"%s\" cannot be taken\n", optarg);
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (line.clean)
        return clean(line.clean);
    return line.profile || line.profile_fd >= 0 ? run_profile(&line) : run(&line);
}
