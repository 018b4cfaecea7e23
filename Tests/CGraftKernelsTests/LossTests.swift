import CGraftKernels
import Glibc
import Testing

extension Kernels {
    @Suite struct Loss {
        struct Result: Equatable {
            var loss, weight: Double
            var gradient: [Float]
        }

        static func crossEntropy(
            _ logits: Matrix, _ labels: [Int32], weights: [Float]? = nil, smoothing: Float = 0, scale: Float = 1,
            threads: Int = 1
        ) -> Result {
            var result = Result(loss: 0.125, weight: 0.5, gradient: [])
            var gradient = logits
            Team(threads).run { team in
                weights.withPointer { weights in
                    gk_cross_entropy(
                        team, Int64(logits.rows), Int64(logits.columns), logits.storage, Int64(logits.stride), labels,
                        weights, smoothing, scale, &gradient.storage, Int64(gradient.stride), &result.loss,
                        &result.weight)
                }
            }
            result.gradient = gradient.compact
            return result
        }

        /// w[label] (1 - ε) (-log p[label]) + ε / classes · Σ w[c] (-log p[c]).
        static func rowLoss(_ z: [Double], _ label: Int, _ weights: [Float]?, _ smoothing: Double) -> Double {
            let largest = z.max() ?? 0
            let logSum = largest + log(z.reduce(0) { $0 + exp($1 - largest) })
            let weight = { (c: Int) in weights.map { Double($0[c]) } ?? 1 }
            let smooth = z.indices.reduce(0) { $0 + weight($1) * (logSum - z[$1]) } / Double(z.count)
            return weight(label) * (1 - smoothing) * (logSum - z[label]) + smoothing * smooth
        }

        @Test("A span's loss is half of the cross-entropies of both its places over its row's tokens")
        func spans() {
            let lengths = [1, 5, 3, 40, 2]
            let spans: [Int32] = [0, 0, 1, 3, 3, -1, 7, 39, 2, 1]
            let starts = lengths.reduce(into: [Int64(4)]) { $0.append(($0.last ?? 0) + Int64($1)) }
            let logits = Matrix.random(lengths.reduce(0, +), 2, gap: 3, seed: 5)
            func run(threads: Int) -> Result {
                var result = Result(loss: 0.125, weight: 0.5, gradient: [])
                var gradient = logits
                Team(threads).run { team in
                    gk_span_loss(
                        team, Int64(lengths.count), starts, logits.storage, Int64(logits.stride), spans, 0.5,
                        &gradient.storage, Int64(gradient.stride), &result.loss, &result.weight)
                }
                result.gradient = gradient.compact
                return result
            }
            var (loss, weight, gradient) = (0.125, 0.5, [Double](repeating: 0, count: 2 * logits.rows))
            for (row, length) in lengths.enumerated() {
                let first = Int(starts[row] - starts[0])
                for side in 0..<2 where (0..<length).contains(Int(spans[2 * row + side])) {
                    let z = (0..<length).map { Double(logits[first + $0, side]) }
                    let sum = z.reduce(0) { $0 + exp($1) }
                    let place = Int(spans[2 * row + side])
                    loss += 0.5 * (log(sum) - z[place])
                    weight += 0.5
                    for token in z.indices {
                        let slope = exp(z[token]) / sum - (token == place ? 1 : 0)
                        gradient[2 * (first + token) + side] = 0.25 * slope
                    }
                }
            }
            let found = run(threads: 1)
            #expect(abs(found.loss - loss) < 1e-9 && found.weight == weight)
            for (own, expected) in zip(found.gradient, gradient) { #expect(abs(Double(own) - expected) < 1e-6) }
            #expect(run(threads: 3) == found)
        }

        @Test("Loss, weight and gradient follow torch's formula, with class weights and label smoothing")
        func formula() {
            let smoothings: [Float] = [0, 0.1, 1]
            for (m, classes) in [(0, 3), (1, 1), (5, 2), (7, 15), (3, 16), (4, 17), (2, 97), (1, 3001)] {
                let logits = Matrix.random(m, classes, gap: 4, seed: 1)
                let labels = (0..<m).map { $0 % 5 == 3 ? Int32(-100) : Int32($0 * 31 % classes) }
                for weights in [nil, randomFloats(classes, seed: 2).map { $0 + 1.5 }] {
                    for smoothing in smoothings {
                        var (loss, weight, gradient) = (0.125, 0.5, [Double]())
                        for i in 0..<m {
                            let z = (0..<classes).map { Double(logits[i, $0]) }
                            guard labels[i] >= 0 else {
                                gradient += z.map { _ in 0 }
                                continue
                            }
                            let label = Int(labels[i])
                            loss += Self.rowLoss(z, label, weights, Double(smoothing))
                            weight += weights.map { Double($0[label]) } ?? 1
                            gradient += z.indices.map { c in
                                guard classes < 1000 || c % 500 == 0 || c == label else { return .nan }
                                return 0.5
                                    * slope(at: z[c]) { value in
                                        var moved = z
                                        moved[c] = value
                                        return Self.rowLoss(moved, label, weights, Double(smoothing))
                                    }
                            }
                        }
                        onEveryPath { path in
                            let comment =
                                "\(path), \(m) x \(classes), smoothing \(smoothing), weights \(weights != nil)"
                            let result = Self.crossEntropy(
                                logits, labels, weights: weights, smoothing: smoothing, scale: 0.5)
                            #expect((result.loss - loss).magnitude <= 1e-6 * max(1, loss), "\(comment): \(result.loss)")
                            #expect((result.weight - weight).magnitude < 1e-9, "\(comment)")
                            let checked = gradient.indices.filter { !gradient[$0].isNaN }
                            expectClose(
                                checked.map { result.gradient[$0] }, checked.map { gradient[$0] }, within: 1e-6, comment
                            )
                        }
                    }
                }
            }
        }

        @Test("The loss is the same without a gradient, and the gradient may replace the logits")
        func inPlace() {
            let logits = Matrix.random(9, 33, seed: 3)
            let labels = (0..<9).map { Int32($0) }
            onEveryPath { path in
                let expected = Self.crossEntropy(logits, labels, smoothing: 0.1)
                var (loss, weight) = (0.125, 0.5)
                Team().run {
                    gk_cross_entropy($0, 9, 33, logits.storage, 33, labels, nil, 0.1, 1, nil, 0, &loss, &weight)
                }
                #expect(loss == expected.loss && weight == expected.weight, "\(path)")
                var both = logits.storage
                both.withUnsafeMutableBufferPointer { both in
                    Team().run { team in
                        gk_cross_entropy(
                            team, 9, 33, both.baseAddress, 33, labels, nil, 0.1, 1, both.baseAddress, 33, &loss, &weight
                        )
                    }
                }
                #expect(both == expected.gradient, "\(path)")
            }
        }

        @Test("Huge logits neither overflow nor lose the loss; NaN makes it NaN")
        func extremes() {
            onEveryPath { path in
                let huge = Matrix(1, 3) { _, j in [3e38, -3e38, 3e38][j] }
                #expect((Self.crossEntropy(huge, [0]).loss - 0.125 - log(2)).magnitude < 1e-6, "\(path)")
                let far = Matrix(1, 2) { _, j in [0, -1000][j] }
                #expect(Self.crossEntropy(far, [1]).loss == 1000.125, "\(path)")
                let masked = Matrix(1, 2) { _, j in [1, -.infinity][j] }
                #expect(
                    Self.crossEntropy(masked, [0]) == Result(loss: 0.125, weight: 1.5, gradient: [0, 0]), "\(path)")
                let broken = Matrix(1, 20) { _, j in j == 3 ? .nan : 0 }
                #expect(Self.crossEntropy(broken, [0]).loss.isNaN, "\(path)")
            }
        }

        static func meanLoss(
            _ kind: Int32, _ x: Matrix, _ targets: [Float], scale: Float = 1, threads: Int = 1
        ) -> Result {
            var result = Result(loss: 0.125, weight: 0, gradient: [])
            var gradient = x
            Team(threads).run { team in
                gk_mean_loss(
                    team, kind, Int64(x.rows), Int64(x.columns), x.storage, Int64(x.stride), targets, scale,
                    &gradient.storage, Int64(gradient.stride), &result.loss)
            }
            result.gradient = gradient.compact
            return result
        }

        @Test("Losses of numbers with targets, and their gradients, follow torch's formulas", arguments: [0, 1])
        func targets(kind: Int32) {
            let value = { (x: Double, t: Double) in
                kind == 1
                    ? (x - t) * (x - t) : t * log(1 + exp(-x)) + (1 - t) * log(1 + exp(x))
            }
            for (m, n) in [(0, 3), (1, 1), (5, 2), (7, 15), (2, 97)] {
                let x = Matrix.random(m, n, gap: 4, seed: 6)
                let targets = randomFloats(m * n, seed: 7).map { kind == 1 ? $0 : $0 > 0 ? 1 : 0.25 }
                var (loss, gradient) = (0.125, [Double]())
                for i in 0..<m {
                    for j in 0..<n {
                        let t = Double(targets[i * n + j])
                        loss += value(Double(x[i, j]), t) / Double(n)
                        gradient.append(0.5 * slope(at: Double(x[i, j])) { value($0, t) } / Double(n))
                    }
                }
                let result = Self.meanLoss(kind, x, targets, scale: 0.5)
                #expect((result.loss - loss).magnitude <= 1e-9 * max(1, loss), "\(m) x \(n): \(result.loss)")
                expectClose(result.gradient, gradient, within: 1e-6, "\(m) x \(n)")
                #expect(Self.meanLoss(kind, x, targets, scale: 0.5, threads: 8) == result)
            }
        }

        @Test("Huge numbers neither overflow nor lose a logistic loss; NaN makes it NaN")
        func logisticExtremes() {
            let far = Matrix(1, 2) { _, j in [-1000, 3e38][j] }
            let result = Self.meanLoss(0, far, [1, 1])
            #expect(result.loss == 500.125 && result.gradient == [-0.5, 0])
            #expect(Self.meanLoss(0, Matrix(1, 1) { _, _ in .nan }, [1]).loss.isNaN)
            #expect(Self.meanLoss(1, Matrix(1, 1) { _, _ in .infinity }, [1]).loss == .infinity)
        }

        @Test("Sums run in the order of the rows, to the same bits on any number of threads")
        func threads() {
            let logits = Matrix.random(331, 101, gap: 1, seed: 4)
            let labels = (0..<331).map { Int32($0 % 102 - 1) }
            let weights = randomFloats(101, seed: 5).map { $0 + 2 }
            onEveryPath { path in
                let alone = Self.crossEntropy(logits, labels, weights: weights, smoothing: 0.05)
                for threads in [2, 3, 8] {
                    let together = Self.crossEntropy(
                        logits, labels, weights: weights, smoothing: 0.05, threads: threads)
                    #expect(together == alone, "\(path), \(threads) threads")
                }
            }
        }
    }
}
