import GraftFormats
import GraftTemplates
import GraftTensor

extension Tokenizer {
    /// The text of a conversation, by the folder's chat template as transformers 5.23 applies it.
    ///
    /// - Parameter messages: objects with "role" and "content", the first first; at least one.
    package func text(of messages: JSON, _ options: ChatOptions = ChatOptions()) throws(GraftError) -> [UInt8] {
        try rendered(try Self.conversation(messages), options).text
    }

    /// Its tokens, the text that they are of, and which of them the assistant says.
    ///
    /// The text has its special tokens in it, so that none are added, and all of it is encoded.
    /// Tokens are marked by the template's `generation` blocks as transformers does it; where it
    /// has none, by what an assistant's message adds to the text of those before it with a prompt
    /// for the assistant.
    package func encode(
        messages: JSON, _ options: ChatOptions = ChatOptions()
    ) throws(GraftError) -> (encoding: Encoding, text: [UInt8], isAssistant: [Bool]?) {
        let messages = try Self.conversation(messages)
        let rendered = try rendered(messages, options)
        let encoding = try rendered.text.withUnsafeBufferPointer { text throws(GraftError) in
            try encode(text, Options(shortening: .none, addsSpecialTokens: false))
        }
        guard options.marksAssistant else { return (encoding, rendered.text, nil) }
        let template = try chatTemplates.template(options.chatTemplate, hasTools: !options.tools.isNull)
        let mask =
            template.marksGeneration
            ? AssistantMask.tokens(of: encoding, in: rendered.text, rendered.generations)
            : AssistantMask.within(try answers(in: messages, options, whole: rendered.text), encoding)
        return (encoding, rendered.text, mask)
    }

    /// Messages as a template sees them: without members that are null, and with what a model
    /// thought under the names that templates know it by.
    private static func conversation(_ messages: JSON) throws(GraftError) -> [JSONObject] {
        guard let messages = messages.arrayValue, !messages.isEmpty else {
            throw GraftError(.invalidArgument, "messages: expected an array of one message or more")
        }
        var conversation: [JSONObject] = []
        for (index, message) in messages.enumerated() {
            guard let message = message.objectValue else {
                throw GraftError(.invalidArgument, "messages[\(index)]: expected an object, found \(message.kind)")
            }
            var kept = JSONObject()
            for (key, value) in message where !value.isNull { kept[key] = value }
            if let thought = thoughtMembers.lazy.compactMap({ kept[$0] }).first {
                if kept["thinking"] == nil {
                    let others = kept
                    kept = JSONObject()
                    kept["thinking"] = thought
                    for (key, value) in others { kept[key] = value }
                }
                kept["reasoning_content"] = thought
            }
            conversation.append(kept)
        }
        return conversation
    }

    private static let thoughtMembers = ["reasoning_content", "thinking", "reasoning"]

    private func rendered(_ messages: [JSONObject], _ options: ChatOptions) throws(GraftError) -> Template.Rendered {
        let template = try chatTemplates.template(options.chatTemplate, hasTools: !options.tools.isNull)
        guard let member = options.continuedMember else {
            return try template.render(variables(messages, options), now: options.now)
        }
        return try continued(messages, options, member, template)
    }

    private func variables(_ messages: [JSONObject], _ options: ChatOptions) -> JSONObject {
        var variables = namedTokens
        for (name, value) in options.variables { variables[name] = value }
        variables["messages"] = .array(messages.map { .object($0) })
        variables["tools"] = options.tools
        variables["documents"] = options.documents
        variables["add_generation_prompt"] = .bool(options.addsGenerationPrompt)
        return variables
    }

    // MARK: Continuing the last message

    private static let mark = "CONTINUE_FINAL_MESSAGE_TAG "

    /// The text up to the end of the last message's content, which a mark finds.
    private func continued(
        _ messages: [JSONObject], _ options: ChatOptions, _ member: String, _ template: Template
    ) throws(GraftError) -> Template.Rendered {
        var messages = messages
        guard var last = messages.popLast(), let content = last[member] else {
            throw GraftError(
                .invalidArgument, "continue_final_message: the last message has no \(JSON.string(member).serialized())")
        }
        // What the model thought stands under several names.
        let members =
            Self.thoughtMembers.contains(member) ? Self.thoughtMembers.filter { last[$0] == content } : [member]
        guard members.contains(where: { template.mentions($0) }) else {
            throw GraftError(
                .invalidArgument,
                "continue_final_message: the template does not speak of \(JSON.string(member).serialized())")
        }
        let said: String
        switch content {
        case .string(let text):
            said = text
            for member in members { last[member] = .string(text + Self.mark) }
        case .array(var parts):
            guard let index = parts.lastIndex(where: { $0["text"]?.stringValue != nil }),
                var part = parts[index].objectValue, let text = part["text"]?.stringValue
            else {
                throw GraftError(.invalidArgument, "continue_final_message: the last message has no text to continue")
            }
            said = text
            part["text"] = .string(text + Self.mark)
            parts[index] = .object(part)
            last[member] = .array(parts)
        default:
            throw GraftError(
                .invalidArgument,
                "continue_final_message: expected a text in \(JSON.string(member).serialized()), found \(content.kind)")
        }
        var rendered = try template.render(variables(messages + [last], options), now: options.now)
        guard let text = ContinuedText.cut(rendered.text, at: Self.mark, after: said) else {
            throw GraftError(
                .invalidArgument,
                "continue_final_message: the last message is not in the text that the template makes")
        }
        rendered.text = text
        return rendered
    }

    // MARK: What the assistant says, where the template marks nothing

    /// Where the assistant's messages stand: what each adds to the text of those before it with a
    /// prompt for the assistant.
    private func answers(
        in messages: [JSONObject], _ options: ChatOptions, whole: [UInt8]
    ) throws(GraftError) -> [Range<Int>] {
        var places: [Range<Int>] = []
        for (index, message) in messages.enumerated() where message["role"] == "assistant" {
            guard index > 0 else { throw Self.notMarked("the first message is the assistant's") }
            var prompting = options
            prompting.addsGenerationPrompt = true
            let prompt = try rendered(Array(messages[..<index]), prompting).text
            var ending = options
            ending.addsGenerationPrompt = false
            let isLast = index == messages.count - 1 && !options.addsGenerationPrompt
            let through = isLast ? whole : try rendered(Array(messages[...index]), ending).text
            guard through.starts(with: prompt), whole.starts(with: through) else {
                throw Self.notMarked("it writes message \(index) otherwise when others follow")
            }
            places.append(prompt.count..<through.count)
        }
        return places
    }

    private static func notMarked(_ reason: String) -> GraftError {
        GraftError(
            .incompatible,
            "the chat template marks nothing as the assistant's with {% generation %}, and what it is cannot be told: "
                + reason)
    }
}
