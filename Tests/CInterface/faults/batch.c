#include "faults.h"

void test_batch(void) {
    graft_batch *out = NULL;
    const char *const one_missing[] = {"one", NULL};
    const char *const not_utf8[] = {"one", "\xff"};
    invalid(graft_batch_encode(NULL, texts, NULL, 2, NULL, &out), "no tokenizer is refused");
    invalid(graft_batch_encode(tokenizer, NULL, NULL, 2, NULL, &out), "no texts are refused");
    invalid(graft_batch_encode(tokenizer, one_missing, NULL, 2, NULL, &out),
            "a NULL text in a batch is refused");
    invalid(graft_batch_encode(tokenizer, texts, one_missing, 2, NULL, &out),
            "a NULL pair in a batch is refused");
    invalid(graft_batch_encode(tokenizer, not_utf8, NULL, 2, NULL, &out),
            "invalid UTF-8 in a batch is refused");
    claim(strstr(graft_last_error_message(), "1") != NULL, "the message names the row",
          graft_last_error_message());
    invalid(graft_batch_encode(tokenizer, texts, NULL, -1, NULL, &out), "-1 rows are refused");
    invalid(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, NULL), "a batch into NULL is refused");
    const int32_t tokens[] = {101, 102, 101, 102}, lengths[] = {2, 2};
    const int32_t zero_length[] = {2, 0}, negative_length[] = {2, -2};
    invalid(graft_batch_create(NULL, NULL, lengths, 2, &out), "no tokens are refused");
    invalid(graft_batch_create(tokens, NULL, NULL, 2, &out), "no lengths are refused");
    invalid(graft_batch_create(tokens, NULL, zero_length, 2, &out), "a row of length 0 is refused");
    invalid(graft_batch_create(tokens, NULL, negative_length, 2, &out), "a row of length -2 is refused");
    invalid(graft_batch_create(tokens, NULL, lengths, -2, &out), "a batch of -2 rows is refused");
    claim(out == NULL, "a failed batch leaves its output alone", "another value");

    need(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &out), "encoding");
    invalid(graft_batch_set_integers(out, "labels", numbers, 1, 1), "one label for two rows is refused");
    invalid(graft_batch_set_integers(out, "labels", numbers, -2, 1), "-2 labels are refused");
    invalid(graft_batch_set_integers(out, "labels", NULL, 2, 1), "NULL labels are refused");
    invalid(graft_batch_set_integers(NULL, "labels", numbers, 2, 1), "labels of NULL are refused");
    invalid(graft_batch_set_integers(out, "token_labels", numbers, 2, 1),
            "two token labels for more tokens are refused");
    invalid(graft_batch_set_integers(out, "token_labels", NULL, graft_batch_token_count(out), 1),
            "NULL token labels are refused");
    invalid(graft_batch_set_integers(NULL, "token_labels", numbers, 2, 1),
            "token labels of NULL are refused");
    static const float values[] = {0, 1, 1, 0};
    expect(GRAFT_ERROR_NOT_FOUND, graft_batch_set_integers(out, "lables", numbers, 2, 1),
           "an unknown column is not found");
    invalid(graft_batch_set_integers(out, NULL, numbers, 2, 1), "a column NULL is refused");
    invalid(graft_batch_set_integers(out, "targets", numbers, 2, 1), "targets that are integers are refused");
    invalid(graft_batch_set_floats(out, "labels", values, 2, 1), "labels that are floats are refused");
    invalid(graft_batch_set_floats(out, "targets", values, 2, 0), "targets of width 0 are refused");
    invalid(graft_batch_set_floats(out, "targets", values, 2, -1), "targets of width -1 are refused");
    invalid(graft_batch_set_floats(out, "targets", values, 2, (1 << 20) + 1),
            "targets of any width are refused");
    invalid(graft_batch_set_floats(out, "targets", values, 3, 1), "three targets for two rows are refused");
    expect(GRAFT_OK, graft_batch_set_floats(out, "targets", values, 2, 2),
           "two targets for each row are taken");
    graft_dataset *narrow = NULL;
    need(graft_dataset_create(&narrow), "making a dataset");
    need(graft_dataset_append(narrow, out), "appending");
    need(graft_batch_set_floats(out, "targets", values, 2, 1), "other targets replace them");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_dataset_append(narrow, out),
           "targets of another width are refused");
    need(graft_batch_set_floats(out, "targets", values, 2, 2), "targets as before");
    need(graft_batch_set_integers(out, "labels", numbers, 2, 1), "and labels");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_dataset_append(narrow, out), "labels of some rows are refused");
    graft_dataset_release(narrow);
    graft_batch *targets = tokens_batch(101, 2, 0);
    invalid(graft_batch_set_targets(out, NULL), "targets NULL are refused");
    invalid(graft_batch_set_targets(NULL, targets), "targets of NULL are refused");
    invalid(graft_batch_set_targets(out, targets), "one target for two rows is refused");
    invalid(graft_batch_set_targets(out, (const graft_batch *)model), "a model as targets is refused");
    need(graft_dataset_create(&narrow), "making a dataset");
    need(graft_dataset_append(narrow, out), "appending");
    expect(GRAFT_OK, graft_batch_set_targets(out, out), "a batch may be its own target");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_dataset_append(narrow, out), "targets of some rows are refused");
    graft_dataset_release(narrow);
    graft_batch_release(targets);
    const graft_composition *const rows[] = {composition, (const graft_composition *)model};
    invalid(graft_batch_set_adapters(out, rows, 1), "one adapter for two rows is refused");
    invalid(graft_batch_set_adapters(out, rows, 2), "a model as an adapter is refused");
    invalid(graft_batch_set_adapters(out, NULL, 2), "NULL adapters are refused");
    graft_batch_release(out);
    expect_number(-1, graft_batch_row_count(out), "a released batch has -1 rows");
    expect_number(-1, graft_batch_token_count(NULL), "NULL has -1 tokens in rows");
    expect_number(-1, graft_batch_maximum_length(NULL), "NULL has a limit of -1 tokens");
    expect_number(-1, graft_batch_truncated_row_count(out), "a released batch has -1 cut rows");
    expect_number(-1, graft_batch_unknown_token_count(NULL), "NULL has -1 unknown tokens");
    claim(graft_batch_row_starts(NULL) == NULL, "NULL has no row starts", "some");

    invalid(graft_dataset_create(NULL), "a dataset into NULL is refused");
    invalid(graft_dataset_append(dataset, NULL), "appending NULL is refused");
    invalid(graft_dataset_append(NULL, batch), "appending to NULL is refused");
    expect_number(-1, graft_dataset_row_count((const graft_dataset *)batch), "a batch is no dataset");
    expect_number(-1, graft_dataset_token_count(NULL), "NULL has -1 tokens in its rows");
    expect_number(-1, graft_dataset_maximum_length(NULL), "a data set NULL has a limit of -1 tokens");
    expect_number(-1, graft_dataset_truncated_row_count(NULL), "NULL has -1 cut rows");
    expect_number(-1, graft_dataset_unknown_token_count(NULL), "a data set NULL has -1 unknown tokens");

    /* Rows remember where they were cut; a data set has the largest limit. */
    graft_encode_options options;
    graft_dataset *rows_of_two = NULL;
    need(graft_dataset_create(&rows_of_two), "making a dataset");
    for (int32_t length = 3; length <= 4; length++) {
        graft_encode_options_init(&options, sizeof options);
        options.maximum_length = length;
        need(graft_batch_encode(tokenizer, texts, NULL, 2, &options, &out), "encoding");
        expect_number(length, graft_batch_maximum_length(out), "a batch knows its limit");
        expect_number(length == 3, graft_batch_truncated_row_count(out), "of 3 and 4 tokens 3 cut one row");
        expect_number(0, graft_batch_unknown_token_count(out), "all their tokens are known");
        need(graft_dataset_append(rows_of_two, out), "appending");
        graft_batch_release(out);
    }
    expect_number(4, graft_dataset_maximum_length(rows_of_two), "a data set has the largest limit");
    expect_number(1, graft_dataset_truncated_row_count(rows_of_two), "one of its rows was cut");
    expect_number(13, graft_dataset_token_count(rows_of_two), "its rows have 3, 3, 3 and 4 tokens");
    graft_dataset_release(rows_of_two);
}
