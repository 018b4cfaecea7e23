import GraftTensor

/// An error of a template, with the line that it is about.
struct TemplateError {
    let error: GraftError

    init(_ code: GraftError.Code, _ message: String, line: Int) {
        error = GraftError(code, "line \(line): \(message)")
    }
}

/// An error of a value that is none of those expected; the renderer says where.
func unexpected(_ message: String) -> GraftError { GraftError(.invalidArgument, message) }

/// A text for a message, its start when it is long.
func brief(_ bytes: Bytes) -> String {
    let start = bytes.byte(ofScalar: 40)
    return text(bytes.part(0..<start)) + (start < bytes.count ? "…" : "")
}
