import CGraftKernels
import GraftLayers
import GraftTensor

/// A head's linear-chain conditional random field (Lafferty et al. 2001): the labels of a row's
/// tokens are likely together, by their logits and by which label follows which.
///
/// transitions [labels, labels], start and end [labels], as pytorch-crf has and calls them; all
/// start at zero, so training starts where each token is labelled by itself.
package struct LabelChain: Sendable {
    /// The setting of heads, in what callers give and in files.
    package static let key = "crf"

    private let numbers: AdapterNumbers
    private let parameters: HeadParameters.Chain
    private let labelCount: Int

    /// nil where the adapter's head has none.
    package init?(_ adapter: AttachedAdapter?) {
        guard let adapter, let head = adapter.head, let chain = head.chain else { return nil }
        (numbers, parameters, labelCount) = (adapter.numbers, chain, head.labelCount)
    }

    /// Doubles that a call on so many tokens of so many rows works with.
    package func workCount(tokens: Int, rows: Int) -> Int { 2 * (tokens * labelCount + rows) }

    private var kernel: gk_chain {
        gk_chain(
            classes: Int64(labelCount), transitions: numbers.values + parameters.transitions.offset,
            starts: numbers.values + parameters.starts.offset, ends: numbers.values + parameters.ends.offset)
    }

    /// Adds the loss of rows that begin at the tokens `starts`, of which there is one more, and how
    /// many tokens count. With a scale `logits` become their gradients, and those of the chain are
    /// added to the adapter's.
    package func addLoss(
        _ logits: Matrix, starts: UnsafePointer<Int64>, rowCount: Int, labels: UnsafePointer<Int32>, scale: Float?,
        loss: inout Double, weight: inout Double, _ pass: Pass
    ) throws(GraftError) {
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let work = try pass.scratch.allocate(Double.self, count: workCount(tokens: logits.rows, rows: rowCount))
        var chain = kernel
        func learned(_ parameter: Parameter) -> UnsafeMutablePointer<Float>? {
            scale == nil ? nil : numbers.gradients(parameter)
        }
        var gradients = gk_chain_gradients(
            transitions: learned(parameters.transitions), starts: learned(parameters.starts),
            ends: learned(parameters.ends))
        gk_chain_loss(
            pass.team.kernel, &chain, Int64(rowCount), starts, logits.base, Int64(logits.stride), labels, scale ?? 1,
            work, scale == nil ? nil : logits.base, Int64(logits.stride), &gradients, &loss, &weight)
    }

    /// The likeliest labels of one row's tokens together, for those that `places` has at 0 or more;
    /// -1 for others. With `isMarginal` the logits become logarithms of probabilities there.
    package func decode(
        _ logits: Matrix, places: UnsafePointer<Int32>, into best: UnsafeMutablePointer<Int32>, isMarginal: Bool,
        _ pass: Pass
    ) throws(GraftError) {
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let work = try pass.scratch.allocate(Double.self, count: workCount(tokens: logits.rows, rows: 1))
        var chain = kernel
        gk_chain_decode(
            &chain, Int64(logits.rows), logits.base, Int64(logits.stride), places, work, best,
            isMarginal ? logits.base : nil, Int64(logits.stride))
    }
}

extension Task {
    /// Whether its head may have one: each token has one label of several.
    var allowsChain: Bool { unit == .tokens && outputs == .oneLabel }
}

extension AdapterPlan {
    /// The tensors of a head's chain, if it is to have one; `name` is what files call those.
    mutating func addChain(
        _ settings: (hasChain: Bool, labelCount: Int), _ name: (_ suffix: String) -> String
    ) throws(GraftError) -> HeadParameters.Chain? {
        guard settings.hasChain else { return nil }
        let count = settings.labelCount
        return HeadParameters.Chain(
            transitions: try add(name("transitions"), shape: [count, count], .zero),
            starts: try add(name("start_transitions"), shape: [count], .zero),
            ends: try add(name("end_transitions"), shape: [count], .zero))
    }
}

extension RowBatch {
    /// Which tokens of a row form its chain, for a head that has one: 0 or more where they do.
    ///
    /// Those that have labels, where the batch says it; else the first token of each word, where it
    /// knows words; else all.
    package func chainPlaces(ofRow row: Int) -> [Int32] {
        let tokens = range(ofRow: row)
        if let labels = column(.tokenLabels) { return Array(labels.integers[tokens]) }
        guard let words = column(.tokenWords)?.integers[tokens] else { return Array(repeating: 0, count: tokens.count) }
        return words.indices.map { token in
            let goesOn = token > words.startIndex && words[token] == words[token - 1]
            return words[token] < 0 || goesOn ? -1 : 0
        }
    }
}
