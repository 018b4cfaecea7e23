/// What acts on the rows of a segment: an adapter bound to a model's sites, or several that act
/// together.
package final class AttachedAdapter: Sendable {
    /// Numbers of an adapter in the place of a module's own.
    package struct Replacement: @unchecked Sendable {
        package let values: UnsafeMutablePointer<Float>
        /// nil where they do not learn.
        package let gradients: UnsafeMutablePointer<Float>?
        package let count: Int

        init(_ parameter: Parameter, of numbers: AdapterNumbers) {
            values = numbers.values + parameter.offset
            gradients = numbers.gradients(parameter)
            count = parameter.count
        }
    }

    /// A `SiteAdapter` with its adapter's numbers.
    package struct BoundSite: Sendable {
        package let weight: Replacement?
        package let bias: Replacement?
        package let action: SiteAction?
        /// Of the action.
        package let numbers: AdapterNumbers
    }

    /// Those that `head` is of.
    package let numbers: AdapterNumbers
    package let head: HeadParameters?
    /// Keys and values before those of each row, in every layer; nil for none.
    package let prefix: (any VirtualRows)?
    /// Tokens before those of each row; nil for none.
    package let prompt: (any VirtualRows)?
    /// Whether its rows have the token types that they were given; else all are 0.
    let readsTypes: Bool
    /// Those that prefix and prompt are of.
    let virtualNumbers: AdapterNumbers
    /// The smallest depth of a site at which it learns; `Int.max` when it learns at none.
    package let lowestDepth: Int
    /// By site index; empty when the adapter acts at no site.
    private let sites: [BoundSite?]
    /// Those that act together, whose numbers they keep alive.
    private let members: [AttachedAdapter]
    /// How they act together, which no other adapter does; nil of one alone.
    private let together: AdapterVersion?

    package var values: UnsafeMutablePointer<Float> { numbers.values }
    package var gradients: UnsafeMutablePointer<Float>? { numbers.gradients }

    package init(
        _ numbers: AdapterNumbers, sites: [SiteAdapter?], head: HeadParameters?,
        prefix: (any VirtualRows)? = nil, prompt: (any VirtualRows)? = nil, readsTypes: Bool = true, modelSites: [Site]
    ) {
        self.readsTypes = readsTypes
        self.numbers = numbers
        self.head = head
        self.prefix = prefix
        self.prompt = prompt
        virtualNumbers = numbers
        members = []
        together = nil
        let lowestSite = zip(sites, modelSites).filter { $0.0?.learns ?? false }.map { $0.1.depth }.min() ?? Int.max
        lowestDepth = prompt != nil ? 0 : min(prefix?.layers.depth ?? Int.max, lowestSite)
        self.sites = sites.map { site in
            site.map {
                BoundSite(
                    weight: $0.weight.map { Replacement($0, of: numbers) },
                    bias: $0.bias.map { Replacement($0, of: numbers) }, action: $0.action, numbers: numbers)
            }
        }
    }

    /// Of several that act together, and never learn.
    init(sites: [BoundSite?], head: AttachedAdapter, virtual: AttachedAdapter, members: [AttachedAdapter]) {
        numbers = head.numbers
        self.head = head.head
        readsTypes = head.readsTypes
        prefix = virtual.prefix
        prompt = virtual.prompt
        virtualNumbers = virtual.virtualNumbers
        self.sites = sites
        self.members = members
        together = AdapterVersion()
        lowestDepth = Int.max
    }

    /// How many more a row's tokens are for the model, to which positions are given.
    package var virtualCount: Int { (prefix?.count ?? 0) + (prompt?.count ?? 0) }

    /// What acts, as it is now: two that have the same make the same of a row's tokens.
    package var content: [UInt64] {
        guard let together else { return numbers.content }
        return members.reduce([0, together.identity]) { $0 + $1.content }
    }

    var siteCount: Int { sites.count }

    package func at(_ site: Int) -> BoundSite? { site < sites.count ? sites[site] : nil }
}
