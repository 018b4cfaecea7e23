import GraftFormats
import GraftTensor

/// How a conversation becomes a text: the arguments of transformers' `apply_chat_template`, by
/// their names.
package struct ChatOptions: Sendable {
    /// The name of one of the folder's templates, or a template; nil is the folder's own.
    package var chatTemplate: String?
    /// Descriptions of functions, and texts to speak of; null where there are none.
    package var tools = JSON.null
    package var documents = JSON.null
    /// Whether the text ends where the assistant is to begin.
    package var addsGenerationPrompt = false
    /// The member of the last message that the text ends with; nil where the message ends.
    package var continuedMember: String?
    /// Whether tokens are marked as the assistant's.
    package var marksAssistant = false
    /// What else the template sees, by name.
    package var variables = JSONObject()
    /// Seconds since 1970, for templates that write the date; nil is the time of the call.
    package var now: Int?

    package init() {}

    private static let known = [
        "chat_template", "tools", "documents", "add_generation_prompt", "continue_final_message",
        "return_assistant_tokens_mask", "variables",
    ]

    package init(_ options: JSONObject) throws(GraftError) {
        for (key, _) in options where !Self.known.contains(key) {
            throw GraftError(
                .invalidArgument,
                "options: expected \(Self.known.joined(separator: ", ")), found \(JSON.string(key).serialized())")
        }
        chatTemplate = try options.optionalString("chat_template")
        for key in ["tools", "documents"] {
            for element in try options.optionalArray(key) ?? [] where element.objectValue == nil {
                throw options.unexpected(key, expected: "an array of objects")
            }
        }
        tools = options["tools"] ?? .null
        documents = options["documents"] ?? .null
        addsGenerationPrompt = try options.optionalBool("add_generation_prompt") ?? false
        marksAssistant = try options.optionalBool("return_assistant_tokens_mask") ?? false
        variables = try options.optionalObject("variables") ?? JSONObject()
        switch options["continue_final_message"] {
        case nil, .null, .bool(false): break
        case .bool(true): continuedMember = "content"
        case .string(let member): continuedMember = member
        default: throw options.unexpected("continue_final_message", expected: "true, false or the name of a member")
        }
        for name in ["messages", "tools", "documents", "add_generation_prompt"] where variables[name] != nil {
            throw variables.unexpected(name, expected: "no variable of that name: it is an option")
        }
        guard continuedMember == nil || !addsGenerationPrompt && !marksAssistant else {
            throw GraftError(
                .invalidArgument,
                "options: continue_final_message goes neither with add_generation_prompt nor with "
                    + "return_assistant_tokens_mask")
        }
    }
}
