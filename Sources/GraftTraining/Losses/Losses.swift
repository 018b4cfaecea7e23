import GraftAdapters
import GraftFormats
import GraftTensor

/// A loss of all rows of a batch together, which a task may have one of several.
package protocol Loss: Chosen {}

/// The losses that there are.
package enum Losses {
    /// That of vectors, where none is chosen.
    package static let ofVectors = InBatchNegatives.name

    package static let list = OpenList<any Loss.Type>(
        "loss",
        [
            InBatchNegatives.self, TripletLoss.self, CoSENT.self, CosineSimilarity.self, ListNet.self, RankNet.self,
            DirectPreference.self,
        ]
    ) { $0 }
}

extension Loss {
    static func isNoLoss(of task: Task) -> GraftError {
        GraftError(.invalidArgument, "loss \"\(name)\" is none of the task \(task.name)")
    }
}
