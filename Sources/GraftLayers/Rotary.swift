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
    /// The same of all tokens of texts that are longer than so many; nil where these turn alike.
    private let long: (border: Int, frequencies: Memory)?
    private let magnitude: Float

    package init(
        headWidth: Int, turnedWidth: Int? = nil, base: Double, scaling: Scaling
    ) throws(GraftError) {
        self.headWidth = headWidth
        self.turnedWidth = turnedWidth ?? headWidth
        magnitude = scaling.magnitude
        let width = self.turnedWidth
        func frequencies(isLong: Bool) throws(GraftError) -> Memory {
            let all = try Memory(byteCount: width / 2 * 4)
            for index in 0..<width / 2 {
                all.floats()[index] = Self.frequency(index, width: width, base: base, scaling, isLong: isLong)
            }
            return all
        }
        self.frequencies = try frequencies(isLong: false)
        long = try scaling.border.map { border throws(GraftError) in (border, try frequencies(isLong: true)) }
    }

    /// Turns every head of x by the positions of its rows.
    package func forward(_ x: Matrix, unit: Pass.Unit, pass: Pass) { turn(x, unit, isInverse: false, pass) }

    package func backward(_ dx: Matrix, unit: Pass.Unit, pass: Pass) { turn(dx, unit, isInverse: true, pass) }

    private func turn(_ x: Matrix, _ unit: Pass.Unit, isInverse: Bool, _ pass: Pass) {
        guard let long else { return turn(x, pass.positions(unit), frequencies, isInverse, pass) }
        pass.eachRun(unit, alike: { $0 > long.border }) { first, count, isLong in
            turn(
                x.rows(from: first, count: count), pass.positions(unit) + first,
                isLong ? long.frequencies : frequencies, isInverse, pass)
        }
    }

    private func turn(
        _ x: Matrix, _ positions: UnsafePointer<Int32>, _ frequencies: Memory, _ isInverse: Bool, _ pass: Pass
    ) {
        gk_rotate(
            pass.team.kernel, Int64(x.rows), Int32(x.columns / headWidth), Int32(headWidth), Int32(turnedWidth),
            positions, frequencies.floats(), magnitude, isInverse, x.base, Int64(x.stride))
    }
}
