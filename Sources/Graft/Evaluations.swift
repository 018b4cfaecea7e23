public import CGraft
import GraftTensor
import GraftTraining

/// An evaluation as C programs hold it, with the strings that were handed out.
final class EvaluationHandle: Sendable {
    let evaluation: Evaluation
    let texts = LentTexts()

    init(_ evaluation: Evaluation) { self.evaluation = evaluation }
}

@c @implementation
public func graft_metric_count() -> Int32 { metricNames.count }

@c @implementation
public func graft_metric_name(_ index: Int32) -> UnsafePointer<CChar>? {
    metricNames[index]
}

private let metricNames = LentNames(Measures.names)

@c @implementation
public func graft_evaluation_value_count(_ evaluation: OpaquePointer?) -> Int32 {
    HandleTable.peek(evaluation, EvaluationHandle.self).map { Int32($0.evaluation.values.count) } ?? -1
}

@c @implementation
public func graft_evaluation_name(_ evaluation: OpaquePointer?, _ index: Int32) -> UnsafePointer<CChar>? {
    HandleTable.peek(evaluation, EvaluationHandle.self).flatMap { handle in
        let values = handle.evaluation.values
        return values.indices.contains(Int(index)) ? handle.texts.lend(values[Int(index)].name) : nil
    }
}

@c @implementation
public func graft_evaluation_value(_ evaluation: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> Double {
    guard let name, let own = HandleTable.peek(evaluation, EvaluationHandle.self) else { return .nan }
    return undisturbed { String(validatingCString: name).map(own.evaluation.value) ?? .nan }
}

@c @implementation
public func graft_evaluation_row_count(_ evaluation: OpaquePointer?) -> Int64 {
    HandleTable.peek(evaluation, EvaluationHandle.self).map { Int64($0.evaluation.rowCount) } ?? -1
}

@c @implementation
public func graft_evaluation_token_count(_ evaluation: OpaquePointer?) -> Int64 {
    HandleTable.peek(evaluation, EvaluationHandle.self).map { Int64($0.evaluation.tokenCount) } ?? -1
}

@c @implementation
public func graft_evaluation_label_count(_ evaluation: OpaquePointer?) -> Int32 {
    HandleTable.peek(evaluation, EvaluationHandle.self).map { Int32(clamping: $0.evaluation.labelCount) } ?? -1
}

@c @implementation
public func graft_evaluation_confusion(
    _ evaluation: OpaquePointer?, _ out: UnsafeMutablePointer<Int64>?, _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let evaluation = try HandleTable.borrow(evaluation, EvaluationHandle.self, "evaluation").evaluation
        let count = evaluation.labelCount
        guard count > 0 else {
            throw GraftError(
                .invalidArgument,
                "the evaluation has no confusion matrix: no row or token was given one of several labels")
        }
        evaluation.count(
            into: UnsafeMutableBufferPointer(
                start: try output(out, capacity: capacity, needs: count * count, "out"), count: count * count))
    }
}

@c @implementation
public func graft_evaluation_retain(_ evaluation: OpaquePointer?) -> graft_status {
    retain(evaluation, EvaluationHandle.self, "evaluation")
}

@c @implementation
public func graft_evaluation_release(_ evaluation: OpaquePointer?) {
    HandleTable.release(evaluation, EvaluationHandle.self)
}
