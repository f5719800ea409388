/* handout-write DEVICE LANGUAGE NAME=VALUE...: writes a set-up file to standard output, for tests that read it with
 * what else reads such files. DEVICE may be qr or svg, then LANGUAGE is the text. Status 1: refused, in a sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handout/handout.h"

static struct handout_told told = {"vpn.example.net",           "736563726574", "mschapv2",
                                   "10.0.0.0/8,192.168.7.0/24", "10.0.0.53",    "corp.example,lab.example"};
static struct handout_settings settings;
static struct handout h = {.name = "Office", .user = "alice"};
static char text[HANDOUT_SIZE_MAX], certificate[65536];

static void take(char *word)
{
    const struct {
        const char *name;
        const char **into;
    } values[] = {{"name", &h.name},
                  {"user", &h.user},
                  {"server", &told.server},
                  {"psk", &told.psk},
                  {"logins", &told.logins},
                  {"routes", &told.routes},
                  {"dns", &told.dns},
                  {"domain", &told.domain},
                  {"password", &h.certificate.password},
                  {"file", &h.certificate.file}};
    char *value = strchr(word, '=');
    if (value == NULL)
        exit(2);
    *value++ = '\0';
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (strcmp(word, values[i].name) == 0)
            *values[i].into = value;
    if (strcmp(word, "p12") == 0)
        h.certificate.p12 = view_str(value);
    if (strcmp(word, "ca") == 0) {
        FILE *f = fopen(value, "r");
        if (f == NULL)
            exit(2);
        h.certificate.authority = view_of(certificate, fread(certificate, 1, sizeof certificate, f));
        fclose(f);
    }
}

int main(int argc, char **argv)
{
    char why[HANDOUT_WHY_MAX] = "it does not fit";
    enum handout_device device;
    enum err result;
    struct writer w = wr_init(text, sizeof text);
    if (argc < 3)
        return 2;
    for (int i = 3; i < argc; i++)
        take(argv[i]);
    if (handout_settings_read(&told, &settings) != ERR_OK)
        return 2;
    handout_settings_fill(&settings, &h);
    if (strcmp(argv[1], "qr") == 0)
        result = handout_qr_text(view_str(argv[2]), false, &w);
    else if (strcmp(argv[1], "svg") == 0)
        result = handout_qr_svg(view_str(argv[2]), "a title <&>", &w);
    else if (handout_find(argv[1], &device))
        result = handout_write(&h, device, strcmp(argv[2], "ja") == 0 ? HANDOUT_JAPANESE : HANDOUT_ENGLISH, &w, why);
    else
        return 2;
    if (result != ERR_OK)
        fprintf(stderr, "%s\n", why);
    else
        fwrite(text, 1, w.n, stdout);
    return result == ERR_OK ? 0 : 1;
}
