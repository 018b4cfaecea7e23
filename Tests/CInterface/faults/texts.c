#include "faults.h"

enum { MOST_TOKENS = 64 };

/* Texts by pointer and size. */
typedef struct sized {
    const char *start;
    int64_t size;
} sized;

static graft_encoding *encode(sized text, int replaces) {
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.text_sizes = &text.size;
    options.replace_invalid_utf8 = replaces;
    graft_encoding *encoding = NULL;
    need(graft_tokenizer_encode(tokenizer, text.start, NULL, &options, &encoding), "encoding a sized text");
    return encoding;
}

static int has_same_ids(const graft_encoding *a, const graft_encoding *b) {
    int64_t count = graft_encoding_token_count(a);
    return count == graft_encoding_token_count(b) &&
           memcmp(graft_encoding_ids(a), graft_encoding_ids(b), (size_t)count * sizeof(int32_t)) == 0;
}

/* A text ends where its size says, whatever stands there, and goes on after a NUL. */
static void test_sizes(void) {
    static const char line[] = "two words and more";
    graft_encoding *cut = encode((sized){line, 9}, 0), *whole = NULL;
    need(graft_tokenizer_encode(tokenizer, "two words", NULL, NULL, &whole), "encoding");
    claim(has_same_ids(cut, whole), "9 bytes of a line are the text that ends there", "other tokens");
    graft_encoding_release(cut);
    /* The tokenizer cleans a NUL away, which it can only do where it sees it. */
    cut = encode((sized){"two w\0ords", 10}, 0);
    claim(has_same_ids(cut, whole), "a NUL is a character like others", "other tokens");
    const int32_t *ends = graft_encoding_byte_offsets(cut);
    expect_number(10, ends[2 * (graft_encoding_token_count(cut) - 2) + 1], "and counts in the offsets");
    graft_encoding_release(cut);
    graft_encoding_release(whole);
    cut = encode((sized){NULL, 0}, 0);
    expect_number(2, graft_encoding_token_count(cut), "a text of 0 bytes may be NULL");
    graft_encoding_release(cut);

    static const char rows_text[] = "one"
                                    "two words"
                                    "three\0";
    const char *const starts[] = {rows_text, rows_text + 3, rows_text + 12};
    const int64_t row_sizes[] = {3, 9, 6};
    const char *const pair_starts[] = {rows_text + 12, NULL, rows_text};
    const int64_t pair_sizes[] = {6, 0, 3};
    const char *const plain[] = {"one", "two words", "three"}, *const plain_pairs[] = {"three", "", "one"};
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.text_sizes = row_sizes;
    options.pair_sizes = pair_sizes;
    graft_batch *by_size = NULL, *by_nul = NULL, *out = NULL;
    need(graft_batch_encode(tokenizer, starts, pair_starts, 3, &options, &by_size), "encoding by size");
    need(graft_batch_encode(tokenizer, plain, plain_pairs, 3, NULL, &by_nul), "encoding by NUL");
    claim(memcmp(graft_batch_row_starts(by_size), graft_batch_row_starts(by_nul), 4 * sizeof(int64_t)) == 0,
          "rows of given sizes are as long as those up to their NUL", "other lengths");
    graft_batch_release(by_size);
    graft_batch_release(by_nul);

    invalid(graft_batch_encode(tokenizer, starts, NULL, 3, &options, &out),
            "sizes of pairs that are not there are refused");
    const int64_t negative[] = {3, -1, 6};
    options.pair_sizes = NULL;
    options.text_sizes = negative;
    invalid(graft_batch_encode(tokenizer, starts, NULL, 3, &options, &out), "a text of -1 bytes is refused");
    claim(strstr(graft_last_error_message(), "texts[1]") != NULL, "the message names the text",
          graft_last_error_message());
    options.text_sizes = row_sizes;
    const char *const missing[] = {rows_text, NULL, rows_text};
    invalid(graft_batch_encode(tokenizer, missing, NULL, 3, &options, &out), "9 bytes at NULL are refused");
    const int64_t huge[] = {3, INT64_MAX, 6};
    options.text_sizes = huge;
    invalid(graft_batch_encode(tokenizer, starts, NULL, 3, &options, &out),
            "a text of 2^63 - 1 bytes is refused");
    graft_encode_options_init(&options, sizeof options);
    options.replace_invalid_utf8 = 2;
    invalid(graft_batch_encode(tokenizer, plain, NULL, 3, &options, &out),
            "replace_invalid_utf8 2 is refused");
    graft_encode_options_init(&options, sizeof options);
    options.keep_words = 2;
    invalid(graft_batch_encode(tokenizer, plain, NULL, 3, &options, &out), "keep_words 2 is refused");
    claim(out == NULL, "a failed batch leaves its output alone", "another value");
}

/* U+FFFD stands for each longest sequence that begins a character, and offsets are those of the
 * bytes. */
static void test_replacement(void) {
    static const struct {
        sized text;
        const char *same;
    } cases[] = {
        {{"a\xff z", 4}, "a\xef\xbf\xbd z"},
        {{"a\xe2\x82 z", 5}, "a\xef\xbf\xbd z"},
        {{"a\xe2\x28\xa1 z", 6}, "a\xef\xbf\xbd(\xef\xbf\xbd z"},
        {{"\xf0\x9f\x92", 3}, "\xef\xbf\xbd"},
        {{"\xed\xa0\x80x", 4}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
        {{"\xc0\xaf\xe0\x80\xf4\x90z", 7},
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},
        {{"plain", 5}, "plain"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        graft_encoding *replaced = encode(cases[i].text, 1), *same = NULL;
        need(graft_tokenizer_encode(tokenizer, cases[i].same, NULL, NULL, &same), "encoding");
        claim(has_same_ids(replaced, same), "what is not UTF-8 is replaced", cases[i].same);
        int64_t count = graft_encoding_token_count(same);
        claim(memcmp(graft_encoding_character_offsets(replaced), graft_encoding_character_offsets(same),
                     (size_t)count * 2 * sizeof(int32_t)) == 0,
              "characters count as in the text with U+FFFD", cases[i].same);
        for (int64_t token = 0; token < count; token++) {
            const int32_t *offsets = graft_encoding_byte_offsets(replaced) + 2 * token;
            claim(0 <= offsets[0] && offsets[0] <= offsets[1] && offsets[1] <= cases[i].text.size,
                  "offsets lie in the bytes that were given", cases[i].same);
        }
        graft_encoding_release(replaced);
        graft_encoding_release(same);
    }
    graft_encoding *last = encode((sized){"a\xe2\x82 z", 5}, 1);
    const int32_t *offsets = graft_encoding_byte_offsets(last) + 2 * (graft_encoding_token_count(last) - 2);
    expect_number(4, offsets[0], "a token after what was replaced begins where it did");
    expect_number(5, offsets[1], "and ends there");
    graft_encoding_release(last);

    const char *const mixed[] = {"fine", "b\xc3\x28", "fine, too"};
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    graft_batch *out = NULL;
    invalid(graft_batch_encode(tokenizer, mixed, NULL, 3, &options, &out),
            "by custom such a text is refused");
    claim(strstr(graft_last_error_message(), "row 1") && strstr(graft_last_error_message(), "byte 1"),
          "the message names row and byte", graft_last_error_message());
    options.replace_invalid_utf8 = 1;
    expect(GRAFT_OK, graft_batch_encode(tokenizer, mixed, mixed, 3, &options, &out),
           "with replacement the batch is encoded, pairs as well");
    graft_batch_release(out);
}

void test_texts(void) {
    test_sizes();
    test_replacement();
}
