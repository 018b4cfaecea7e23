#include "faults.h"

/* Texts to windows, and numbers of their tokens there and back. */
static void test_windows_of_texts(void) {
    static const char *const texts[] = {"A robin sang in the old garden.", "It rained."};
    static const char *const labels[] = {"O", "B-X", "I-X"}, *const parts[] = {"noun", "verb", "other"};
    static const int64_t spans[] = {-1, -1, -1, -1}, sizes[] = {3, 3};
    graft_windows *windows = NULL, *out = NULL;
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = 6;
    need(graft_windows_encode(tokenizer, NULL, texts, 2, &options, 2, &windows), "windows of texts");
    graft_batch *rows = NULL;
    need(graft_windows_batch(windows, &rows), "as rows");
    int64_t count = graft_batch_token_count(rows), windows_made = graft_windows_count(windows);
    /* Ten tokens in four windows, and five in one. */
    expect_number(4, windows_made, "each of six tokens");
    expect_number(23, count, "with their own");
    /* CLS a robin sang in the old garden . SEP, CLS it rained . SEP */
    int32_t numbers[15] = {-100, 0, 1, 2, 2, 2, 0, 0, 0, -100, -100, 0, 0, 0, -100};
    int32_t spread[23], joined[15];
    expect(GRAFT_OK, graft_windows_spread(windows, numbers, 15, NULL, 0, spread, 23), "spread");
    expect(GRAFT_OK, graft_windows_join(windows, spread, 23, joined, 15), "and joined");
    claim(memcmp(numbers, joined, sizeof numbers) == 0, "numbers come back", "others");
    expect(GRAFT_OK, graft_windows_spread(windows, numbers, 15, labels, 3, spread, 23), "labels, once");
    int learned = 0;
    for (int i = 0; i < 23; i++)
        learned += spread[i] >= 0;
    expect_number(11, learned, "each label counts once");
    expect(GRAFT_OK, graft_windows_spread(windows, numbers, 15, parts, 3, spread, 23), "that are no tags");
    invalid(graft_windows_spread(windows, numbers, 14, NULL, 0, spread, 23), "too few numbers are refused");
    claim(strstr(graft_last_error_message(), "count is 14; expected 15") != NULL, "and counted",
          graft_last_error_message());
    invalid(graft_windows_spread(windows, NULL, 15, NULL, 0, spread, 23), "numbers NULL are refused");
    invalid(graft_windows_spread(windows, numbers, 15, labels, 2, spread, 23), "label 2 of 2 is refused");
    invalid(graft_windows_spread(windows, numbers, -1, NULL, 0, spread, 23), "-1 numbers are refused");
    invalid(graft_windows_spread(windows, numbers, 15, NULL, 0, NULL, 23), "numbers into NULL are refused");
    invalid(graft_windows_spread(NULL, numbers, 15, NULL, 0, spread, 23), "windows NULL are refused");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_windows_spread(windows, numbers, 15, NULL, 0, spread, 22),
           "numbers without room are refused");
    invalid(graft_windows_join(windows, spread, 22, joined, 15), "too few of the windows are refused");
    invalid(graft_windows_join(windows, NULL, 23, joined, 15), "windows' numbers NULL are refused");
    invalid(graft_windows_join(NULL, spread, 23, joined, 15), "to join NULL is refused");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_windows_join(windows, spread, 23, joined, 14),
           "texts without room are refused");
    int32_t places[8];
    graft_answer answers[2];
    float logits[46] = {0};
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_windows_label(windows, spans, 2, places, 8),
           "answers without questions are refused");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_windows_answers(windows, logits, 46, 1, 5, answers, 2, NULL),
           "and are not found");
    options.maximum_length = 2;
    invalid(graft_windows_encode(tokenizer, NULL, texts, 2, &options, 0, &out), "no room is refused");
    claim(strstr(graft_last_error_message(), "row 0: windows of 2 tokens have room for 0 of the text") !=
              NULL,
          "with the row and lengths", graft_last_error_message());
    options.maximum_length = 6;
    options.text_sizes = sizes;
    invalid(graft_windows_encode(tokenizer, NULL, texts, 2, &options, 0, &out),
            "sizes of no questions are refused");
    graft_batch_release(rows);
    graft_windows_release(windows);
}

/* Questions and contexts to windows, and back. */
void test_windows(void) {
    test_windows_of_texts();
    static const char *const questions[] = {"Who sang?", "Where?"};
    static const char *const contexts[] = {"A robin sang in the garden.", "It rained."};
    static const char *const empty[] = {"Who sang?", ""}, *const missing[] = {"Who sang?", NULL};
    static const int64_t spans[] = {2, 7, -1, -1}, outside[] = {2, 7, 3, 40}, backwards[] = {2, 7, 5, 5};
    graft_windows *windows = NULL, *out = NULL;
    need(graft_windows_encode(tokenizer, questions, contexts, 2, NULL, 0, &windows), "making windows");
    expect_number(2, graft_windows_count(windows), "a window for each short context");
    invalid(graft_windows_encode(NULL, questions, contexts, 2, NULL, 0, &out), "no tokenizer is refused");
    invalid(graft_windows_encode(tokenizer, questions, NULL, 2, NULL, 0, &out), "no contexts are refused");
    invalid(graft_windows_encode(tokenizer, missing, contexts, 2, NULL, 0, &out),
            "a question NULL is refused");
    invalid(graft_windows_encode(tokenizer, questions, contexts, -1, NULL, 0, &out), "-1 rows are refused");
    invalid(graft_windows_encode(tokenizer, questions, contexts, 2, NULL, -1, &out),
            "a stride of -1 is refused");
    invalid(graft_windows_encode(tokenizer, questions, contexts, 2, NULL, 0, NULL),
            "windows into NULL are refused");
    invalid(graft_windows_encode(tokenizer, empty, contexts, 2, NULL, 0, &out),
            "an empty question is refused");
    claim(strstr(graft_last_error_message(), "row 1") != NULL, "the message names the row",
          graft_last_error_message());
    invalid(graft_windows_encode(tokenizer, questions, empty, 2, NULL, 0, &out),
            "an empty context is refused");
    graft_encode_options options;
    graft_encode_options_init(&options, sizeof options);
    options.maximum_length = 6;
    invalid(graft_windows_encode(tokenizer, questions, contexts, 2, &options, 0, &out),
            "a question that leaves no room is refused");
    claim(strstr(graft_last_error_message(), "row 0: windows of 6 tokens") != NULL,
          "with its row and lengths", graft_last_error_message());
    options.maximum_length = 9;
    invalid(graft_windows_encode(tokenizer, questions, contexts, 2, &options, 3, &out),
            "a stride as large as the room is refused");
    options.maximum_length = 0;
    options.add_special_tokens = 0;
    invalid(graft_windows_encode(tokenizer, questions, contexts, 2, &options, 0, &out),
            "windows without the model's own tokens are refused");
    claim(out == NULL, "failed windows leave their output alone", "another value");

    int32_t labels[4];
    expect(GRAFT_OK, graft_windows_label(windows, spans, 2, labels, 4), "an answer and none are labels");
    claim(labels[0] > 0 && labels[2] == 0 && labels[3] == 0, "none is the first token", "another");
    invalid(graft_windows_label(windows, outside, 2, labels, 4), "an answer behind the context is refused");
    invalid(graft_windows_label(windows, backwards, 2, labels, 4), "an answer of no characters is refused");
    invalid(graft_windows_label(windows, spans, 1, labels, 4), "answers to one of two questions are refused");
    invalid(graft_windows_label(windows, NULL, 2, labels, 4), "answers NULL are refused");
    invalid(graft_windows_label(windows, spans, 2, NULL, 4), "labels into NULL are refused");
    invalid(graft_windows_label(NULL, spans, 2, labels, 4), "labels of NULL are refused");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_windows_label(windows, spans, 2, labels, 3),
           "labels without room are refused");

    graft_batch *rows = NULL;
    need(graft_windows_batch(windows, &rows), "windows as rows");
    int64_t count = 2 * graft_batch_token_count(rows);
    float logits[200] = {0};
    graft_answer answers[4];
    double scores[2];
    claim(count <= 200, "there is room for the logits", "more");
    expect(GRAFT_OK, graft_windows_answers(windows, logits, count, 2, 5, answers, 4, scores), "answers come");
    claim(answers[0].window == 0 && answers[2].window == 1, "of the windows of each question", "another");
    invalid(graft_windows_answers(windows, NULL, count, 1, 5, answers, 4, NULL), "logits NULL are refused");
    invalid(graft_windows_answers(windows, logits, count - 1, 1, 5, answers, 4, NULL), "too few are refused");
    invalid(graft_windows_answers(windows, logits, count, 0, 5, answers, 4, NULL), "no answers are refused");
    invalid(graft_windows_answers(windows, logits, count, 1, 0, answers, 4, NULL),
            "answers of no tokens are refused");
    invalid(graft_windows_answers(windows, logits, count, 1, 5, NULL, 4, NULL),
            "answers into NULL are refused");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL,
           graft_windows_answers(windows, logits, count, 3, 5, answers, 4, NULL),
           "answers without room are refused");
    logits[count - 1] = NAN;
    expect(GRAFT_ERROR_DIVERGED, graft_windows_answers(windows, logits, count, 1, 5, answers, 4, NULL),
           "logits that are not numbers are refused");
    claim(strstr(graft_last_error_message(), "row 1") != NULL, "and the row is named",
          graft_last_error_message());
    invalid(graft_windows_batch(NULL, &rows), "rows of NULL are refused");
    invalid(graft_windows_batch(windows, NULL), "rows into NULL are refused");
    claim(graft_windows_count(NULL) == -1 && graft_windows_starts(NULL) == NULL, "NULL has no windows",
          "some");
    graft_batch_release(rows);
    graft_windows_release(windows);
    graft_windows_release(NULL);
    expect_refused(graft_windows_retain(windows), "released windows are not retained");

    graft_adapter *answering = make_adapter(0);
    static const char *const sides[] = {"start", "end"};
    invalid(graft_adapter_set_head(answering, "question_answering", sides, 2, NULL),
            "labels of answers are refused");
    invalid(graft_adapter_set_head(answering, "question_answering", NULL, 3, NULL),
            "three outputs of answers are refused");
    expect(GRAFT_OK, graft_adapter_set_head(answering, "question_answering", NULL, 0, NULL),
           "a head of answers needs no labels");
    claim(strcmp(graft_adapter_label(answering, 1), "end") == 0, "its outputs have names", "others");
    graft_adapter_release(answering);
}
