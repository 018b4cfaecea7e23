import GraftFormats

/// Cross-entropy of the scores' softmax against that of the targets (Cao et al. 2007, the "top one"
/// of ListNet): sentence-transformers' `ListNetLoss`. A group weighs 1.
struct ListNet: ScoreLoss {
    static let name = "list_net"
    static let settings: [Setting] = []

    init(_ settings: Settings) {}

    func loss(
        _ scores: UnsafeBufferPointer<Float>, _ targets: UnsafeBufferPointer<Float>,
        slopes: UnsafeMutableBufferPointer<Float>
    ) -> Double {
        let wanted = LogSoftmax(targets)
        return LogSoftmax(scores).loss(slopes) { wanted.share($0) }
    }
}
