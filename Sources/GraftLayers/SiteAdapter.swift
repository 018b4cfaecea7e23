import CGraftKernels
import GraftTensor

/// A named part of an adapter's flat parameter array.
package struct Parameter: BitwiseCopyable, Sendable {
    package let offset: Int
    package let count: Int
    /// Whether it never learns: there are no gradients of it.
    package let isFrozen: Bool

    package init(offset: Int, count: Int, isFrozen: Bool = false) {
        self.offset = offset
        self.count = count
        self.isFrozen = isFrozen
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
    /// Changes a hidden site's x.
    package var effect: (any BranchEffect)?

    /// Whether it changes what the site computes, rather than replacing its numbers.
    package var isAdapted: Bool { delta != nil || effect != nil }

    /// Whether training changes anything of it.
    var learns: Bool { isAdapted || [weight, bias].contains { $0.map { !$0.isFrozen } ?? false } }

    package init(
        weight: Parameter? = nil, bias: Parameter? = nil, delta: (any Delta)? = nil,
        effect: (any BranchEffect)? = nil
    ) {
        self.weight = weight
        self.bias = bias
        self.delta = delta
        self.effect = effect
    }
}

/// An adapter's own output layers: those of `dense` with their activation, then the logits, with dropout before each.
package struct HeadParameters: Sendable {
    /// [hidden, hidden], [hidden].
    package struct Dense: BitwiseCopyable, Sendable {
        package let weight: Parameter
        package let bias: Parameter

        package init(weight: Parameter, bias: Parameter) {
            self.weight = weight
            self.bias = bias
        }
    }

    /// What stands for a row; nil where each token has outputs of its own.
    package let pooling: Pooling?
    /// Whether they read what the model's pooler makes of that, rather than that itself.
    package let readsPooler: Bool
    package let dense: [Dense]
    package let activation: Activation
    /// [labels, hidden].
    package let weight: Parameter
    /// nil where the architecture's head has none.
    package let bias: Parameter?
    package let labelCount: Int
    /// Before each layer, while training.
    package let dropout: Float

    package init(
        pooling: Pooling?, readsPooler: Bool, dense: [Dense] = [], activation: Activation = .identity,
        weight: Parameter, bias: Parameter?, labelCount: Int, dropout: Float
    ) {
        self.pooling = pooling
        self.readsPooler = readsPooler
        self.dense = dense
        self.activation = activation
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

/// What an adapter makes of a sub-layer's output x before it joins the residual stream t: x ← effect(x, t).
///
/// Like a delta it holds nothing that changes.
package protocol BranchEffect: AnyObject, Sendable {
    /// Changes x in place. Returns what backward needs, from `context.pass.kept`, where `context.keeps`. `norm` is the
    /// model's norm of the sum x + t, if it has one there.
    func forward(
        _ x: Matrix, residual t: Matrix, norm: LayerNorm?, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer?
    /// Adds to the gradients, turns d(changed x) into d(x) in place, and adds to dt.
    func backward(
        _ dx: Matrix, kept: UnsafeMutableRawPointer, residual t: Matrix, into dt: Matrix, norm: LayerNorm?,
        _ context: SiteContext
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
        parameter.isFrozen ? nil : adapter.gradients.map { $0 + parameter.offset }
    }

    /// Adapters' dropouts are numbered by their sites, after all of the model's own.
    private static let firstDropoutSite = 1 << 20

    /// The adapter's own dropout of rows of `width`, or nil where nothing is dropped.
    package func dropout(probability: Float, width: Int) -> gk_dropout? {
        guard let key = pass.dropoutKey, probability > 0, adapter.gradients != nil else { return nil }
        return gk_dropout(
            key: key, first_element: UInt64(firstRow * width),
            site: UInt32(truncatingIfNeeded: Self.firstDropoutSite + site), probability: probability)
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
    /// Keys and values before those of each row, in every layer; nil for none.
    package let prefix: (any VirtualRows)?
    /// Tokens before those of each row; nil for none.
    package let prompt: (any VirtualRows)?
    /// Multiplies every delta.
    package let scale: Float
    /// The smallest depth at which it learns; `Int.max` when it learns at none.
    package let lowestDepth: Int
    private let owner: AnyObject

    package init(
        values: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>?, sites: [SiteAdapter?],
        head: HeadParameters?, prefix: (any VirtualRows)? = nil, prompt: (any VirtualRows)? = nil, modelSites: [Site],
        scale: Float, owner: AnyObject
    ) {
        self.values = values
        self.gradients = gradients
        self.sites = sites
        self.head = head
        self.prefix = prefix
        self.prompt = prompt
        self.scale = scale
        self.owner = owner
        let lowestSite = zip(sites, modelSites).filter { $0.0?.learns ?? false }.map { $0.1.depth }.min() ?? Int.max
        lowestDepth = prompt != nil ? 0 : prefix != nil ? min(1, lowestSite) : lowestSite
    }

    /// How many more a row's tokens are for the model, to which positions are given.
    package var virtualCount: Int { (prefix?.count ?? 0) + (prompt?.count ?? 0) }

    package func at(_ site: Int) -> SiteAdapter? { site < sites.count ? sites[site] : nil }
}
