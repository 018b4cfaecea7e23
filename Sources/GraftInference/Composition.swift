import GraftAdapters
import GraftLayers
import GraftTensor

/// How adapters act on a row: one adapter, its effect on the hidden states multiplied by a scale.
package final class Composition: Sendable {
    package let adapter: Adapter
    package let attached: AttachedAdapter
    package let scale: Float
    /// What the logits of a row stand for on which it acts: those of the adapter's head, or of the model's.
    package let labels: [String]
    /// What those logits are for; nil where there are none.
    package let task: Task?
    package let model: Model
    /// What the adapter was when the composition was made, but for its numbers.
    private let content: AdapterContent

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
        self.adapter = adapter
        self.scale = scale
        labels = content.labels
        task = content.actingTask
        model = content.model
        self.content = content
        attached = content.attached(scale: scale)
    }

    /// What it makes of the model's weights, with the adapter's numbers as they are now.
    package func weightDelta() throws(GraftError) -> WeightDelta {
        try adapter.read { _, _ throws(GraftError) in
            try content.requireFinite(.diverged, "the adapter's ")
            return try WeightDelta(content, scale: scale)
        }
    }
}
