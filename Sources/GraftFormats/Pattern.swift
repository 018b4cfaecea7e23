import CPCRE2
import GraftTensor

/// A regular expression from a configuration file, matched from the start of a text as Python's `re.match` does.
package final class Pattern: @unchecked Sendable {
    private let code: OpaquePointer

    /// - Parameter place: What the expression is and where it stands, for the message when it does not compile.
    package init(_ expression: String, place: String) throws(GraftError) {
        var errorCode: Int32 = 0
        var errorOffset = 0
        let bytes = Array(expression.utf8)
        let compiled = bytes.withUnsafeBufferPointer {
            pcre2_compile_8(
                $0.baseAddress, $0.count, UInt32(PCRE2_UTF) | UInt32(PCRE2_ANCHORED), &errorCode, &errorOffset, nil)
        }
        guard let compiled else {
            var message = [UInt8](repeating: 0, count: 256)
            pcre2_get_error_message_8(errorCode, &message, message.count)
            let reason = String(decoding: message.prefix { $0 != 0 }, as: UTF8.self)
            throw GraftError(
                .invalidArgument,
                "\(place): \"\(expression)\" is no regular expression: \(reason) at byte \(errorOffset)")
        }
        code = compiled
    }

    deinit { pcre2_code_free_8(code) }

    /// Python's `re.match(expression, text) is not None`.
    package func matches(_ text: String) -> Bool { withMatch(text) { _, _ in true } ?? false }

    /// The text of the named group in a match; nil where there is none.
    package func capture(_ name: String, in text: String) -> String? {
        withMatch(text) { data, bytes -> String? in
            let number = pcre2_substring_number_from_name_8(code, name)
            guard number > 0, let vector = pcre2_get_ovector_pointer_8(data),
                Int(number) < Int(pcre2_get_ovector_count_8(data))
            else { return nil }
            let start = vector[2 * Int(number)]
            let end = vector[2 * Int(number) + 1]
            guard start <= end, end <= bytes.count else { return nil }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        } ?? nil
    }

    private func withMatch<Result>(_ text: String, _ body: (OpaquePointer, [UInt8]) -> Result) -> Result? {
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else { return nil }
        defer { pcre2_match_data_free_8(data) }
        let bytes = Array(text.utf8)
        let count = bytes.withUnsafeBufferPointer {
            pcre2_match_8(code, $0.baseAddress, $0.count, 0, 0, data, nil)
        }
        return count > 0 ? body(data, bytes) : nil
    }
}
