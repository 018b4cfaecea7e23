/* Input that programs hand over: long texts, labels and tokens out of range. */
#include "malformed.h"
#include <time.h>

/* A head of so many labels that a table of their pairs would fill any memory. */
void test_many_labels(void) {
    enum { COUNT = 200000, WIDTH = 10 };
    static const int32_t tokens[] = {2, 3, 4, 5}, lengths[] = {2, 2}, labels[] = {1, COUNT - 1};
    char *names = malloc(COUNT * WIDTH);
    const char **pointers = malloc(COUNT * sizeof *pointers);
    if (!names || !pointers)
        exit(1);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names + i * WIDTH, WIDTH, "%d", i);
        pointers[i] = names + i * WIDTH;
    }
    graft_adapter *adapter = NULL;
    graft_batch *batch = NULL;
    need(graft_adapter_create(tiny, "lora", NULL, 1, &adapter), "making an adapter");
    clock_t start = clock();
    expect(GRAFT_OK, "", graft_adapter_set_head(adapter, "sequence_classification", pointers, COUNT, NULL),
           "a head of 200,000 labels");
    claim(clock() - start < 10 * CLOCKS_PER_SEC, "its labels are compared quickly", "10 seconds");
    graft_trainer *trainer = NULL;
    graft_dataset *dataset = NULL;
    graft_evaluation *evaluation = NULL;
    need(graft_trainer_create(tiny, adapter, NULL, &trainer), "making a trainer");
    need(graft_batch_create(tokens, NULL, lengths, 2, &batch), "making a batch");
    need(graft_batch_set_integers(batch, "labels", labels, 2, 1), "labelling it");
    need(graft_dataset_create(&dataset), "making a dataset");
    need(graft_dataset_append(dataset, batch), "filling it");
    expect(GRAFT_OK, "", graft_trainer_evaluate(trainer, dataset, &evaluation),
           "an evaluation of 200,000 labels");
    claim(graft_evaluation_row_count(evaluation) == 2 && graft_evaluation_value(evaluation, "macro_f1") >= 0,
          "it measures its rows", "something else");
    graft_evaluation_release(evaluation);
    pointers[COUNT - 1] = "7";
    graft_trainer_release(trainer);
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "labels[199999]",
           graft_adapter_set_head(adapter, "sequence_classification", pointers, COUNT, NULL),
           "a label that is there twice is found among 200,000");
    graft_dataset_release(dataset);
    graft_batch_release(batch);
    graft_adapter_release(adapter);
    free(pointers);
    free(names);
}

static const char vocabulary[] =
    "{\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\", "
    "\"max_input_chars_per_word\": 100, \"vocab\": {\"[UNK]\": 0, \"one\": 1, \"two\": 2}}, \"normalizer\": "
    "null, "
    "\"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"post_processor\": null, \"decoder\": null}";

void test_long_texts(void) {
    graft_tokenizer *tokenizer = NULL;
    const char *folder = copy_folder("lora/default", "words");
    write_bytes(join(folder, "tokenizer.json"), vocabulary, sizeof vocabulary - 1);
    need(graft_tokenizer_load(folder, &tokenizer), "loading a written tokenizer");
    graft_session *session = NULL;
    need(graft_session_create(tiny, NULL, &session), "making a session");
    float vectors[2 * 32];

    enum { LENGTH = 100000 };
    char *text = malloc(LENGTH + 1);
    if (!text)
        exit(1);
    text[LENGTH] = '\0';
    for (int i = 0; i < LENGTH; i++)
        text[i] = "one "[i % 4];
    const char *texts[2] = {"one", text};
    graft_batch *rows = NULL;
    need(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows), "encoding 100 kB");
    claim(graft_batch_token_count(rows) == 1 + LENGTH / 4, "100 kB of text are 25,000 words", "others");
    expect(GRAFT_ERROR_INCOMPATIBLE, "row 1 has 25000 tokens",
           graft_session_embed(session, rows, GRAFT_POOLING_MEAN, 1, vectors, 64),
           "100 kB of words are too long");
    graft_batch_release(rows);
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = 64;
    need(graft_batch_encode(tokenizer, texts, NULL, 2, &options, &rows), "encoding 100 kB, cut to 64");
    expect(GRAFT_OK, "", graft_session_embed(session, rows, GRAFT_POOLING_MEAN, 1, vectors, 64),
           "100 kB of words, cut to 64, are embedded");
    graft_batch_release(rows);

    memset(text, 'a', LENGTH);
    need(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows), "encoding one word of 100 kB");
    claim(graft_batch_token_count(rows) == 2, "a word of 100 kB is one unknown token", "others");
    graft_batch_release(rows);
    rows = NULL;
    text[LENGTH - 1] = '\xc3';
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "row 1", graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows),
           "100 kB that end within a character are refused");
    texts[1] = "";
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "row 1", graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows),
           "a text without tokens is refused");
    texts[1] = " \t\r\n ";
    graft_status status = graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows);
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "row 1", status, "a blank text is refused");
    claim(rows == NULL, "a failed encoding leaves its output alone", "another value");
    free(text);
    graft_tokenizer_release(tokenizer);

    /* As in the tokenizers package, such a vocabulary matters only when a word is not in it. */
    static const char without_unknown[] = "{\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[NONE]\", "
                                          "\"vocab\": {\"one\": 0}}, \"pre_tokenizer\": "
                                          "{\"type\": \"BertPreTokenizer\"}}";
    write_bytes(join(folder, "tokenizer.json"), without_unknown, sizeof without_unknown - 1);
    need(graft_tokenizer_load(folder, &tokenizer), "loading a tokenizer without unknown token");
    texts[1] = "one one";
    need(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows), "encoding words it knows");
    graft_batch_release(rows);
    rows = NULL;
    texts[1] = "one two";
    status = graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows);
    claim(is_refused(status) && strstr(graft_last_error_message(), "[NONE]"),
          "a word it does not know is refused", graft_last_error_message());
    graft_tokenizer_release(tokenizer);
    graft_session_release(session);
}
