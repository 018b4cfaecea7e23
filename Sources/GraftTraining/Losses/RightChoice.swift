import GraftFormats

/// Which of a group's rows is the right one: cross-entropy of the scores' softmax, as
/// transformers' multiple choice classes have it. A group weighs 1.
struct RightChoice: ScoreLoss {
    static let name = "right_choice"
    static let settings: [Setting] = []

    init(_ settings: Settings) {}
    init() {}

    func loss(
        _ scores: UnsafeBufferPointer<Float>, _ targets: UnsafeBufferPointer<Float>,
        slopes: UnsafeMutableBufferPointer<Float>
    ) -> Double {
        LogSoftmax(scores).loss(slopes) { Double(targets[$0]) }
    }
}
