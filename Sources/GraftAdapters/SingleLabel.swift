import GraftLayers
import GraftTensor

/// Classification here gives each row one of several labels. Heads of anything else have other losses, and logits that mean
/// something else: they are refused where they would be read, trained or used.
enum SingleLabel {
    /// - Parameter problem: What a head is for; nil where nothing says so.
    static func require(_ problem: ProblemType?, of model: Model) throws(GraftError) {
        guard let problem, problem != .singleLabel else { return }
        throw GraftError(
            .unsupported,
            "\(model.source.path)/config.json: problem_type is \(problem.rawValue); expected "
                + "\(ProblemType.singleLabel.rawValue): this build trains and uses heads that choose one of several labels"
        )
    }

    /// A head of so many labels. `place` begins the message.
    static func require(labelCount: Int, place: @autoclosure () -> String) throws(GraftError) {
        guard labelCount < 2 else { return }
        throw GraftError(
            .unsupported,
            "\(place()) is of a head of one label, which is for regression; expected two labels at least: this build "
                + "trains and uses heads that choose one of several labels")
    }

    static func require(
        _ problem: ProblemType?, of model: Model, labelCount: Int, place: @autoclosure () -> String
    ) throws(GraftError) {
        try require(labelCount: labelCount, place: place())
        try require(problem, of: model)
    }
}

extension Model {
    /// Classes of an adapter's head, or without one of the checkpoint's own; nil where that has none either. One that is not
    /// for one of several labels is an error.
    package func labelCount(of head: HeadParameters?) throws(GraftError) -> Int? {
        if let head { return head.labelCount }
        guard let count = baseHead?.labels.count else { return nil }
        try SingleLabel.require(
            problem, of: self, labelCount: count, place: "\(source.path): tensor \"\(conventions.headPath).weight\"")
        return count
    }
}
