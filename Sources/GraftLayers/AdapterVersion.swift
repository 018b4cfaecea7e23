import GraftTensor

/// Which numbers an adapter has: whose they are, and how often they have changed.
package final class AdapterVersion: Sendable {
    /// No other in this process has it.
    let identity: UInt64
    private let changes = Guarded<Int>(0)

    private static let identities = Guarded<UInt64>(0)

    package init() {
        identity = Self.identities.withLock { last in
            last += 1
            return last
        }
    }

    /// Counts the changes of the numbers.
    var count: Int { changes.withLock { $0 } }

    package func markChanged() { changes.withLock { $0 += 1 } }
}
