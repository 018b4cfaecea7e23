import GraftTensor

/// Numbers that follow from an adapter's own, such as the lengths of changed weights: computed once
/// after each change of these, by whoever reads them first.
package final class DerivedNumbers: Sendable {
    private let offset: Int
    private let count: Int
    /// The version of the adapter's numbers that they follow from.
    private let version = Guarded<Int>(-1)

    /// - Parameter offset: Their place among all that follow from the adapter's.
    package init(offset: Int, count: Int) {
        self.offset = offset
        self.count = count
    }

    /// The numbers. While they are read nobody changes the adapter's; several threads may compute
    /// the same ones, so that none waits for another.
    package func values(
        _ context: SiteContext, compute: (UnsafeMutablePointer<Float>) throws(GraftError) -> Void
    ) throws(GraftError) -> UnsafePointer<Float> {
        let own = context.numbers.derived + offset
        let current = context.numbers.version
        if version.withLock({ $0 == current }) { return UnsafePointer(own) }
        let scratch = context.pass.scratch
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        let computed = try scratch.allocate(Float.self, count: count)
        try compute(computed)
        version.withLock {
            if $0 != current { own.update(from: computed, count: count) }
            $0 = current
        }
        return UnsafePointer(own)
    }
}
