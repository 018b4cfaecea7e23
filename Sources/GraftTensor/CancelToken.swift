import Synchronization

/// A flag that, once set, stops the calls it was given to.
package final class CancelToken: Sendable {
    private let flag = Atomic<Bool>(false)

    package init() {}

    package func cancel() { flag.store(true, ordering: .relaxed) }

    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    package func check() throws(GraftError) {
        if isCancelled { throw GraftError(.cancelled, "the cancel token was set") }
    }
}
