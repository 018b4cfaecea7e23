import CGraftKernels
import GraftTensor

/// Rotary positions (Su et al. 2021): of each head's first r numbers, i and i + r / 2 turn by
/// position · ω[i].
///
///     ω[i] = base^(-2 i / r), then scaled
///
/// x [m, heads · d], changed in place. Turning back is the gradient.
package final class Rotary: Sendable {
    private let headWidth: Int
    /// r: all of a head, or in some architectures a part.
    private let turnedWidth: Int
    /// [r / 2].
    private let frequencies: Memory
    private let magnitude: Float

    package init(
        headWidth: Int, turnedWidth: Int? = nil, base: Double, scaling: Scaling
    ) throws(GraftError) {
        self.headWidth = headWidth
        self.turnedWidth = turnedWidth ?? headWidth
        magnitude = scaling.magnitude
        frequencies = try Memory(byteCount: self.turnedWidth / 2 * 4)
        for index in 0..<self.turnedWidth / 2 {
            frequencies.floats()[index] = Self.frequency(index, width: self.turnedWidth, base: base, scaling)
        }
    }

    /// Turns every head of x by the positions of its rows.
    package func forward(_ x: Matrix, unit: Pass.Unit, pass: Pass) { turn(x, unit, isInverse: false, pass) }

    package func backward(_ dx: Matrix, unit: Pass.Unit, pass: Pass) { turn(dx, unit, isInverse: true, pass) }

    private func turn(_ x: Matrix, _ unit: Pass.Unit, isInverse: Bool, _ pass: Pass) {
        gk_rotate(
            pass.team.kernel, Int64(x.rows), Int32(x.columns / headWidth), Int32(headWidth), Int32(turnedWidth),
            pass.positions(unit), frequencies.floats(), magnitude, isInverse, x.base, Int64(x.stride))
    }
}
