import Glibc
import GraftTensor

/// Text as a C string that lives as long as this object.
final class CText: @unchecked Sendable {
    let pointer: UnsafePointer<CChar>?

    init(_ text: String) { pointer = UnsafePointer(copyForC(text)) }

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

/// A C string to be freed, which a NUL in the text ends early. Its memory is the library's own:
/// `strdup` would know of no reserve.
func copyForC(_ text: String) -> UnsafeMutablePointer<CChar>? {
    text.withCString { characters in
        let count = strlen(characters) + 1
        let copy = malloc(count)?.assumingMemoryBound(to: CChar.self)
        copy?.update(from: characters, count: count)
        return copy
    }
}
