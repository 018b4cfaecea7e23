import GraftTensor

/// An action of one of several adapters that act together at a site, with the numbers of that
/// adapter.
///
/// What acts together is never trained: its actions have no backward.
package struct CompositeMember<Action: Sendable>: Sendable {
    let action: Action
    let numbers: AdapterNumbers
    /// Its share of an average; 1 in a sequence.
    let weight: Float
}

extension SiteContext {
    /// The same for the action of another adapter.
    func of(_ numbers: AdapterNumbers) -> SiteContext {
        SiteContext(
            pass: pass, numbers: numbers, adapter: adapter, site: site, firstRow: firstRow, keeps: keeps,
            scale: numbers.scale)
    }
}

/// The weighted mean of matrices that come one after the other: after each, that of all so far.
struct RunningMean {
    private let mean: Matrix
    private var total: Float
    private let team: Team

    /// - Parameter weight: Of what `mean` has at the start.
    init(in mean: Matrix, weight: Float, _ team: Team) {
        self.mean = mean
        self.team = team
        total = weight
    }

    mutating func add(_ x: Matrix, weight: Float) {
        total += weight
        // Equal matrices have themselves as their mean, to the last bit.
        if total == weight { x.copy(to: mean) } else { team.blend(x, weight: weight / total, into: mean) }
    }
}
