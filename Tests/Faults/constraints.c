/* Constraints of texts that are refused, each with the place in its message, or that tokens cannot
 * meet. */
#include "malformed.h"

static const char vocabulary[] =
    "{\"version\": \"1.0\", \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2, "
    "\"1\": 3, \"1cd\": 4}, \"merges\": []}, \"decoder\": {\"type\": \"ByteLevel\"}}";
static const char words[] =
    "{\"version\": \"1.0\", \"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": 0}, "
    "\"unk_token\": \"a\"}}";

#define INVALID GRAFT_ERROR_INVALID_ARGUMENT
#define UNSUPPORTED GRAFT_ERROR_UNSUPPORTED

static const struct {
    const char *constraint;
    graft_status status;
    const char *fragment, *sentence;
} table[] = {
    {"", INVALID, "constraint, line 1", "a constraint that is empty"},
    {"[", INVALID, "constraint, line 1", "a constraint that is cut"},
    {"[]", INVALID, "expected a JSON object", "a constraint that is a list"},
    {"{\"choices\": [\"a\"], \"regex\": \"a\"}", INVALID, "expected one member", "two constraints in one"},
    {"{\"grammar\": \"a\"}", INVALID, "\"grammar\"", "an unknown kind"},
    {"{\"choices\": []}", INVALID, "at least one", "no choices"},
    {"{\"choices\": [\"ax\"]}", INVALID, "none goes on behind \"a\"", "a choice without bytes for it"},
    {"{\"regex\": \"a+1c|cd\"}", INVALID, "of \"cd\" none is the beginning",
     "choices with bytes for them, but no tokens"},
    {"{\"choices\": [\"\"]}", INVALID, "no token of the vocabulary", "an end without an end token"},
    {"{\"regex\": \"a(?=b)\"}", UNSUPPORTED, "a look-ahead at character 1", "a look-ahead"},
    {"{\"regex\": \"(a\"}", INVALID, "not closed at character 0", "a group that is open"},
    {"{\"regex\": \"(a{1000}){1000}\"}", UNSUPPORTED, "nodes", "an automaton beyond memory"},
    {"{\"json_schema\": {\"type\": \"text\"}}", INVALID, "json_schema.type", "an unknown type"},
    {"{\"json_schema\": {\"items\": {\"not\": {}}}}", UNSUPPORTED, "json_schema.items: \"not\"",
     "a keyword beyond an automaton"},
    {"{\"json_schema\": {\"$ref\": \"#\"}}", INVALID, "no text is as the constraint asks",
     "a schema that is itself"},
    {"{\"json_schema\": {\"enum\": [1], \"type\": \"string\"}}", INVALID, "no text is as",
     "a schema that contradicts itself"},
};

static int32_t count(void *user_data, const graft_token *token) {
    int *counts = user_data;
    counts[0]++;
    counts[1] += token->end == GRAFT_TOKEN_END_CONSTRAINT;
    return 0;
}

static graft_tokenizer *tokenizer_of(const char *text, size_t size) {
    graft_file file = {"tokenizer.json", text, (int64_t)size};
    graft_tokenizer *tokenizer = NULL;
    need(graft_tokenizer_load_files(&file, 1, &tokenizer), "loading a tokenizer");
    return tokenizer;
}

void test_constraints(void) {
    static const int32_t tokens[] = {1}, length = 1;
    graft_tokenizer *tokenizer = tokenizer_of(vocabulary, sizeof vocabulary - 1);
    graft_tokenizer *other = tokenizer_of(words, sizeof words - 1);
    graft_model *model = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    graft_generate_options options;
    int counts[2] = {0};
    const char *constraint = NULL;
    need(graft_model_load(join(goldens, "llama-tiny/plain"), NULL, &model), "loading a Llama");
    need(graft_session_create(model, NULL, &session), "making a session");
    need(graft_batch_create(tokens, NULL, &length, 1, &batch), "making a batch");
    graft_generate_options_init(&options, sizeof options);
    options.constraints = &constraint;
    options.stop_tokens = tokens; /* and none of them */
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        constraint = table[i].constraint;
        expect(table[i].status, table[i].fragment,
               graft_session_generate(session, tokenizer, batch, &options, count, counts), table[i].sentence);
    }
    constraint = "{\"regex\": \"(ab|1){3}\"}";
    expect(INVALID, "constraints need a tokenizer",
           graft_session_generate(session, NULL, batch, &options, count, counts), "no tokenizer");
    expect(UNSUPPORTED, "a token of this tokenizer",
           graft_session_generate(session, other, batch, &options, count, counts),
           "tokens that are spaced by the decoder");
    claim(counts[0] == 0, "a constraint that is refused hands out no token", "a token");
    expect(GRAFT_OK, "", graft_session_generate(session, tokenizer, batch, &options, count, counts),
           "a text after all of that");
    claim(counts[0] >= 3 && counts[0] <= 6 && counts[1] == 1, "it is as its constraint asks", "another text");
    counts[0] = counts[1] = 0;
    constraint = "{\"choices\": [\"b1c\", \"b1cd\"]}";
    expect(GRAFT_OK, "", graft_session_generate(session, tokenizer, batch, &options, count, counts),
           "a choice some of whose bytes are in a longer token alone");
    claim(counts[0] == 2 && counts[1] == 1, "it is the one that the tokens can write", "another text");
    graft_batch_release(batch);
    graft_session_release(session);
    graft_model_release(model);
    graft_tokenizer_release(other);
    graft_tokenizer_release(tokenizer);
}
