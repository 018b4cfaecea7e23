import Glibc
import GraftTensor

/// Text as a C string that lives as long as this object.
final class CText: @unchecked Sendable {
    let pointer: UnsafePointer<CChar>?

    init(_ text: String) { pointer = UnsafePointer(strdup(text)) }

    deinit { free(UnsafeMutablePointer(mutating: pointer)) }
}

/// The C strings that were handed out for a handle, which live as long as this object.
final class LentTexts: Sendable {
    private let texts = Guarded<[String: CText]>([:])

    func lend(_ text: @autoclosure () -> String) -> UnsafePointer<CChar>? {
        undisturbed {
            let text = text()
            let lent = texts.withLock { texts in
                if let known = texts[text] { return known }
                let new = CText(text)
                texts[text] = new
                return new
            }
            return lent.pointer
        }
    }
}
