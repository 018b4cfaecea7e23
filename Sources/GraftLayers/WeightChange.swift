import GraftTensor

/// An action that can be added to the frozen numbers of its site, so that the plain module with
/// these numbers computes the same.
package protocol WeightChange {
    /// W += scale · ΔW, from the adapter's `values`; W [outputs, inputs], or a table [rows, width].
    /// A change that depends on the frozen numbers takes these from `site`, since W may hold zeros.
    func addDelta(
        to weight: Matrix, scale: Float, values: UnsafeMutablePointer<Float>, site: Site, team: Team
    ) throws(GraftError)
    /// Whether it adds to the bias, too.
    var changesBias: Bool { get }
    /// b += scale · Δb; b [outputs].
    func addDelta(
        toBias bias: UnsafeMutablePointer<Float>, scale: Float, values: UnsafeMutablePointer<Float>, site: Site,
        team: Team
    ) throws(GraftError)
}

/// A change of the weight alone.
extension WeightChange {
    package var changesBias: Bool { false }
    package func addDelta(
        toBias bias: UnsafeMutablePointer<Float>, scale: Float, values: UnsafeMutablePointer<Float>, site: Site,
        team: Team
    ) {}
}
