/* Chat templates, messages and options that are refused, each with the place in its message. */
#include "malformed.h"

static const char vocabulary[] =
    "{\"version\": \"1.0\", \"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": 0, "
    "\"b\": 1, \"?\": 2}, \"unk_token\": \"?\"}, \"pre_tokenizer\": {\"type\": "
    "\"Split\", \"pattern\": {\"Regex\": \".\"}, \"behavior\": \"Isolated\", "
    "\"invert\": false}}";
static const char template[] =
    "{% for m in messages %}{% if m.role == 'assistant' %}a{{ m.content }}{% else %}b{{ "
    "m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}a{% endif %}";

#define USER "[{\"role\": \"user\", \"content\": \"x\"}]"
#define INVALID GRAFT_ERROR_INVALID_ARGUMENT
#define UNSUPPORTED GRAFT_ERROR_UNSUPPORTED

static const struct {
    const char *messages, *options;
    graft_status status;
    const char *fragment, *sentence;
} table[] = {
    {NULL, NULL, INVALID, "messages is NULL", "no messages"},
    {"", NULL, INVALID, "messages", "messages that are empty"},
    {"[", NULL, INVALID, "messages", "messages that are cut"},
    {"{}", NULL, INVALID, "array of one message", "messages that are an object"},
    {"[]", NULL, INVALID, "array of one message", "no message"},
    {"[1]", NULL, INVALID, "messages[0]", "a message that is a number"},
    {USER, "{", INVALID, "options", "options that are cut"},
    {USER, "[]", INVALID, "object", "options that are a list"},
    {USER, "{\"tool\": []}", INVALID, "\"tool\"", "an unknown option"},
    {USER, "{\"tools\": [1]}", INVALID, "tools", "a tool that is a number"},
    {USER, "{\"documents\": {}}", INVALID, "documents", "documents that are an object"},
    {USER, "{\"add_generation_prompt\": 1}", INVALID, "add_generation_prompt", "a prompt that is 1"},
    {USER, "{\"variables\": {\"messages\": []}}", INVALID, "messages", "a variable that is an option"},
    {USER, "{\"continue_final_message\": 3}", INVALID, "continue_final_message", "a message that goes on 3"},
    {USER, "{\"continue_final_message\": true, \"add_generation_prompt\": true}", INVALID,
     "add_generation_prompt", "a message that goes on, and a prompt"},
    {USER, "{\"continue_final_message\": \"name\"}", INVALID, "\"name\"", "a member that the message lacks"},
    {USER, "{\"chat_template\": \"{{ 1\"}", INVALID, "line 1", "a template that is cut"},
    {USER, "{\"chat_template\": \"\\n{% include 'x' %}\"}", UNSUPPORTED, "line 2",
     "a template that reads another"},
    {USER, "{\"chat_template\": \"{{ x|y }}\"}", UNSUPPORTED, "\"y\"", "an unknown filter"},
    {USER, "{\"chat_template\": \"{{ x.y }}\"}", INVALID, "\"x\" is undefined", "an undefined name"},
    {USER, "{\"chat_template\": \"{{ raise_exception('Not so!') }}\"}", INVALID, "Not so!",
     "a refusal of its own"},
    {USER,
     "{\"chat_template\": \"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor "
     "%}\"}",
     UNSUPPORTED, "more work", "a template that goes on for ever"},
    {USER, "{\"chat_template\": \"{{ 'a' * 99999999999 }}\"}", UNSUPPORTED, "bytes", "a text beyond memory"},
};

void test_templates(void) {
    graft_file files[] = {{"tokenizer.json", vocabulary, sizeof vocabulary - 1},
                          {"chat_template.jinja", template, sizeof template - 1}};
    graft_tokenizer *with = NULL, *without = NULL;
    graft_encoding *encoding = NULL;
    int64_t count = 0;
    char text[8];
    need(graft_tokenizer_load_files(files, 2, &with), "loading a tokenizer with a template");
    need(graft_tokenizer_load_files(files, 1, &without), "loading a tokenizer without a template");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        expect(table[i].status, table[i].fragment,
               graft_tokenizer_apply_template(with, table[i].messages, table[i].options, NULL, 0, &count),
               table[i].sentence);
        expect(table[i].status, table[i].fragment,
               graft_tokenizer_encode_messages(with, table[i].messages, table[i].options, &encoding),
               table[i].sentence);
    }
    expect(GRAFT_ERROR_NOT_FOUND, "no chat template",
           graft_tokenizer_apply_template(without, USER, NULL, NULL, 0, &count),
           "a tokenizer without a template");
    expect(INVALID, "handle", graft_tokenizer_apply_template(NULL, USER, NULL, NULL, 0, &count),
           "no tokenizer");
    expect(GRAFT_ERROR_BUFFER_TOO_SMALL, "3 are needed",
           graft_tokenizer_apply_template(with, USER, NULL, text, 2, &count), "too little room");
    expect(GRAFT_OK, "", graft_tokenizer_apply_template(with, USER, NULL, text, 3, NULL), "just enough room");
    claim(strcmp(text, "bx") == 0, "the text is there", text);
    expect(GRAFT_OK, "", graft_tokenizer_encode_messages(with, USER, NULL, &encoding), "tokens of messages");
    claim(graft_encoding_token_count(encoding) == 2, "there are two", "another count");
    claim(graft_encoding_assistant_mask(encoding) == NULL, "nobody asked who speaks", "a mask");
    graft_encoding_release(encoding);
    expect(GRAFT_OK, "",
           graft_tokenizer_encode_messages(
               with,
               "[{\"role\": \"user\", \"content\": \"b\"}, {\"role\": \"assistant\", "
               "\"content\": \"b\"}]",
               "{\"return_assistant_tokens_mask\": true}", &encoding),
           "tokens that say who speaks");
    const int32_t *mask = graft_encoding_assistant_mask(encoding);
    claim(mask && !mask[0] && !mask[1] && !mask[2] && mask[3], "the assistant says the last of four",
          "another");
    graft_encoding_release(encoding);
    expect(GRAFT_ERROR_INCOMPATIBLE, "otherwise when others follow",
           graft_tokenizer_encode_messages(with,
                                           "[{\"role\": \"user\", \"content\": \"b\"}, {\"role\": "
                                           "\"assistant\", \"content\": \"b\"}]",
                                           "{\"return_assistant_tokens_mask\": true, \"chat_template\": \"{{ "
                                           "messages|length }}\"}",
                                           &encoding),
           "a template that does not say who speaks");
    claim(graft_encoding_assistant_mask(NULL) == NULL, "no encoding has no mask", "one");
    graft_tokenizer_release(with);
    graft_tokenizer_release(without);
}
