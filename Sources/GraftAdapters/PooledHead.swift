import GraftLayers
import GraftTensor

/// The head of an adapter in PEFT's layout that pools in another way than the architecture's class,
/// such as the mean of a row's tokens: y = W dropout(p) + b, where p is what was pooled, or with a
/// dense layer tanh(D dropout(pooled) + c).
///
/// No class of transformers has such a head, so its tensors are no module's: W [labels, hidden] and
/// D [hidden, hidden].
enum PooledHead {
    static let path = "pooled_classifier"
    static let densePath = "pooled_dense"

    static func plan(
        _ plan: inout AdapterPlan, _ settings: HeadSettings, _ pooling: Pooling, _ names: ModuleNames
    ) throws(GraftError) -> HeadParameters {
        let model = names.model
        let width = model.shape.hiddenSize
        let start = PlannedTensor.Initial.normal(deviation: model.initializerRange)
        var dense: [HeadParameters.Dense] = []
        if settings.trainsDense {
            dense.append(
                HeadParameters.Dense(
                    weight: try plan.add(names.tensor(densePath, "weight"), shape: [width, width], start),
                    bias: try plan.add(names.tensor(densePath, "bias"), shape: [width], .zero)))
        }
        let count = settings.labels.count
        return HeadParameters(
            pooling: pooling, readsPooler: false, dense: dense, activation: .tanh,
            weight: try plan.add(names.tensor(path, "weight"), shape: [count, width], start),
            bias: try plan.add(names.tensor(path, "bias"), shape: [count], .zero), labelCount: count,
            dropout: settings.dropout ?? model.headDropout(.rows))
    }
}
