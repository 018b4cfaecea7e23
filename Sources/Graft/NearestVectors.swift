public import CGraft
import GraftInference
import GraftTensor

@c @implementation
public func graft_nearest(
    _ vectors: UnsafePointer<Float>?, _ vector_count: Int64, _ width: Int32, _ queries: UnsafePointer<Float>?,
    _ query_count: Int64, _ best_count: Int64, _ thread_count: Int32, _ places: UnsafeMutablePointer<Int64>?,
    _ products: UnsafeMutablePointer<Float>?, _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let width = try count(Int64(width), "width", from: 1, atMost: 1 << 20)
        let vectorCount = try count(vector_count, "vector_count", atMost: 1 << 32)
        let queryCount = try count(query_count, "query_count", atMost: 1 << 20)
        let bestCount = try count(best_count, "best_count", from: 1, atMost: 1 << 20)
        let vectors = try array(vectors, count: vectorCount * width, "vectors")
        let queries = try array(queries, count: queryCount * width, "queries")
        let places = try output(places, capacity: capacity, needs: queryCount * bestCount, "places")
        let nearest = try NearestVectors(
            among: vectors, queries: queries, width: width, bestCount: bestCount, threadCount: Int(thread_count))
        for query in 0..<queryCount {
            for rank in 0..<bestCount {
                let found = nearest[query, rank]
                places[query * bestCount + rank] = found?.place ?? -1
                products?[query * bestCount + rank] = found?.product ?? -.infinity
            }
        }
    }
}
