/* Both languages say everything, and a browser gets the one it wants. */
#include "tests/test.h"

#include "portal/portal_internal.h"

static unsigned holes(const char *text)
{
    unsigned n = 0;
    for (; (text = strstr(text, "{}")) != NULL; text += 2)
        n++;
    return n;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static void every_message_is_there_in_both_languages(void **state)
{
    (void)state;
    for (enum message m = SAY_NONE + 1; m < SAY_COUNT; m++) {
        const char *en = message_text(m, LANGUAGE_EN), *ja = message_text(m, LANGUAGE_JA);
        if (en[0] == '\0' || !is_ascii(en) || is_ascii(ja) || holes(en) != holes(ja) || holes(en) > 1)
            fail_msg("message %u: \"%s\", \"%s\"", m, en, ja);
    }
}

static void every_stage_and_cause_is_there_in_japanese(void **state)
{
    (void)state;
    for (enum stage s = STAGE_NONE; s < STAGE_COUNT; s++)
        if (is_ascii(stage_told(stage_word(s), LANGUAGE_JA, "")))
            fail_msg("causes_ja.def has no STAGE_JA for %s", stage_word(s));
    for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
        if (is_ascii(cause_told(cause_word(c), LANGUAGE_JA, "")) || is_ascii(cure_told(cause_word(c), LANGUAGE_JA, "")))
            fail_msg("causes_ja.def has no CAUSE_JA for %s", cause_word(c));
}

static void every_weakness_of_a_pattern_is_there_in_japanese(void **state)
{
    (void)state;
    static const char *const words[] = {
#define GRID_WEAKNESS(name, word, sentence) word,
#include "grid/weakness.def"
#undef GRID_WEAKNESS
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (is_ascii(weakness_told(words[i], LANGUAGE_JA, "")))
            fail_msg("weakness_ja.def has no %s", words[i]);
}

static const struct {
    const char *word, *text;
} told[] = {
#define TELL(name, word, text) {word, text},
#include "aaa/told.def"
#include "config/told.def"
#include "ctl/told.def"
#include "gateway/told.def"
#undef TELL
#define ERR(name, value, sentence) {"error-" #name, sentence},
#include "base/err.def"
#undef ERR
};

/* Values that the English text has. */
static unsigned values(const char *text)
{
    unsigned n = 0;
    for (; (text = strchr(text, '%')) != NULL; text++)
        n++;
    return n;
}

static void every_sentence_of_the_gateway_is_there_in_japanese_with_all_its_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        const char *ja = told_text(told[i].word, LANGUAGE_JA);
        if (ja == NULL || is_ascii(ja))
            fail_msg("told_ja.def has no %s", told[i].word);
        for (char hole[] = "{1}"; hole[1] <= '9'; hole[1]++)
            if ((strstr(ja, hole) != NULL) != ((unsigned)(hole[1] - '0') <= values(told[i].text)))
                fail_msg("%s: \"%s\", \"%s\": %s", told[i].word, told[i].text, ja, hole);
        assert_true(values(told[i].text) <= TOLD_PARAMS_MAX && strlen(told[i].word) < TOLD_WORD_MAX);
        assert_null(told_text(told[i].word, LANGUAGE_EN));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(told[i].word, told[k].word);
    }
}

static void a_word_that_is_new_is_told_in_english(void **state)
{
    (void)state;
    assert_string_equal(cause_told("brand-new", LANGUAGE_JA, "Something new."), "Something new.");
    assert_string_equal(cause_told("wrong-psk", LANGUAGE_EN, "As the gateway says."), "As the gateway says.");
}

static void a_browser_gets_the_language_it_wants_most(void **state)
{
    (void)state;
    const struct {
        const char *header;
        enum language language;
    } cases[] = {
        {"", LANGUAGE_EN},
        {"ja", LANGUAGE_JA},
        {"ja-JP,ja;q=0.9,en;q=0.8", LANGUAGE_JA},
        {"en-GB,en;q=0.9,ja;q=0.8", LANGUAGE_EN},
        {"fr, ja;q=0.2", LANGUAGE_JA},
        {"en;q=0.3 , ja ; q=0.7", LANGUAGE_JA},
        {"jam;q=1, en;q=0.1", LANGUAGE_EN},
        {"j", LANGUAGE_EN},
        {",,;;==", LANGUAGE_EN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (language_accepted(view_str(cases[i].header)) != cases[i].language)
            fail_msg("%s", cases[i].header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_there_in_both_languages),
        cmocka_unit_test(every_stage_and_cause_is_there_in_japanese),
        cmocka_unit_test(every_weakness_of_a_pattern_is_there_in_japanese),
        cmocka_unit_test(every_sentence_of_the_gateway_is_there_in_japanese_with_all_its_values),
        cmocka_unit_test(a_word_that_is_new_is_told_in_english),
        cmocka_unit_test(a_browser_gets_the_language_it_wants_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
