import Glibc

/// Text as a C string that lives as long as this object.
final class CText: @unchecked Sendable {
    let pointer: UnsafePointer<CChar>?

    init(_ text: String) { pointer = UnsafePointer(copyForC(text)) }

    deinit { free(UnsafeMutablePointer(mutating: pointer)) }
}

/// A C string to be freed, which a NUL in the text ends early. Its memory is the library's own: `strdup` would know of no
/// reserve.
func copyForC(_ text: String) -> UnsafeMutablePointer<CChar>? {
    text.withCString { characters in
        let count = strlen(characters) + 1
        let copy = malloc(count)?.assumingMemoryBound(to: CChar.self)
        copy?.update(from: characters, count: count)
        return copy
    }
}
