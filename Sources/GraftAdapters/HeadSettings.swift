import GraftFormats
import GraftLayers
import GraftTensor

/// What the caller wants of a dense head.
package struct HeadSettings: Sendable {
    /// One for each number that it has of a row or token.
    package let labels: [String]
    /// Whether the labels are the adapter's own, rather than the checkpoint's or numbers.
    package let ownsLabels: Bool
    /// nil: as config.json says.
    package let dropout: Float?
    /// Whether the dense layer with tanh before the head is trained too.
    package let trainsDense: Bool
    /// nil: the architecture's own.
    package let pooling: Pooling?
    /// Whether a row's labels are a chain: see `LabelChain`.
    package let hasChain: Bool

    package init(
        labels: [String], ownsLabels: Bool = true, dropout: Float?, trainsDense: Bool, pooling: Pooling? = nil,
        hasChain: Bool = false
    ) {
        self.hasChain = hasChain
        self.labels = labels
        self.ownsLabels = ownsLabels
        self.dropout = dropout
        self.trainsDense = trainsDense
        self.pooling = pooling
    }

    /// As a caller gives them: `text` is an object with any of `crf`, `dense_layer`,
    /// `dropout` and `pooling`, or nil.
    package init(labels: [String], ownsLabels: Bool, json text: String?, place: String) throws(GraftError) {
        self = try ofCaller { () throws(GraftError) in
            let given =
                try text.map { text throws(GraftError) in
                    try JSON(parsing: text, source: place).requireObject(in: place)
                } ?? JSONObject()
            let known = [LabelChain.key, "dense_layer", "dropout", "pooling"]
            if let key = given.keys.first(where: { !known.contains($0) }) {
                throw GraftError(
                    .invalidArgument, "\(place): unknown setting \"\(key)\"; expected \(known.joined(separator: ", "))")
            }
            return HeadSettings(
                labels: labels, ownsLabels: ownsLabels, dropout: try given.dropout("dropout", place: place),
                trainsDense: try given.optionalBool("dense_layer") ?? false,
                pooling: try given.pooling("pooling", .invalidArgument, place: place),
                hasChain: try given.optionalBool(LabelChain.key) ?? false)
        }
    }

    /// The same, with a pooling only where it is not the architecture's own.
    func fitted(to model: Model) -> HeadSettings {
        let isOwn = pooling == model.headPooling
        return HeadSettings(
            labels: labels, ownsLabels: ownsLabels, dropout: dropout, trainsDense: trainsDense,
            pooling: isOwn ? nil : pooling, hasChain: hasChain)
    }
}

/// The names of labels that nobody named, as transformers has them.
package func numberedLabels(_ count: Int) -> [String] { (0..<count).map { "LABEL_\($0)" } }
