import CPCRE2
import GraftTensor

/// A regular expression of a `tokenizer.json`, written for Oniguruma, run by PCRE2 with its just-in-time compiler.
///
/// Compiled once; any number of threads may match with it.
final class RegularExpression: @unchecked Sendable {
    private let code: OpaquePointer
    /// Whether machine code could be made: not where the system forbids executable memory.
    private let isJIT: Bool

    init(_ pattern: String) throws(GraftError) {
        let translated = Array(try RegexTranslation.translate(pattern).utf8)
        let context = pcre2_compile_context_create_8(nil)
        defer { pcre2_compile_context_free_8(context) }
        pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
        var error: Int32 = 0
        var position = 0
        // `\C` would match half a character.
        let options =
            UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | UInt32(PCRE2_MULTILINE) | UInt32(PCRE2_NEVER_BACKSLASH_C)
        let code = pcre2_compile_8(
            translated, translated.count, options, &error, &position, context)
        guard let code else {
            throw GraftError(
                .unsupported, "the regular expression \"\(pattern)\" is not understood: \(Self.message(error))")
        }
        self.code = code
        isJIT = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE)) == 0
    }

    deinit { pcre2_code_free_8(code) }

    /// Appends the matches within a range of a text, and the stretches between them, in order. The pattern sees the range
    /// as a text of its own.
    func appendSpans(_ source: TextView, _ range: Range<Int>, to spans: inout Buffer<MatchSpan>) throws(GraftError) {
        guard let data = pcre2_match_data_create_8(1, nil) else {
            throw GraftError(.outOfMemory, "no memory to match a regular expression")
        }
        defer { pcre2_match_data_free_8(data) }
        let text = source.base + range.lowerBound
        let offsets = pcre2_get_ovector_pointer_8(data)
        guard let offsets else { return }
        var position = 0
        var covered = 0
        var lastEnd = -1
        while position <= range.count {
            guard try match(text, range.count, position, data) else { break }
            let (start, end) = (offsets[0], offsets[1])
            // `\K` could begin a match elsewhere than where the search was.
            guard start >= position, start <= end else { break }
            // An empty match right after a match is none.
            if start == end, end == lastEnd {
                guard position < range.count else { break }
                position += source.scalar(at: range.lowerBound + position).length
                continue
            }
            if start > covered {
                spans.append(MatchSpan(range.lowerBound + covered, range.lowerBound + start, isMatch: false))
            }
            spans.append(MatchSpan(range.lowerBound + start, range.lowerBound + end, isMatch: true))
            covered = end
            lastEnd = end
            position = end
        }
        if covered < range.count {
            spans.append(MatchSpan(range.lowerBound + covered, range.upperBound, isMatch: false))
        }
    }

    @inline(__always)
    private func match(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int, _ data: OpaquePointer
    ) throws(GraftError) -> Bool {
        if isJIT {
            let result = pcre2_jit_match_8(code, text, count, start, 0, data, nil)
            if result >= 0 { return true }
            if result == PCRE2_ERROR_NOMATCH { return false }
            guard result == PCRE2_ERROR_JIT_STACKLIMIT else { throw Self.gaveUp(result) }
        }
        return try matchWithoutJIT(text, count, start, data)
    }

    /// Slower, but its stack is the heap: for what the machine code gave up on.
    @inline(never)
    private func matchWithoutJIT(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int, _ data: OpaquePointer
    ) throws(GraftError) -> Bool {
        let options = UInt32(PCRE2_NO_UTF_CHECK) | UInt32(PCRE2_NO_JIT)
        let result = pcre2_match_8(code, text, count, start, options, data, nil)
        if result >= 0 { return true }
        if result == PCRE2_ERROR_NOMATCH { return false }
        throw Self.gaveUp(result)
    }

    private static func gaveUp(_ error: Int32) -> GraftError {
        GraftError(
            .invalidArgument, "a regular expression of the tokenizer gave up on the text: \(Self.message(error))")
    }

    private static func message(_ error: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(error, &text, text.count)
        return String(decoding: text.prefix(Int(max(length, 0))), as: UTF8.self)
    }
}

/// A stretch of text that a pattern matched, or one between matches.
struct MatchSpan: BitwiseCopyable {
    var start: Int32
    var end: Int32
    var isMatch: Bool

    init(_ start: Int, _ end: Int, isMatch: Bool) {
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
        self.isMatch = isMatch
    }
}
