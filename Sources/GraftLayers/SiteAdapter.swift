/// What one adapter does at one site.
package struct SiteAdapter: Sendable {
    /// Replaces the base weight [outputs, inputs], a norm's scale, or an embedding table.
    package var weight: Parameter?
    /// Replaces the base bias.
    package var bias: Parameter?
    /// Changes what the module computes, or what a hidden site has. It is of the site's kind: see
    /// `AdapterPlan.act`.
    package var action: SiteAction?

    /// Whether training changes anything of it.
    var learns: Bool { action != nil || [weight, bias].contains { $0.map { !$0.isFrozen } ?? false } }

    package init(weight: Parameter? = nil, bias: Parameter? = nil, action: SiteAction? = nil) {
        self.weight = weight
        self.bias = bias
        self.action = action
    }
}

/// An action of the kind that its site asks for. A kind of site that is new brings its own protocol
/// and its case here.
///
/// Actions hold where their parameters are and nothing else of an adapter, so sessions and trainers
/// share them.
package enum SiteAction: Sendable {
    case linear(any LinearAction)
    case embedding(any EmbeddingAction)
    case hidden(any HiddenAction)

    /// Whether sites of a kind ask for such an action.
    package func fits(_ kind: Site.Kind) -> Bool {
        switch (self, kind) {
        case (.linear, .linear), (.embedding, .embedding), (.hidden, .hidden): true
        default: false
        }
    }

    /// Whether it follows from the model's own numbers, and not from others in their place.
    package var readsWeight: Bool {
        switch self {
        case .linear(let action): action.readsWeight
        case .embedding(let action): action.readsWeight
        case .hidden: false
        }
    }

    package var linear: (any LinearAction)? { if case .linear(let action) = self { action } else { nil } }
    package var embedding: (any EmbeddingAction)? { if case .embedding(let action) = self { action } else { nil } }
    package var hidden: (any HiddenAction)? { if case .hidden(let action) = self { action } else { nil } }
}
