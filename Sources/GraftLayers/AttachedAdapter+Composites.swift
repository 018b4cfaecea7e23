/// Several that act together as one: at least one of them.
extension AttachedAdapter {
    private typealias Linear = [CompositeMember<any LinearAction>]
    private typealias Embedding = [CompositeMember<any EmbeddingAction>]
    private typealias Hidden = [CompositeMember<any HiddenAction>]

    /// The adapters act one after the other, at each site: the first on what the model has there.
    ///
    /// At most one of them has numbers of its own in the place of a module's. The head is that of
    /// the last that has one.
    package convenience init(sequence members: [AttachedAdapter]) {
        self.init(
            members, weights: members.map { _ in 1 },
            linear: { members, _ in LinearSequence(members) },
            embedding: { members, _ in EmbeddingSequence(members) },
            hidden: { members, _ in HiddenSequence(members) })
    }

    /// At each site the weighted mean of what each of them makes of what the model has there; the
    /// weights add up to 1.
    ///
    /// None has numbers of its own in the place of a module's. The head is that of the last that
    /// has one.
    package convenience init(average members: [AttachedAdapter], weights: [Float]) {
        self.init(
            members, weights: weights, linear: LinearAverage.init, embedding: EmbeddingAverage.init,
            hidden: HiddenAverage.init)
    }

    /// - Parameters:
    ///   - linear: Makes one action of the members' at a site, and of the weight of those that have
    ///     none there.
    private convenience init(
        _ members: [AttachedAdapter], weights: [Float], linear: (Linear, Float) -> any LinearAction,
        embedding: (Embedding, Float) -> any EmbeddingAction, hidden: (Hidden, Float) -> any HiddenAction
    ) {
        let siteCount = members.reduce(0) { max($0, $1.siteCount) }
        let sites = (0..<siteCount).map { site -> BoundSite? in
            let own = members.compactMap { $0.at(site) }
            guard let first = own.first else { return nil }
            func joined<Action>(
                _ kind: (SiteAction) -> Action?, _ make: ([CompositeMember<Action>], Float) -> Action
            ) -> Action {
                var (acting, rest): ([CompositeMember<Action>], Float) = ([], 0)
                for (member, weight) in zip(members, weights) {
                    if let own = member.at(site), let action = own.action.flatMap(kind) {
                        acting.append(CompositeMember(action: action, numbers: own.numbers, weight: weight))
                    } else {
                        rest += weight
                    }
                }
                return make(acting, rest)
            }
            let action: SiteAction? =
                switch own.lazy.compactMap(\.action).first {
                case .linear: .linear(joined(\.linear, linear))
                case .embedding: .embedding(joined(\.embedding, embedding))
                case .hidden: .hidden(joined(\.hidden, hidden))
                case nil: nil
                }
            return BoundSite(
                weight: own.lazy.compactMap(\.weight).first, bias: own.lazy.compactMap(\.bias).first, action: action,
                numbers: first.numbers)
        }
        self.init(
            sites: sites, head: members.last { $0.head != nil } ?? members[0],
            virtual: members.first { $0.virtualCount > 0 } ?? members[0], members: members)
    }
}
