public import CGraft
import GraftFormats
import GraftTensor
import GraftTraining

/// Settings from a caller: JSON, or NULL for the defaults.
private func settings(_ json: UnsafePointer<CChar>?) throws(GraftError) -> JSONObject {
    try settingsObject(json, "settings") ?? JSONObject()
}

/// Rows of so many numbers each.
private func table<Element>(
    _ start: UnsafePointer<Element>?, rows: Int64, width: Int32, _ name: String
) throws(GraftError) -> UnsafeBufferPointer<Element> {
    try array(start, count: try count(rows, "count") * Int(width), name)
}

private func width(_ value: Int32, _ name: String) throws(GraftError) -> Int32 {
    guard value >= 1, value <= 1 << 20 else {
        throw GraftError(.invalidArgument, "\(name) must be 1 to 1048576, found \(value)")
    }
    return value
}

/// One weight for each row, or NULL.
private func weights(
    _ start: UnsafePointer<Double>?, _ rows: Int64
) throws(GraftError) -> UnsafeBufferPointer<Double>? {
    try start.map { start throws(GraftError) in try array(start, count: try count(rows, "count"), "weights") }
}

/// Where each of some groups of items ends, from where each begins and the last ends.
private func ends(_ starts: UnsafePointer<Int64>?, _ groups: Int64, _ name: String) throws(GraftError) -> [Int] {
    let groups = try count(groups, "count", atMost: Int64(Int32.max))
    guard groups > 0 else { return [] }
    let starts = try array(starts, count: groups + 1, name)
    try Memory.require(8 * groups, to: name)
    guard starts[0] == 0 else { throw GraftError(.invalidArgument, "\(name)[0] is \(starts[0]); expected 0") }
    var ends: [Int] = []
    for group in 0..<groups {
        guard starts[group + 1] >= starts[group], starts[group + 1] <= 1 << 40 else {
            throw GraftError(
                .invalidArgument,
                "\(name)[\(group + 1)] is \(starts[group + 1]); expected \(starts[group]), where it begins, to \(1 << 40)"
            )
        }
        ends.append(Int(starts[group + 1]))
    }
    return ends
}

@c @implementation
public func graft_evaluate_labels(
    _ truth: UnsafePointer<Int32>?, _ chosen: UnsafePointer<Int32>?, _ row_weights: UnsafePointer<Double>?,
    _ row_count: Int64, _ label_count: Int32, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        EvaluationHandle(
            try Evaluation.ofLabels(
                truth: try table(truth, rows: row_count, width: 1, "truth"),
                chosen: try table(chosen, rows: row_count, width: 1, "chosen"),
                weights: try weights(row_weights, row_count), labelCount: Int(try width(label_count, "label_count"))))
    }
}

@c @implementation
public func graft_evaluate_scores(
    _ truth: UnsafePointer<Int32>?, _ scores: UnsafePointer<Double>?, _ row_weights: UnsafePointer<Double>?,
    _ row_count: Int64, _ columns: Int32, _ json: UnsafePointer<CChar>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let columns = try width(columns, "columns")
        return EvaluationHandle(
            try Evaluation.ofScores(
                truth: try table(truth, rows: row_count, width: 1, "truth"),
                scores: try table(scores, rows: row_count, width: columns, "scores"),
                weights: try weights(row_weights, row_count), width: Int(columns), try settings(json)))
    }
}

@c @implementation
public func graft_evaluate_label_sets(
    _ truth: UnsafePointer<Int32>?, _ scores: UnsafePointer<Double>?, _ row_weights: UnsafePointer<Double>?,
    _ row_count: Int64, _ label_count: Int32, _ json: UnsafePointer<CChar>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let labels = try width(label_count, "label_count")
        return EvaluationHandle(
            try Evaluation.ofLabelSets(
                truth: try table(truth, rows: row_count, width: labels, "truth"),
                scores: try table(scores, rows: row_count, width: labels, "scores"),
                weights: try weights(row_weights, row_count), width: Int(labels), try settings(json)))
    }
}

@c @implementation
public func graft_evaluate_values(
    _ truth: UnsafePointer<Double>?, _ values: UnsafePointer<Double>?, _ row_weights: UnsafePointer<Double>?,
    _ row_count: Int64, _ columns: Int32, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let columns = try width(columns, "columns")
        return EvaluationHandle(
            try Evaluation.ofValues(
                truth: try table(truth, rows: row_count, width: columns, "truth"),
                values: try table(values, rows: row_count, width: columns, "values"),
                weights: try weights(row_weights, row_count), width: Int(columns)))
    }
}

@c @implementation
public func graft_evaluate_tags(
    _ truth: UnsafePointer<Int32>?, _ chosen: UnsafePointer<Int32>?, _ row_starts: UnsafePointer<Int64>?,
    _ row_count: Int64, _ labels: UnsafePointer<UnsafePointer<CChar>?>?, _ label_count: Int32,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let rowEnds = try ends(row_starts, row_count, "row_starts")
        let items = rowEnds.last ?? 0
        return EvaluationHandle(
            try Evaluation.ofTags(
                truth: try array(truth, count: items, "truth"), chosen: try array(chosen, count: items, "chosen"),
                rowEnds: rowEnds,
                labels: try texts(labels, count: Int(try width(label_count, "label_count")), "labels")))
    }
}

/// Texts of each row, from those of all and where each row's begin and the last end.
private func rows(
    _ start: UnsafePointer<UnsafePointer<CChar>?>?, _ ends: [Int], _ name: String
) throws(GraftError) -> [ArraySlice<String>] {
    let all = try texts(start, count: ends.last ?? 0, name)
    var rows: [ArraySlice<String>] = []
    try Memory.require(MemoryLayout<ArraySlice<String>>.stride * ends.count, to: name)
    rows.reserveCapacity(ends.count)
    var first = 0
    for end in ends {
        rows.append(all[first..<end])
        first = end
    }
    return rows
}

@c @implementation
public func graft_evaluate_answers(
    _ predictions: UnsafePointer<UnsafePointer<CChar>?>?, _ accepted: UnsafePointer<UnsafePointer<CChar>?>?,
    _ accepted_starts: UnsafePointer<Int64>?, _ no_answer_scores: UnsafePointer<Double>?, _ row_count: Int64,
    _ script: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let rowEnds = try ends(accepted_starts, row_count, "accepted_starts")
        let known = try rows(accepted, rowEnds, "accepted")
        return EvaluationHandle(
            try Evaluation.ofAnswers(
                try texts(predictions, count: rowEnds.count, "predictions"), accepted: known,
                noAnswerScores: try weights(no_answer_scores, row_count),
                script: try optionalText(script, "script") ?? "squad"))
    }
}

@c @implementation
public func graft_evaluate_texts(
    _ written: UnsafePointer<UnsafePointer<CChar>?>?, _ references: UnsafePointer<UnsafePointer<CChar>?>?,
    _ reference_starts: UnsafePointer<Int64>?, _ row_count: Int64, _ json: UnsafePointer<CChar>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let rowEnds = try ends(reference_starts, row_count, "reference_starts")
        let known = try rows(references, rowEnds, "references")
        return EvaluationHandle(
            try Evaluation.ofTexts(
                try texts(written, count: rowEnds.count, "written"), references: known, try settings(json)))
    }
}

@c @implementation
public func graft_evaluate_rankings(
    _ relevance: UnsafePointer<Double>?, _ scores: UnsafePointer<Double>?, _ query_starts: UnsafePointer<Int64>?,
    _ query_weights: UnsafePointer<Double>?, _ query_count: Int64, _ json: UnsafePointer<CChar>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let queryEnds = try ends(query_starts, query_count, "query_starts")
        let items = queryEnds.last ?? 0
        return EvaluationHandle(
            try Evaluation.ofRankings(
                relevance: try array(relevance, count: items, "relevance"),
                scores: try array(scores, count: items, "scores"), queryEnds: queryEnds,
                weights: try weights(query_weights, query_count), try settings(json)))
    }
}

@c @implementation
public func graft_evaluation_interval(
    _ evaluation: OpaquePointer?, _ measure: UnsafePointer<CChar>?, _ method: UnsafePointer<CChar>?,
    _ json: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let own = try HandleTable.borrow(evaluation, EvaluationHandle.self, "evaluation").evaluation
        return EvaluationHandle(
            try own.interval(
                try text(measure, "measure"), method: try optionalText(method, "method") ?? "percentile",
                try settings(json)))
    }
}

@c @implementation
public func graft_evaluation_compare(
    _ evaluation: OpaquePointer?, _ other: OpaquePointer?, _ measure: UnsafePointer<CChar>?,
    _ test: UnsafePointer<CChar>?, _ json: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let own = try HandleTable.borrow(evaluation, EvaluationHandle.self, "evaluation").evaluation
        let theirs = try HandleTable.borrow(other, EvaluationHandle.self, "other").evaluation
        return EvaluationHandle(
            try own.compared(
                with: theirs, try text(measure, "measure"), test: try optionalText(test, "test") ?? "permutation",
                try settings(json)))
    }
}

@c @implementation
public func graft_evaluation_table(
    _ evaluation: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<Double>?,
    _ capacity: Int64, _ rows: UnsafeMutablePointer<Int64>?, _ columns: UnsafeMutablePointer<Int32>?
) -> graft_status {
    call { () throws(GraftError) in
        let own = try HandleTable.borrow(evaluation, EvaluationHandle.self, "evaluation").evaluation
        let table = try own.table(try text(name, "name"))
        rows?.pointee = Int64(table.rows)
        columns?.pointee = Int32(table.columns)
        if out == nil, capacity == 0, rows != nil { return }
        try output(out, capacity: capacity, needs: table.numbers.count, "out")
            .update(from: table.numbers, count: table.numbers.count)
    }
}
