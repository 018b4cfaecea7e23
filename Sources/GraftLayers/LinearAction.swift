import GraftTensor

/// What an adapter does at a linear site, y = W x + b: it may give the module another x, add to y,
/// or change y.
///
///     y = forward(W before(x) + b, x)
///
/// An action that only adds, as LoRA's, is `forward` and `backward`. The others say what they
/// change.
package protocol LinearAction: AnyObject, Sendable {
    /// Whether the module reads `before(x)` rather than x.
    var changesInput: Bool { get }
    /// Whether `forward` does more to y than to add to it, so that the module's own gradient is not
    /// dy.
    var changesOutput: Bool { get }
    /// Whether b is part of what `forward` changes, rather than added to that as it is.
    var multipliesBias: Bool { get }
    /// Whether it keeps what follows from the module's W.
    var readsWeight: Bool { get }

    /// What the module reads of x.
    func before(_ x: Matrix, into changed: Matrix, _ context: SiteContext) throws(GraftError)
    /// Changes y, the module's output. `x` is what reached the site. Returns what backward needs,
    /// of `context.arena`.
    func forward(
        _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer?

    /// Turns dy, in place, into the gradient of what the module gave, and adds the gradients of
    /// what changed it.
    func backwardOutput(
        _ dy: Matrix, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) throws(GraftError)
    /// Adds the gradients of what was added, and to dx where there is one. `dy` is as
    /// `backwardOutput` left it.
    func backward(
        _ dy: Matrix, x: Matrix, kept: UnsafeMutableRawPointer?, into dx: Matrix?, _ module: LinearModule,
        _ context: SiteContext
    ) throws(GraftError)
    /// Turns the gradient of `before(x)`, in place, into that of x, and adds the gradients of what
    /// changed x.
    func backwardInput(_ gradient: Matrix, x: Matrix, _ context: SiteContext) throws(GraftError)
}

/// An action that only adds.
extension LinearAction {
    package var changesInput: Bool { false }
    package var changesOutput: Bool { false }
    package var multipliesBias: Bool { true }
    package var readsWeight: Bool { false }

    package func before(_ x: Matrix, into changed: Matrix, _ context: SiteContext) throws(GraftError) {}
    package func backwardOutput(
        _ dy: Matrix, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) throws(GraftError) {}
    package func backwardInput(_ gradient: Matrix, x: Matrix, _ context: SiteContext) throws(GraftError) {}
}
