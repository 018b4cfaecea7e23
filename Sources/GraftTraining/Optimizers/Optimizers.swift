import GraftFormats

/// The optimizers that there are.
package enum Optimizers {
    package static let list = OpenList<any Optimizer.Type>(
        "optimizer",
        [
            AdamW.self, Adam.self, SGD.self, Adagrad.self,
        ]
    ) { $0 }
}
