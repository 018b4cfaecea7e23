import GraftInference
import GraftLayers
import GraftTensor
import GraftTestSupport
import Testing

/// A row's result is a function of the row and its adapter alone, to the last bit.
@Suite struct MixedBatchTests {
    static let precisions = [Precision.float32, .bfloat16]

    @Test("The rows of a batch have different adapters, heads and scales")
    func batchIsMixed() throws {
        let mixed = try MixedRows(.float32)
        #expect(Set(mixed.labelCounts) == [2, 3, 4, 5, 7])
        #expect(mixed.adapters.contains { $0 == nil })
        let kinds = Set(mixed.adapters.map { $0.map(ObjectIdentifier.init) })
        #expect(kinds.count == MixedRows.goldenFolders.count + 7)
        // Otherwise the tests below would compare equal things.
        let session = try mixed.session()
        let plain = try session.embeddings(mixed.rows)
        let adapted = try session.embeddings(mixed.rows, mixed.adapters)
        let width = mixed.model.shape.hiddenSize
        for row in 0..<mixed.rows.rowCount {
            let range = row * width..<(row + 1) * width
            // A row of one token attends to itself whatever query and key say.
            guard mixed.rows.length(ofRow: row) > 1 else { continue }
            let adapter = mixed.adapters[row]
            let difference = Goldens.difference(Array(plain[range]), Array(adapted[range]))
            #expect((difference == 0) == (adapter == nil), "row \(row) differs by \(difference)")
        }
    }

    @Test("A batch that mixes adapters and plain rows has the bits of each row alone", arguments: precisions)
    func mixedEqualsAlone(precision: Precision) throws {
        let mixed = try MixedRows(precision)
        let session = try mixed.session(threads: 2)
        let width = mixed.model.shape.hiddenSize
        let (columns, logits) = try session.logits(mixed.rows, mixed.adapters)
        let states = try session.states(mixed.rows, mixed.adapters)
        #expect(columns == 7)
        for pooling in [Pooling.mean, .first, .last] {
            let vectors = try session.embeddings(mixed.rows, mixed.adapters, pooling: pooling)
            for row in 0..<mixed.rows.rowCount {
                let alone = try session.embeddings(mixed.single(row), [mixed.adapters[row]], pooling: pooling)
                #expect(bits(vectors[row * width..<(row + 1) * width]) == bits(alone), "row \(row), \(pooling)")
            }
        }
        for row in 0..<mixed.rows.rowCount {
            let (count, alone) = try session.logits(mixed.single(row), [mixed.adapters[row]])
            #expect(count == mixed.labelCounts[row])
            #expect(bits(logits[row * columns..<row * columns + count]) == bits(alone), "row \(row)")
            #expect(alone.allSatisfy { $0.isFinite })
            #expect(logits[row * columns + count..<(row + 1) * columns].allSatisfy { $0 == -.infinity }, "row \(row)")
            let aloneStates = try session.states(mixed.single(row), [mixed.adapters[row]])
            let range = Int(mixed.rows.starts[row]) * width..<Int(mixed.rows.starts[row + 1]) * width
            #expect(bits(states[range]) == bits(aloneStates), "row \(row)")
        }
    }

    @Test("The order of the rows changes nothing but the order of the results", arguments: precisions)
    func orderChangesNothing(precision: Precision) throws {
        let mixed = try MixedRows(precision)
        let session = try mixed.session(threads: 2)
        let (columns, logits) = try session.logits(mixed.rows, mixed.adapters)
        let order = Array(0..<mixed.rows.rowCount).reversed().map { $0 }
        var rows = RowBatch()
        for row in order { rows.append(row: row, of: mixed.rows) }
        let (_, turned) = try session.logits(rows, order.map { mixed.adapters[$0] })
        for (index, row) in order.enumerated() {
            #expect(
                bits(turned[index * columns..<(index + 1) * columns])
                    == bits(logits[row * columns..<(row + 1) * columns]), "row \(row)")
        }
    }

    @Test("Results have the same bits on 1, 2, 3 and 8 threads", arguments: precisions)
    func threadsChangeNothing(precision: Precision) throws {
        let mixed = try MixedRows(precision)
        let one = try mixed.session(threads: 1)
        let vectors = bits(try one.embeddings(mixed.rows, mixed.adapters))
        let logits = bits(try one.logits(mixed.rows, mixed.adapters).values)
        let states = (0...2).map { layer in Result { bits(try one.states(mixed.rows, mixed.adapters, layer: layer)) } }
        for threads in [2, 3, 8] {
            let session = try mixed.session(threads: threads)
            #expect(bits(try session.embeddings(mixed.rows, mixed.adapters)) == vectors, "\(threads) threads")
            #expect(bits(try session.logits(mixed.rows, mixed.adapters).values) == logits, "\(threads) threads")
            for layer in 0...2 {
                #expect(
                    try bits(try session.states(mixed.rows, mixed.adapters, layer: layer)) == states[layer].get(),
                    "\(threads) threads, layer \(layer)")
            }
        }
    }

    @Test("The size of a pass changes no bit", arguments: precisions)
    func passSizeChangesNothing(precision: Precision) throws {
        let mixed = try MixedRows(precision)
        #expect(mixed.rows.tokenCount > 512, "feed-forwards take more tokens in parts")
        let whole = try mixed.session(threads: 2, passTokenCount: 1 << 20)
        let vectors = bits(try whole.embeddings(mixed.rows, mixed.adapters))
        let logits = bits(try whole.logits(mixed.rows, mixed.adapters).values)
        let states = bits(try whole.states(mixed.rows, mixed.adapters))
        for tokens in [1, 7, 64, 100, 0] {
            let session = try mixed.session(threads: 2, passTokenCount: tokens)
            #expect(bits(try session.embeddings(mixed.rows, mixed.adapters)) == vectors, "\(tokens) tokens")
            #expect(bits(try session.logits(mixed.rows, mixed.adapters).values) == logits, "\(tokens) tokens")
            #expect(bits(try session.states(mixed.rows, mixed.adapters)) == states, "\(tokens) tokens")
        }
    }

    @Test("A session used before gives the bits of a fresh one")
    func sessionsForget() throws {
        let mixed = try MixedRows(.float32)
        let used = try mixed.session(threads: 2)
        for row in 0..<mixed.rows.rowCount { _ = try used.logits(mixed.single(row), [mixed.adapters[row]]) }
        _ = try used.states(mixed.rows, mixed.adapters, layer: 0)
        let fresh = try mixed.session(threads: 2)
        #expect(
            bits(try used.logits(mixed.rows, mixed.adapters).values)
                == bits(try fresh.logits(mixed.rows, mixed.adapters).values))
    }
}
