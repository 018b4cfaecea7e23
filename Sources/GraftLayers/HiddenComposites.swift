import GraftTensor

/// Actions at the end of a sub-layer one after the other.
final class HiddenSequence: HiddenAction {
    private let members: [CompositeMember<any HiddenAction>]

    init(_ members: [CompositeMember<any HiddenAction>]) {
        self.members = members
    }

    func forward(
        _ x: Matrix, residual t: Matrix, norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        for member in members {
            _ = try member.action.forward(x, residual: t, norm: norm, context.of(member.numbers))
        }
        return nil
    }

    func backward(
        _ dx: Matrix, kept: UnsafeMutableRawPointer, residual t: Matrix, into dt: Matrix, norm: LayerNorm?,
        _ context: SiteContext
    ) {}
}

/// The weighted mean of what actions make of a sub-layer's output.
final class HiddenAverage: HiddenAction {
    private let members: [CompositeMember<any HiddenAction>]
    /// Of those that do not act here.
    private let restWeight: Float

    init(_ members: [CompositeMember<any HiddenAction>], restWeight: Float) {
        self.members = members
        self.restWeight = restWeight
    }

    func forward(
        _ x: Matrix, residual t: Matrix, norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        try average(members, restWeight: restWeight, of: x, context) { action, own, context throws(GraftError) in
            _ = try action.forward(own, residual: t, norm: norm, context)
        }
        return nil
    }

    func backward(
        _ dx: Matrix, kept: UnsafeMutableRawPointer, residual t: Matrix, into dt: Matrix, norm: LayerNorm?,
        _ context: SiteContext
    ) {}
}
