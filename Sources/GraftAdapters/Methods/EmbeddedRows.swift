import GraftLayers
import GraftTensor

/// Virtual rows that are parameters themselves: [count, width].
final class EmbeddedRows: VirtualRows {
    let count: Int
    let layers: PrefixLayers
    private let width: Int
    private let parameter: Parameter

    init(_ parameter: Parameter, count: Int, width: Int, layers: PrefixLayers = .own) {
        self.layers = layers
        self.parameter = parameter
        self.count = count
        self.width = width
    }

    func make(_ numbers: AdapterNumbers, keeps: Bool, pass: Pass) -> MadeRows {
        func matrix(_ base: UnsafeMutablePointer<Float>) -> Matrix {
            Matrix(base + parameter.offset, rows: count, columns: width)
        }
        return MadeRows(rows: matrix(numbers.values), gradients: keeps ? numbers.gradients.map(matrix) : nil)
    }

    /// The pass adds gradients up where they belong.
    func backward(_ made: MadeRows, _ numbers: AdapterNumbers, pass: Pass) {}
}
