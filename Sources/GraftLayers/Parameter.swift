/// A named part of an adapter's flat parameter array.
package struct Parameter: BitwiseCopyable, Sendable {
    package let offset: Int
    package let count: Int
    /// Whether it never learns: there are no gradients of it.
    package let isFrozen: Bool

    package init(offset: Int, count: Int, isFrozen: Bool = false) {
        self.offset = offset
        self.count = count
        self.isFrozen = isFrozen
    }
}
