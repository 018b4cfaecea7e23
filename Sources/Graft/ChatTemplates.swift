public import CGraft
import GraftFormats
import GraftTensor
import GraftTokenizers

/// What a caller writes as JSON, by the name of the argument.
private func json(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(GraftError) -> JSON {
    let given = try text(pointer, name)
    return try ofCaller { () throws(GraftError) in try JSON(parsing: given, source: name) }
}

private func chatOptions(_ pointer: UnsafePointer<CChar>?) throws(GraftError) -> ChatOptions {
    guard pointer != nil else { return ChatOptions() }
    let given = try json(pointer, "options")
    return try ofCaller { () throws(GraftError) in try ChatOptions(given.requireObject()) }
}

@c @implementation
public func graft_tokenizer_apply_template(
    _ tokenizer: OpaquePointer?, _ messages: UnsafePointer<CChar>?, _ options: UnsafePointer<CChar>?,
    _ text: UnsafeMutablePointer<CChar>?, _ capacity: Int64, _ out_count: UnsafeMutablePointer<Int64>?
) -> graft_status {
    call { () throws(GraftError) in
        let tokenizer = try HandleTable.borrow(tokenizer, Tokenizer.self, "tokenizer")
        let content = try tokenizer.text(of: try json(messages, "messages"), try chatOptions(options))
        try write(content, to: text, capacity: capacity, out_count)
    }
}

@c @implementation
public func graft_tokenizer_encode_messages(
    _ tokenizer: OpaquePointer?, _ messages: UnsafePointer<CChar>?, _ options: UnsafePointer<CChar>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let tokenizer = try HandleTable.borrow(tokenizer, Tokenizer.self, "tokenizer")
        let tokens = try tokenizer.encode(messages: try json(messages, "messages"), try chatOptions(options))
        try Memory.check()
        return try tokens.text.withUnsafeBufferPointer { text throws(GraftError) in
            try EncodingHandle(tokens.encoding, of: text, isAssistant: tokens.isAssistant)
        }
    }
}

@c @implementation
public func graft_encoding_assistant_mask(_ encoding: OpaquePointer?) -> UnsafePointer<Int32>? {
    HandleTable.peek(encoding, EncodingHandle.self).flatMap { $0.hasSpeakers ? UnsafePointer($0.column(8)) : nil }
}
