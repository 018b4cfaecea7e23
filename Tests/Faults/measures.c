/* Measures of given numbers: what is refused by its place, and what nothing defines. */
#include "malformed.h"
#include <math.h>

static const int32_t truth[] = {0, 1, 1, 0}, chosen[] = {0, 1, 0, 0};
static graft_evaluation *out;

static void test_labels(void) {
    int32_t bad[] = {0, 2, 1, 0}, below[] = {0, 1, 1, -1};
    double weights[] = {1, NAN, 1, 1}, negative[] = {1, 1, -1, 1};
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "nothing to measure",
           graft_evaluate_labels(NULL, NULL, NULL, 0, 2, &out), "no rows");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "truth is NULL",
           graft_evaluate_labels(NULL, chosen, NULL, 4, 2, &out), "no truth");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "truth[1] is 2",
           graft_evaluate_labels(bad, chosen, NULL, 4, 2, &out), "label 2 of 2");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "chosen[3] is -1",
           graft_evaluate_labels(truth, below, NULL, 4, 2, &out), "label -1");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "weights[1] is nan",
           graft_evaluate_labels(truth, chosen, weights, 4, 2, &out), "a weight that is no number");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "weights[2] is -1",
           graft_evaluate_labels(truth, chosen, negative, 4, 2, &out), "a negative weight");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "label_count",
           graft_evaluate_labels(truth, chosen, NULL, 4, 0, &out), "no labels");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "count", graft_evaluate_labels(truth, chosen, NULL, -1, 2, &out),
           "-1 rows");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "out is NULL",
           graft_evaluate_labels(truth, chosen, NULL, 4, 2, NULL), "nowhere to write");
}

static void test_scores(void) {
    double scores[] = {0.1, 0.9, 0.4, 0.2}, broken[] = {0.1, NAN, 0.4, 0.2}, wide[] = {0.1, 3, 0.4, 0.2};
    static const int32_t ones[] = {1, 1, 1, 1};
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "scores[1] is nan",
           graft_evaluate_scores(truth, broken, NULL, 4, 1, NULL, &out), "a score that is no number");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "expected a probability",
           graft_evaluate_scores(truth, wide, NULL, 4, 1, NULL, &out), "a probability of 3");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "no setting \"treshold\"",
           graft_evaluate_scores(truth, scores, NULL, 4, 1, "{\"treshold\": 1}", &out), "an unknown setting");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "settings",
           graft_evaluate_scores(truth, scores, NULL, 4, 1, "{", &out), "half an object");
    expect(GRAFT_OK, "", graft_evaluate_scores(truth, wide, NULL, 4, 1, "{\"probabilities\": false}", &out),
           "scores of any kind");
    claim(isnan(graft_evaluation_value(out, "log_loss")), "they have no log_loss", "one");
    graft_evaluation_release(out);
    expect(GRAFT_OK, "", graft_evaluate_scores(ones, scores, NULL, 4, 1, NULL, &out), "one label alone");
    claim(isnan(graft_evaluation_value(out, "roc_auc")) && isnan(graft_evaluation_value(out, "nothing")),
          "its roc_auc is not defined", "a number");
    claim(graft_evaluation_value(out, "average_precision") == 1, "its average precision is 1", "another");
    double table[2];
    int64_t rows = 0;
    int32_t columns = 0;
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, "are needed",
           graft_evaluation_table(out, "roc", table, 2, &rows, &columns), "a curve in too little room");
    claim(rows >= 2 && columns == 3, "its size is said", "nothing");
    expect(GRAFT_ERROR_NOT_FOUND, "\"rocs\"", graft_evaluation_table(out, "rocs", table, 2, NULL, NULL),
           "an unknown table");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "no table \"rows\"",
           graft_evaluation_table(out, "rows", table, 2, NULL, NULL), "a table of another kind");
    graft_evaluation_release(out);
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "truth[0] is 2",
           graft_evaluate_label_sets((int32_t[]){2, 0}, scores, NULL, 1, 2, NULL, &out),
           "a label that is there twice");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "values of row 0, number 1",
           graft_evaluate_values(scores, broken, NULL, 2, 2, &out), "a value that is no number");
}

static void test_texts(void) {
    static const char *const tags[] = {"O", "B-PER"}, *const labels[] = {"O", "person"};
    static const char *const texts[] = {"a", "b"}, *const broken[] = {"a", "\xff"};
    static const int64_t starts[] = {0, 1, 2}, falling[] = {0, 2, 1}, late[] = {1, 2, 2}, empty[] = {0, 0, 2};
    static const double numbers[] = {1, 0}, negative[] = {-1, 0};
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "expected tags",
           graft_evaluate_tags(truth, chosen, starts, 2, labels, 2, &out), "labels that are no tags");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "row_starts[2] is 1",
           graft_evaluate_tags(truth, chosen, falling, 2, tags, 2, &out), "a row that ends before it begins");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "row_starts[0] is 1",
           graft_evaluate_tags(truth, chosen, late, 2, tags, 2, &out), "rows that begin late");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "predictions[1]",
           graft_evaluate_answers(broken, texts, starts, NULL, 2, NULL, &out), "an answer that is not UTF-8");
    expect(GRAFT_ERROR_NOT_FOUND, "script \"bleu\"",
           graft_evaluate_answers(texts, texts, starts, NULL, 2, "bleu", &out), "an unknown script");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "written[1]",
           graft_evaluate_texts(broken, texts, starts, 2, NULL, &out), "a written text that is not UTF-8");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "references of row 0: expected a text or more",
           graft_evaluate_texts(texts, texts, empty, 2, NULL, &out), "a text without references");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "must be \"13a\" or \"zh\" or \"char\"",
           graft_evaluate_texts(texts, texts, starts, 2, "{\"tokenize\": \"ja\"}", &out), "an unknown cut");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "query 0 has no candidates",
           graft_evaluate_rankings(numbers, numbers, empty, NULL, 2, NULL, &out),
           "a query without candidates");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "relevance[0] is -1",
           graft_evaluate_rankings(negative, numbers, starts, NULL, 2, NULL, &out), "a negative relevance");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "k of rankings",
           graft_evaluate_rankings(numbers, numbers, starts, NULL, 2, "{\"k\": 0}", &out), "no places");
}

/** Rows change sides, and of one side they have another number of scores. */
static void test_comparisons_of_scores(void) {
    double probabilities[] = {0.1, 0.9, 0.8, 0.2, 0.7, 0.3, 0.4, 0.6};
    graft_evaluation *one = NULL, *two = NULL;
    need(graft_evaluate_scores(truth, probabilities, NULL, 4, 1, NULL, &one), "measuring one score a row");
    need(graft_evaluate_scores(truth, probabilities, NULL, 4, 2, NULL, &two), "measuring two scores a row");
    expect(GRAFT_ERROR_INCOMPATIBLE, "1 and 2 scores a row",
           graft_evaluation_compare(one, two, "roc_auc", NULL, NULL, &out), "one score beside two");
    expect(GRAFT_ERROR_INCOMPATIBLE, "2 and 1 scores a row",
           graft_evaluation_compare(two, one, "best_f1", NULL, NULL, &out), "two scores beside one");
    expect(GRAFT_OK, "", graft_evaluation_compare(one, two, "roc_auc", "bootstrap", NULL, &out),
           "the same by samples of the rows");
    graft_evaluation_release(out);
    graft_evaluation_release(one);
    graft_evaluation_release(two);
}

static void test_comparisons(void) {
    graft_evaluation *first = NULL, *second = NULL, *other = NULL;
    need(graft_evaluate_labels(truth, chosen, NULL, 4, 2, &first), "measuring");
    need(graft_evaluate_labels(truth, truth, NULL, 4, 2, &second), "measuring");
    need(graft_evaluate_labels(chosen, truth, NULL, 4, 2, &other), "measuring");
    expect(GRAFT_ERROR_NOT_FOUND, "measure \"loss\"",
           graft_evaluation_interval(first, "loss", NULL, NULL, &out), "an interval of the loss");
    expect(GRAFT_ERROR_NOT_FOUND, "percentile, bca",
           graft_evaluation_interval(first, "accuracy", "bayes", NULL, &out), "an unknown interval");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "resamples",
           graft_evaluation_interval(first, "accuracy", NULL, "{\"resamples\": 0}", &out),
           "an interval of nothing");
    expect(GRAFT_ERROR_INCOMPATIBLE, "different rows",
           graft_evaluation_compare(first, other, "accuracy", NULL, NULL, &out), "evaluations of other rows");
    expect(GRAFT_ERROR_NOT_FOUND, "permutation, bootstrap, mcnemar",
           graft_evaluation_compare(first, second, "accuracy", "t", NULL, &out), "an unknown test");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "no setting \"seed\"",
           graft_evaluation_compare(first, second, "accuracy", "mcnemar", "{\"seed\": 1}", &out),
           "a seed of an exact test");
    expect(GRAFT_OK, "", graft_evaluation_compare(second, first, "accuracy", NULL, NULL, &out),
           "a comparison");
    claim(graft_evaluation_value(out, "gain") == 0.25, "it has the gain", "another");
    graft_evaluation_release(out);
    expect(GRAFT_OK, "", graft_evaluation_interval(first, "macro_f1", "bca", NULL, &out), "an interval");
    expect(GRAFT_ERROR_INVALID_ARGUMENT, "keeps no rows",
           graft_evaluation_interval(out, "value", NULL, NULL, &other), "an interval of an interval");
    graft_evaluation_release(out);
    graft_evaluation_release(first);
    graft_evaluation_release(second);
    graft_evaluation_release(other);
}

void test_measures(void) {
    test_labels();
    test_scores();
    test_texts();
    test_comparisons();
    test_comparisons_of_scores();
}
