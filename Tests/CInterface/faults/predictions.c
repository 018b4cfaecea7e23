#include "faults.h"

enum { LABELS = 5, ROWS = 3 };

/* An adapter with random effect and a head of `count` labels. */
static graft_composition *make_leaf(int32_t count, uint64_t seed) {
    static const char *const names[LABELS] = {"a", "b", "c", "d", "e"};
    graft_adapter *made = NULL;
    graft_composition *leaf = NULL;
    need(graft_adapter_create(model, "lora", "{\"init_lora_weights\": false}", seed, &made), "making");
    need(graft_adapter_set_head(made, "sequence_classification", names, count, NULL), "adding a head");
    need(graft_composition_create(made, 1, &leaf), "composing");
    graft_adapter_release(made);
    return leaf;
}

/* A model without a head for masked words, and rows without words, say so. */
static void test_masks(void) {
    int32_t tokens[2];
    graft_batch *out = NULL;
    expect(GRAFT_ERROR_UNSUPPORTED, graft_session_fill_masks(session, batch, 103, 1, tokens, NULL, 2, NULL),
           "masks are filled by a head for them");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL,
           graft_session_fill_masks(session, batch, 101, 2, tokens, NULL, 2, NULL),
           "two places are too few for two tokens of two masks");
    invalid(graft_session_fill_masks(session, batch, 103, 0, tokens, NULL, 2, NULL), "no tokens are refused");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_batch_mask_each(batch, 103, &out),
           "rows without words are refused");
    invalid(graft_batch_mask_each(NULL, 103, &out), "no batch is refused");
    expect_number(-1, graft_tokenizer_mask_token(NULL), "no tokenizer has no mask");
}

/* Vectors are found by their products, and what cannot be compared is named. */
static void test_nearest(void) {
    float vectors[] = {1, 0, 0, 1, 0.6f, 0.8f}, query[] = {0, 2}, products[4];
    int64_t places[4];
    need(graft_nearest(vectors, 3, 2, query, 1, 4, 1, places, products, 4), "searching");
    claim(places[0] == 1 && places[1] == 2 && places[2] == 0 && places[3] == -1,
          "the nearest come first, then -1", "another order");
    claim(products[0] == 2 && products[3] < -1e30f, "with their products", "others");
    need(graft_nearest(NULL, 0, 2, query, 1, 1, 0, places, NULL, 1), "searching among none");
    expect_number(-1, places[0], "among no vectors none is found");
    vectors[3] = NAN;
    expect(GRAFT_ERROR_DIVERGED, graft_nearest(vectors, 3, 2, query, 1, 4, 1, places, products, 4),
           "a vector that is no number is named");
    claim(strstr(graft_last_error_message(), "vector 1") != NULL, "by its place", graft_last_error_message());
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_nearest(vectors, 3, 2, query, 1, 4, 1, places, products, 3),
           "three places are too few for four");
    invalid(graft_nearest(vectors, 3, 0, query, 1, 1, 1, places, products, 4), "a width of 0 is refused");
    invalid(graft_nearest(vectors, -1, 2, query, 1, 1, 1, places, products, 4), "-1 vectors are refused");
    invalid(graft_nearest(NULL, 3, 2, query, 1, 1, 1, places, products, 4), "no vectors are refused");
    invalid(graft_nearest(vectors, 3, 2, query, 1, 0, 1, places, products, 4), "none wanted is refused");
    invalid(graft_nearest(vectors, 3, 2, query, 1, 1, 1000, places, products, 4), "1000 threads are refused");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL,
           graft_nearest(vectors, 3, 2, query, 1, 1 << 20, 1, places, products, 4),
           "so is a million places in four");
}

/* Each row's best labels are those of its logits, with softmax over the row's own. */
static void test_best(void) {
    static const char *const lines[ROWS] = {"one", "two words", "three words here"};
    static const int32_t label_counts[ROWS] = {5, 2, 3};
    graft_batch *rows = NULL;
    const graft_composition *own[ROWS];
    need(graft_batch_encode(tokenizer, lines, NULL, ROWS, NULL, &rows), "encoding");
    for (int row = 0; row < ROWS; row++)
        own[row] = make_leaf(label_counts[row], (uint64_t)row);
    need(graft_batch_set_adapters(rows, own, ROWS), "naming adapters");
    float logits[ROWS * LABELS], probabilities[ROWS * LABELS];
    int32_t labels[ROWS * LABELS];
    need(graft_session_classify(session, rows, logits, ROWS * LABELS, NULL), "classifying");
    need(graft_session_predict(session, rows, LABELS, labels, probabilities, ROWS * LABELS), "predicting");
    for (int row = 0; row < ROWS; row++) {
        const float *scores = logits + row * LABELS;
        double total = 0;
        for (int label = 0; label < label_counts[row]; label++)
            total += exp(scores[label]);
        for (int place = 0; place < LABELS; place++) {
            int32_t label = labels[row * LABELS + place];
            float probability = probabilities[row * LABELS + place];
            if (place >= label_counts[row]) {
                claim(label == -1 && probability == 0, "a row ends in -1 where it has no more labels",
                      "more");
                continue;
            }
            claim(label >= 0 && label < label_counts[row], "a label is one of the row's own", "another");
            claim(fabs(probability - exp(scores[label]) / total) < 1e-6, "with its share of the row", "else");
            claim(place == 0 || scores[label] <= scores[labels[row * LABELS + place - 1]],
                  "the likeliest come first", "another order");
        }
    }
    int32_t best[ROWS];
    need(graft_session_predict(session, rows, 1, best, NULL, ROWS), "predicting without probabilities");
    for (int row = 0; row < ROWS; row++)
        expect_number(labels[row * LABELS], best[row], "the best of one is the best of all");

    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, graft_session_predict(session, rows, 2, labels, NULL, 2 * ROWS - 1),
           "five places are too few for two labels of three rows");
    invalid(graft_session_predict(session, rows, 0, labels, NULL, ROWS), "no labels of each row are refused");
    invalid(graft_session_predict(session, rows, -1, labels, NULL, ROWS), "-1 labels are refused");
    invalid(graft_session_predict(session, rows, INT64_MAX, labels, NULL, ROWS),
            "2^63 - 1 labels are refused");
    invalid(graft_session_predict(session, rows, 1, NULL, NULL, ROWS), "labels into NULL are refused");
    invalid(graft_session_predict(session, rows, 1, labels, NULL, -1), "a capacity of -1 is refused");
    invalid(graft_session_predict(session, NULL, 1, labels, NULL, ROWS), "predicting for NULL is refused");
    invalid(graft_session_predict(NULL, rows, 1, labels, NULL, ROWS), "predicting with NULL is refused");
    invalid(graft_session_predict(session, batch, 1, labels, NULL, ROWS),
            "predicting without a head is refused");
    graft_batch_release(rows);
    for (int row = 0; row < ROWS; row++)
        graft_composition_release((graft_composition *)own[row]);
}

/* Hands out a file whose every number is huge in place of the one it receives. */
static int32_t enlarge(void *user_data, const graft_file *file) {
    graft_file *files = user_data;
    char *data = malloc((size_t)file->size);
    if (!data)
        exit(1);
    memcpy(data, file->data, (size_t)file->size);
    int is_weights = strstr(file->name, ".safetensors") != NULL;
    if (is_weights) {
        uint64_t header;
        const float huge = 3e38f;
        memcpy(&header, data, sizeof header);
        for (size_t place = 8 + (size_t)header; place + 4 <= (size_t)file->size; place += 4)
            memcpy(data + place, &huge, sizeof huge);
    }
    files[is_weights] = (graft_file){.name = is_weights ? "adapter_model.safetensors" : "adapter_config.json",
                                     .data = data,
                                     .size = file->size};
    return 0;
}

/* Logits that are not finite are no prediction, and say so. */
static void test_overflow(void) {
    graft_file files[2];
    graft_adapter *huge = NULL;
    graft_composition *leaf = NULL;
    int32_t labels[2] = {-7, -7};
    need(graft_adapter_save_files(adapter, enlarge, files), "enlarging an adapter");
    need(graft_adapter_load_files(model, files, 2, &huge), "loading it");
    need(graft_composition_create(huge, 1, &leaf), "composing");
    const graft_composition *own[] = {composition, leaf};
    graft_batch *rows = NULL;
    need(graft_batch_encode(tokenizer, texts, NULL, 2, NULL, &rows), "encoding");
    need(graft_batch_set_adapters(rows, own, 2), "naming adapters");
    expect(GRAFT_ERROR_DIVERGED, graft_session_predict(session, rows, 1, labels, NULL, 2),
           "logits that overflow are no prediction");
    claim(strstr(graft_last_error_message(), "row 1") != NULL, "the message names the row",
          graft_last_error_message());
    claim(labels[0] == -7 && labels[1] == -7, "a failed prediction leaves its output alone", "another value");
    graft_batch_release(rows);
    graft_composition_release(leaf);
    graft_adapter_release(huge);
    for (int i = 0; i < 2; i++)
        free((void *)files[i].data);
}

void test_predictions(void) {
    test_best();
    test_masks();
    test_nearest();
    test_overflow();
}
