import GraftTensor

/// What a sub-layer computes between its norms: attention, which mixes tokens, or a feed-forward,
/// which mixes the numbers of each. x [tokens, width] → y [m, width].
package protocol Mixer: Sendable {
    /// Whether tokens read each other.
    var mixesTokens: Bool { get }
    /// Whether an adapter of this pass needs x for its gradients.
    func readsInput(_ pass: Pass) -> Bool
    /// Whether an adapter of this pass learns something here that is not at a site.
    func learns(_ pass: Pass) -> Bool
    /// Returns what backward needs, in the pass's kept arena, where `keeps`; where `keepsOnly`,
    /// that alone is wanted, and y may become anything.
    func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer?
    /// dx, or dx increased where `accumulate`, from dy, which is read before dx is written: they
    /// may be one matrix. `x` is what forward was given, where an adapter reads it. Adds to the
    /// adapters' gradients.
    func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError)
}

extension Mixer {
    package var mixesTokens: Bool { true }

    package func learns(_ pass: Pass) -> Bool { false }
}

extension Pass {
    /// Room for what a layer hands to its backward.
    func keep<Kept: BitwiseCopyable>(_ value: Kept) throws(GraftError) -> UnsafeMutableRawPointer {
        let place = try kept.allocate(Kept.self, count: 1)
        place.initialize(to: value)
        return UnsafeMutableRawPointer(place)
    }
}
