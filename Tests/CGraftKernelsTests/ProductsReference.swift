import CGraftKernels
import Testing

/// A float32 matrix whose rows may lie further apart than they are long; what lies between is NaN,
/// so that a read there shows in a result and a write there shows in `gapsAreIntact`.
struct Matrix {
    let rows: Int
    let columns: Int
    let stride: Int
    var storage: [Float]

    init(_ rows: Int, _ columns: Int, gap: Int = 0, filledWith value: (Int, Int) -> Float = { _, _ in .nan }) {
        self.rows = rows
        self.columns = columns
        stride = columns + gap
        storage = Array(repeating: .nan, count: rows * stride)
        for i in 0..<rows { for j in 0..<columns { storage[i * stride + j] = value(i, j) } }
    }

    /// Numbers in [-1, 1) that depend on the seed and the place alone.
    static func random(_ rows: Int, _ columns: Int, gap: Int = 0, seed: UInt64) -> Matrix {
        var generator = Generator(state: seed)
        return Matrix(rows, columns, gap: gap) { _, _ in generator.next() }
    }

    subscript(i: Int, j: Int) -> Float {
        get { storage[i * stride + j] }
        set { storage[i * stride + j] = newValue }
    }

    var gapsAreIntact: Bool {
        (0..<rows).allSatisfy { i in storage[i * stride + columns..<(i + 1) * stride].allSatisfy(\.isNaN) }
    }

    /// Nothing was ever written.
    var isUntouched: Bool { storage.allSatisfy(\.isNaN) }
    var isZero: Bool { storage.allSatisfy { $0 == 0 } }

    var transposed: Matrix { Matrix(columns, rows) { self[$1, $0] } }

    /// Every element rounded to bfloat16 by the definition: the nearest, and the even one of two
    /// nearest.
    func rounded(to type: gk_type) -> Matrix {
        type == Types.float32 ? self : Matrix(rows, columns, gap: stride - columns) { nearestBFloat16(self[$0, $1]) }
    }

    func hasSameBits(as other: Matrix) -> Bool {
        rows == other.rows && columns == other.columns
            && (0..<rows).allSatisfy { i in
                (0..<columns).allSatisfy { j in self[i, j].bitPattern == other[i, j].bitPattern }
            }
    }

    func row(_ i: Int) -> Matrix { Matrix(1, columns) { self[i, $1] } }
}

struct Generator {
    var state: UInt64

    mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 33) & 0x7fffff) / 4_194_304 - 1
    }
}

func nearestBFloat16(_ x: Float) -> Float {
    let lower = Float(bitPattern: x.bitPattern & 0xffff_0000)
    let upper = Float(bitPattern: (x.bitPattern & 0xffff_0000) &+ 0x1_0000)
    let toLower = (Double(x) - Double(lower)).magnitude
    let toUpper = (Double(upper) - Double(x)).magnitude
    if toLower != toUpper { return toLower < toUpper ? lower : upper }
    return lower.bitPattern & 0x1_0000 == 0 ? lower : upper
}

/// The element types as Swift sees the C constants.
enum Types {
    static let float32 = gk_type(GK_FLOAT32)
    static let bfloat16 = gk_type(GK_BFLOAT16)
    static let float16 = gk_type(GK_FLOAT16)
    static let packed = [float32, bfloat16]
}

/// W [n, k] in panels.
final class Packed {
    let type: gk_type
    let n: Int
    let k: Int
    let memory: UnsafeMutableRawPointer

    init(_ type: gk_type, zeroed n: Int, _ k: Int) {
        (self.type, self.n, self.k) = (type, n, k)
        let size = gk_packed_size(type, Int64(n), Int64(k))
        memory = .allocate(byteCount: max(size, 64), alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    convenience init(_ type: gk_type, _ weights: Matrix) {
        self.init(type, zeroed: weights.rows, weights.columns)
        pack(0, n, weights.storage, Types.float32, rowStride: weights.stride)
    }

    /// Packs rows from `row` on.
    func pack(
        _ row: Int, _ count: Int, _ rows: UnsafeRawPointer, _ source: gk_type, rowStride: Int, columnStride: Int = 1,
        threads: Int = 1
    ) {
        Team(threads).run { team in
            gk_pack(
                team, type, Int64(n), Int64(k), memory, Int64(row), Int64(count), rows, source, Int64(rowStride),
                Int64(columnStride))
        }
    }

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory, count: gk_packed_size(type, Int64(n), Int64(k)))
    }

    func multiply(_ x: Matrix, bias: [Float]? = nil, into y: inout Matrix, threads: Int = 1) {
        Team(threads).run { team in
            bias.withPointer { bias in
                var epilogue = gk_epilogue(
                    bias: bias, before_activation: nil, activation: gk_activation(GK_IDENTITY), reserved: 0)
                gk_product(
                    team, type, Int64(n), Int64(k), memory, Int64(x.rows), x.storage, Int64(x.stride), &epilogue,
                    &y.storage, Int64(y.stride))
            }
        }
    }

    func multiplyBackward(_ dy: Matrix, accumulate: Bool = false, into dx: inout Matrix, threads: Int = 1) {
        Team(threads).run { team in
            gk_product_backward(
                team, type, Int64(n), Int64(k), memory, Int64(dy.rows), dy.storage, Int64(dy.stride), accumulate,
                &dx.storage, Int64(dx.stride))
        }
    }
}

extension [Float]? {
    /// The elements' address, or nil for nothing.
    func withPointer<Result>(_ body: (UnsafePointer<Float>?) -> Result) -> Result {
        guard let self else { return body(nil) }
        return self.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}

/// Requires c = start + a · b within the error that a chain of float32 multiply-adds can make: one
/// rounding of the partial sum for each term. `elements` names the elements to look at; nil looks
/// at all.
func expectProduct(
    _ c: Matrix, of a: Matrix, _ b: Matrix, from start: (Int, Int) -> Float = { _, _ in 0 },
    at elements: [(Int, Int)]? = nil, _ comment: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    func check(_ i: Int, _ j: Int) -> Bool {
        var sum = Double(start(i, j))
        var magnitude = sum.magnitude
        for k in 0..<a.columns {
            let term = Double(a[i, k]) * Double(b[k, j])
            sum += term
            magnitude += term.magnitude
        }
        let tolerance = magnitude * Double(2 * a.columns + 4) * 0x1p-24 + 1e-30
        let error = (Double(c[i, j]) - sum).magnitude
        if error <= tolerance { return true }
        Issue.record(
            "\(comment): element (\(i), \(j)) is \(c[i, j]), expected \(sum) ± \(tolerance)",
            sourceLocation: sourceLocation)
        return false
    }
    if let elements {
        for (i, j) in elements where !check(i, j) { return }
    } else {
        for i in 0..<c.rows { for j in 0..<c.columns where !check(i, j) { return } }
    }
    #expect(c.gapsAreIntact, "\(comment): wrote between the rows", sourceLocation: sourceLocation)
}

/// Places spread over a matrix, its corners among them.
func someElements(_ rows: Int, _ columns: Int) -> [(Int, Int)] {
    [(0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1)]
        + (0..<200).map { ($0 * 7919 % rows, $0 * 104_729 % columns) }
}
