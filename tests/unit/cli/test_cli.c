/* The whole command against a gateway of a few lines: it says its piece and keeps what it was asked. */
#include "tests/test.h"

#include <locale.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli_internal.h"

static char folder[] = "/tmp/sekisho-cli-XXXXXX";
static char path[64];

/* ---- the gateway ---- */

struct gateway {
    int listener;
    pthread_t thread;
    const char *replies[4]; /* one a connection, without the line end; NULL: no more */
    char asked[4][512];
};

static void *serve(void *ctx)
{
    struct gateway *g = ctx;
    for (size_t i = 0; i < ARRAY_LEN(g->replies) && g->replies[i] != NULL; i++) {
        size_t n = 0;
        int fd = accept(g->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        while (n < sizeof g->asked[i] - 1 && read(fd, g->asked[i] + n, 1) == 1 && g->asked[i][n] != '\n')
            n++;
        g->asked[i][n] = '\0';
        (void)!write(fd, g->replies[i], strlen(g->replies[i]));
        (void)!write(fd, "\n", 1);
        close(fd);
    }
    return NULL;
}

static void gateway_start(struct gateway *g)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    (void)unlink(path);
    g->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(g->listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(g->listener, 4), 0);
    assert_int_equal(pthread_create(&g->thread, NULL, serve, g), 0);
}

static void gateway_stop(struct gateway *g)
{
    shutdown(g->listener, SHUT_RDWR);
    pthread_join(g->thread, NULL);
    close(g->listener);
    (void)unlink(path);
}

/* ---- the command ---- */

struct run {
    char *out, *err;
    int status;
};

/* line: words parted by blanks. input: what is on standard input. */
static struct run command(const char *line, const char *input)
{
    struct run r = {0};
    char words[512], *argv[24] = {(char[]){"sekisho"}}, *next = words, socket[] = "--socket";
    int argc = 1;
    size_t n;
    snprintf(words, sizeof words, "%s", line);
    for (char *word; (word = strsep(&next, " ")) != NULL;)
        argv[argc++] = word;
    if (strstr(line, "--help") == NULL && argc > 1) {
        argv[argc++] = socket;
        argv[argc++] = path;
    }
    FILE *in = fmemopen((void *)(uintptr_t)input, strlen(input) + 1, "r");
    FILE *out = open_memstream(&r.out, &n), *err = open_memstream(&r.err, &n);
    const struct cli_io io = {in, out, err, true};
    r.status = cli_run(&io, argc, argv);
    fclose(in);
    fclose(out);
    fclose(err);
    return r;
}

static void check(const char *line, const char *reply, int status, const char *asked, const char *out, const char *err)
{
    struct gateway g = {.replies = {reply}};
    gateway_start(&g);
    struct run r = command(line, "from the file\n");
    gateway_stop(&g);
    if (r.status != status)
        fail_msg("%s: status %d: %s%s", line, r.status, r.out, r.err);
    assert_string_equal(g.asked[0], asked);
    assert_string_equal(r.out, out);
    assert_string_equal(r.err, err);
    free(r.out);
    free(r.err);
}

/* What is wrong is said before anybody is asked. */
static void wrong(const char *line, const char *err)
{
    struct run r = command(line, "");
    if (r.status != CLI_USAGE || strstr(r.err, err) == NULL)
        fail_msg("%s: status %d, \"%s\" does not say \"%s\"", line, r.status, r.err, err);
    free(r.out);
    free(r.err);
}

#define USER_REPLY "{\"ok\":true,\"data\":{\"user\":{\"name\":\"alice\",\"enabled\":true}}}"

static void a_user_is_added_with_the_password_of_a_file(void **state)
{
    (void)state;
    check("user add alice --password-file - --address 10.0.0.9 --max-sessions=2", USER_REPLY, CLI_OK,
          "{\"v\":1,\"verb\":\"user.add\",\"args\":{\"name\":\"alice\",\"password\":\"from the file\","
          "\"address\":\"10.0.0.9\",\"max_sessions\":2}}",
          "The user alice was added.\n", "");
}

static void a_generated_password_is_printed_once(void **state)
{
    (void)state;
    struct gateway g = {.replies = {USER_REPLY}};
    char want[128];
    gateway_start(&g);
    struct run r = command("user passwd alice --generate", "");
    gateway_stop(&g);
    assert_int_equal(r.status, CLI_OK);
    const char *printed = strstr(r.out, "Password: ");
    assert_non_null(printed);
    snprintf(want, sizeof want, "\"password\":\"%.23s\"", printed + strlen("Password: "));
    assert_non_null(strstr(g.asked[0], want));
    free(r.out);
    free(r.err);
}

static void only_what_is_given_is_changed(void **state)
{
    (void)state;
    check("user set alice --disable --address none --expires never", USER_REPLY, CLI_OK,
          "{\"v\":1,\"verb\":\"user.set\",\"args\":{\"name\":\"alice\",\"address\":\"\",\"expires\":0,\"enabled\":"
          "false}}",
          "The user alice was changed.\n", "");
    check("user del alice", "{\"ok\":true,\"data\":{}}", CLI_OK,
          "{\"v\":1,\"verb\":\"user.del\",\"args\":{\"name\":\"alice\"}}", "The user alice was removed.\n", "");
}

static void what_the_gateway_refuses_is_said_and_shows_in_the_status(void **state)
{
    (void)state;
    static const char reply[] =
        "{\"ok\":false,\"error\":{\"code\":\"not-found\",\"sentence\":\"There is no user alice.\"}}";
    check("user del alice", reply, CLI_FAILED, "{\"v\":1,\"verb\":\"user.del\",\"args\":{\"name\":\"alice\"}}", "",
          "There is no user alice.\n");
    check("user del alice --json", reply, CLI_FAILED, "{\"v\":1,\"verb\":\"user.del\",\"args\":{\"name\":\"alice\"}}",
          "{\"ok\":false,\"error\":{\"code\":\"not-found\",\"sentence\":\"There is no user alice.\"}}\n", "");
}

static void sessions_are_a_table_of_eighty_columns(void **state)
{
    (void)state;
    check("session list --user alice",
          "{\"ok\":true,\"data\":{\"sessions\":["
          "{\"id\":12,\"user\":\"alice\",\"address\":\"172.16.2.100\",\"peer\":\"203.0.113.250:60001\","
          "\"since\":99999999999,\"bytes_in\":1500000,\"bytes_out\":20},"
          "{\"id\":123456,\"user\":\"a-very-long-name-of-a-user@a-company.example\",\"address\":\"172.16.2.101\","
          "\"peer\":\"[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:60001\",\"since\":99999999999,\"bytes_in\":1,"
          "\"bytes_out\":0}]}}",
          CLI_OK, "{\"v\":1,\"verb\":\"session.list\",\"args\":{\"user\":\"alice\"}}",
          "    ID  USER                 ADDRESS       PEER                 UP      IN   OUT\n"
          "    12  alice                172.16.2.100  203.0.113.250:60001  0s  1.5 MB  20 B\n"
          "123456  a-very-long-name-o~  172.16.2.101  [2001:db8:aaaa:bbb~  0s     1 B   0 B\n",
          "");
    check("session list", "{\"ok\":true,\"data\":{\"sessions\":[]}}", CLI_OK,
          "{\"v\":1,\"verb\":\"session.list\",\"args\":{}}", "There are no sessions.\n", "");
}

static void a_session_is_ended_by_number_or_by_user(void **state)
{
    (void)state;
    check("session kick 12", "{\"ok\":true,\"data\":{\"kicked\":1}}", CLI_OK,
          "{\"v\":1,\"verb\":\"session.kick\",\"args\":{\"session\":12}}", "1 session was ended.\n", "");
    check("session kick --user alice", "{\"ok\":true,\"data\":{\"kicked\":3}}", CLI_OK,
          "{\"v\":1,\"verb\":\"session.kick\",\"args\":{\"user\":\"alice\"}}", "3 sessions were ended.\n", "");
    wrong("session kick", "either a session's number or --user");
    wrong("session kick 12 --user alice", "either a session's number or --user");
    wrong("session kick alice", "no number of a session");
}

static void an_attempt_is_explained_with_its_cure(void **state)
{
    (void)state;
    check(
        "explain last",
        "{\"ok\":true,\"data\":{\"attempts\":[{\"id\":1,\"peer\":\"192.0.2.1:4500\",\"user\":\"alice\","
        "\"started\":1700000000,\"over\":true,\"stage\":\"auth\",\"reached\":\"user authentication\","
        "\"cause\":\"wrong-password\",\"why\":\"The password is wrong.\",\"cure\":\"Type it again.\","
        "\"steps\":[{\"at\":0,\"stage\":\"ike-1\",\"sentence\":\"main mode message 1: proposals\",\"detail\":\"\"},"
        "{\"at\":1204,\"stage\":\"auth\",\"sentence\":\"user authentication\",\"detail\":\"mschapv2\\u001b[2J\"}]}]}}",
        CLI_OK, "{\"v\":1,\"verb\":\"explain\",\"args\":{\"who\":\"last\",\"attempts\":1}}",
        "alice from 192.0.2.1:4500, 2023-11-14 22:13\n"
        "  Reached  user authentication\n"
        "  Stopped  The password is wrong.\n"
        "  Helps    Type it again.\n"
        "\n"
        "       0.000 s  main mode message 1: proposals\n"
        "       1.204 s  user authentication\n"
        "                mschapv2?[2J\n",
        "");
    check("explain 192.0.2.9", "{\"ok\":true,\"data\":{\"attempts\":[]}}", CLI_FAILED,
          "{\"v\":1,\"verb\":\"explain\",\"args\":{\"who\":\"192.0.2.9\",\"attempts\":1}}", "",
          "No attempt of \"192.0.2.9\" is known. If the client did try, its packets have not arrived: look at its "
          "network, and at UDP ports 500 and 4500 on the way.\n");
}

static void status_and_drops_are_two_questions(void **state)
{
    (void)state;
    struct gateway g = {
        .replies = {"{\"ok\":true,\"data\":{\"status\":{\"version\":\"1.2\",\"sessions\":3,\"drops\":9}}}",
                    "{\"ok\":true,\"data\":{\"drops\":[{\"word\":\"esp-icv\",\"count\":9,\"sentence\":"
                    "\"no match\"},{\"word\":\"esp-spi\",\"count\":0,\"sentence\":\"x\"}]}}"}};
    gateway_start(&g);
    struct run r = command("status --drops", "");
    gateway_stop(&g);
    assert_int_equal(r.status, CLI_OK);
    assert_non_null(strstr(r.out, "Sessions      3 in 0 tunnels\n"));
    assert_non_null(strstr(r.out, "\nCOUNT  DROP     WHY\n    9  esp-icv  no match\n"));
    assert_null(strstr(r.out, "esp-spi"));
    assert_string_equal(g.asked[1], "{\"v\":1,\"verb\":\"drops\",\"args\":{}}");
    free(r.out);
    free(r.err);
}

static void events_are_printed_until_the_gateway_ends(void **state)
{
    (void)state;
    char ended[128];
    snprintf(ended, sizeof ended, "The gateway at %s has ended.\n", path);
    check(
        "events",
        "{\"ok\":true,\"data\":{}}\n{\"event\":{\"time\":1700000000123,\"type\":\"session-up\",\"session\":5,\"user\":"
        "\"alice\",\"cause\":\"none\",\"detail\":\"x\"}}",
        CLI_NO_GATEWAY, "{\"v\":1,\"verb\":\"events\",\"args\":{}}",
        "22:13:20.123 session-up session=5 user=alice: x\n", ended);
}

static void a_configuration_is_checked_as_text(void **state)
{
    (void)state;
    char line[128], want[256];
    snprintf(line, sizeof line, "config check %s/conf", folder);
    snprintf(want, sizeof want,
             "{\"v\":1,\"verb\":\"config.check\",\"args\":{\"config\":\"shards = 2\\n\",\"filename\":\"%s/conf\"}}",
             folder);
    FILE *f = fopen(line + strlen("config check "), "w");
    assert_non_null(f);
    fputs("shards = 2\n", f);
    fclose(f);
    check(line, "{\"ok\":true,\"data\":{\"problem\":\"\"}}", CLI_OK, want, "The configuration is right.\n", "");
    check(line, "{\"ok\":true,\"data\":{\"problem\":\"conf:1: wrong\"}}", CLI_FAILED, want, "conf:1: wrong\n", "");
    (void)unlink(line + strlen("config check "));
}

static void without_a_gateway_there_is_a_plain_sentence(void **state)
{
    (void)state;
    char want[256];
    struct run r = command("status", "");
    assert_int_equal(r.status, CLI_NO_GATEWAY);
    snprintf(want, sizeof want,
             "No gateway answers at %s. Is sekishod running? Start it with: systemctl start sekishod\n", path);
    assert_string_equal(r.err, want);
    assert_string_equal(r.out, "");
    free(r.out);
    free(r.err);
}

static void a_gateway_that_makes_no_sense_is_called_so(void **state)
{
    (void)state;
    static const char *const replies[] = {"", "hello", "{\"ok\":true,\"data\":{}}",
                                          "{\"ok\":true,\"data\":{\"users\":[7]}}"};
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        check("user list", replies[i], CLI_FAILED, "{\"v\":1,\"verb\":\"user.list\",\"args\":{}}", "",
              "The gateway's reply cannot be understood.\n");
}

static void wrong_usage_is_told_with_the_way_out(void **state)
{
    (void)state;
    wrong("user", "Something is missing after \"user\": it can be one of add, set, passwd, list, del");
    wrong("user become", "Unknown word after \"user\"");
    wrong("frobnicate", "There is no command \"frobnicate\".");
    wrong("user del", "NAME is missing.");
    wrong("user del alice bob", "\"bob\" is one word too many.");
    wrong("status now", "\"now\" is one word too many.");
    wrong("status --generate", "There is no option \"--generate\" here.");
    wrong("status --json=yes", "--json takes no value");
    wrong("user set alice", "There is nothing to change.");
    wrong("user set alice --expires tomorrow", "\"tomorrow\" is no date");
    wrong("user set alice --max-sessions -3", "--max-sessions takes a number");
    wrong("user set alice --enable --disable", "exclude each other");
    wrong("user add alice --generate --password-file x", "exclude each other");
    wrong("explain last --attempts 0", "from 1 to 100");
}

static void every_command_helps_within_eighty_columns(void **state)
{
    (void)state;
    static const char *const lines[] = {"--help",
                                        "status --help",
                                        "explain --help",
                                        "events --help",
                                        "session list --help",
                                        "session show --help",
                                        "session kick --help",
                                        "user add --help",
                                        "user set --help",
                                        "user passwd --help",
                                        "user list --help",
                                        "user del --help",
                                        "config check --help",
                                        "config reload --help",
                                        "version --help"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct run r = command(lines[i], "");
        assert_int_equal(r.status, CLI_OK);
        assert_non_null(strstr(r.out, "Usage: sekisho "));
        for (char *next = r.out, *line; (line = strsep(&next, "\n")) != NULL;)
            if (strlen(line) > TERMINAL_WIDTH)
                fail_msg("%s: this is too wide: %s", lines[i], line);
        free(r.out);
        free(r.err);
    }
}

static int make_folder(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    tzset();
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/control", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

#define HANDOUT_REPLY                                                                                                  \
    "{\"ok\":true,\"data\":{\"handout\":{\"server\":\"vpn.example.net\",\"psk\":\"6b6579\",\"logins\":\"mschapv2\","   \
    "\"routes\":\"10.0.0.0/8\",\"dns\":\"10.0.0.53\",\"domain\":\"corp.example\",\"grid\":false}}}"

/* --> what this user's devices have to know, <-- a file that none but its owner reads */
static void a_profile_is_made_of_what_the_gateway_tells(void **state)
{
    char file[96], line[256], text[4096] = "";
    struct gateway g = {.replies = {HANDOUT_REPLY}};
    struct stat st;
    (void)state;
    snprintf(file, sizeof file, "%s/alice.conf", folder);
    snprintf(line, sizeof line, "user profile alice --for sekisho --output %s", file);
    gateway_start(&g);
    struct run r = command(line, "");
    gateway_stop(&g);
    if (r.status != CLI_OK)
        fail_msg("status %d: %s", r.status, r.err);
    assert_string_equal(g.asked[0], "{\"v\":1,\"verb\":\"handout.settings\",\"args\":{\"user\":\"alice\"}}");
    assert_non_null(strstr(r.out, "the pre-shared key in it"));
    assert_non_null(strstr(r.out, "sudo sekisho profile import"));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    (void)fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_non_null(strstr(text, "server = \"vpn.example.net\""));
    assert_non_null(strstr(text, "psk = \"key\""));
    assert_non_null(strstr(text, "routes = { \"10.0.0.0/8\" }"));
    unlink(file);
    free(r.out);
    free(r.err);
}

static void a_profile_can_be_steps_in_japanese(void **state)
{
    struct gateway g = {.replies = {HANDOUT_REPLY}};
    (void)state;
    gateway_start(&g);
    struct run r =
        command("user profile alice --for android --by-hand --language ja --server 192.0.2.7 --name Office", "");
    gateway_stop(&g);
    assert_int_equal(r.status, CLI_OK);
    assert_non_null(strstr(r.out, "サーバーアドレス: 192.0.2.7"));
    assert_non_null(strstr(r.out, "IPSec 事前共有鍵: key"));
    free(r.out);
    free(r.err);
}

static void a_profile_needs_a_user_and_a_device(void **state)
{
    struct gateway g = {
        .replies = {"{\"ok\":false,\"error\":{\"code\":\"not-found\",\"sentence\":\"There is no user bob.\"}}"}};
    (void)state;
    wrong("user profile alice", "Say what it is for with --for");
    wrong("user profile alice --for amiga", "Say what it is for with --for");
    wrong("user profile alice --for ios --language fr", "--language takes \"en\" or \"ja\".");
    wrong("user profile alice --for ios --authorities ca.pem", "go with --certificate.");
    gateway_start(&g);
    struct run r = command("user profile bob --for ios", "");
    gateway_stop(&g);
    assert_int_equal(r.status, CLI_FAILED);
    assert_string_equal(r.err, "There is no user bob.\n");
    free(r.out);
    free(r.err);
}

static void options_may_stand_before_the_command(void **state)
{
    (void)state;
    const char *reply = "{\"ok\":false,\"error\":{\"code\":\"not-found\",\"sentence\":\"There is no user bob.\"}}";
    struct run usual, early;
    for (int i = 0; i < 2; i++) {
        struct gateway g = {.replies = {reply}};
        gateway_start(&g);
        *(i == 0 ? &usual : &early) = command(i == 0 ? "user del bob --json" : "--json user del bob", "");
        gateway_stop(&g);
    }
    assert_int_equal(early.status, CLI_FAILED);
    assert_int_equal(early.status, usual.status);
    assert_string_equal(early.out, usual.out);
    free(usual.out);
    free(usual.err);
    free(early.out);
    free(early.err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_added_with_the_password_of_a_file),
        cmocka_unit_test(a_generated_password_is_printed_once),
        cmocka_unit_test(only_what_is_given_is_changed),
        cmocka_unit_test(what_the_gateway_refuses_is_said_and_shows_in_the_status),
        cmocka_unit_test(sessions_are_a_table_of_eighty_columns),
        cmocka_unit_test(a_session_is_ended_by_number_or_by_user),
        cmocka_unit_test(an_attempt_is_explained_with_its_cure),
        cmocka_unit_test(status_and_drops_are_two_questions),
        cmocka_unit_test(events_are_printed_until_the_gateway_ends),
        cmocka_unit_test(a_configuration_is_checked_as_text),
        cmocka_unit_test(without_a_gateway_there_is_a_plain_sentence),
        cmocka_unit_test(a_gateway_that_makes_no_sense_is_called_so),
        cmocka_unit_test(a_profile_is_made_of_what_the_gateway_tells),
        cmocka_unit_test(a_profile_can_be_steps_in_japanese),
        cmocka_unit_test(a_profile_needs_a_user_and_a_device),
        cmocka_unit_test(options_may_stand_before_the_command),
        cmocka_unit_test(wrong_usage_is_told_with_the_way_out),
        cmocka_unit_test(every_command_helps_within_eighty_columns),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
