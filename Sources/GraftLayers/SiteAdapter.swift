import GraftTensor

/// A named part of an adapter's flat parameter array.
package struct Parameter: BitwiseCopyable, Sendable {
    package let offset: Int
    package let count: Int

    package init(offset: Int, count: Int) {
        self.offset = offset
        self.count = count
    }
}

/// What one adapter does at one site.
package struct SiteAdapter: Sendable {
    /// Replaces the base weight [outputs, inputs], a norm's scale, or an embedding table.
    package var weight: Parameter?
    /// Replaces the base bias.
    package var bias: Parameter?
    /// Adds to the site's output.
    package var delta: (any Delta)?

    package init(weight: Parameter? = nil, bias: Parameter? = nil, delta: (any Delta)? = nil) {
        self.weight = weight
        self.bias = bias
        self.delta = delta
    }
}

/// An adapter's own output layer.
package struct HeadParameters: BitwiseCopyable, Sendable {
    /// [labels, hidden].
    package let weight: Parameter
    /// nil where the architecture's head has none.
    package let bias: Parameter?
    package let labelCount: Int
    /// Before the layer, while training.
    package let dropout: Float

    package init(weight: Parameter, bias: Parameter?, labelCount: Int, dropout: Float) {
        self.weight = weight
        self.bias = bias
        self.labelCount = labelCount
        self.dropout = dropout
    }
}

/// What an adapter adds to the output of a linear or embedding site: y += effect(x).
///
/// It holds where its parameters are and nothing that changes, so sessions and trainers share it.
package protocol Delta: AnyObject, Sendable {
    /// y += effect. Returns what backward needs, from `context.pass.kept` where `context.keeps`.
    func forward(_ input: SiteInput, into y: Matrix, _ context: SiteContext) throws(GraftError) -> Matrix?
    /// Adds to the gradients, and to dx where there is one. `kept` is what forward returned.
    func backward(
        _ dy: Matrix, input: SiteInput, kept: Matrix?, into dx: Matrix?, _ context: SiteContext
    ) throws(GraftError)
}

/// What reaches a site: the rows of x of a linear site, or the ids that an embedding looks up.
package enum SiteInput: BitwiseCopyable {
    case rows(Matrix)
    case ids(UnsafePointer<Int32>, count: Int)
}

/// Where a delta runs: the pass, the adapter's numbers, and the place of the rows in the whole batch.
package struct SiteContext {
    package let pass: Pass
    package let adapter: AttachedAdapter
    package let site: Int
    /// Index in the whole batch of the first row of x: what dropout counts by.
    package let firstRow: Int
    package let keeps: Bool

    package func values(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
        adapter.values + parameter.offset
    }

    package func gradients(_ parameter: Parameter) -> UnsafeMutablePointer<Float>? {
        adapter.gradients.map { $0 + parameter.offset }
    }
}

/// An adapter bound to a model's sites, as passes see it.
///
/// `values` belong to the adapter that `owner` keeps alive; `gradients`, of the same layout, to a trainer.
package final class AttachedAdapter: @unchecked Sendable {
    package let values: UnsafeMutablePointer<Float>
    package let gradients: UnsafeMutablePointer<Float>?
    /// By site index; empty when the adapter acts at no site.
    package let sites: [SiteAdapter?]
    package let head: HeadParameters?
    /// Multiplies every delta.
    package let scale: Float
    /// The smallest depth of a site at which it acts; `Int.max` when it acts at none.
    package let lowestDepth: Int
    private let owner: AnyObject

    package init(
        values: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>?, sites: [SiteAdapter?],
        head: HeadParameters?, modelSites: [Site], scale: Float, owner: AnyObject
    ) {
        self.values = values
        self.gradients = gradients
        self.sites = sites
        self.head = head
        self.scale = scale
        self.owner = owner
        lowestDepth = zip(sites, modelSites).filter { $0.0 != nil }.map { $0.1.depth }.min() ?? Int.max
    }

    package func at(_ site: Int) -> SiteAdapter? { site < sites.count ? sites[site] : nil }
}
