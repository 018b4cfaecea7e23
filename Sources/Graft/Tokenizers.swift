public import CGraft
import Glibc
import GraftTensor
import GraftTokenizers

/// The tokens of a text, laid out as C reads them.
final class EncodingHandle: @unchecked Sendable {
    let count: Int
    /// Whether the tokens say who speaks.
    let hasSpeakers: Bool
    /// Of the C library's heap: most texts are short, and pages of their own would take longer than
    /// to encode them. The first text is behind them.
    private let numbers: UnsafeMutablePointer<Int32>
    let text: UnsafeBufferPointer<UInt8>

    /// - Parameters:
    ///   - text: the first text that was encoded, and `pair` the second, if there was one.
    ///   - isAssistant: whether the assistant says each token; nil where nobody asks.
    init(
        _ encoding: Encoding, of text: UnsafeBufferPointer<UInt8>, pair: UnsafeBufferPointer<UInt8>? = nil,
        isAssistant: [Bool]? = nil
    ) throws(GraftError) {
        count = encoding.count
        hasSpeakers = isAssistant != nil
        let numberBytes = max(count, 1) * (hasSpeakers ? 9 : 8) * MemoryLayout<Int32>.stride
        let byteCount = numberBytes + text.count
        guard let block = malloc(byteCount) else {
            throw GraftError(.outOfMemory, "the system refused \(byteCount) bytes for an encoding of \(count) tokens")
        }
        numbers = block.assumingMemoryBound(to: Int32.self)
        let kept = UnsafeMutableRawBufferPointer(start: block + numberBytes, count: text.count)
        kept.copyMemory(from: UnsafeRawBufferPointer(text))
        self.text = UnsafeBufferPointer(kept.assumingMemoryBound(to: UInt8.self))
        encoding.ids.withUnsafeBytes { fill(0, $0) }
        encoding.typeIDs.withUnsafeBytes { fill(1, $0) }
        encoding.wordIDs.withUnsafeBytes { fill(2, $0) }
        encoding.offsets.withUnsafeBytes { fill(3, $0) }
        encoding.characterOffsets(in: text, pair: pair).withUnsafeBytes { fill(5, $0) }
        encoding.sequenceIDs.withUnsafeBytes { fill(7, $0) }
        for (index, isAssistant) in (isAssistant ?? []).enumerated() { column(8)[index] = isAssistant ? 1 : 0 }
    }

    deinit { free(numbers) }

    /// Column `index` of nine: ids, types, words, byte offsets (two), character offsets (two),
    /// sequences, speakers.
    func column(_ index: Int) -> UnsafeMutablePointer<Int32> { numbers + index * count }

    private func fill(_ index: Int, _ values: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(start: column(index), count: values.count).copyMemory(from: values)
    }
}

extension graft_encode_options: OptionStruct {
    static var defaults: Self {
        var options = zero
        options.add_special_tokens = 1
        return options
    }

    /// The tokenizer floor's options.
    func checked() throws(GraftError) -> Tokenizer.Options {
        let length = try count(Int64(maximum_length), "maximum_length", atMost: Int64(Tokenizer.unlimited))
        var options = Tokenizer.Options(
            maximumLength: length == 0 ? nil : length,
            addsSpecialTokens: try flag(add_special_tokens, "add_special_tokens"))
        options.replacesInvalidUTF8 = try flag(replace_invalid_utf8, "replace_invalid_utf8")
        return options
    }
}

@c @implementation
public func graft_encode_options_init(_ options: UnsafeMutablePointer<graft_encode_options>?, _ struct_size: Int) {
    graft_encode_options.initialize(options, size: struct_size)
}

@c @implementation
public func graft_tokenizer_load(
    _ path: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in try Tokenizer(folder: try text(path, "path")) }
}

@c @implementation
public func graft_tokenizer_load_files(
    _ files: UnsafePointer<graft_file>?, _ file_count: Int32, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in try Tokenizer(try folder(files, count: file_count)) }
}

@c @implementation
public func graft_tokenizer_retain(_ tokenizer: OpaquePointer?) -> graft_status {
    retain(tokenizer, Tokenizer.self, "tokenizer")
}

@c @implementation
public func graft_tokenizer_release(_ tokenizer: OpaquePointer?) { HandleTable.release(tokenizer, Tokenizer.self) }

@c @implementation
public func graft_tokenizer_vocabulary_size(_ tokenizer: OpaquePointer?) -> Int32 {
    HandleTable.peek(tokenizer, Tokenizer.self).map { Int32(clamping: $0.vocabularySize) } ?? -1
}

@c @implementation
public func graft_tokenizer_mask_token(_ tokenizer: OpaquePointer?) -> Int32 {
    HandleTable.peek(tokenizer, Tokenizer.self)?.specialTokens.mask ?? -1
}

@c @implementation
public func graft_tokenizer_maximum_length(_ tokenizer: OpaquePointer?) -> Int32 {
    HandleTable.peek(tokenizer, Tokenizer.self).map { Int32(clamping: $0.maximumLength() ?? 0) } ?? -1
}

@c @implementation
public func graft_tokenizer_encode(
    _ tokenizer: OpaquePointer?, _ text: UnsafePointer<CChar>?, _ pair: UnsafePointer<CChar>?,
    _ options: UnsafePointer<graft_encode_options>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let tokenizer = try HandleTable.borrow(tokenizer, Tokenizer.self, "tokenizer")
        let given = try graft_encode_options.read(options, "options")
        let options = try given.checked()
        let text = try bytes(text, size: given.text_sizes, "text")
        let pair = try optionalBytes(pair, size: given.pair_sizes, "pair")
        let encoding = try tokenizer.encode(text, pair: pair, options)
        try Memory.check()
        return try EncodingHandle(encoding, of: text, pair: pair)
    }
}

@c @implementation
public func graft_encoding_token_count(_ encoding: OpaquePointer?) -> Int64 {
    HandleTable.peek(encoding, EncodingHandle.self).map { Int64($0.count) } ?? -1
}

@c @implementation
public func graft_encoding_ids(_ encoding: OpaquePointer?) -> UnsafePointer<Int32>? { column(encoding, 0) }

@c @implementation
public func graft_encoding_type_ids(_ encoding: OpaquePointer?) -> UnsafePointer<Int32>? { column(encoding, 1) }

@c @implementation
public func graft_encoding_word_ids(_ encoding: OpaquePointer?) -> UnsafePointer<Int32>? { column(encoding, 2) }

@c @implementation
public func graft_encoding_byte_offsets(_ encoding: OpaquePointer?) -> UnsafePointer<Int32>? { column(encoding, 3) }

@c @implementation
public func graft_encoding_character_offsets(_ encoding: OpaquePointer?) -> UnsafePointer<Int32>? {
    column(encoding, 5)
}

private func column(_ encoding: OpaquePointer?, _ index: Int) -> UnsafePointer<Int32>? {
    HandleTable.peek(encoding, EncodingHandle.self).map { UnsafePointer($0.column(index)) }
}

@c @implementation
public func graft_encoding_retain(_ encoding: OpaquePointer?) -> graft_status {
    retain(encoding, EncodingHandle.self, "encoding")
}

@c @implementation
public func graft_encoding_release(_ encoding: OpaquePointer?) {
    HandleTable.release(encoding, EncodingHandle.self, givesBack: false)
}

@c @implementation
public func graft_tokenizer_decode(
    _ tokenizer: OpaquePointer?, _ tokens: UnsafePointer<Int32>?, _ token_count: Int64, _ skip_special_tokens: Int32,
    _ text: UnsafeMutablePointer<CChar>?, _ capacity: Int64, _ out_count: UnsafeMutablePointer<Int64>?
) -> graft_status {
    call { () throws(GraftError) in
        let tokenizer = try HandleTable.borrow(tokenizer, Tokenizer.self, "tokenizer")
        let ids = try array(tokens, count: try count(token_count, "token_count"), "tokens")
        let decoded = try tokenizer.decode(ids, skipSpecialTokens: try flag(skip_special_tokens, "skip_special_tokens"))
        try write(Array(decoded.utf8), to: text, capacity: capacity, out_count)
    }
}

/// Writes a text and a NUL, and through `outCount` how many bytes that takes; without room and with
/// a place for the count only that.
func write(
    _ content: [UInt8], to text: UnsafeMutablePointer<CChar>?, capacity: Int64,
    _ outCount: UnsafeMutablePointer<Int64>?
) throws(GraftError) {
    let needed = content.count + 1
    outCount?.pointee = Int64(needed)
    if text == nil && capacity == 0 && outCount != nil { return }
    let start = try output(text, capacity: capacity, needs: needed, "text")
    for (index, byte) in content.enumerated() { start[index] = CChar(bitPattern: byte) }
    start[needed - 1] = 0
}
