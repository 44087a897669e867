/* test_page.c: pages of made-up runs: what they say, what they escape, what they refuse.
 *
 * `test_report_page --write FOLDER` writes the folders of three runs and their pages, for test_browser.py. */
#include "report/report.h"

#include "made_up.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char evil[] = "<script>alert('x')</script>&\"</title>";

static const struct made_up usual = {.name = "fashion-mnist",
                                     .seeds = 5,
                                     .baseline = true,
                                     .gain = 0.0033,
                                     .noise = 0.0012,
                                     .recorded = true,
                                     .recipe = true,
                                     .classes = 10,
                                     .exits = true};

static void folder_new(struct context *ctx, const struct made_up *spec, const char *folder)
{
    context_init(ctx);
    assert_int_equal(directory_make(ctx, folder), STATUS_OK);
    made_up_write(ctx, spec, folder);
}

/* page_read: FOLDER/report.html; the caller frees it. */
static char *page_read(struct context *ctx, const char *path)
{
    unsigned char *bytes = NULL;
    size_t count = 0;
    assert_int_equal(file_read(ctx, path, 0, &bytes, &count), STATUS_OK);
    assert_int_equal(strlen((char *)bytes), count);
    return (char *)bytes;
}

/* made_page: the page of a made-up run. */
static char *made_page(struct context *ctx, const struct made_up *spec, const char *folder)
{
    folder_new(ctx, spec, folder);
    assert_int_equal(report_write(ctx, &folder, 1, NULL), STATUS_OK);
    char path[128];
    snprintf(path, sizeof path, "%s/report.html", folder);
    return page_read(ctx, path);
}

static void assert_says(const char *page, const char *words)
{
    if (strstr(page, words) == NULL)
        fail_msg("the page does not say: %s", words);
}

static void assert_does_not_say(const char *page, const char *words)
{
    if (strstr(page, words) != NULL)
        fail_msg("the page says: %s", words);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    struct context ctx;
    struct text out;
    context_init(&ctx);
    text_init(&out, &ctx);
    html_text(&out, "a<b>&\"c'\x01\td");
    html_text(&out, NULL);
    assert_string_equal(out.bytes, "a&lt;b&gt;&amp;&quot;c&#39;\td–");
    text_free(&out);
}

static void figures_are_written_for_people(void **state)
{
    (void)state;
    struct context ctx;
    struct text out;
    context_init(&ctx);
    text_init(&out, &ctx);
    html_count(&out, 140266);
    text_add(&out, "|");
    html_count(&out, 999);
    text_add(&out, "|");
    html_count(&out, -1000);
    text_add(&out, "|");
    html_percent(&out, 0.90534);
    text_add(&out, "|");
    html_points(&out, -0.0033);
    text_add(&out, "|");
    html_points(&out, -0.00000001);
    text_add(&out, "|");
    html_spread(&out, 0.9, 0.0012);
    text_add(&out, "|");
    html_duration(&out, 3.14159);
    text_add(&out, "|");
    html_duration(&out, 59.7);
    text_add(&out, "|");
    html_duration(&out, 7260);
    text_add(&out, "|");
    html_bytes(&out, 999);
    text_add(&out, "|");
    html_bytes(&out, 19240);
    text_add(&out, "|");
    html_bytes(&out, 561064);
    text_add(&out, "|");
    html_bytes(&out, 5.61064e6);
    assert_string_equal(out.bytes, "140,266|999|−1,000|90.53%|−0.33|+0.00|90.00% ± 0.12|3.1 s|1 min 0 s|2 h 1 min|"
                                   "999 B|19.2 kB|561 kB|5.6 MB");
    text_free(&out);
    html_count(&out, NAN);
    html_percent(&out, NAN);
    html_points(&out, INFINITY);
    html_spread(&out, NAN, NAN);
    html_duration(&out, NAN);
    html_real(&out, NAN, 2);
    html_bytes(&out, NAN);
    assert_string_equal(out.bytes, "–––––––");
    text_free(&out);
}

static void data_cannot_end_the_script(void **state)
{
    (void)state;
    struct context ctx;
    struct text out;
    context_init(&ctx);
    struct arena *arena = arena_new(&ctx);
    text_init(&out, &ctx);
    html_json(&out, &ctx, value_text(arena, "</script><!--"));
    assert_string_equal(out.bytes, "\"\\u003c/script>\\u003c!--\"");
    text_free(&out);
    arena_free(arena);
}

static void page_tells_the_whole_story(void **state)
{
    (void)state;
    struct context ctx;
    char *page = made_page(&ctx, &usual, "whole");
    assert_says(page, "Distillation made the student <em>better</em>");
    assert_says(page, "paired over 5 seeds");
    assert_says(page, "4,810");
    assert_says(page, "140,266");
    assert_says(page, "× fewer than its teacher");
    assert_says(page, "<th scope=\"row\">distilled-4</th>");
    assert_says(page, "seed 4");
    assert_says(page, "# &lt;small&gt; &amp; &quot;quick&quot;");
    assert_says(page, "x86-64-v4");
    assert_says(page, "9 min 2 s");
    assert_says(page, "2026-01-31");
    assert_says(page, "\"label\":\"alone-3\"");
    assert_does_not_say(page, "No curves");
    /* One file: nothing may be loaded. */
    assert_does_not_say(page, "<link");
    for (const char *at = page; (at = strstr(at, "src=\"")) != NULL; at++)
        assert_memory_equal(at + 5, "data:", 5);
    assert_does_not_say(page, "@import");
    assert_does_not_say(page, "nan");
    memory_free(&ctx, page);
}

static void verdict_is_honest(void **state)
{
    (void)state;
    struct context ctx;
    struct made_up spec = usual;
    spec.gain = -0.004;
    char *page = made_page(&ctx, &spec, "worse");
    assert_says(page, "Distillation made the student <em>worse</em>");
    memory_free(&ctx, page);
    spec.gain = 0.0001;
    spec.noise = 0.003;
    page = made_page(&ctx, &spec, "undecided");
    assert_says(page, "Whether distillation helped is <em>not decided</em>");
    assert_says(page, "contains zero (paired over 5 seeds)");
    memory_free(&ctx, page);
    spec.gain = 0.02;
    spec.seeds = 1;
    page = made_page(&ctx, &spec, "one-seed");
    assert_says(page, "<em>not decided</em>");
    assert_says(page, "with one seed, which gives no interval");
    memory_free(&ctx, page);
    spec.seeds = 2;
    spec.baseline = false;
    page = made_page(&ctx, &spec, "no-baseline");
    assert_says(page, "It was not compared with the student alone");
    memory_free(&ctx, page);
    spec.seeds = 0;
    page = made_page(&ctx, &spec, "no-student");
    assert_says(page, "This run trained no student");
    memory_free(&ctx, page);
}

static void undefined_figures_are_dashes(void **state)
{
    (void)state;
    struct context ctx;
    struct made_up spec = usual;
    spec.undefined = true;
    spec.recorded = spec.recipe = false;
    char *page = made_page(&ctx, &spec, "undefined");
    assert_says(page, "<td>–</td><td>–</td>");
    assert_says(page, "No curves: record.sqlite is not in the run&#39;s folder");
    assert_says(page, "recipe.yaml is not in the run&#39;s folder");
    assert_does_not_say(page, "nan");
    assert_does_not_say(page, "inf%");
    memory_free(&ctx, page);
}

static void names_are_escaped_everywhere(void **state)
{
    (void)state;
    struct context ctx;
    struct made_up spec = usual;
    spec.name = evil;
    char *page = made_page(&ctx, &spec, "evil");
    assert_does_not_say(page, "<script>alert");
    assert_does_not_say(page, "&\"</title>");
    assert_says(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;&lt;/title&gt;");
    memory_free(&ctx, page);
}

/* without_library: the page as it is where Chart.js is not installed. */
static void classes_have_their_names(void **state)
{
    (void)state;
    struct context ctx;
    struct made_up spec = usual;
    spec.named = true;
    char *page = made_page(&ctx, &spec, "named");
    assert_says(page, "<b>0</b>&nbsp;&lt;kind a&gt;, <b>1</b>&nbsp;&lt;kind b&gt;,");
    assert_says(page, "&lt;kind a&gt; → &lt;kind b&gt;</th>");
    assert_says(page, "<br>Teacher &lt;kind ");
    assert_says(page, "label &lt;kind ");
    assert_does_not_say(page, "<kind");
    memory_free(&ctx, page);
}

static void page_without_library_says_so(void **state)
{
    (void)state;
    struct context ctx;
    struct text out;
    struct report_run run;
    char *library = NULL;
    folder_new(&ctx, &usual, "bare");
    struct arena *arena = arena_new(&ctx);
    text_init(&out, &ctx);
    assert_int_equal(chart_library(&ctx, "no/such/chart.js", &library), STATUS_OK);
    assert_null(library);
    made_up_file(&ctx, "bare", "bad.js", "x='</script>'", 13);
    assert_int_equal(chart_library(&ctx, "bare/bad.js", &library), STATUS_OK);
    assert_null(library);
    assert_int_equal(report_run_read(&ctx, arena, "bare", &run), STATUS_OK);
    page_of_run(&(struct page){.ctx = &ctx, .arena = arena, .out = &out}, &run);
    assert_says(out.bytes, "libjs-chart.js");
    assert_says(out.bytes, "distilled-4");
    assert_says(out.bytes, "id=\"temperature-slider\""); /* which needs no library */
    assert_does_not_say(out.bytes, "<canvas");
    assert_does_not_say(out.bytes, "report-data");
    text_free(&out);
    arena_free(arena);
}

static void details_have_their_sections(void **state)
{
    (void)state;
    struct context ctx;
    char *page = made_page(&ctx, &usual, "details");
    assert_says(page, "<h2>Cost</h2>");
    assert_says(page, "<h2>Confusion</h2>");
    assert_says(page, "<h2>What classes resemble</h2>");
    assert_says(page, "<h2>Where student and teacher disagree</h2>");
    assert_says(page, "<h2>Layers</h2>");
    assert_says(page, "5 seeds together");
    assert_says(page, "id=\"confusion-difference\"");
    assert_says(page, "84.00%</td><td>5.00%</td><td>3.00%</td><td>6.00%</td><td>2.00%");
    assert_says(page, "alt=\"Test sample 9999\" src=\"data:image/png;base64,iVBORw0KGgo");
    assert_says(page, "no label<br>");
    assert_says(page, "stem&lt;1&gt;");
    assert_does_not_say(page, "stem<1>");
    assert_says(page, "561 kB"); /* 140,266 parameters of four bytes */
    assert_says(page, "<td>29×</td>");
    /* The class without samples has no shares, and no "nan". */
    assert_says(page, "<tr><th scope=\"row\">9</th><td class=\"\">–</td>");
    assert_does_not_say(page, "nan");
    assert_true(strlen(page) < 2000000);
    memory_free(&ctx, page);
}

static void exits_have_their_section(void **state)
{
    (void)state;
    struct context ctx;
    struct made_up spec = usual;
    char *page = made_page(&ctx, &usual, "exits");
    assert_says(page, "<h2>Early exit</h2>");
    assert_says(page, "id=\"exits-0\"");
    assert_does_not_say(page, "id=\"exits-1\""); /* of the first seed alone */
    assert_says(page, "<th scope=\"row\">exit&lt;1&gt;</th><td>210,000</td>");
    assert_does_not_say(page, "exit<1>");
    assert_says(page, "<th scope=\"row\">threshold 0.9</th><td>654,321</td>");
    assert_says(page, "takes 1,083,226 MACs a sample; early exit takes 39.59% fewer.");
    assert_says(page, "{\"label\":\"threshold 0.6\",\"macs\":450000.0,\"accuracy\":87.0}");
    assert_says(page, "\"alone\":{\"label\":\"alone-0\",\"macs\":1083226.0,");
    assert_does_not_say(page, "nan");
    memory_free(&ctx, page);
    spec.exits = false;
    page = made_page(&ctx, &spec, "no-exits");
    assert_does_not_say(page, "Early exit");
    memory_free(&ctx, page);
    spec.exits = true;
    spec.baseline = false;
    page = made_page(&ctx, &spec, "exits-alone");
    assert_says(page, "<h2>Early exit</h2>");
    assert_says(page, "\"alone\":null");
    memory_free(&ctx, page);
}

/* An older run's record has no details, and of many classes a table of every pair cannot be read. */
static void sections_are_left_out(void **state)
{
    (void)state;
    struct context ctx;
    struct made_up spec = usual;
    spec.classes = 0;
    spec.exits = false;
    char *page = made_page(&ctx, &spec, "older");
    assert_says(page, "<h2>Cost</h2>");
    assert_does_not_say(page, "<h2>Confusion</h2>");
    assert_does_not_say(page, "<h2>What classes resemble</h2>");
    assert_does_not_say(page, "disagree</h2>");
    assert_does_not_say(page, "<h2>Layers</h2>");
    memory_free(&ctx, page);
    spec.classes = MADE_UP_CLASSES_MAX;
    page = made_page(&ctx, &spec, "many");
    assert_says(page, "The most frequent mistakes");
    assert_does_not_say(page, "class=\"matrix");
    assert_does_not_say(page, "<h2>What classes resemble</h2>");
    assert_says(page, "Test sample 9999");
    memory_free(&ctx, page);
}

/* assert_array_refused: a run with this array in place of its own; the message holds both words. */
static void assert_array_refused(const struct record_array *array, const char *first, const char *second)
{
    struct context ctx;
    const char *folder = "wrong";
    struct record *record = NULL;
    struct made_up spec = usual;
    context_init(&ctx);
    spec.bare = true;
    spec.seeds = 1;
    directory_make(&ctx, folder);
    unlink("wrong/record.sqlite");
    unlink("wrong/report.html");
    made_up_write(&ctx, &spec, folder);
    assert_int_equal(record_open(&ctx, "wrong/record.sqlite", RECORD_RESUME, &record), STATUS_OK);
    assert_int_equal(record_array(&ctx, record, "distilled-0", array), STATUS_OK);
    assert_int_equal(record_close(&ctx, record), STATUS_OK);
    assert_int_equal(report_write(&ctx, &folder, 1, NULL), STATUS_BAD_INPUT);
    assert_says(ctx.error.message, "wrong/record.sqlite: array");
    assert_says(ctx.error.message, "distilled-0");
    assert_says(ctx.error.message, first);
    assert_says(ctx.error.message, second);
    assert_false(file_exists("wrong/report.html"));
}

static void wrong_arrays_are_refused(void **state)
{
    (void)state;
    static const int32_t classes[MADE_UP_EACH * 10] = {0, 10};
    static const float logits[MADE_UP_EACH * 10 * 10] = {1, 2, NAN};
    assert_array_refused(&(struct record_array){"confusion", RECORD_I32, 1, {3}, classes}, "i32 [any,any]", "i32 [3]");
    assert_array_refused(&(struct record_array){"confusion", RECORD_I32, 2, {2, 3}, classes}, "square", "[2,3]");
    assert_array_refused(&(struct record_array){"confusion", RECORD_U8, 2, {2, 2}, classes}, "i32 [any,any]",
                         "u8 [2,2]");
    assert_array_refused(&(struct record_array){"class_labels", RECORD_I32, 1, {MADE_UP_EACH * 10}, classes},
                         "below 10", "found 10");
    assert_array_refused(&(struct record_array){"class_logits", RECORD_F32, 2, {MADE_UP_EACH * 10, 10}, logits},
                         "finite", "place 2");
    assert_array_refused(&(struct record_array){"class_logits", RECORD_F32, 2, {7, 10}, logits}, "[80,10]", "[7,10]");
    assert_array_refused(&(struct record_array){"differing_labels", RECORD_I32, 1, {2}, classes}, "[5]", "[2]");
    assert_array_refused(&(struct record_array){"differing_images", RECORD_U8, 4, {5, 2, 2, 2}, classes}, "channels",
                         "[5,2,2,2]");
    assert_array_refused(&(struct record_array){"outcomes", RECORD_I32, 1, {4}, classes}, "[5]", "[4]");
    assert_array_refused(&(struct record_array){"early_exit", RECORD_F32, 2, {2, 2}, logits}, "[any,3]", "[2,2]");
    assert_array_refused(&(struct record_array){"early_exit", RECORD_F32, 2, {1, 3}, logits}, "finite", "place 2");
}

static void several_runs_are_compared(void **state)
{
    (void)state;
    struct context ctx;
    struct made_up other = usual;
    other.gain = 0.008;
    other.name = "stronger";
    folder_new(&ctx, &usual, "first");
    folder_new(&ctx, &other, "second");
    other.baseline = false;
    other.name = "lonely";
    folder_new(&ctx, &other, "third");
    const char *folders[] = {"first", "second", "third"};
    assert_int_equal(report_write(&ctx, folders, 3, "all.html"), STATUS_OK);
    char *page = page_read(&ctx, "all.html");
    assert_says(page, "3 runs compared");
    assert_says(page, "partly luck");
    assert_says(page, "fashion-mnist<small>first</small>");
    assert_says(page, "lonely<small>third</small>");
    memory_free(&ctx, page);
}

/* assert_refused: result.json as given; the message holds both words. */
static void assert_refused(const char *result, const char *first, const char *second)
{
    struct context ctx;
    const char *folder = "refused";
    context_init(&ctx);
    directory_make(&ctx, folder);
    made_up_file(&ctx, folder, "result.json", result, strlen(result));
    assert_int_equal(report_write(&ctx, &folder, 1, NULL), STATUS_BAD_INPUT);
    assert_says(ctx.error.message, "refused/result.json");
    assert_says(ctx.error.message, first);
    assert_says(ctx.error.message, second);
    assert_false(file_exists("refused/report.html"));
}

static void wrong_results_are_refused(void **state)
{
    (void)state;
    assert_refused("", ":1:", "");
    assert_refused("{\"format\":1,\"stages\":[{\"name\":\"teacher\",\"ro", ":1:", "");
    assert_refused("[1]", "expected a map", "a list");
    assert_refused("{\"stages\":[]}", "\"format\"", "found nothing");
    assert_refused("{\"format\":2,\"stages\":[]}", "expected 1", "found 2");
    assert_refused("{\"format\":1}", "\"stages\"", "found nothing");
    assert_refused("{\"format\":1,\"class_names\":3,\"stages\":[]}", "\"class_names\"", "a list of texts");
    assert_refused("{\"format\":1,\"class_names\":[\"a\",3],\"stages\":[]}", "\"class_names.1\"", "found 3");
    assert_refused("{\"format\":1,\"stages\":[3]}", "\"stages.0\"", "found 3");
    assert_refused("{\"format\":1,\"stages\":[{\"role\":\"teacher\"}]}", "\"stages.0.name\"", "expected a text");
    assert_refused("{\"format\":1,\"stages\":[{\"name\":\"t\"}]}", "\"stages.0.role\"", "expected a text");
    assert_refused("{\"format\":1,\"stages\":[{\"name\":\"t\",\"role\":\"teacher\",\"test\":0.9}]}",
                   "\"stages.0.test\"", "expected a map or null, found 0.9");
    assert_refused("{\"format\":1,\"stages\":[{\"name\":\"t\",\"role\":\"teacher\",\"test\":{\"accuracy\":\"high\"}}]}",
                   "\"stages.0.test.accuracy\"", "found \"high\"");
    assert_refused("{\"format\":1,\"stages\":[{\"name\":\"t\",\"role\":\"teacher\",\"exits\":3}]}",
                   "\"stages.0.exits\"", "expected a list of maps, found 3");
    assert_refused("{\"format\":1,\"stages\":[{\"name\":\"t\",\"role\":\"teacher\",\"exits\":[{\"name\":7}]}]}",
                   "\"stages.0.exits.0.name\"", "expected a text or null, found 7");
    assert_refused("{\"format\":1,\"stages\":[{\"name\":\"t\",\"role\":\"teacher\",\"exits\":[{\"macs\":1}]}]}",
                   "\"stages.0.exits.0.name\"", "expected a text, found nothing");
    assert_refused("{\"format\":1,\"version\":5,\"stages\":[]}", "\"version\"", "expected a text or null, found 5");
    assert_refused("{\"format\":1,\"stages\":[],\"comparison\":[]}", "\"comparison\"", "found a list");
    assert_refused("{\"format\":1,\"stages\":[],\"comparison\":{\"alone\":{\"mean\":1},\"gain\":{\"mean\":0}}}",
                   "\"comparison.alone.per_seed\"", "expected a list of numbers");
    assert_refused(
        "{\"format\":1,\"stages\":[],\"comparison\":{\"alone\":{\"per_seed\":[1]},\"distilled\":{\"per_seed\":"
        "[1,2]},\"gain\":{\"per_seed\":[1]},\"verdict\":\"better\"}}",
        "one number a seed", "2 distilled");
    assert_refused(
        "{\"format\":1,\"stages\":[],\"comparison\":{\"alone\":{\"per_seed\":[1]},\"distilled\":{\"per_seed\":"
        "[1]},\"gain\":{\"per_seed\":[0]},\"verdict\":\"great\"}}",
        "\"comparison.verdict\"", "found \"great\"");
}

static void unfinished_and_broken_runs_are_refused(void **state)
{
    (void)state;
    struct context ctx;
    const char *folder = "not/there";
    context_init(&ctx);
    assert_int_equal(report_write(&ctx, &folder, 1, NULL), STATUS_IO);
    assert_says(ctx.error.message, "not/there/result.json: no such file");
    assert_says(ctx.error.message, "--resume not/there");
    folder = "broken";
    folder_new(&ctx, &usual, folder);
    made_up_file(&ctx, folder, "record.sqlite", "this is no database at all", 26);
    assert_int_equal(report_write(&ctx, &folder, 1, NULL), STATUS_BAD_INPUT);
    assert_says(ctx.error.message, "broken/record.sqlite");
}

static void page_that_cannot_be_written_leaves_the_old_one(void **state)
{
    (void)state;
    struct context ctx;
    const char *folder = "stuck";
    folder_new(&ctx, &usual, folder);
    assert_int_equal(report_write(&ctx, &folder, 1, "stuck/no/such/report.html"), STATUS_IO);
    assert_says(ctx.error.message, "stuck/no/such/report.html");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct context ctx;
    const char *folder = "faults";
    struct made_up spec = usual;
    spec.seeds = 1;
    spec.classes = 3;
    spec.bare = true; /* the curves' rows would make it thousands of runs; the record has its own loop */
    folder_new(&ctx, &spec, folder);
    for (uint64_t n = 1;; n++) {
        context_init(&ctx);
        ctx.allocator.fail_at = n;
        enum status status = report_write(&ctx, &folder, 1, "faults/out.html");
        if (status == STATUS_OK) {
            assert_true(n > 20);
            break;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_true(ctx.error.message[0] != '\0');
        assert_false(file_exists("faults/out.html"));
    }
}

static int write_examples(const char *folder)
{
    static const char *const names[] = {"better", "undecided", "evil"};
    struct context ctx;
    const char *folders[3];
    char paths[3][512], out[512];
    for (int i = 0; i < 3; i++) {
        struct made_up spec = usual;
        context_init(&ctx);
        if (i == 1) {
            spec.name = "a-rather-long-name-of-a-run-with-mobilenet-v2-and-feature-distillation";
            spec.gain = 0.0002;
            spec.noise = 0.003;
            spec.seeds = 3;
        } else if (i == 2) {
            spec.name = evil;
            spec.seeds = 1;
            spec.undefined = true;
        }
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
        folders[i] = paths[i];
        if (directory_make(&ctx, paths[i]) != STATUS_OK)
            break;
        made_up_write(&ctx, &spec, paths[i]);
        if (report_write(&ctx, &folders[i], 1, NULL) != STATUS_OK)
            break;
    }
    snprintf(out, sizeof out, "%s/several.html", folder);
    if (ctx.error.status == STATUS_OK)
        report_write(&ctx, folders, 3, out);
    if (ctx.error.status != STATUS_OK)
        fprintf(stderr, "%s\n", ctx.error.message);
    return ctx.error.status == STATUS_OK ? 0 : 1;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--write") == 0)
        return write_examples(arguments[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(figures_are_written_for_people),
        cmocka_unit_test(data_cannot_end_the_script),
        cmocka_unit_test(page_tells_the_whole_story),
        cmocka_unit_test(verdict_is_honest),
        cmocka_unit_test(undefined_figures_are_dashes),
        cmocka_unit_test(names_are_escaped_everywhere),
        cmocka_unit_test(classes_have_their_names),
        cmocka_unit_test(page_without_library_says_so),
        cmocka_unit_test(details_have_their_sections),
        cmocka_unit_test(exits_have_their_section),
        cmocka_unit_test(sections_are_left_out),
        cmocka_unit_test(wrong_arrays_are_refused),
        cmocka_unit_test(several_runs_are_compared),
        cmocka_unit_test(wrong_results_are_refused),
        cmocka_unit_test(unfinished_and_broken_runs_are_refused),
        cmocka_unit_test(page_that_cannot_be_written_leaves_the_old_one),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
