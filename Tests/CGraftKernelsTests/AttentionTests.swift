import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Attention {
        /// Lengths of nothing, one, around a vector, a tile and a key block; every kind of head and
        /// mask.
        static let cases: [AttentionCase] = [
            AttentionCase(lengths: [(1, 1), (0, 5), (5, 0), (2, 3)], heads: 1, keyValueHeads: 1, width: 1),
            AttentionCase(lengths: [(15, 16), (17, 15), (31, 33)], width: 32),
            AttentionCase(lengths: [(13, 14), (29, 65)], width: 64, causal: true),
            AttentionCase(lengths: [(33, 33), (7, 40)], heads: 4, keyValueHeads: 2, width: 80, causal: true),
            AttentionCase(lengths: [(57, 47)], heads: 6, keyValueHeads: 2, width: 33, probability: 0.1),
            AttentionCase(lengths: [(3, 263), (1, 300)], heads: 3, keyValueHeads: 1, width: 128, probability: 0.3),
            AttentionCase(lengths: [(40, 17)], heads: 1, keyValueHeads: 1, width: 64, causal: true, probability: 0.2),
            AttentionCase(lengths: [(5, 270)], heads: 1, keyValueHeads: 1, width: 256),
            AttentionCase(lengths: [(259, 530)], heads: 1, keyValueHeads: 1, width: 16, causal: true, probability: 0.1),
            AttentionCase(lengths: [(1, 9), (3, 290)], width: 32, causal: true, laterKeys: 8, probability: 0.1),
            AttentionCase(lengths: [(1, 600)], width: 16, causal: true, laterKeys: 599),
            AttentionCase(lengths: [(33, 33), (2, 9)], heads: 4, keyValueHeads: 2, width: 8, causal: true, window: 7),
            AttentionCase(
                lengths: [(259, 530), (1, 600)], heads: 1, keyValueHeads: 1, width: 16, causal: true, window: 20,
                probability: 0.1),
            AttentionCase(lengths: [(300, 300), (1, 290)], width: 16, causal: true, window: 1),
            AttentionCase(lengths: [(300, 300)], width: 16, causal: true, window: 270),
            AttentionCase(lengths: [(33, 33), (2, 9), (1, 40)], heads: 4, keyValueHeads: 2, width: 8, window: 7),
            AttentionCase(
                lengths: [(290, 290), (1, 300)], heads: 1, keyValueHeads: 1, width: 16, window: 20, probability: 0.1),
            AttentionCase(
                lengths: [(33, 33), (2, 9)], heads: 4, keyValueHeads: 2, width: 8, biasReach: 5, probability: 0.1),
            AttentionCase(lengths: [(270, 290), (1, 300)], width: 16, causal: true, biasReach: 40),
            AttentionCase(lengths: [(270, 270)], heads: 1, keyValueHeads: 1, width: 16, window: 30, biasReach: 128),
            AttentionCase(lengths: [(31, 33), (1, 300)], heads: 4, keyValueHeads: 2, width: 24, softCap: 0.75),
            AttentionCase(lengths: [(259, 530)], width: 16, causal: true, window: 20, softCap: 2, probability: 0.1),
        ]

        static func expectRight(
            _ shape: AttentionCase, _ reference: AttentionReference, _ result: AttentionResult,
            within tolerance: Double,
            _ comment: String
        ) {
            for ((name, matrix), expected) in zip(result.all, reference.all) {
                let rows = expected.indices.filter { !(expected[$0].first?.isNaN ?? true) }
                expectClose(
                    rows.flatMap { row in (0..<matrix.columns).map { matrix[row, $0] } }, rows.flatMap { expected[$0] },
                    within: tolerance, "\(comment), \(name): \(shape)")
                let others = Set(expected.indices).subtracting(rows)
                #expect(
                    others.allSatisfy { row in (0..<matrix.columns).allSatisfy { matrix[row, $0].isNaN } }
                        && matrix.gapsAreIntact, "\(comment), \(name) outside of the sequences: \(shape)")
            }
        }

        @Test("Forward and backward are right for all lengths, widths, grouped heads, masks and dropout")
        func float32() {
            for shape in Self.cases {
                let inputs = AttentionInputs(shape)
                let reference = AttentionReference(shape, inputs)
                onEveryPath { path in
                    for threads in [1, 3] {
                        Self.expectRight(
                            shape, reference, AttentionResult(shape, inputs, threads: threads), within: 4e-6,
                            "\(path), \(threads) threads")
                    }
                }
            }
        }

        @Test("Scores far above a row's first are right, in one key block and over several")
        func spreadScores() {
            for (length, factor) in [(200, Float(60)), (530, 60), (530, 900), (530, 9000)] {
                let shape = AttentionCase(
                    lengths: [(length, length)], heads: 2, keyValueHeads: 1, width: 8, causal: true)
                var inputs = AttentionInputs(shape)
                for row in 0..<inputs.q.rows {
                    for column in 0..<inputs.q.columns { inputs.q[row, column] *= factor }
                }
                let reference = AttentionReference(shape, inputs)
                onEveryPath { path in
                    let out = AttentionResult(shape, inputs).out
                    var worst = 0.0
                    for (row, expected) in reference.out.enumerated() where expected.allSatisfy(\.isFinite) {
                        for (column, value) in expected.enumerated() {
                            let error = abs(Double(out[row, column]) - value)
                            worst = error.isFinite ? max(worst, error) : .infinity
                        }
                    }
                    // A score of a few thousand has a rounding error of about a thousandth.
                    #expect(worst < 2e-6 * Double(factor) + 1e-5, "\(path), \(length) keys, factor \(factor): \(worst)")
                }
            }
        }

        @Test("With bfloat16 operands, results are as close as eight bits of precision allow")
        func bfloat16() {
            for var shape in Self.cases {
                let inputs = AttentionInputs(shape)
                let reference = AttentionReference(shape, inputs)
                shape.precision = Types.bfloat16
                onEveryPath { path in
                    Self.expectRight(shape, reference, AttentionResult(shape, inputs), within: 2e-2, path)
                }
            }
        }

        @Test("The reference's gradients are central differences of its output")
        func referenceGradient() {
            let shape = AttentionCase(
                lengths: [(5, 7)], heads: 2, keyValueHeads: 1, width: 6, causal: true, softCap: 1.5, probability: 0.2)
            let inputs = AttentionInputs(shape)
            let reference = AttentionReference(shape, inputs)
            /// Σ out ∘ dout after one element of q, k or v is moved.
            func moved(_ path: WritableKeyPath<AttentionInputs, Matrix>, _ i: Int, _ j: Int) -> Double {
                func value(_ step: Float) -> (Double, Double) {
                    var changed = inputs
                    changed[keyPath: path][i, j] += step
                    let out = AttentionReference(shape, changed).out
                    var sum = 0.0
                    for row in 2..<7 { for c in 0..<12 { sum += out[row][c] * Double(inputs.dout[row, c]) } }
                    return (sum, Double(changed[keyPath: path][i, j]))
                }
                let (high, low) = (value(0x1p-10), value(-0x1p-10))
                return (high.0 - low.0) / (high.1 - low.1)
            }
            for (i, j) in [(2, 0), (4, 7), (6, 11), (5, 3)] {
                #expect((moved(\.q, i, j) - reference.dq[i][j]).magnitude < 1e-5)
            }
            for (i, j) in [(2, 0), (4, 5), (8, 1), (5, 3)] {
                #expect((moved(\.k, i, j) - reference.dk[i][j]).magnitude < 1e-5)
                #expect((moved(\.v, i, j) - reference.dv[i][j]).magnitude < 1e-5)
            }
        }

        @Test("Bits are the same on any number of threads, and for a sequence alone")
        func bits() {
            for precision in Types.packed {
                for var shape in Self.cases + [AttentionCase(lengths: [(300, 300)], heads: 1, keyValueHeads: 1)] {
                    shape.precision = precision
                    let inputs = AttentionInputs(shape)
                    onEveryPath { path in
                        let result = AttentionResult(shape, inputs)
                        for threads in [2, 3, 8] {
                            let other = AttentionResult(shape, inputs, threads: threads)
                            for (a, b) in zip(result.all, other.all) {
                                #expect(
                                    a.matrix.storage.map(\.bitPattern) == b.matrix.storage.map(\.bitPattern),
                                    "\(path), \(threads) threads, \(a.name): \(shape)")
                            }
                        }
                        for i in shape.lengths.indices where shape.lengths.count > 1 {
                            let (single, cut, place) = shape.alone(i, inputs)
                            let alone = AttentionResult(single, cut)
                            for (a, b) in zip(result.all, alone.all) {
                                let isQuery = a.name == "out" || a.name == "dq"
                                let (start, count) =
                                    isQuery
                                    ? (Int(place.query_start), Int(place.query_count))
                                    : (Int(place.key_start), Int(place.key_count))
                                #expect(
                                    (0..<count).allSatisfy {
                                        a.matrix.row(start + $0).hasSameBits(as: b.matrix.row(2 + $0))
                                    },
                                    "\(path), sequence \(i) alone, \(a.name): \(shape)")
                            }
                        }
                    }
                }
            }
        }

        @Test("A query has the same bits with all the queries before it and alone with a cache of keys")
        func oneQuery() {
            var batch = AttentionCase(lengths: [(41, 300)], heads: 4, keyValueHeads: 2, width: 64, causal: true)
            for precision in Types.packed {
                batch.precision = precision
                var last = batch
                last.lengths = [(1, 300)]
                let inputs = AttentionInputs(batch)
                var single = inputs
                single.q = Matrix(4, 256) { i, j in i == 2 ? inputs.q[42, j] : .nan }
                single.dout = Matrix(4, 256) { i, j in i == 2 ? inputs.dout[42, j] : .nan }
                onEveryPath { path in
                    let (many, one) = (AttentionResult(batch, inputs), AttentionResult(last, single))
                    #expect(many.out.row(42).hasSameBits(as: one.out.row(2)), "\(path), precision \(precision)")
                }
            }
        }

        @Test("Large scores neither overflow nor lose the largest; NaN reaches only its own rows")
        func extremes() {
            let shape = AttentionCase(lengths: [(3, 40)], heads: 1, keyValueHeads: 1, width: 16)
            var inputs = AttentionInputs(shape)
            for j in 0..<16 {
                inputs.q[2, j] = 1e4
                inputs.k[25, j] = 1e4
                inputs.q[3, j] = .nan
            }
            onEveryPath { path in
                let result = AttentionResult(shape, inputs)
                #expect((0..<16).allSatisfy { result.out[2, $0] == inputs.v[25, $0] }, "\(path)")
                #expect((0..<16).allSatisfy { result.out[3, $0].isNaN }, "\(path)")
                #expect((0..<16).allSatisfy { result.out[4, $0].isFinite }, "\(path)")
            }
        }

        @Test("No sequences do nothing, and the sums of the softmax may be left out")
        func nothing() {
            let shape = AttentionCase(lengths: [(9, 20)])
            let inputs = AttentionInputs(shape)
            onEveryPath { path in
                let expected = AttentionResult(shape, inputs)
                var out = Matrix(shape.queryRows, 64, gap: 5)
                func forward(_ shape: AttentionCase) {
                    shape.withSettings { settings in
                        Team().run {
                            gk_attention_forward(
                                $0, settings, inputs.q.storage, Int64(inputs.q.stride), inputs.k.storage,
                                Int64(inputs.k.stride), inputs.v.storage, Int64(inputs.v.stride), &out.storage,
                                Int64(out.stride), nil)
                        }
                    }
                }
                forward(AttentionCase(lengths: []))
                #expect(out.isUntouched, "\(path)")
                forward(shape)
                #expect(
                    out.storage.map(\.bitPattern) == expected.out.storage.map(\.bitPattern), "\(path)")
            }
        }
    }
}
