import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Nearest {
        private static let shapes = [(1, 1), (5, 3), (17, 8), (33, 31), (200, 96)]

        @Test("Search finds the largest products in order, whatever the path, the threads and the other queries")
        func search() {
            for (count, h) in Self.shapes {
                for (queryCount, best) in [(1, 1), (3, 4), (9, 250)] {
                    var vectors = randomFloats(count * h, seed: 1)
                    // Equals, which stay in their order.
                    for i in 0..<h { vectors[(count - 1) * h + i] = vectors[i] }
                    let queries = randomFloats(queryCount * h, seed: 2)
                    onEveryPath { path in
                        let name = "\(path), \(count) x \(h), \(queryCount) queries, \(best)"
                        let (bad, found) = nearest(vectors, queries, count, h, best, threads: 1)
                        #expect(bad == -1)
                        for query in 0..<queryCount {
                            let own = Array(queries[query * h..<(query + 1) * h])
                            let alone = nearest(vectors, own, count, h, best, threads: 1).found
                            #expect(Array(found[query * best..<(query + 1) * best]) == alone, "\(name)")
                            let places = alone.filter { $0.place != .max }.map { Int($0.place) }
                            #expect(places.count == min(best, count) && Set(places).count == places.count, "\(name)")
                            let exact = (0..<count).map { place in
                                (0..<h).reduce(0.0) { $0 + Double(vectors[place * h + $1]) * Double(own[$1]) }
                            }
                            expectClose(
                                alone.prefix(places.count).map(\.product), places.map { exact[$0] }, within: 1e-5, name)
                            for (one, next) in zip(alone, alone.dropFirst()) where next.place != .max {
                                #expect(
                                    one.product > next.product || one.product == next.product && one.place < next.place)
                            }
                            let left = Set(0..<count).subtracting(places).map { exact[$0] }.max() ?? -.infinity
                            #expect(left <= Double(alone[places.count - 1].product) + 1e-5, "\(name)")
                        }
                        for threads in [2, 3, 8] {
                            let other = nearest(vectors, queries, count, h, best, threads: threads).found
                            #expect(other == found, "\(name)")
                        }
                    }
                }
            }
        }

        @Test("The first vector whose product is not finite is named, and none is found")
        func notFinite() {
            let (count, h) = (100, 5)
            var vectors = randomFloats(count * h, seed: 3)
            vectors[71 * h + 2] = .nan
            vectors[40 * h + 4] = .infinity
            onEveryPath { path in
                let (bad, found) = nearest(vectors, randomFloats(h, seed: 4), count, h, count, threads: 3)
                #expect(bad == 40, "\(path)")
                #expect(found.count { $0.place != .max } == 98, "\(path)")
                #expect(!found.contains { $0.place == 40 || $0.place == 71 }, "\(path)")
            }
        }
    }
}

private struct Found: Equatable {
    let place: Int64
    let product: Float
}

private func nearest(
    _ vectors: [Float], _ queries: [Float], _ count: Int, _ h: Int, _ best: Int, threads: Int
) -> (bad: Int64, found: [Found]) {
    let queryCount = queries.count / h
    var found = [gk_found](
        repeating: gk_found(product: .nan, reserved: 0, place: -7), count: threads * queryCount * best)
    let bad = Team(threads).run {
        gk_nearest($0, Int64(count), Int64(h), vectors, Int64(queryCount), queries, Int64(best), &found)
    }
    return (bad, found.prefix(queryCount * best).map { Found(place: $0.place, product: $0.product) })
}
