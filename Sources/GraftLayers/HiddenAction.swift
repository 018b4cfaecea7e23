import GraftTensor

/// What an adapter makes of a sub-layer's output x before it joins the residual stream t: x ←
/// forward(x, t).
package protocol HiddenAction: AnyObject, Sendable {
    /// Changes x in place. Returns what backward needs, from `context.pass.kept`, where
    /// `context.keeps`. `norm` is the model's norm of the sum x + t, if it has one there.
    func forward(
        _ x: Matrix, residual t: Matrix, norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer?
    /// Adds to the gradients, turns d(changed x) into d(x) in place, and adds to dt.
    func backward(
        _ dx: Matrix, kept: UnsafeMutableRawPointer, residual t: Matrix, into dt: Matrix, norm: LayerNorm?,
        _ context: SiteContext
    ) throws(GraftError)
}
