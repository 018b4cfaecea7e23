import CGraftKernels
import Glibc
import Testing

extension Kernels {
    /// Held against all labellings of small chains, one by one.
    @Suite struct Chain {
        /// The numbers of a chain, and of rows with tokens that are no part of it.
        struct Case {
            let k: Int
            let lengths: [Int]
            var labels: [Int32]
            var logits: Matrix
            var transitions, starts, ends: [Float]

            init(_ k: Int, _ lengths: [Int], factor: Float = 2, seed: UInt64) {
                let tokens = lengths.reduce(0, +)
                (self.k, self.lengths) = (k, lengths)
                labels = (0..<tokens).map { $0 % 4 == 2 ? -100 : Int32(($0 * 7 + 3) % k) }
                let random = Matrix.random(tokens, k, gap: 2, seed: seed)
                // Steps of differences are added to such numbers without a rounding.
                func number(_ x: Float) -> Float { (factor * x * 1024).rounded() / 1024 }
                logits = Matrix(tokens, k, gap: 2) { number(random[$0, $1]) }
                transitions = randomFloats(k * k, seed: seed + 1).map(number)
                starts = randomFloats(k, seed: seed + 2).map(number)
                ends = randomFloats(k, seed: seed + 3).map(number)
            }

            /// First tokens, which need not be counted from 0, and the end.
            var offsets: [Int64] { lengths.reduce(into: [Int64(5)]) { $0.append(($0.last ?? 0) + Int64($1)) } }

            func places(_ row: Int) -> [Int] {
                let first = Int(offsets[row] - offsets[0])
                return (first..<first + lengths[row]).filter { labels[$0] >= 0 }
            }

            func score(_ path: [Int], _ places: [Int]) -> Double {
                guard let first = path.first, let last = path.last else { return 0 }
                var score = Double(starts[first]) + Double(ends[last])
                for (t, label) in path.enumerated() {
                    score += Double(logits[places[t], label])
                    if t > 0 { score += Double(transitions[path[t - 1] * k + label]) }
                }
                return score
            }

            /// All labellings of so many places, the last label running slowest.
            func paths(_ count: Int) -> [[Int]] {
                (0..<count).reduce([[]]) { paths, _ in (0..<k).flatMap { label in paths.map { $0 + [label] } } }
            }

            func total(_ places: [Int]) -> Double {
                log(paths(places.count).reduce(0) { $0 + exp(score($1, places)) })
            }

            /// The sum of the rows' losses.
            var loss: Double {
                lengths.indices.reduce(0) { sum, row in
                    let places = places(row)
                    return places.isEmpty
                        ? sum : sum + total(places) - score(places.map { Int(labels[$0]) }, places)
                }
            }
        }

        struct Result: Equatable {
            let loss, weight: Double
            let logits, transitions, starts, ends: [Float]
        }

        private func run(_ chain: Case, threads: Int = 1, scale: Float = 1) -> Result {
            let k = chain.k
            var (loss, weight, logits) = (0.125, 0.5, chain.logits)
            var transitions = [Float](repeating: 0.25, count: k * k)
            var starts = [Float](repeating: 0.25, count: k)
            var ends = starts
            var work = [Double](repeating: .nan, count: 2 * (logits.rows * k + chain.lengths.count))
            Team(threads).run { team in
                with(chain) { numbers in
                    transitions.withUnsafeMutableBufferPointer { transitions in
                        starts.withUnsafeMutableBufferPointer { starts in
                            ends.withUnsafeMutableBufferPointer { ends in
                                var gradients = gk_chain_gradients(
                                    transitions: transitions.baseAddress, starts: starts.baseAddress,
                                    ends: ends.baseAddress)
                                gk_chain_loss(
                                    team, numbers, Int64(chain.lengths.count), chain.offsets, chain.logits.storage,
                                    Int64(logits.stride), chain.labels, scale, &work, &logits.storage,
                                    Int64(logits.stride), &gradients, &loss, &weight)
                            }
                        }
                    }
                }
            }
            #expect(logits.gapsAreIntact)
            return Result(
                loss: loss, weight: weight, logits: logits.compact, transitions: transitions, starts: starts, ends: ends
            )
        }

        private func with<Result>(_ chain: Case, _ body: (UnsafePointer<gk_chain>) -> Result) -> Result {
            chain.transitions.withUnsafeBufferPointer { transitions in
                chain.starts.withUnsafeBufferPointer { starts in
                    chain.ends.withUnsafeBufferPointer { ends in
                        var numbers = gk_chain(
                            classes: Int64(chain.k), transitions: transitions.baseAddress,
                            starts: starts.baseAddress, ends: ends.baseAddress)
                        return body(&numbers)
                    }
                }
            }
        }

        private func decode(_ chain: Case, row: Int) -> (best: [Int32], marginals: Matrix) {
            let (first, n) = (Int(chain.offsets[row] - chain.offsets[0]), chain.lengths[row])
            var marginals = Matrix(n, chain.k, gap: 2) { chain.logits[first + $0, $1] }
            let logits = marginals
            var best = [Int32](repeating: 77, count: n)
            var work = [Double](repeating: .nan, count: 2 * n * chain.k)
            with(chain) { numbers in
                gk_chain_decode(
                    numbers, Int64(n), logits.storage, Int64(logits.stride), Array(chain.labels[first..<first + n]),
                    &work, &best, &marginals.storage, Int64(marginals.stride))
            }
            return (best, marginals)
        }

        static let cases = [
            Case(2, [1], seed: 1), Case(3, [4, 1, 5], seed: 2), Case(4, [6, 3, 2], seed: 3), Case(5, [3, 3], seed: 4),
            Case(3, [5, 2], factor: 30, seed: 5),
        ]

        @Test("The loss is that of all labellings, and gradients are its central differences", arguments: cases)
        func loss(chain: Case) {
            let found = run(chain, scale: 0.5)
            let places = chain.labels.count { $0 >= 0 }
            #expect(abs(found.loss - 0.125 - chain.loss) < 1e-9 * max(1, chain.loss), "\(found.loss)")
            #expect(found.weight == 0.5 + Double(places))
            func expect(_ gradients: [Float], less start: Float, _ change: (inout Case, Int, Float) -> Void) {
                for (index, gradient) in gradients.enumerated() {
                    var (less, more) = (chain, chain)
                    let step: Float = 1 / 512
                    change(&less, index, -step)
                    change(&more, index, step)
                    let difference = 0.5 * (more.loss - less.loss) / Double(2 * step)
                    #expect(abs(Double(gradient - start) - difference) < 2e-5, "\(index)")
                }
            }
            expect(found.transitions, less: 0.25) { $0.transitions[$1] += $2 }
            expect(found.starts, less: 0.25) { $0.starts[$1] += $2 }
            expect(found.ends, less: 0.25) { $0.ends[$1] += $2 }
            expect(found.logits, less: 0) { $0.logits[$1 / chain.k, $1 % chain.k] += $2 }
        }

        @Test("The labels are the best of all labellings, and probabilities are sums over them", arguments: cases)
        func decoding(chain: Case) {
            for row in chain.lengths.indices {
                let (places, first) = (chain.places(row), Int(chain.offsets[row] - chain.offsets[0]))
                let found = decode(chain, row: row)
                let paths = chain.paths(places.count)
                let best = paths.max { chain.score($0, places) < chain.score($1, places) } ?? []
                #expect(places.map { found.best[$0 - first] } == best.map(Int32.init))
                let total = chain.total(places)
                for place in 0..<chain.lengths[row] {
                    let t = places.firstIndex(of: first + place)
                    #expect((found.best[place] == -1) == (t == nil))
                    for label in 0..<chain.k {
                        guard let t else {
                            #expect(found.marginals[place, label] == chain.logits[first + place, label])
                            continue
                        }
                        let sum = paths.reduce(0) {
                            $1[t] == label ? $0 + exp(chain.score($1, places) - total) : $0
                        }
                        #expect(abs(Double(exp(found.marginals[place, label])) - sum) < 1e-6)
                    }
                }
            }
        }

        @Test("Without a chain's numbers each token is by itself: cross-entropy, and the largest logit")
        func alone() {
            var chain = Case(4, [7, 12, 3], seed: 9)
            chain.transitions = Array(repeating: 0, count: 16)
            (chain.starts, chain.ends) = (Array(repeating: 0, count: 4), Array(repeating: 0, count: 4))
            let expected = Loss.crossEntropy(chain.logits, chain.labels, scale: 1)
            let found = run(chain)
            #expect(abs(found.loss - expected.loss) < 1e-5 && found.weight == expected.weight)
            for (own, other) in zip(found.logits, expected.gradient) { #expect(abs(own - other) < 1e-6) }
            for row in chain.lengths.indices {
                let found = decode(chain, row: row).best
                for place in chain.places(row) {
                    let first = Int(chain.offsets[row] - chain.offsets[0])
                    let logits = (0..<4).map { chain.logits[place, $0] }
                    #expect(logits[Int(found[place - first])] == logits.max())
                }
            }
        }

        @Test("Equal labellings: the smallest labels; no place: no loss; large numbers: no overflow")
        func edges() {
            var chain = Case(3, [4, 2], factor: 0, seed: 1)
            #expect(decode(chain, row: 0).best == [0, 0, -1, 0])
            chain.labels = Array(repeating: -1, count: 6)
            let none = run(chain)
            #expect(none.loss == 0.125 && none.weight == 0.5 && none.logits.allSatisfy { $0 == 0 })
            #expect((none.transitions + none.starts + none.ends).allSatisfy { $0 == 0.25 })
            let large = run(Case(3, [4, 2], factor: 1e30, seed: 8))
            #expect(large.loss.isFinite && large.transitions.allSatisfy(\.isFinite))
        }

        @Test("Any number of threads gives the same bits, and rows the same beside others")
        func threads() {
            let chain = Case(9, Array(repeating: 37, count: 24) + [1, 2], seed: 6)
            let one = run(chain)
            for threads in [2, 3, 5] { #expect(run(chain, threads: threads) == one) }
            var alone = Case(9, [37], seed: 6)
            alone.labels = Array(chain.labels[0..<37])
            (alone.transitions, alone.starts, alone.ends) = (chain.transitions, chain.starts, chain.ends)
            for i in 0..<37 { for j in 0..<9 { alone.logits[i, j] = chain.logits[i, j] } }
            #expect(run(alone).logits == Array(one.logits[0..<37 * 9]))
        }
    }
}
