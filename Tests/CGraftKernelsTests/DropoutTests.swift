import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Dropout {
        static func apply(_ dropout: gk_dropout, _ x: [Float], threads: Int = 1) -> [Float] {
            var settings = dropout
            var y = x
            Team(threads).run { gk_apply_dropout($0, &settings, Int64(x.count), x, &y) }
            return y
        }

        @Test("Philox gives the words of its authors' known answers")
        func knownAnswers() {
            let answers: [(key: UInt64, counter: [UInt32], words: [UInt32])] = [
                (0, [0, 0, 0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
                (
                    .max, [.max, .max, .max, .max],
                    [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
                ),
                (
                    0x299f_31d0_a409_3822, [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                    [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
                ),
            ]
            for answer in answers {
                var words: [UInt32] = [0, 0, 0, 0]
                gk_philox(answer.key, answer.counter, &words)
                #expect(words == answer.words)
            }
        }

        @Test("Each element is kept or dropped as its counter says, wherever the call begins")
        func decisions() {
            for first: UInt64 in [0, 1, 7, 8, 13, 4_093, 0x7_ffff_ffff - 70, 0x1234_5678_9abc_def1] {
                for count in oddCounts {
                    let x = randomFloats(count, seed: 8)
                    let settings = dropout(0.3, first: first)
                    let expected = x.indices.map { i in
                        Double(x[i]) * keepFactor(settings, element: first &+ UInt64(i))
                    }
                    onEveryPath { path in
                        expectClose(
                            Self.apply(settings, x), expected, within: 1e-6, "\(path), first \(first), \(count)")
                    }
                }
            }
        }

        @Test("A call in two parts is the call in one, on any number of threads")
        func parts() {
            let x = randomFloats(50_003, seed: 9)
            onEveryPath { path in
                let whole = Self.apply(dropout(0.1, first: 5), x)
                let parts =
                    Self.apply(dropout(0.1, first: 5), Array(x[..<20_001]))
                    + Self.apply(dropout(0.1, first: 20_006), Array(x[20_001...]))
                #expect(whole == parts, "\(path)")
                for threads in [2, 3, 8] {
                    #expect(Self.apply(dropout(0.1, first: 5), x, threads: threads) == whole, "\(path)")
                }
            }
        }

        @Test("The share of kept elements is 1 - probability, and their mean keeps its size")
        func rate() {
            let ones = [Float](repeating: 1, count: 400_000)
            for probability: Float in [0.05, 0.1, 0.5, 0.9] {
                onEveryPath { path in
                    let y = Self.apply(dropout(probability), ones)
                    let kept = Double(y.count { $0 != 0 }) / 400_000
                    // Five standard deviations.
                    let spread = 5 * (Double(probability * (1 - probability)) / 400_000).squareRoot()
                    #expect((kept - Double(1 - probability)).magnitude < spread, "\(path), \(probability): \(kept)")
                    #expect((kept * Double(y.max() ?? 0) - 1).magnitude < 2 * spread / Double(1 - probability))
                }
            }
        }

        @Test("Sites, keys and elements decide independently of one another")
        func independence() {
            let ones = [Float](repeating: 1, count: 100_000)
            onEveryPath { path in
                let masks = [
                    dropout(0.5), dropout(0.5, key: 1), dropout(0.5, site: 8), dropout(0.5, first: 1),
                    dropout(0.5, first: 8),
                ].map { settings in Self.apply(settings, ones).map { $0 != 0 } }
                for i in masks.indices {
                    for j in masks.indices where j > i {
                        let agreeing = zip(masks[i], masks[j]).count { $0 == $1 }
                        #expect((agreeing - 50_000).magnitude < 1_000, "\(path), masks \(i) and \(j): \(agreeing)")
                    }
                }
            }
        }

        @Test("Probability zero copies, and any path drops the same elements")
        func sameOnPaths() {
            let x = randomFloats(1_000, seed: 10)
            var masks: Set<[Bool]> = []
            onEveryPath { path in
                #expect(Self.apply(dropout(0), x) == x, "\(path)")
                masks.insert(Self.apply(dropout(0.25, first: 3), x).map { $0 == 0 })
            }
            #expect(masks.count == 1)
        }
    }
}
