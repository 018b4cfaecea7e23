import CGraftKernels
import Glibc

/// One call of attention: sequences at gaps in their rows, operands, settings.
struct AttentionCase: CustomStringConvertible {
    var lengths: [(queries: Int, keys: Int)]
    var heads = 2
    var keyValueHeads = 2
    var width = 32
    var causal = false
    /// Keys after the place of the last query.
    var laterKeys = 0
    /// Keys at least so far away are not seen; 0 for all.
    var window = 0
    /// Distances that have a bias of their own; nil for none.
    var biasReach: Int?
    /// What scores are bounded by softly; 0 for none.
    var softCap: Float = 0
    var probability: Float = 0
    var precision = Types.float32

    var description: String {
        "\(lengths), \(heads) heads over \(keyValueHeads) of \(width), causal \(causal) before \(laterKeys), window \(window), bias within \(biasReach ?? -1), cap \(softCap), dropout \(probability), "
            + "precision \(precision)"
    }

    var scale: Float { 1.5 / Float(width).squareRoot() }
    /// [heads, 2 reach + 1]; where it is wanted.
    var bias: [Float] {
        biasReach.map { Matrix.random(heads, 2 * $0 + 1, gap: 0, seed: 77).storage.map { 3 * $0 } } ?? []
    }
    /// Two rows stand before the first sequence and one between any two; nothing may write there.
    var sequences: [gk_sequence] {
        var (query, key) = (2, 2)
        return lengths.enumerated().map { i, length in
            defer { (query, key) = (query + length.queries + 1, key + length.keys + 1) }
            return gk_sequence(
                query_start: Int64(query), query_count: Int64(length.queries), key_start: Int64(key),
                key_count: Int64(length.keys), query_position: Int64(length.keys - length.queries - laterKeys),
                identity: Int64(3 + 2 * i))
        }
    }
    var queryRows: Int { lengths.reduce(2) { $0 + $1.queries + 1 } }
    var keyRows: Int { lengths.reduce(2) { $0 + $1.keys + 1 } }

    /// Rows of sequence `i` alone, so that its result can be compared with that in the batch.
    func alone(_ i: Int, _ inputs: AttentionInputs) -> (AttentionCase, AttentionInputs, gk_sequence) {
        var single = self
        single.lengths = [lengths[i]]
        let place = sequences[i]
        func cut(_ matrix: Matrix, _ start: Int64, _ count: Int) -> Matrix {
            Matrix(count + 3, matrix.columns) { row, j in
                (2..<count + 2).contains(row) ? matrix[Int(start) + row - 2, j] : .nan
            }
        }
        let inputs = AttentionInputs(
            q: cut(inputs.q, place.query_start, lengths[i].queries), k: cut(inputs.k, place.key_start, lengths[i].keys),
            v: cut(inputs.v, place.key_start, lengths[i].keys),
            dout: cut(inputs.dout, place.query_start, lengths[i].queries), identities: [place.identity])
        return (single, inputs, place)
    }

    /// Calls `body` with the C settings.
    func withSettings<Result>(
        identities: [Int64]? = nil, _ body: (UnsafePointer<gk_attention>) -> Result
    ) -> Result {
        var sequences = self.sequences
        for (i, identity) in (identities ?? []).enumerated() { sequences[i].identity = identity }
        return sequences.withUnsafeBufferPointer { sequences in
            var settings = gk_attention()
            settings.sequence_count = Int64(sequences.count)
            settings.sequences = sequences.baseAddress
            settings.head_count = Int32(heads)
            settings.key_value_head_count = Int32(keyValueHeads)
            settings.head_width = Int32(width)
            settings.precision = precision
            settings.scale = scale
            settings.soft_cap = softCap
            settings.causal = causal
            settings.window = Int64(window)
            settings.dropout = dropout(probability)
            return bias.withUnsafeBufferPointer { bias in
                settings.bias = biasReach == nil ? nil : bias.baseAddress
                settings.bias_reach = Int64(biasReach ?? 0)
                return body(&settings)
            }
        }
    }
}

struct AttentionInputs {
    var q, k, v, dout: Matrix
    var identities: [Int64]?

    init(q: Matrix, k: Matrix, v: Matrix, dout: Matrix, identities: [Int64]? = nil) {
        (self.q, self.k, self.v, self.dout, self.identities) = (q, k, v, dout, identities)
    }

    init(_ shape: AttentionCase, seed: UInt64 = 1) {
        q = .random(shape.queryRows, shape.heads * shape.width, gap: 3, seed: seed)
        k = .random(shape.keyRows, shape.keyValueHeads * shape.width, gap: 1, seed: seed + 1)
        v = .random(shape.keyRows, shape.keyValueHeads * shape.width, gap: 2, seed: seed + 2)
        dout = .random(shape.queryRows, shape.heads * shape.width, seed: seed + 3)
    }
}

/// What the kernels give. Rows outside of the sequences stay NaN.
struct AttentionResult {
    var out, logSum, dq, dk, dv: Matrix

    init(_ shape: AttentionCase, _ inputs: AttentionInputs, threads: Int = 1) {
        out = Matrix(shape.queryRows, shape.heads * shape.width, gap: 5)
        logSum = Matrix(shape.queryRows, shape.heads)
        dq = Matrix(shape.queryRows, shape.heads * shape.width, gap: 1)
        dk = Matrix(shape.keyRows, shape.keyValueHeads * shape.width, gap: 2)
        dv = Matrix(shape.keyRows, shape.keyValueHeads * shape.width, gap: 4)
        let team = Team(threads)
        shape.withSettings(identities: inputs.identities) { settings in
            team.run {
                gk_attention_forward(
                    $0, settings, inputs.q.storage, Int64(inputs.q.stride), inputs.k.storage, Int64(inputs.k.stride),
                    inputs.v.storage, Int64(inputs.v.stride), &out.storage, Int64(out.stride), &logSum.storage)
            }
            team.run {
                gk_attention_backward(
                    $0, settings, inputs.q.storage, Int64(inputs.q.stride), inputs.k.storage, Int64(inputs.k.stride),
                    inputs.v.storage, Int64(inputs.v.stride), out.storage, Int64(out.stride), logSum.storage,
                    inputs.dout.storage, Int64(inputs.dout.stride), &dq.storage, Int64(dq.stride), &dk.storage,
                    Int64(dk.stride), &dv.storage, Int64(dv.stride))
            }
        }
    }

    var all: [(name: String, matrix: Matrix)] {
        [("out", out), ("dq", dq), ("dk", dk), ("dv", dv)]
    }
}

/// Attention in double, straight from the formula: a [length, length] matrix for each head.
struct AttentionReference {
    private(set) var out, dq, dk, dv: [[Double]]

    init(_ shape: AttentionCase, _ inputs: AttentionInputs) {
        let queryRow = [Double](repeating: .nan, count: shape.heads * shape.width)
        let keyRow = [Double](repeating: .nan, count: shape.keyValueHeads * shape.width)
        (out, dq) = (
            Array(repeating: queryRow, count: shape.queryRows), Array(repeating: queryRow, count: shape.queryRows)
        )
        (dk, dv) = (Array(repeating: keyRow, count: shape.keyRows), Array(repeating: keyRow, count: shape.keyRows))
        for sequence in shape.sequences {
            for row in 0..<Int(sequence.query_count) {
                out[Int(sequence.query_start) + row] = queryRow.map { _ in 0 }
                dq[Int(sequence.query_start) + row] = queryRow.map { _ in 0 }
            }
            for row in 0..<Int(sequence.key_count) {
                dk[Int(sequence.key_start) + row] = keyRow.map { _ in 0 }
                dv[Int(sequence.key_start) + row] = keyRow.map { _ in 0 }
            }
            for head in 0..<shape.heads {
                for query in 0..<Int(sequence.query_count) { addRow(shape, inputs, sequence, head, query) }
            }
        }
    }

    /// The probabilities of one query, what dropout multiplies each by, and the slope of its cap.
    static func probabilities(
        _ shape: AttentionCase, _ inputs: AttentionInputs, _ sequence: gk_sequence, _ head: Int, _ query: Int
    ) -> [(p: Double, kept: Double, slope: Double)] {
        let (width, group) = (shape.width, head / (shape.heads / shape.keyValueHeads))
        let (row, keys) = (Int(sequence.query_start) + query, Int(sequence.key_count))
        let place = Int(sequence.query_position) + query
        let seen = shape.causal ? place + 1 : shape.window > 0 ? place + shape.window : keys
        let visible = min(keys, max(0, seen))
        let hidden = shape.window > 0 ? max(0, place + 1 - shape.window) : 0
        let bias = shape.bias
        let scores = (0..<visible).map { j -> Double in
            guard j >= hidden else { return -.infinity }
            var dot = 0.0
            for c in 0..<width {
                dot +=
                    Double(inputs.q[row, head * width + c])
                    * Double(inputs.k[Int(sequence.key_start) + j, group * width + c])
            }
            var score = dot * Double(shape.scale)
            if shape.softCap > 0 { score = Double(shape.softCap) * tanh(score / Double(shape.softCap)) }
            guard let reach = shape.biasReach else { return score }
            let distance = min(reach, max(-reach, j - place))
            return score + Double(bias[head * (2 * reach + 1) + distance + reach])
        }
        let largest = scores.max() ?? 0
        let sum = scores.reduce(0) { $0 + exp($1 - largest) }
        let threshold = UInt32((shape.probability * 65536).rounded())
        return scores.enumerated().map { j, score in
            let counter = [UInt32(j / 8), UInt32(query), UInt32(head) | UInt32(sequence.identity) << 16, 7]
            let keeps = threshold == 0 || philoxHalf(dropout(0).key, counter, j % 8) >= threshold
            let share = shape.softCap > 0 && j >= hidden ? score / Double(shape.softCap) : 0
            return (exp(score - largest) / sum, keeps ? 65536 / Double(65536 - threshold) : 0, 1 - share * share)
        }
    }

    private mutating func addRow(
        _ shape: AttentionCase, _ inputs: AttentionInputs, _ sequence: gk_sequence, _ head: Int, _ query: Int
    ) {
        let (width, group) = (shape.width, head / (shape.heads / shape.keyValueHeads))
        let (row, firstKey) = (Int(sequence.query_start) + query, Int(sequence.key_start))
        let weights = Self.probabilities(shape, inputs, sequence, head, query)
        var gradients = [Double](repeating: 0, count: weights.count)
        for (j, weight) in weights.enumerated() where weight.kept > 0 {
            for c in 0..<width {
                let value = Double(inputs.v[firstKey + j, group * width + c])
                let gradient = Double(inputs.dout[row, head * width + c])
                out[row][head * width + c] += weight.p * weight.kept * value
                dv[firstKey + j][group * width + c] += weight.p * weight.kept * gradient
                gradients[j] += weight.kept * gradient * value
            }
        }
        let mean = zip(weights, gradients).reduce(0) { $0 + $1.0.p * $1.1 }
        for (j, weight) in weights.enumerated() {
            let ds = weight.p * (gradients[j] - mean) * weight.slope * Double(shape.scale)
            for c in 0..<width {
                dq[row][head * width + c] += ds * Double(inputs.k[firstKey + j, group * width + c])
                dk[firstKey + j][group * width + c] += ds * Double(inputs.q[row, head * width + c])
            }
        }
    }

    var all: [[[Double]]] { [out, dq, dk, dv] }
}
