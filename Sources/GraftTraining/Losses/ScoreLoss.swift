import GraftFormats

/// A loss of the scores of rows, which come in groups: those of a query's candidates. A new one is
/// its file and one line in `Losses`.
package protocol ScoreLoss: Loss {
    /// A group's part of what the sum of losses is divided by: 1, where nothing else is said.
    func weight(_ targets: UnsafeBufferPointer<Float>) -> Double
    /// The group's loss, and the slopes of it at its scores.
    func loss(
        _ scores: UnsafeBufferPointer<Float>, _ targets: UnsafeBufferPointer<Float>,
        slopes: UnsafeMutableBufferPointer<Float>
    ) -> Double
}

extension ScoreLoss {
    package func weight(_ targets: UnsafeBufferPointer<Float>) -> Double { 1 }
}
