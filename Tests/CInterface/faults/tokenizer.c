#include "faults.h"

void test_tokenizer(const char *scratch) {
    graft_tokenizer *out = NULL;
    invalid(graft_tokenizer_load(NULL, &out), "a tokenizer at NULL is refused");
    invalid(graft_tokenizer_load(scratch, NULL), "a NULL tokenizer output is refused");
    expect(GRAFT_ERROR_NOT_FOUND, graft_tokenizer_load(scratch, &out),
           "a folder without tokenizer is not found");
    expect_number(-1, graft_tokenizer_vocabulary_size(NULL), "NULL has -1 tokens");
    expect_number(-1, graft_tokenizer_vocabulary_size((const graft_tokenizer *)model),
                  "a model has -1 tokens");
    expect_number(-1, graft_tokenizer_maximum_length(NULL), "NULL has a maximum length of -1");
    expect_number(256, graft_tokenizer_maximum_length(tokenizer), "MiniLM's rows have 256 tokens at most");
    graft_tokenizer_release(NULL);

    graft_encoding *encoding = NULL;
    invalid(graft_tokenizer_encode(NULL, "a", NULL, NULL, &encoding), "encoding with NULL is refused");
    invalid(graft_tokenizer_encode((const graft_tokenizer *)model, "a", NULL, NULL, &encoding),
            "encoding with a model is refused");
    invalid(graft_tokenizer_encode(tokenizer, NULL, NULL, NULL, &encoding), "a NULL text is refused");
    invalid(graft_tokenizer_encode(tokenizer, "a", NULL, NULL, NULL), "a NULL encoding output is refused");
    for (int i = 0; i < INVALID_TEXT_COUNT; i++) {
        invalid(graft_tokenizer_encode(tokenizer, invalid_texts[i], NULL, NULL, &encoding),
                "invalid UTF-8 is refused");
        invalid(graft_tokenizer_encode(tokenizer, "a", invalid_texts[i], NULL, &encoding),
                "invalid UTF-8 in a pair is refused");
    }
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = -1;
    invalid(graft_tokenizer_encode(tokenizer, "a", NULL, &options, &encoding),
            "a maximum length of -1 is refused");
    graft_encode_options_init(&options, sizeof options);
    options.add_special_tokens = 2;
    invalid(graft_tokenizer_encode(tokenizer, "a", NULL, &options, &encoding),
            "add_special_tokens 2 is refused");
    graft_encode_options_init(&options, sizeof options);
    options.struct_size = 3;
    invalid(graft_tokenizer_encode(tokenizer, "a", NULL, &options, &encoding),
            "encode options of size 3 are refused");
    claim(encoding == NULL, "a failed encoding leaves its output alone", "another value");

    expect(GRAFT_OK, graft_tokenizer_encode(tokenizer, "", NULL, NULL, &encoding),
           "an empty text is encoded");
    expect_number(2, graft_encoding_token_count(encoding), "an empty text has two special tokens");
    graft_encoding_release(encoding);
    expect_number(-1, graft_encoding_token_count(encoding), "a released encoding has -1 tokens");
    claim(!graft_encoding_ids(encoding) && !graft_encoding_type_ids(NULL) && !graft_encoding_word_ids(NULL) &&
              !graft_encoding_byte_offsets(NULL) && !graft_encoding_character_offsets(NULL),
          "a released encoding has no arrays", "one");

    char *long_text = malloc(100001);
    if (!long_text)
        exit(1);
    memset(long_text, 'x', 100000);
    long_text[100000] = '\0';
    expect(GRAFT_OK, graft_tokenizer_encode(tokenizer, long_text, NULL, NULL, &encoding),
           "a word of 100 kB is encoded");
    graft_encoding_release(encoding);
    free(long_text);

    char text[8] = "unseen";
    int64_t count = 0;
    const int32_t ids[] = {7592, 2088, 2003, 2307};
    const int32_t outside[] = {-5, 1 << 30};
    expect(GRAFT_OK, graft_tokenizer_decode(tokenizer, ids, 4, 1, NULL, 0, &count),
           "decoding into NULL asks for the size");
    expect_number(21, count, "the size counts the NUL");
    count = 0;
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_tokenizer_decode(tokenizer, ids, 4, 1, text, 8, &count),
           "decoding into 8 bytes says that it needs more");
    claim(count > 8 && strcmp(text, "unseen") == 0, "the size is written and the text left alone", text);
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_tokenizer_decode(tokenizer, outside, 1, 1, text, 8, &count),
           "token -5 is refused");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_tokenizer_decode(tokenizer, outside + 1, 1, 1, text, 8, &count),
           "token 2^30 is refused");
    claim(strstr(graft_last_error_message(), "1073741824") && strstr(graft_last_error_message(), "30522"),
          "the message has the token and the size of the vocabulary", graft_last_error_message());
    invalid(graft_tokenizer_decode(tokenizer, NULL, 4, 1, text, 8, &count), "NULL tokens are refused");
    invalid(graft_tokenizer_decode(tokenizer, ids, -1, 1, text, 8, &count), "-1 tokens are refused");
    invalid(graft_tokenizer_decode(tokenizer, ids, 4, 1, text, -8, &count), "a capacity of -8 is refused");
    invalid(graft_tokenizer_decode(tokenizer, ids, 4, 1, NULL, 80, &count),
            "NULL text with a capacity is refused");
    invalid(graft_tokenizer_decode(tokenizer, ids, 4, 2, text, 8, &count),
            "skip_special_tokens 2 is refused");
}
