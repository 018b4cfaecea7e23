import CPCRE2
import GraftTensor

/// A regular expression from a file, run by PCRE2 with its just-in-time compiler.
///
/// Characters and their classes are Unicode's, unless told that the text is `bytes`. Compiled once;
/// any number of threads may search with it.
package final class RegularExpression: @unchecked Sendable {
    package struct Options: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Matches begin where the search does, as with Python's `re.match`.
        package static let anchored = Options(rawValue: 1)
        /// Expression and text are bytes without a meaning, not characters.
        package static let bytes = Options(rawValue: 2)

        fileprivate var flags: UInt32 {
            let anchoring = contains(.anchored) ? UInt32(PCRE2_ANCHORED) : 0
            return anchoring | (contains(.bytes) ? 0 : UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP))
        }
    }

    /// Parentheses within each other: each takes up to 1 kB of stack, of which a thread may have
    /// little.
    private static let deepest: UInt32 = 32

    private let code: OpaquePointer
    /// Whether machine code could be made: not where the system forbids executable memory.
    private let isJIT: Bool

    /// Throws an error of the code given, whose message is only the reason: where it stands is the
    /// caller's to say.
    package init(_ expression: String, _ options: Options, orThrow status: GraftError.Code) throws(GraftError) {
        let bytes = Array(expression.utf8)
        let context = pcre2_compile_context_create_8(nil)
        defer { pcre2_compile_context_free_8(context) }
        pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
        pcre2_set_parens_nest_limit_8(context, Self.deepest)
        // `\C` would match half a character.
        let all = options.flags | UInt32(PCRE2_NEVER_BACKSLASH_C)
        var error: Int32 = 0
        var position = 0
        guard let code = pcre2_compile_8(bytes, bytes.count, all, &error, &position, context) else {
            let isMemory = error == PCRE2_ERROR_HEAP_FAILED
            throw GraftError(isMemory ? .outOfMemory : status, "\(Self.message(error)) at byte \(position)")
        }
        self.code = code
        isJIT = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE)) == 0
    }

    deinit { pcre2_code_free_8(code) }

    /// One search after another, with one piece of memory.
    package struct Search: ~Copyable {
        /// Keeps the code alive.
        private let expression: RegularExpression
        private let code: OpaquePointer
        private let isJIT: Bool
        private let data: OpaquePointer
        /// First byte and byte past the last of the match and of each group.
        private let offsets: UnsafeMutablePointer<Int>

        package init(_ expression: RegularExpression) throws(GraftError) {
            guard let data = pcre2_match_data_create_from_pattern_8(expression.code, nil) else {
                throw GraftError(.outOfMemory, "no memory to match a regular expression")
            }
            guard let offsets = pcre2_get_ovector_pointer_8(data) else {
                pcre2_match_data_free_8(data)
                throw GraftError(.outOfMemory, "no memory to match a regular expression")
            }
            self.expression = expression
            code = expression.code
            isJIT = expression.isJIT
            self.data = data
            self.offsets = offsets
        }

        deinit { pcre2_match_data_free_8(data) }

        /// The first match at `start` or behind it, in a text of valid UTF-8.
        @inline(__always)
        package func first(
            in text: UnsafePointer<UInt8>, count: Int, from start: Int
        ) throws(GraftError) -> Range<Int>? {
            guard try finds(text, count, start) else { return nil }
            // `\K` could begin a match elsewhere than where the search was.
            guard offsets[0] >= start, offsets[0] <= offsets[1] else { return nil }
            return offsets[0]..<offsets[1]
        }

        /// Where the latest match has the group of a name; nil where it has not.
        fileprivate func group(_ name: String) -> Range<Int>? {
            let number = Int(pcre2_substring_number_from_name_8(code, name))
            guard number > 0, number < Int(pcre2_get_ovector_count_8(data)) else { return nil }
            let (start, end) = (offsets[2 * number], offsets[2 * number + 1])
            return start >= 0 && start <= end ? start..<end : nil
        }

        private func finds(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) throws(GraftError) -> Bool {
            if isJIT {
                let result = pcre2_jit_match_8(code, text, count, start, 0, data, nil)
                if result >= 0 { return true }
                if result == PCRE2_ERROR_NOMATCH { return false }
                guard result == PCRE2_ERROR_JIT_STACKLIMIT else { throw RegularExpression.gaveUp(result) }
            }
            return try findsWithoutJIT(text, count, start)
        }

        /// Slower, but its stack is the heap: for what the machine code gave up on.
        @inline(never)
        private func findsWithoutJIT(
            _ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int
        ) throws(GraftError) -> Bool {
            let options = UInt32(PCRE2_NO_UTF_CHECK) | UInt32(PCRE2_NO_JIT)
            let result = pcre2_match_8(code, text, count, start, options, data, nil)
            if result >= 0 { return true }
            if result == PCRE2_ERROR_NOMATCH { return false }
            throw RegularExpression.gaveUp(result)
        }
    }

    private static func gaveUp(_ error: Int32) -> GraftError {
        GraftError(.invalidArgument, "a regular expression gave up on the text: \(message(error))")
    }

    private static func message(_ error: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(error, &text, text.count)
        return String(decoding: text.prefix(Int(max(length, 0))), as: UTF8.self)
    }
}

/// Expressions of configuration files, which Python's `re.match` matches.
extension RegularExpression {
    /// - Parameter place: What the expression is and where it stands, for the message when it does
    ///   not compile.
    package convenience init(python expression: String, place: String) throws(GraftError) {
        do throws(GraftError) {
            try self.init(expression, .anchored, orThrow: .invalidArgument)
        } catch {
            throw GraftError(
                error.code, "\(place): \(JSON.string(expression).shortText) is no regular expression: \(error.message)")
        }
    }

    /// Python's `re.match(expression, text) is not None`.
    package func matches(_ text: String) throws(GraftError) -> Bool {
        let bytes = Array(text.utf8)
        return try Search(self).first(in: bytes, count: bytes.count, from: 0) != nil
    }

    /// The text of the named group in a match; nil where there is none.
    package func capture(_ name: String, in text: String) throws(GraftError) -> String? {
        let bytes = Array(text.utf8)
        let search = try Search(self)
        guard try search.first(in: bytes, count: bytes.count, from: 0) != nil, let group = search.group(name) else {
            return nil
        }
        return String(decoding: bytes[group], as: UTF8.self)
    }
}
