import GraftAdapters
import GraftLayers
import GraftTensor

/// How adapters act on a row: one of them, its effect on the hidden states multiplied by a scale,
/// or several together.
package final class Composition: Sendable {
    /// From left to right; one that acts in several places stands here as often.
    package let adapters: [Adapter]
    package let attached: AttachedAdapter
    /// 1 for several.
    package let scale: Float
    /// What the logits of a row stand for on which it acts: those of the adapter's head, or of the
    /// model's.
    package let labels: [String]
    /// What those logits are for; nil where there are none.
    package let task: Task?
    package let model: Model
    /// What the adapter was when the composition was made, but for its numbers; nil for several.
    private let content: AdapterContent?

    package init(adapter: Adapter, scale: Float) throws(GraftError) {
        guard abs(scale) <= 1e6 else {
            throw GraftError(.invalidArgument, "scale must be a number from -1e6 to 1e6, found \(scale)")
        }
        let content = try adapter.read { content, isAsLoaded throws(GraftError) in
            // What was loaded was found finite then.
            if !isAsLoaded { try content.requireFinite(.diverged, "the adapter's ") }
            return content
        }
        if scale != 1, let site = content.plan.sites.firstIndex(where: { $0?.weight != nil || $0?.bias != nil }) {
            throw GraftError(
                .incompatible,
                "scale \(scale): the adapter has its own \(content.names.path(of: content.model.sites[site])), which "
                    + "replaces the model's and has no scale; expected 1")
        }
        guard content.method.hasScale || scale == 1 || scale == 0 else {
            throw GraftError(
                .incompatible,
                "scale \(scale): the method \(content.method.name) acts in full or not at all; expected 1 or 0")
        }
        adapters = [adapter]
        self.scale = scale
        labels = content.labels
        task = content.actingTask
        model = content.model
        self.content = content
        attached = content.attached(scale: scale)
    }

    /// Where the rows that it acts on are cut: where those of any of its adapters were.
    package var maximumLength: Int? { adapters.compactMap(\.content.maximumLength).min() }

    /// What it makes of the model's weights, with the adapter's numbers as they are now.
    package func weightDelta() throws(GraftError) -> WeightDelta {
        guard let content, let adapter = adapters.first else {
            throw GraftError(
                .unsupported, "the composition is of \(adapters.count) adapters; expected one, merged after the other")
        }
        return try adapter.read { _, _ throws(GraftError) in
            try content.requireFinite(.diverged, "the adapter's ")
            return try WeightDelta(content, scale: scale)
        }
    }

    fileprivate init(_ members: [Composition], _ attached: AttachedAdapter) {
        adapters = members.flatMap(\.adapters)
        scale = 1
        let headed = members.last { $0.attached.head != nil } ?? members[0]
        labels = headed.labels
        task = headed.task
        model = headed.model
        content = nil
        self.attached = attached
    }
}

extension Composition {
    func beginReading() throws(GraftError) {
        var begun = 0
        do throws(GraftError) {
            for adapter in adapters {
                try adapter.beginReading()
                begun += 1
            }
        } catch {
            for adapter in adapters.prefix(begun) { adapter.endReading() }
            throw error
        }
    }

    func endReading() {
        for adapter in adapters { adapter.endReading() }
    }
}

extension Composition {
    /// Adapters of one composition, at most.
    package static let mostAdapters = 32

    /// One after the other at each site. Of one it is that one.
    package static func stack(_ members: [Composition]) throws(GraftError) -> Composition {
        try check(members)
        if members.count == 1 { return members[0] }
        try requireOneOwner(of: members)
        let virtual = members.indices.filter { members[$0].attached.virtualCount > 0 }
        guard virtual.count < 2 else {
            throw GraftError(
                .incompatible,
                "compositions[\(virtual[0])] and compositions[\(virtual[1])] both put something before the rows; expected "
                    + "one that does")
        }
        return Composition(members, AttachedAdapter(sequence: members.map(\.attached)))
    }

    /// The mean at each site by weights, which are divided by their sum; without any, all are
    /// equal. Those of weight 0 are left out, and of one that is left it is that one.
    package static func average(_ members: [Composition], weights: [Float]?) throws(GraftError) -> Composition {
        try check(members)
        let given = weights ?? members.map { _ in 1 }
        let sum = given.reduce(0) { $0 + Double($1) }
        if let index = given.firstIndex(where: { !($0 >= 0 && $0 <= 1e6) }) {
            throw GraftError(
                .invalidArgument, "weights[\(index)] must be a number from 0 to 1e6, found \(given[index])")
        }
        guard sum > 0 else { throw GraftError(.invalidArgument, "weights are all 0: expected one above it") }
        let chosen = members.indices.filter { given[$0] > 0 }
        let averaged = chosen.map { members[$0] }
        if averaged.count == 1 { return averaged[0] }
        for (index, member) in zip(chosen, averaged) {
            guard member.attached.virtualCount == 0 else {
                throw GraftError(
                    .incompatible,
                    "compositions[\(index)] puts something before the rows, which has no share in a mean")
            }
            guard let site = member.replacedSite(where: { _ in true }) else { continue }
            throw GraftError(
                .incompatible,
                "compositions[\(index)] has its own \(member.model.sites[site].path), which replaces the model's and has no "
                    + "share in a mean")
        }
        return Composition(
            averaged,
            AttachedAdapter(average: averaged.map(\.attached), weights: chosen.map { Float(Double(given[$0]) / sum) }))
    }

    private static func check(_ members: [Composition]) throws(GraftError) {
        let count = members.reduce(0) { $0 + $1.adapters.count }
        guard !members.isEmpty, count <= mostAdapters else {
            throw GraftError(
                .invalidArgument, "compositions have \(count) adapters together; expected 1 to \(mostAdapters)")
        }
        for (index, member) in members.enumerated() where member.model !== members[0].model {
            throw GraftError(
                .incompatible, "compositions[\(index)] was made for another model object than compositions[0]")
        }
    }

    /// A module may be the own of one member alone, whose numbers stand for the model's with all
    /// others. Those that follow from the model's numbers cannot act there.
    private static func requireOneOwner(of members: [Composition]) throws(GraftError) {
        for (index, member) in members.enumerated() {
            for (other, second) in members.enumerated() where other != index {
                let shared = member.replacedSite { site in
                    guard let own = second.attached.at(site) else { return false }
                    let reads = own.action?.readsWeight ?? false
                    return own.weight != nil || own.bias != nil || reads && member.attached.at(site)?.weight != nil
                }
                guard let site = shared else { continue }
                throw GraftError(
                    .incompatible,
                    "compositions[\(index)] has its own \(member.model.sites[site].path), which replaces the model's, and "
                        + "compositions[\(other)] replaces it, too, or follows from the model's")
            }
        }
    }

    /// The first site where it has numbers of its own.
    private func replacedSite(where isWanted: (Int) -> Bool) -> Int? {
        model.sites.indices.first { site in
            guard let own = attached.at(site), own.weight != nil || own.bias != nil else { return false }
            return isWanted(site)
        }
    }
}
