import CGraftKernels
import GraftLayers
import GraftTensor
import Testing

@Suite struct LawTests {
    /// Turning back is the inverse, and lengths stay.
    @Test func rotaryPositionsTurnAndTurnBack() throws {
        let pass = try makePass([4, 6])
        let rotary = try Rotary(headWidth: 6, base: 10_000, scaling: .linear(factor: 4))
        let x = try Owned(10, 18, "x")
        let before = try Owned(10, 18, "x")
        rotary.forward(x.matrix, unit: .tokens, pass: pass)
        #expect(abs(x.dot(x) - before.dot(before)) < 1e-3)
        #expect(x.values != before.values && Array(x.values[..<18]) == Array(before.values[..<18]))
        rotary.backward(x.matrix, unit: .tokens, pass: pass)
        for (turned, original) in zip(x.values, before.values) { #expect(abs(turned - original) < 1e-5) }
    }

    /// What only depends on how far apart two tokens are: ⟨turn(q, i), turn(k, j)⟩ = ⟨turn(q, i +
    /// 1), turn(k, j + 1)⟩.
    @Test func rotaryPositionsAreRelative() throws {
        let pass = try makePass([8])
        let rotary = try Rotary(headWidth: 8, base: 10_000, scaling: .none)
        let (q, k) = (try Owned(8, 8), try Owned(8, 8))
        let (oneQ, oneK) = (try Owned(1, 8, "q"), try Owned(1, 8, "k"))
        for row in 0..<8 {
            (q.matrix.base + row * 8).update(from: oneQ.matrix.base, count: 8)
            (k.matrix.base + row * 8).update(from: oneK.matrix.base, count: 8)
        }
        rotary.forward(q.matrix, unit: .tokens, pass: pass)
        rotary.forward(k.matrix, unit: .tokens, pass: pass)
        func product(_ i: Int, _ j: Int) -> Float {
            (0..<8).reduce(0) { $0 + q.matrix.base[i * 8 + $1] * k.matrix.base[j * 8 + $1] }
        }
        for distance in 0..<4 {
            for row in 1..<8 - distance {
                #expect(abs(product(row + distance, row) - product(distance, 0)) < 1e-4)
            }
        }
    }

    @Test func embeddingsAreRowsOfTheirTable() throws {
        let pass = try makePass([3, 4])
        let table = try Owned(11, 5, "table")
        let embedding = Embedding(
            table: table.matrix.base, type: gk_type(GK_FLOAT32), rowCount: 11, width: 5, site: 0, owner: table)
        let y = try Owned(7, 5)
        _ = try embedding.forward(pass.tokens, into: y.matrix, accumulate: false, keeps: false, pass: pass)
        for token in 0..<7 {
            for column in 0..<5 {
                #expect(y.matrix.base[token * 5 + column] == table.matrix.base[Int(pass.tokens[token]) * 5 + column])
            }
        }
        let none = y.matrix.rows(from: 0, count: 0)
        _ = try embedding.forward(pass.tokens, into: none, accumulate: false, keeps: false, pass: pass)
        // The same out of the panels of a product that has the same weight, and added.
        let weight = try PackedWeight(outputs: 11, inputs: 5, precision: .float32)
        weight.pack(firstRow: 0, rowCount: 11, rows: table.matrix.base, type: gk_type(GK_FLOAT32), team: pass.team)
        let once = y.values
        _ = try embedding.tied(to: weight).forward(
            pass.tokens, into: y.matrix, accumulate: true, keeps: false, pass: pass)
        #expect(y.values == once.map { 2 * $0 })
    }

    /// Every pooling of a row of one token is that token.
    @Test(arguments: [Pooling.mean, .first, .last, .maximum, .weightedMean, .rootMean])
    func aRowOfOneTokenIsWhatItsPoolingGives(pooling: Pooling) throws {
        let pass = try makePass([1, 1])
        let (h, y) = (try Owned(2, 9, "h"), try Owned(2, 9))
        pass.pool(h.matrix, pooling, firstRow: 0, into: y.matrix)
        for (pooled, hidden) in zip(y.values, h.values) { #expect(abs(pooled - hidden) < 1e-6) }
    }

    @Test func aRowBatchCutsAtWholeRows() {
        var batch = RowBatch()
        for length in [3, 5, 1, 9, 2] {
            batch.append(tokens: Array(repeating: 1, count: length), types: nil as [Int32]?)
        }
        #expect(batch.starts == [0, 3, 8, 9, 18, 20] && batch.rowCount == 5 && batch.tokenCount == 20)
        #expect(batch.passEnd(from: 0, tokenBudget: 8) == 2 && batch.passEnd(from: 0, tokenBudget: 9) == 3)
        #expect(batch.passEnd(from: 3, tokenBudget: 1) == 4, "a row that is too long is a pass of its own")
        var copy = RowBatch()
        for row in 0..<5 { copy.append(row: row, of: batch) }
        #expect(copy.tokens == batch.tokens && copy.starts == batch.starts)
    }

    @Test func tokensOutsideAModelAreNamed() {
        func refusal(_ tokens: [Int32], types: [Int32]? = nil) -> GraftError? {
            var batch = RowBatch()
            batch.append(tokens: [0], types: nil as [Int32]?)
            batch.append(tokens: tokens, types: types)
            do throws(GraftError) {
                try batch.check(typeCount: 2, maximumLength: 4) { _ in 10 }
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal([0, 9], types: [0, 1]) == nil)
        #expect(refusal([0, 10])?.message.contains("row 1, token 1: id 10") == true)
        #expect(refusal([-1])?.message.contains("row 1, token 0: id -1") == true)
        #expect(refusal([0], types: [2])?.message.contains("type id 2") == true)
        #expect(refusal([1, 2, 3, 4, 5])?.message.contains("row 1 has 5 tokens") == true)
    }

    /// A part of a pass is a pass of those tokens: dropout counts on, and afterwards all is as it
    /// was. Where one token of each row is read, there is one part.
    @Test func partsOfAPassAreItsTokens() throws {
        let pass = try makePass([300, 700, 5], dropoutKey: 1)
        let (whole, parts) = (try Owned(1005, 16), try Owned(1005, 16))
        for matrix in [whole.matrix, parts.matrix] { matrix.base.update(repeating: 1, count: matrix.count) }
        func drop(_ x: Matrix) throws {
            var dropout = try #require(pass.dropout(site: 3, probability: 0.5, width: 16))
            gk_apply_dropout(pass.team.kernel, &dropout, Int64(x.count), x.base, x.base)
        }
        try drop(whole.matrix)
        var next = 0
        for part in 0..<pass.partCount(.tokens) {
            try pass.within(part: part, of: .tokens) { first, count in
                #expect(first == next && count > 0 && pass.count(.tokens) == count)
                #expect(pass.segments.map(\.firstToken) == [0] && pass.segments.map(\.tokenCount) == [count])
                #expect(throws: Never.self) { try drop(parts.matrix.rows(from: first, count: count)) }
                next += count
            }
        }
        #expect(next == 1005 && pass.partCount(.tokens) > 1 && whole.values == parts.values)
        #expect(pass.tokenCount == 1005 && pass.segments.map(\.tokenCount) == [1005])
        #expect(try makePass([300, 700, 5], reading: .first).partCount(.read) == 1)
    }

    /// Which elements fall depends on the key, the site and the place in the batch, and on nothing
    /// else.
    @Test func dropoutCountsByThePlaceInTheBatch() throws {
        func kept(_ lengths: [Int], key: UInt64, site: Int) throws -> [Float] {
            let pass = try makePass(lengths, dropoutKey: key)
            let ones = try Owned(lengths.reduce(0, +), 16)
            ones.matrix.base.update(repeating: 1, count: ones.matrix.count)
            var dropout = try #require(pass.dropout(site: site, probability: 0.5, width: 16))
            gk_apply_dropout(pass.team.kernel, &dropout, Int64(ones.matrix.count), ones.matrix.base, ones.matrix.base)
            return ones.values
        }
        let first = try kept([4, 4], key: 1, site: 0)
        #expect(try first == kept([8], key: 1, site: 0), "rows do not matter")
        #expect(try first != kept([4, 4], key: 2, site: 0) && first != kept([4, 4], key: 1, site: 1))
        #expect(Set(first) == [0, 2])
        let pass = try makePass([3])
        #expect(pass.dropout(site: 0, probability: 0.5, width: 16) == nil, "nothing is dropped without a key")
    }
}
