/* What the files of this program share: objects that are as they should be, and claims that are
 * counted. */
#ifndef FAULTS_H
#define FAULTS_H

#include <graft.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts, and prints `sentence` with what was found where it does not hold. */
void claim(int holds, const char *sentence, const char *found);
/* The call gives `expected`, and says why. */
void expect(graft_status expected, graft_status found, const char *sentence);
/* The call breaks a documented rule. */
void invalid(graft_status found, const char *sentence);
/* The call fails with one code or another, and says why. */
void expect_refused(graft_status found, const char *sentence);
void expect_number(int64_t expected, int64_t found, const char *sentence);
/* Ends the program: without this object there is nothing to test. */
void need(graft_status status, const char *what);

extern graft_model *model;
extern graft_tokenizer *tokenizer;
extern graft_adapter *adapter;
extern graft_composition *composition;
extern graft_batch *batch;
extern graft_dataset *dataset;
extern graft_session *session;

/* Two rows, and a label for each. */
extern const char *const texts[2];
extern const int32_t numbers[2];
extern const char *const label_names[2];
/* A bare byte, an overlong form, a cut sequence, a surrogate, a number past the last character. */
enum { INVALID_TEXT_COUNT = 5 };
extern const char *const invalid_texts[INVALID_TEXT_COUNT];

/* "folder/name", until the next call. */
const char *in(const char *folder, const char *name);
void write_file(const char *name, const char *content);
graft_adapter *make_adapter(int with_head);
/* One row that repeats `token`. */
graft_batch *tokens_batch(int32_t token, int32_t length, int32_t label);

void test_model(const char *folder, const char *scratch);
void test_tokenizer(const char *scratch);
void test_adapter_settings(void);
void test_adapter(const char *scratch);
void test_head(void);
void test_composition(void);
void test_merging(const char *folder, const char *scratch);
void test_files(const char *folder, const char *scratch);
void test_handles(const char *folder);
void test_texts(void);
void test_predictions(void);
void test_batch(void);
void test_windows(void);
void test_trainer(const char *scratch);
void test_session(void);

#endif
